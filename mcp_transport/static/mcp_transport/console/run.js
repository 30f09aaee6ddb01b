// A request that the user starts: its progress, its log, its cancel, its result.

import { button, el, uniqueId } from "./dom.js";
import { asError, failure } from "./result.js";

const MOST_LINES = 200;

export class Run {
  /**
   * @param {string} label  of the button that starts it
   * @param {(result: any) => HTMLElement} show
   * @param {string} [className]  of that button, beside the usual
   */
  constructor(label, show, className = "mcp-primary") {
    this.show = show;
    /** @type {AbortController | null} */
    this.controller = null;
    this.starter = el("button", { type: "submit", class: `mcp-button ${className}` }, label);
    this.stopper = button("Cancel", () => this.controller?.abort());
    this.stopper.hidden = true;
    this.actions = el("div", { class: "mcp-actions" }, this.starter, this.stopper);
    this.bar = el("progress", { "aria-label": "Progress" });
    this.told = el("span", { class: "mcp-note" });
    this.progress = el("div", { class: "mcp-progress", hidden: true }, this.bar, this.told);
    this.log = el("ol", { class: "mcp-lines" });
    this.logged = el("details", { class: "mcp-logged", hidden: true, open: true }, el("summary", {}, "Log"), this.log);
    this.status = el("p", { class: "mcp-status", role: "status" });
    this.output = el("div", { class: "mcp-output" });
    const heading = el("h3", { id: uniqueId("title") }, "Result");
    this.element = el(
      "section",
      { class: "mcp-run", "aria-labelledby": heading.id, hidden: true },
      el("header", {}, heading, this.status),
      this.progress,
      this.logged,
      this.output,
    );
  }

  get isRunning() {
    return this.controller !== null;
  }

  /**
   * @param {(options: import("../client").RequestOptions) => Promise<object>} request
   */
  async start(request) {
    if (this.isRunning) return;
    const { signal } = this.begin();
    const began = performance.now();
    const elapsed = () => `${Math.round(performance.now() - began)} ms`;
    try {
      const result = await request({
        signal,
        onprogress: (progress) => this.advance(progress),
        onlog: (message) => this.write(message),
      });
      this.end(`Answered after ${elapsed()}`, this.show(result));
    } catch (error) {
      if (signal.aborted) this.end(`Cancelled after ${elapsed()}`, null);
      else this.end(`Failed after ${elapsed()}`, failure(asError(error)));
    }
  }

  begin() {
    const controller = (this.controller = new AbortController());
    this.starter.disabled = true;
    this.stopper.hidden = false;
    this.stopper.focus();
    this.element.hidden = false;
    this.element.scrollIntoView({ block: "nearest" });
    this.element.setAttribute("aria-busy", "true");
    this.logged.hidden = this.progress.hidden = true;
    this.log.replaceChildren();
    this.bar.removeAttribute("value");
    this.told.textContent = "";
    this.status.textContent = "Running…";
    return controller;
  }

  /**
   * @param {string} status
   * @param {HTMLElement | null} shown
   */
  end(status, shown) {
    this.controller = null;
    const hadFocus = document.activeElement === this.stopper;
    this.starter.disabled = false;
    this.stopper.hidden = true;
    if (hadFocus) this.starter.focus();
    this.element.removeAttribute("aria-busy");
    this.progress.hidden = true;
    this.status.textContent = status;
    this.output.replaceChildren(...(shown ? [shown] : []));
    this.element.scrollIntoView({ block: "nearest" });
  }

  /** @param {import("../client").Progress} told */
  advance({ progress, total = 0, message }) {
    this.progress.hidden = false;
    if (total > 0) {
      this.bar.max = total;
      this.bar.value = progress;
    }
    const far = total > 0 ? `${progress} of ${total}` : String(progress);
    this.told.textContent = message ? `${far}: ${message}` : far;
  }

  /** @param {import("../client").LogMessage} message */
  write(message) {
    this.logged.hidden = false;
    this.log.append(logLine(message));
    if (this.log.childElementCount > MOST_LINES) this.log.firstElementChild?.remove();
    this.log.scrollTop = this.log.scrollHeight;
  }
}

/** @param {import("../client").LogMessage} message */
export function logLine({ level, logger, data }) {
  const text = typeof data === "string" ? data : JSON.stringify(data);
  return el(
    "li",
    { "data-level": level },
    el("span", { class: "mcp-chip" }, level),
    logger && el("code", {}, logger),
    el("span", { class: "mcp-said" }, text),
  );
}
