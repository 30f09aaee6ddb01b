// Elements are built here. What a server sent goes in as text, never as markup.

let made = 0;

/** An id that no other element of the page has. */
export function uniqueId(prefix) {
  made += 1;
  return `mcp-${prefix}-${made}`;
}

/**
 * Makes an element. `on…` attributes are listeners; those that are undefined,
 * null or false are left out, and so are such children.
 *
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child || child === ""));
  return element;
}

/** A button that does not submit the form that it is in. */
export function button(label, onclick, attributes = {}) {
  return el("button", { type: "button", class: "mcp-button", onclick, ...attributes }, label);
}

/** Returns `url` as it may be linked: http and https only, otherwise null. */
export function webAddress(url) {
  try {
    const parsed = new URL(url);
    return ["http:", "https:"].includes(parsed.protocol) ? parsed.href : null;
  } catch {
    return null;
  }
}

/** A link out of the page, or plain text where the address is none of the web. */
export function outwardLink(url, label = url) {
  const href = webAddress(url);
  if (!href) return el("code", {}, label);
  return el("a", { href, target: "_blank", rel: "noopener noreferrer" }, label);
}

/**
 * Lets the arrow keys, Home and End move through the elements of `list` that
 * match `selector`, of which one at a time can be reached by Tab.
 */
export function roving(list, selector) {
  const items = () => [...list.querySelectorAll(selector)].filter((item) => !item.hidden);
  const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
  list.addEventListener("keydown", (event) => {
    const all = items();
    const at = all.indexOf(event.target);
    if (at < 0) return;
    let to = null;
    if (event.key in steps) to = all[at + steps[event.key]];
    else if (event.key === "Home") to = all[0];
    else if (event.key === "End") to = all.at(-1);
    if (!to) return;
    event.preventDefault();
    to.focus();
  });
  list.addEventListener("focusin", (event) => {
    const all = items();
    if (!all.includes(event.target)) return;
    for (const item of all) item.tabIndex = item === event.target ? 0 : -1;
  });
}

/** Shows `number` of bytes in a unit that can be read. */
export function inBytes(number) {
  if (number < 1000) return `${number} B`;
  const [value, unit] = number < 1_000_000 ? [number / 1000, "kB"] : [number / 1_000_000, "MB"];
  return `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`;
}
