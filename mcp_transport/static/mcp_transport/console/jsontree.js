// A JSON value as a tree that opens and closes. Branches are made when they are
// opened, so that a large value costs no more than what is looked at.

import { button, el } from "./dom.js";

const CHILDREN_AT_ONCE = 100;
const OPEN_DEPTH = 3;

/**
 * @param {unknown} value
 * @param {number} [openDepth]  how many levels are open from the start
 * @returns {HTMLElement}
 */
export function jsonTree(value, openDepth = OPEN_DEPTH) {
  return el("div", { class: "mcp-tree" }, node(null, value, openDepth));
}

/**
 * @param {string | null} key
 * @param {unknown} value
 * @param {number} openDepth
 * @returns {HTMLElement}
 */
function node(key, value, openDepth) {
  const name = key === null ? null : el("span", { class: "mcp-key" }, `${key}: `);
  if (typeof value !== "object" || value === null) {
    return el("div", { class: "mcp-leaf" }, name, leaf(value));
  }
  const entries = Object.entries(value);
  const isList = Array.isArray(value);
  if (entries.length === 0) return el("div", { class: "mcp-leaf" }, name, isList ? "[]" : "{}");
  const size = isList ? `[${entries.length}]` : `{${entries.length}}`;
  const branch = el(
    "details",
    { open: openDepth > 0 },
    el("summary", {}, name, el("span", { class: "mcp-size" }, size)),
  );
  const grow = () => branch.append(children(entries, openDepth - 1));
  if (openDepth > 0) grow();
  else branch.addEventListener("toggle", grow, { once: true });
  return branch;
}

/**
 * @param {[string, unknown][]} entries
 * @param {number} openDepth
 */
function children(entries, openDepth) {
  const list = el("div", { class: "mcp-branch" });
  /** @param {number} from */
  const more = (from) => {
    const shown = entries.slice(from, from + CHILDREN_AT_ONCE);
    list.append(...shown.map(([key, value]) => node(key, value, openDepth)));
    const left = entries.length - from - shown.length;
    if (left === 0) return;
    const rest = button(`${left} more`, () => {
      rest.remove();
      more(from + CHILDREN_AT_ONCE);
    });
    list.append(rest);
  };
  more(0);
  return list;
}

/** @param {unknown} value */
function leaf(value) {
  const kind = value === null ? "null" : typeof value;
  return el("span", { class: `mcp-value mcp-${kind}` }, JSON.stringify(value));
}
