// The lists of what a server has: tools, resources, templates and prompts, with a
// search over all that a model reads of them.

import { el, roving, uniqueId } from "./dom.js";

/** @typedef {"tool" | "resource" | "template" | "prompt"} Kind */

/** An entry by its kind and key. @typedef {{kind: Kind, key: string}} Chosen */
/** What a server lists, of any kind. @typedef {import("../client").JsonObject} Entry */
/** @typedef {import("../client").Client} Client */

/**
 * @typedef {object} Listed
 * @property {string} label
 * @property {string} key  the member by which a client names an entry
 * @property {string} feature
 * @property {(client: Client) => Promise<Entry[]>} list
 */

/** How each kind is listed; `feature` is the capability that it belongs to. @type {Record<Kind, Listed>} */
export const KINDS = {
  tool: { label: "Tools", key: "name", feature: "tools", list: (client) => client.listTools() },
  resource: { label: "Resources", key: "uri", feature: "resources", list: (client) => client.listResources() },
  template: {
    label: "Templates",
    key: "uriTemplate",
    feature: "resources",
    list: (client) => client.listResourceTemplates(),
  },
  prompt: { label: "Prompts", key: "name", feature: "prompts", list: (client) => client.listPrompts() },
};

/** @type {Kind[]} */
export const ALL_KINDS = ["tool", "resource", "template", "prompt"];

/**
 * What an entry is called where people read it.
 *
 * @param {Entry} entry
 */
export function titleOf(entry) {
  return entry.title ?? entry.annotations?.title ?? entry.name;
}

export class Catalogue {
  constructor() {
    this.entries = byKind(() => /** @type {Entry[]} */ ([]));
    /** @type {Kind} */
    this.shown = "tool";
    /** @type {Chosen | null} */
    this.chosen = null;
    this.list = el("ul", { class: "mcp-list" });
    this.panel = el("div", { role: "tabpanel", id: uniqueId("panel") }, this.list);
    this.tabs = byKind((kind) => this.tab(kind));
    this.search = el("input", {
      class: "mcp-input",
      type: "search",
      id: uniqueId("search"),
      placeholder: "Search",
      oninput: () => this.draw(),
    });
    this.said = el("p", { class: "mcp-offscreen", role: "status" });
    this.element = el("div", { class: "mcp-catalogue" }, this.tabList(), this.searchField(), this.said, this.panel);
    roving(this.list, "a");
    this.draw();
  }

  /** @param {Kind} kind */
  tab(kind) {
    const count = el("span", { class: "mcp-count" });
    const tab = el("button", {
      type: "button",
      role: "tab",
      id: uniqueId("tab"),
      "aria-controls": this.panel.id,
      onclick: () => this.show(kind),
    }, KINDS[kind].label, count);
    return { tab, count };
  }

  tabList() {
    const list = el("div", { class: "mcp-tabs", role: "tablist", "aria-label": "Catalogue" });
    list.append(...Object.values(this.tabs).map(({ tab }) => tab));
    roving(list, "button");
    return list;
  }

  searchField() {
    const { id } = this.search;
    return el("div", {}, el("label", { class: "mcp-offscreen", for: id }, "Search the catalogue"), this.search);
  }

  /**
   * Takes the entries of one kind as the server lists them.
   *
   * @param {Kind} kind
   * @param {Entry[]} entries
   */
  fill(kind, entries) {
    this.entries[kind] = entries;
    this.draw();
  }

  clear() {
    for (const kind of ALL_KINDS) this.entries[kind] = [];
    this.chosen = null;
    this.draw();
  }

  /** @param {Kind} kind */
  show(kind) {
    this.shown = kind;
    this.draw();
  }

  /**
   * Returns the entry of that key, or undefined.
   *
   * @param {Kind} kind
   * @param {string} key
   */
  find(kind, key) {
    return this.entries[kind].find((entry) => entry[KINDS[kind].key] === key);
  }

