/** Requests that run: how long they may, who hears of them, and their answers. */

import { tell } from "./callbacks.js";
import { McpError, TimeoutError } from "./errors.js";

/** @typedef {import("../client").JsonObject} JsonObject */
/** @typedef {import("../client").RequestOptions} RequestOptions */
/** @typedef {string | number} Id */

const TIMEOUT_MS = 60_000;
const MAX_TIMEOUT_MS = 1_800_000;
// The longest that a timer can wait; one that should wait longer fires at once.
const LONGEST_MS = 2 ** 31 - 1;

/**
 * One request as the page sees it, however often it is sent. `signal` is aborted when
 * nobody waits for it any more.
 */
export class Call {
  options;
  signal;
  #controller = new AbortController();
  #timeoutMs;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #hardTimer;
  #endsAtMs = Infinity;
  #pauses = 0;

  /**
   * @param {RequestOptions & {maxTimeoutMs?: number, headers?: Record<string, string>}} options
   * @param {AbortSignal} closed aborted when the client is closed
   */
  constructor(options, closed) {
    this.options = options;
    const { timeoutMs = TIMEOUT_MS, maxTimeoutMs = MAX_TIMEOUT_MS, signal } = options;
    this.#timeoutMs = timeoutMs;
    const signals = [this.#controller.signal, closed, ...(signal ? [signal] : [])];
    this.signal = AbortSignal.any(signals);
    this.#hardTimer = this.#after(maxTimeoutMs);
    this.heard();
  }

  /** @param {number} timeoutMs */
  #after(timeoutMs) {
    const late = () => this.#controller.abort(new TimeoutError(timeoutMs));
    return setTimeout(late, Math.min(timeoutMs, LONGEST_MS));
  }

  /** The server lives and works at it: the clock begins anew. */
  heard() {
    clearTimeout(this.#timer);
    if (this.#pauses > 0 || this.signal.aborted) return;
    this.#endsAtMs = Date.now() + this.#timeoutMs;
    this.#timer = this.#after(this.#timeoutMs);
  }

  /** Stop the clock: somebody is asked, or nothing has to come. */
  pause() {
    this.#pauses += 1;
    this.#endsAtMs = Infinity;
    clearTimeout(this.#timer);
  }

  resume() {
    this.#pauses -= 1;
    this.heard();
  }

  /** @param {number} delayMs */
  hasTimeFor(delayMs) {
    return Date.now() + delayMs < this.#endsAtMs;
  }

  /** Nothing more is wanted. Whatever still waits for it, waits in vain. */
  end() {
    clearTimeout(this.#timer);
    clearTimeout(this.#hardTimer);
    this.#controller.abort();
  }
}

/** All requests that were sent and have no answer. */
export class Calls {
  /** @type {Map<Id, {call: Call, resolve: (result: JsonObject) => void, reject: (error: unknown) => void}>} */
  #sent = new Map();

  /**
   * Wait for the result of the request `id`. Rejects with McpError, with the reason of
   * the call's signal, and with what `fail` is told.
   *
   * @param {Id} id
   * @param {Call} call
   * @returns {Promise<JsonObject>}
   */
  result(id, call) {
    return new Promise((resolve, reject) => {
      call.signal.throwIfAborted();
      this.#sent.set(id, { call, resolve, reject });
      call.signal.addEventListener("abort", () => this.fail(id, call.signal.reason), {
        once: true,
      });
    });
  }

  /** @param {JsonObject} response */
  settle({ id, result, error }) {
    if (error === undefined) this.#take(id)?.resolve(result ?? {});
    else this.fail(id, asError(error));
  }

  /**
   * @param {Id} id
   * @param {unknown} error
   */
  fail(id, error) {
    this.#take(id)?.reject(error);
  }

  /** @param {Id} id */
  #take(id) {
    const sent = this.#sent.get(id);
    this.#sent.delete(id);
    return sent;
  }

  /** @param {JsonObject} params of a progress notification; its token is the request's id */
  progressed({ progressToken, ...progress }) {
    const call = this.#sent.get(progressToken)?.call;
    call?.heard();
    tell(call?.options.onprogress, progress);
  }

  /**
   * Tell the call that a log message belongs to. A door that carries all on one
   * connection does not know which: then it is clear only if no other runs.
   *
   * @param {JsonObject} params
   * @param {Id} [id]
   */
  logged(params, id) {
    const [only, ...more] = this.#sent.keys();
    const belongsTo = id ?? (more.length === 0 ? only : undefined);
    if (belongsTo !== undefined)
      tell(this.#sent.get(belongsTo)?.call.options.onlog, params);
  }

  /**
   * Stop all clocks while somebody is asked; the question may belong to any of them.
   * Gives what starts them again.
   */
  pause() {
    const calls = Array.from(this.#sent.values(), ({ call }) => call);
    for (const call of calls) call.pause();
    return () => calls.forEach((call) => call.resume());
  }

  /**
   * Return the signal of the request `id`, if it still runs.
   *
   * @param {Id | undefined} id
   */
  signalOf(id) {
    return id === undefined ? undefined : this.#sent.get(id)?.call.signal;
  }
}

/** @param {JsonObject} error */
function asError({ code, message, data }) {
  const afterS = data?.retryAfter;
  return new McpError(
    code,
    message,
    data,
    typeof afterS === "number" ? afterS * 1000 : undefined,
  );
}
