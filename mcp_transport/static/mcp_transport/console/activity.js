// What happens beside the calls: log messages, notifications, the connection.

import { button, el } from "./dom.js";
import { logLine } from "./run.js";

const MOST_LINES = 300;

export class Activity {
  constructor() {
    this.list = el("ol", { class: "mcp-lines", tabindex: 0 });
    const spoken = el("div", { role: "log", "aria-label": "What happened" }, this.list);
    this.empty = el("p", { class: "mcp-help" }, "Log messages and notifications appear here.");
    const clear = button("Clear", () => this.clear(), { class: "mcp-button mcp-quiet" });
    this.toolbar = el("div", { class: "mcp-toolbar" }, clear);
    this.element = el("div", { class: "mcp-activity" }, this.toolbar, this.empty, spoken);
  }

  /** @param {import("../client").LogMessage} message */
  log(message) {
    this.add(logLine(message));
  }

  /** @param {string} method @param {import("../client").JsonObject} params */
  notification(method, params) {
    const { _meta, ...said } = params ?? {};
    const text = Object.keys(said).length ? JSON.stringify(said) : "";
    this.add(el("li", { "data-level": "notice" }, el("code", {}, method), el("span", { class: "mcp-said" }, text)));
  }

  /**
   * Says something of the connection itself.
   *
   * @param {string} text
   */
  note(text) {
    this.add(el("li", { "data-level": "note" }, el("span", { class: "mcp-said" }, text)));
  }

  /** @param {HTMLLIElement} line */
  add(line) {
    const now = new Date();
    line.prepend(el("time", { datetime: now.toISOString() }, now.toTimeString().slice(0, 8)));
    this.list.append(line);
    if (this.list.childElementCount > MOST_LINES) this.list.firstElementChild?.remove();
    this.list.scrollTop = this.list.scrollHeight;
    this.empty.hidden = true;
  }

  clear() {
    this.list.replaceChildren();
    this.empty.hidden = false;
  }
}