  /**
   * Marks an entry as the one that is looked at; null marks none.
   *
   * @param {Chosen | null} chosen
   */
  mark(chosen) {
    this.chosen = chosen;
    if (chosen && chosen.kind !== this.shown) this.show(chosen.kind);
    else this.settle();
  }

  draw() {
    const words = this.search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const found = byKind((kind) => this.entries[kind].filter((entry) => mentions(entry, words)));
    for (const kind of ALL_KINDS) {
      const { tab, count } = this.tabs[kind];
      const isShown = kind === this.shown;
      tab.setAttribute("aria-selected", String(isShown));
      tab.tabIndex = isShown ? 0 : -1;
      count.textContent = String(found[kind].length);
    }
    const entries = found[this.shown];
    this.panel.setAttribute("aria-labelledby", this.tabs[this.shown].tab.id);
    const focused = this.list.contains(document.activeElement) && document.activeElement?.getAttribute("href");
    this.list.replaceChildren(...entries.map((entry) => this.row(entry)));
    this.settle();
    if (focused) this.links().find((link) => link.getAttribute("href") === focused)?.focus();
    if (entries.length === 0) {
      const why = words.length ? "Nothing matches." : "There are none.";
      this.list.append(el("li", { class: "mcp-help" }, why));
    }
    this.said.textContent = words.length ? `${entries.length} found` : "";
  }

  links() {
    return [...this.list.querySelectorAll("a")];
  }

  /** Says which row is looked at. Tab comes to that one, or else to the first. */
  settle() {
    const links = this.links();
    const address = this.chosen && addressOf(this.chosen.kind, this.chosen.key);
    const current = links.find((link) => link.getAttribute("href") === address);
    for (const link of links) {
      if (link === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
      link.tabIndex = link === (current ?? links[0]) ? 0 : -1;
    }
  }

  /** Puts the focus on the row that is looked at, or else on the first. */
  focus() {
    this.links().find((link) => link.tabIndex === 0)?.focus();
  }

  /** @param {Entry} entry */
  row(entry) {
    const kind = this.shown;
    const key = entry[KINDS[kind].key];
    const title = titleOf(entry);
    return el(
      "li",
      {},
      el(
        "a",
        { href: addressOf(kind, key), tabindex: -1 },
        el("span", { class: "mcp-title" }, title),
        key !== title && el("code", {}, key),
        ...hintsOf(entry).map((hint) => el("span", { class: "mcp-chip", "data-hint": hint }, hint)),
      ),
    );
  }
}

/**
 * Makes something of each kind.
 *
 * @template Made
 * @param {(kind: Kind) => Made} make
 * @returns {Record<Kind, Made>}
 */
function byKind(make) {
  const [tool, resource, template, prompt] = ALL_KINDS.map(make);
  return { tool, resource, template, prompt };
}

/**
 * The fragment that leads to an entry, such as `#tool/search`.
 *
 * @param {Kind} kind
 * @param {string} key
 */
export function addressOf(kind, key) {
  return `#${kind}/${encodeURIComponent(key)}`;
}

/**
 * Reads such a fragment; null if it is none.
 *
 * @param {string} fragment
 * @returns {Chosen | null}
 */
export function fromAddress(fragment) {
  const [, named, key] = fragment.match(/^#(\w+)\/(.+)$/s) ?? [];
  const kind = ALL_KINDS.find((one) => one === named);
  if (kind === undefined) return null;
  try {
    return { kind, key: decodeURIComponent(key) };
  } catch {
    return null;
  }
}

/**
 * What a tool says of itself, in words. They are claims, not promises.
 *
 * @param {Entry} entry
 */
export function hintsOf({ annotations = {} }) {
  const { readOnlyHint, destructiveHint } = annotations;
  if (readOnlyHint) return ["read only"];
  return destructiveHint ? ["destructive"] : [];
}

/**
 * @param {Entry} entry
 * @param {string[]} words
 */
function mentions(entry, words) {
  const { name, title, description, uri, uriTemplate, annotations } = entry;
  const text = [name, title, description, uri, uriTemplate, annotations?.title].join(" ").toLowerCase();
  return words.every((word) => text.includes(word));
}
