/** Adds blank rows to a field whose value is a list, one at a click. */

/** @param {HTMLElement} rows the element with the attribute data-rows */
function offerMore(rows) {
  const name = rows.dataset.rows;
  const most = Number(rows.dataset.maxRows);
  const count = rows.querySelector(`input[name="${CSS.escape(`${name}-rows`)}"]`);
  const last = () => [...rows.querySelectorAll(":scope > [data-row]")].at(-1);
  if (!count || !last()) return;
  const pattern = last().cloneNode(true);
  const at = Number(count.value) - 1;

  const add = document.createElement("button");
  add.type = "button";
  add.className = "button mcp-add";
  add.textContent = rows.dataset.add;
  add.disabled = Number(count.value) >= most;
  add.addEventListener("click", () => {
    const row = renumbered(pattern, `${name}-${at}-`, `${name}-${count.value}-`);
    last().after(row);
    count.value = String(Number(count.value) + 1);
    add.disabled = Number(count.value) >= most;
    row.querySelector("input, select, textarea")?.focus();
  });
  rows.append(add);
}

/** @returns {HTMLElement} a copy of ``pattern`` under other names */
function renumbered(pattern, from, to) {
  const row = pattern.cloneNode(true);
  for (const element of row.querySelectorAll("[name], [id], [for]")) {
    for (const attribute of ["name", "id", "for", "aria-describedby"]) {
      const value = element.getAttribute(attribute);
      if (value) element.setAttribute(attribute, value.replace(from, to));
    }
  }
  return row;
}

for (const rows of document.querySelectorAll("[data-rows]")) offerMore(rows);
