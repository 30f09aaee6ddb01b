// The JSON-RPC messages of a connection, both ways, newest last. It holds a bounded
// number of them, and writes one out only when it is opened.

import { asCurl, copyButton } from "./copy.js";
import { button, el, inBytes, uniqueId } from "./dom.js";

const MOST_ENTRIES = 500;
const ARROWS = { sent: "↑", received: "↓" };
const NEAR_END_PX = 40;

/** @typedef {import("../client").JsonObject} JsonObject */
/** @typedef {"sent" | "received"} Direction */

/**
 * @typedef {object} Said
 * @property {Direction} direction
 * @property {JsonObject} message
 * @property {import("../client").WireMeta} meta
 * @property {string} text  what a search looks at
 *
 * @typedef {Said & {row: HTMLElement}} Entry
 */

export class WireLog {
  /**
   * @param {object} [options]
   * @param {() => string | undefined} [options.getToken]  the token for copies as
   *   curl; undefined for a placeholder
   */
  constructor({ getToken = () => undefined } = {}) {
    this.getToken = getToken;
    /** @type {Entry[]} */
    this.entries = [];
    this.dropped = 0;
    /** What was asked in each direction, by id. @type {Map<string, {method: string, at: number}>} */
    this.asked = new Map();
    this.search = el("input", {
      class: "mcp-input",
      type: "search",
      id: uniqueId("search"),
      placeholder: "Filter",
      oninput: () => this.filter(),
    });
    this.direction = el(
      "select",
      { class: "mcp-input", "aria-label": "Direction", onchange: () => this.filter() },
      el("option", { value: "" }, "↑↓ both"),
      el("option", { value: "sent" }, "↑ sent"),
      el("option", { value: "received" }, "↓ received"),
    );
    const spoken = { role: "log", "aria-label": "Messages on the wire", "aria-live": "off" };
    this.list = el("ol", { class: "mcp-wire", tabindex: 0 });
    this.count = el("span", { class: "mcp-count" });
    this.element = el("div", { class: "mcp-wirelog" }, this.tools(), el("div", spoken, this.list));
    this.tell();
  }

  tools() {
    const all = () => JSON.stringify(this.entries.map(({ direction, message }) => ({ direction, message })), null, 2);
    return el(
      "div",
      {},
      el("label", { class: "mcp-offscreen", for: this.search.id }, "Filter the messages"),
      el("div", { class: "mcp-toolbar" }, this.search, this.direction),
      el(
        "div",
        { class: "mcp-toolbar" },
        this.count,
        copyButton("Copy all", all, "mcp-button mcp-quiet"),
        button("Clear", () => this.clear(), { class: "mcp-button mcp-quiet" }),
      ),
    );
  }

  /**
   * Takes what `onwire` of the client gives.
   *
   * @param {"sent" | "received"} direction
   * @param {JsonObject} message
   * @param {import("../client").WireMeta} meta
   */
  add(direction, message, meta) {
    const text = JSON.stringify(message);
    const title = this.title(direction, message, meta);
    const said = { direction, message, meta, text: `${title} ${text}`.toLowerCase() };
    const entry = { ...said, row: this.row(said, title, text.length) };
    const isAtEnd = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < NEAR_END_PX;
    this.entries.push(entry);
    this.list.append(entry.row);
    this.judge(entry);
    if (this.entries.length > MOST_ENTRIES) {
      this.entries.shift()?.row.remove();
      this.dropped += 1;
    }
    this.tell();
    if (isAtEnd) this.list.scrollTop = this.list.scrollHeight;
  }

  /**
   * Names a message: a response by what it answers.
   *
   * @param {Direction} direction
   * @param {JsonObject} message
   * @param {import("../client").WireMeta} meta
   */
  title(direction, message, meta) {
    if (Array.isArray(message)) return `batch of ${message.length}`;
    const { id, method, error } = message;
    if (method !== undefined) {
      const asked = { method, at: meta.at };
      if (id !== undefined) this.asked.set(`${direction} ${typeof id} ${id}`, asked);
      return method;
    }
    const key = `${direction === "sent" ? "received" : "sent"} ${typeof id} ${id}`;
    const asked = this.asked.get(key);
    this.asked.delete(key);
    const kind = error ? "error" : "result";
    return asked ? `${kind} of ${asked.method}, ${Math.round(meta.at - asked.at)} ms` : kind;
  }

  /**
   * @param {Said} entry
   * @param {string} title
   * @param {number} size  in characters
   */
  row(entry, title, size) {
    const { direction, message, meta } = entry;
    const time = new Date(meta.at);
    const details = el(
      "details",
      {},
      el(
        "summary",
        {},
        el("span", { class: "mcp-arrow", "aria-label": direction }, ARROWS[direction]),
        el("span", { class: "mcp-method" }, title),
        message.id !== undefined && el("code", {}, `#${message.id}`),
        el("span", { class: "mcp-note" }, inBytes(size)),
        el("time", { datetime: time.toISOString() }, time.toTimeString().slice(0, 8)),
      ),
    );
    details.addEventListener("toggle", () => details.append(this.body(entry)), { once: true });
    return el("li", { class: `mcp-${direction}`, "data-kind": message.error && "error" }, details);
  }

  /** @param {Said} entry */
  body({ direction, message, meta }) {
    const pretty = JSON.stringify(message, null, 2);
    const http = direction === "sent" ? meta.http : undefined;
    const travelled = [meta.status && `HTTP ${meta.status}`, meta.eventId && `event ${meta.eventId}`];
    return el(
      "div",
      { class: "mcp-block" },
      http && el("p", { class: "mcp-note" }, `${http.method} ${http.url}`),
      travelled.some(Boolean) && el("p", { class: "mcp-note" }, travelled.filter(Boolean).join(", ")),
      el("pre", { class: "mcp-text mcp-code", tabindex: 0 }, pretty),
      el(
        "div",
        { class: "mcp-actions" },
        copyButton("Copy", () => pretty, "mcp-button mcp-quiet"),
        http &&
          copyButton("Copy as curl", () => asCurl(http, message, this.getToken()), "mcp-button mcp-quiet"),
      ),
    );
  }

  filter() {
    for (const entry of this.entries) this.judge(entry);
    this.tell();
  }

  /** @param {Entry} entry */
  judge({ row, direction, text }) {
    const wanted = this.direction.value;
    row.hidden =
      !text.includes(this.search.value.trim().toLowerCase()) || (wanted !== "" && wanted !== direction);
  }

  clear() {
    this.entries = [];
    this.dropped = 0;
    this.list.replaceChildren();
    this.tell();
  }

  tell() {
    const shown = this.entries.filter(({ row }) => !row.hidden).length;
    const of = shown === this.entries.length ? "" : ` of ${this.entries.length}`;
    const lost = this.dropped > 0 ? `, ${this.dropped} older dropped` : "";
    this.count.textContent = `${shown}${of}${lost}`;
  }
}
