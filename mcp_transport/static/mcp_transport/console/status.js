// The state of the connection, as a chip in the bar: connected, or when it is
// tried again.

import { el } from "./dom.js";

const WORDS = {
  connecting: "Connecting…",
  open: "Connected",
  reconnecting: "Reconnecting…",
  closed: "Not connected",
};
const TICK_MS = 250;

export class Status {
  constructor() {
    this.text = el("span", {}, WORDS.closed);
    this.element = el("span", { class: "mcp-state", role: "status", "data-state": "closed" }, this.text);
  }

  /**
   * Takes what `onstate` of the client gives.
   *
   * @param {import("../client").State} state
   * @param {import("../client").StateDetail} detail
   */
  show(state, { delayMs = 0 } = {}) {
    clearInterval(this.clock);
    this.element.dataset.state = state;
    this.text.textContent = WORDS[state];
    if (state === "reconnecting" && delayMs > 0) this.countDown(performance.now() + delayMs);
  }

  /** @param {number} until  by `performance.now()` */
  countDown(until) {
    const tell = () => {
      const left = Math.max(0, Math.ceil((until - performance.now()) / 1000));
      const said = left > 0 ? `Reconnecting in ${left} s` : WORDS.reconnecting;
      // A status that is written anew is read out anew.
      if (this.text.textContent !== said) this.text.textContent = said;
      if (left === 0) clearInterval(this.clock);
    };
    this.clock = setInterval(tell, TICK_MS);
    tell();
  }
}
