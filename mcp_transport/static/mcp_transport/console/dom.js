// Elements are built here. What a server sent goes in as text, never as markup.

let made = 0;

/**
 * An id that no other element of the page has.
 *
 * @param {string} prefix
 */
export function uniqueId(prefix) {
  made += 1;
  return `mcp-${prefix}-${made}`;
}

/**
 * Returns the element that a selector finds, within `root`. Throws TypeError where the
 * page lacks it.
 *
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {HTMLElement}
 */
export function within(root, selector) {
  const found = root.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new TypeError(`the page lacks ${selector}`);
  return found;
}

/**
 * Makes an element. `on…` attributes are listeners; those that are undefined,
 * null or false are left out, and so are such children.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child || child === "") element.append(child);
  return element;
}

/**
 * A button that does not submit the form that it is in.
 *
 * @param {string} label
 * @param {() => unknown} onclick
 * @param {Record<string, unknown>} [attributes]
 */
export function button(label, onclick, attributes = {}) {
  return el("button", { type: "button", class: "mcp-button", onclick, ...attributes }, label);
}

/**
 * Returns `url` as it may be linked: http and https only, otherwise null.
 *
 * @param {string | undefined} url
 */
export function webAddress(url) {
  try {
    const parsed = new URL(url ?? "");
    return ["http:", "https:"].includes(parsed.protocol) ? parsed.href : null;
  } catch {
    return null;
  }
}

/**
 * A link out of the page, or plain text where the address is none of the web.
 *
 * @param {string} url
 */
export function outwardLink(url, label = url) {
  const href = webAddress(url);
  if (!href) return el("code", {}, label);
  return el("a", { href, target: "_blank", rel: "noopener noreferrer" }, label);
}

/**
 * Lets the arrow keys, Home and End move through the elements of `list` that
 * match `selector`, of which one at a time can be reached by Tab.
 *
 * @param {HTMLElement} list
 * @param {"a" | "button"} selector
 */
export function roving(list, selector) {
  const items = () => [...list.querySelectorAll(selector)].filter((item) => !item.hidden);
  /** @param {Event} event */
  const placeOf = (event) => items().findIndex((item) => item === event.target);
  /** @type {Record<string, number>} */
  const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
  list.addEventListener("keydown", (event) => {
    const all = items();
    const at = placeOf(event);
    if (at < 0) return;
    const step = steps[event.key];
    let to;
    if (step !== undefined) to = all[at + step];
    else if (event.key === "Home") to = all[0];
    else if (event.key === "End") to = all.at(-1);
    if (!to) return;
    event.preventDefault();
    to.focus();
  });
  list.addEventListener("focusin", (event) => {
    if (placeOf(event) < 0) return;
    for (const item of items()) item.tabIndex = item === event.target ? 0 : -1;
  });
}

/**
 * Shows `number` of bytes in a unit that can be read.
 *
 * @param {number} number
 */
export function inBytes(number) {
  if (number < 1000) return `${number} B`;
  const isSmall = number < 1_000_000;
  const value = number / (isSmall ? 1000 : 1_000_000);
  const unit = isSmall ? "kB" : "MB";
  return `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`;
}
