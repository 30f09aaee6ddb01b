/**
 * Messages through one door, both ways: requests meet their answers, notifications
 * those who listen, and the server's questions the page.
 *
 * Spec: 2026-07-28 basic/index, basic/patterns/cancellation; 2025-11-25
 * basic/utilities/cancellation, basic/utilities/progress.
 */

import { Backoff, sleep } from "./backoff.js";
import { report, tell } from "./callbacks.js";
import { Calls } from "./calls.js";
import { TimeoutError, isFinal } from "./errors.js";
import { Questions } from "./questions.js";
import {
  CAPABILITIES_KEY,
  CLIENT_INFO_KEY,
  LOG_LEVEL_KEY,
  VERSION_KEY,
} from "./revisions.js";

/** @typedef {import("../client").JsonObject} JsonObject */
/** @typedef {import("./calls.js").Call} Call */
/** @typedef {string | number} Id */

const CLIENT_INFO = { name: "mcp_transport client.js", version: "1" };

export class Exchange {
  /** Undefined until one is agreed on. @type {import("./revisions.js").Revision | undefined} */
  revision;
  /** Revisions without sessions: sent with each request. @type {string | undefined} */
  logLevel;
  /** Hear every notification. @type {Set<(method: string, params: JsonObject) => void>} */
  listeners = new Set();
  questions;

  #options;
  #door;
  #closed;
  #backoff;
  #calls = new Calls();
  #nextId = 1;
  /** What the server asks just now. @type {Map<Id, AbortController>} */
  #asking = new Map();

  /**
   * @param {import("../client").Options} options
   * @param {import("./door.js").Door} door
   * @param {AbortSignal} closed aborted when the client is closed
   */
  constructor(options, door, closed) {
    this.#options = options;
    this.#door = door;
    this.#closed = closed;
    this.#backoff = new Backoff(options.backoff);
    this.questions = new Questions(options);
  }

  get capabilities() {
    return this.questions.capabilities;
  }

  get clientInfo() {
    return this.#options.clientInfo ?? CLIENT_INFO;
  }

  /** Return an id that no request had before. */
  newId() {
    return this.#nextId++;
  }

  /**
   * Send a request, once, and wait for its result. When nobody waits any more the
   * server is told.
   *
   * @param {string} method
   * @param {JsonObject} params
   * @param {Call} call
   * @param {Id} [id]
   */
  async ask(method, params, call, id = this.newId()) {
    const { signal, options } = call;
    const result = this.#calls.result(id, call);
    const progressToken = wantsProgress(method, call) ? id : undefined;
    const stamped = this.#stamped(params, { progressToken, level: options.logLevel });
    const message = { jsonrpc: "2.0", id, method, params: stamped };
    const sent = this.#door.send(message, { signal, headers: options.headers });
    sent.catch((error) => this.#calls.fail(id, error));
    try {
      return await result;
    } catch (error) {
      if (signal.aborted && method !== "initialize") this.#cancel(id, signal.reason);
      throw error;
    }
  }

  /**
   * @param {Id} id
   * @param {unknown} why
   */
  #cancel(id, why) {
    if (this.#closed.aborted) return;
    if (this.#door.closingCancels && !this.revision?.stateful) return;
    const reason =
      why instanceof TimeoutError ? "it took too long" : "it is not wanted any more";
    // A courtesy: a server that cannot be told finds out in its own time.
    this.notify("notifications/cancelled", { requestId: id, reason }).catch(() => {});
  }

  /**
   * @param {string} method
   * @param {JsonObject} params
   */
  async notify(method, params) {
    const message = { jsonrpc: "2.0", method, params: this.#stamped(params, {}) };
    await this.#door.send(message, { signal: this.#closed });
  }

  /**
   * Return the params with what a message carries in `_meta`.
   *
   * @param {JsonObject} params
   * @param {{progressToken?: Id, level?: string}} wanted
   */
  #stamped(params, { progressToken, level = this.logLevel }) {
    const { revision } = this;
    const meta = {
      ...(progressToken === undefined ? {} : { progressToken }),
      ...(revision === undefined || revision.stateful
        ? {}
        : {
            [VERSION_KEY]: revision.name,
            [CAPABILITIES_KEY]: this.capabilities,
            [CLIENT_INFO_KEY]: this.clientInfo,
            ...(level === undefined ? {} : { [LOG_LEVEL_KEY]: level }),
          }),
      ...params._meta,
    };
    return Object.keys(meta).length === 0 ? params : { ...params, _meta: meta };
  }

  // What comes in.

  /**
   * @param {JsonObject} message
   * @param {Id} [requestId] of the call whose stream it came on, if that is known
   */
  received(message, requestId) {
    const { id, method, params = {} } = message;
    if (typeof method !== "string") return this.#calls.settle(message);
    if (id !== undefined) return void this.#answer(message, requestId);
    if (method === "notifications/progress") this.#calls.progressed(params);
    if (method === "notifications/cancelled")
      this.#asking.get(params.requestId)?.abort();
    if (method === "notifications/message") {
      tell(this.#options.onlog, params);
      this.#calls.logged(params, requestId);
    }
    tell(this.#options.onnotification, method, params);
    for (const listener of [...this.listeners]) tell(listener, method, params);
  }

  /**
   * @param {JsonObject} question
   * @param {Id} [requestId] of the call that asks
   */
  async #answer(question, requestId) {
    const { id } = question;
    if (this.#asking.has(id)) return; // it came again
    const asking = new AbortController();
    this.#asking.set(id, asking);
    const asks = this.#calls.signalOf(requestId);
    const signal = AbortSignal.any([
      asking.signal,
      this.#closed,
      ...(asks ? [asks] : []),
    ]);
    // A ping is no reason to be patient.
    const resume = question.method === "ping" ? undefined : this.#calls.pause();
    try {
      await this.#deliver(await this.questions.response(question, signal), signal);
    } finally {
      resume?.();
      this.#asking.delete(id);
    }
  }

  /**
   * Send a response until it has arrived: the server takes the first one and no other.
   *
   * @param {JsonObject} response
   * @param {AbortSignal} signal
   */
  async #deliver(response, signal) {
    for (let failed = 0; !signal.aborted; failed += 1) {
      try {
        return await this.#door.send(response, { signal });
      } catch (error) {
        if (signal.aborted) return;
        if (isFinal(error) || this.#backoff.isSpent(failed + 1)) return report(error);
        await sleep(this.#backoff.delayMs(failed), signal).catch(() => {});
      }
    }
  }

  /** Let all questions go: the session that they came from is over. */
  abandon() {
    for (const asking of this.#asking.values()) asking.abort();
  }
}

/**
 * Progress keeps a call from being given up, even where nobody looks at it.
 *
 * @param {string} method
 * @param {Call} call
 */
function wantsProgress(method, call) {
  return method === "tools/call" || call.options.onprogress !== undefined;
}
