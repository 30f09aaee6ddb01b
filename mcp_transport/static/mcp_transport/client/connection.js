/**
 * A door and the session behind it, from the handshake on: what breaks is made anew.
 *
 * Spec: 2025-11-25 basic/lifecycle, basic/transports #session-management.
 */

import { Backoff, LASTING_MS, untilWorthTrying } from "./backoff.js";
import { report, tell } from "./callbacks.js";
import { Call } from "./calls.js";
import { ClosedError, isFinal } from "./errors.js";
import { Exchange } from "./exchange.js";
import { shakeHands } from "./handshake.js";

/** @typedef {import("../client").StateDetail} StateDetail */
/** @typedef {import("./door.js").Door} Door */

export class Connection {
  /** @type {import("../client").State} */
  state = "connecting";
  /** What the server says of itself. @type {import("../client").Server} */
  server = { info: { name: "", version: "" }, capabilities: {} };
  /**
   * What was agreed on last, also while another session is made.
   *
   * @type {import("./revisions.js").Revision | undefined}
   */
  revision;
  /** Make again in a new session what the old one had. @type {() => Promise<void>} */
  restore = async () => {};
  exchange;

  #options;
  #door;
  #backoff;
  #closing = new AbortController();
  #isOpening = true;
  /** What befell the door while it was opened. @type {unknown} */
  #lostMeanwhile;
  /** @type {Promise<void> | undefined} */
  #renewing;
  #openedAtMs = 0;
  /** How often in a row a session could not be made, or did not last. */
  #failed = 0;
  /** What is away for the moment. @type {Set<object>} */
  #broken = new Set();
  /** What is to be told when nothing is away any more. @type {StateDetail} */
  #mended = {};

  /**
   * @param {import("../client").Options} options
   * @param {(hooks: import("./door.js").Hooks) => Door} makeDoor
   */
  constructor(options, makeDoor) {
    this.#options = options;
    this.#backoff = new Backoff(options.backoff);
    this.#door = makeDoor({
      received: (message, requestId) => this.exchange.received(message, requestId),
      lost: (error) => this.#lost(error),
      broke: (source, error, failed) =>
        this.broke(source, { error: asError(error), attempt: failed }),
      mended: (source) => this.mended(source),
      probe: () => this.#probe(),
    });
    this.exchange = new Exchange(options, this.#door, this.closed);
  }

  /** Aborted when the client is closed. */
  get closed() {
    return this.#closing.signal;
  }

  get sessionId() {
    return this.#door.sessionId;
  }

  get stateful() {
    return this.revision?.stateful ?? false;
  }

  /** Connect, at the first attempt or not at all. */
  async start() {
    try {
      await this.#establish(this.#options.revision ?? "auto");
    } catch (error) {
      await this.close(error);
      throw error;
    }
    this.#tellState("open", {});
  }

  /** @param {string} wanted a revision, or "auto" */
  async #establish(wanted) {
    const { timeoutMs, maxTimeoutMs } = this.#options;
    const call = new Call({ timeoutMs, maxTimeoutMs }, this.closed);
    this.#isOpening = true;
    this.#lostMeanwhile = undefined;
    try {
      await this.#door.open(call.signal);
      const { revision, server } = await shakeHands(
        this.exchange,
        wanted,
        this.#door.stateless,
        call,
      );
      this.revision = revision;
      this.server = server;
      if (revision.stateful)
        await this.exchange.notify("notifications/initialized", {});
      this.#door.begin(revision);
    } finally {
      call.end();
      this.#isOpening = false;
    }
    if (this.#lostMeanwhile !== undefined) throw this.#lostMeanwhile;
    this.#openedAtMs = Date.now();
  }

  /** Find out whether the session is there: if not, the door says so. */
  #probe() {
    const call = new Call({ timeoutMs: this.#options.timeoutMs }, this.closed);
    this.exchange
      .ask("ping", {}, call)
      .catch(() => {})
      .finally(() => call.end());
  }

  /** @param {unknown} error */
  #lost(error) {
    if (this.closed.aborted) return;
    if (this.#isOpening) {
      this.#lostMeanwhile = error;
    } else if (this.#renewing === undefined) {
      this.exchange.abandon();
      this.#renewing = this.#renew(error).finally(() => (this.#renewing = undefined));
      // That it failed for good, all who wait hear by the signal `closed`.
      this.#renewing.then(
        () => this.#renewed(),
        () => {},
      );
    }
  }

  /**
   * Make another session, however often it takes.
   *
   * @param {unknown} error
   */
  async #renew(error) {
    this.#broken.clear();
    if (Date.now() - this.#openedAtMs > LASTING_MS) this.#failed = 0;
    for (;;) {
      if (this.#backoff.isSpent(this.#failed)) {
        await this.close(error);
        throw error;
      }
      const delayMs = this.#backoff.delayMs(this.#failed, retryAfterMs(error));
      this.broke(this, { error: asError(error), attempt: this.#failed, delayMs });
      await untilWorthTrying(delayMs, this.closed);
      this.#failed += 1; // also if it succeeds: until it has lasted
      try {
        return await this.#establish(this.revision?.name ?? "auto");
      } catch (next) {
        this.closed.throwIfAborted();
        if (isFinal(next)) {
          await this.close(next);
          throw next;
        }
        error = next;
      }
    }
  }

  async #renewed() {
    await this.restore().catch((error) => this.closed.aborted || report(error));
    if (this.#renewing === undefined) this.mended(this, { renewed: true });
  }

  /**
   * Wait until there is a session to send in. Rejects with the reason of `signal`.
   *
   * @param {AbortSignal} signal
   */
  async ready(signal) {
    signal.throwIfAborted();
    while (this.#renewing !== undefined) {
      await unlessAborted(
        this.#renewing.catch(() => {}),
        signal,
      );
    }
    signal.throwIfAborted();
  }

  // What the page is told of it.

  /**
   * Something that ought to be open is not, and is asked for again.
   *
   * @param {object} source
   * @param {StateDetail} detail
   */
  broke(source, detail) {
    this.#broken.add(source);
    this.#tellState("reconnecting", detail);
  }

  /**
   * @param {object} source
   * @param {StateDetail} [detail]
   */
  mended(source, detail = {}) {
    if (!this.#broken.delete(source)) return;
    this.#mended = { ...this.#mended, ...detail };
    if (this.#broken.size > 0) return;
    this.#tellState("open", this.#mended);
    this.#mended = {};
  }

  /**
   * @param {import("../client").State} state
   * @param {StateDetail} detail
   */
  #tellState(state, detail) {
    if (this.state === "closed") return;
    this.state = state;
    tell(this.#options.onstate, state, detail);
  }

  /** @param {unknown} [error] why, if it is not the page's wish */
  async close(error) {
    if (this.closed.aborted) return;
    this.#closing.abort(new ClosedError(error));
    this.#tellState("closed", error === undefined ? {} : { error: asError(error) });
    await this.#door.close();
  }
}

/**
 * Wait for a promise, but no longer than `signal` says.
 *
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} signal
 * @returns {Promise<T>}
 */
export function unlessAborted(promise, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    const forget = () => signal.removeEventListener("abort", abort);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).then(forget);
  });
}

/** @param {unknown} error */
function retryAfterMs(error) {
  return error instanceof Error &&
    "retryAfterMs" in error &&
    typeof error.retryAfterMs === "number"
    ? error.retryAfterMs
    : undefined;
}

/** @param {unknown} error */
export function asError(error) {
  return error instanceof Error ? error : new Error(String(error));
}
