/**
 * Requests as a page makes them: sent again where that is safe, and asked through to
 * their results.
 *
 * Spec: 2026-07-28 basic/patterns/mrtr, basic/patterns/subscriptions.
 */

import { Backoff, sleep } from "./backoff.js";
import { Call } from "./calls.js";
import { unlessAborted } from "./connection.js";
import { ConnectionLostError, McpError, ProtocolError } from "./errors.js";
import { befallen, keepsId, mayAgainAfterMs } from "./retrying.js";
import { INVALID_REQUEST, SUBSCRIPTION_KEY } from "./revisions.js";

/** @typedef {import("../client").JsonObject} JsonObject */
/** @typedef {import("../client").RequestOptions & {headers?: Record<string, string>}} Asking */

/**
 * @typedef {object} Hearing
 * @property {(granted: JsonObject) => void} ongranted
 * @property {(method: string, params: JsonObject) => void} onchange
 * @property {AbortSignal} signal
 */

// How often one call may ask for more before the client gives up.
const MAX_ROUNDS = 10;

export class Requests {
  #connection;
  #exchange;
  #options;
  #backoff;

  /**
   * @param {import("../client").Options} options
   * @param {import("./connection.js").Connection} connection
   */
  constructor(options, connection) {
    this.#options = options;
    this.#connection = connection;
    this.#exchange = connection.exchange;
    this.#backoff = new Backoff(options.backoff);
  }

  /**
   * Send a request until it has its result, and answer what the server needs for it.
   *
   * @param {string} method
   * @param {JsonObject} [params]
   * @param {Asking} [options]
   * @returns {Promise<any>}
   */
  async send(method, params = {}, options = {}) {
    const { maxTimeoutMs } = this.#options;
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs;
    const call = new Call(
      { ...options, timeoutMs, maxTimeoutMs },
      this.#connection.closed,
    );
    try {
      let result = await this.#persist(method, params, call);
      for (let round = 0; result.resultType === "input_required"; round += 1) {
        if (round === MAX_ROUNDS)
          throw new ProtocolError(`no result after ${MAX_ROUNDS} rounds`);
        const more = await this.#more(result, round, call);
        result = await this.#persist(method, { ...params, ...more }, call);
      }
      return result;
    } finally {
      call.end();
    }
  }

  /**
   * Return what a result that is not the last one wants to be sent with the request.
   *
   * @param {JsonObject} result
   * @param {number} round
   * @param {Call} call
   */
  async #more({ inputRequests, requestState }, round, call) {
    const state = requestState === undefined ? {} : { requestState };
    if (inputRequests === undefined) {
      // The server sheds load: it wants to be asked again, and not by all at once.
      await sleep(this.#backoff.delayMs(round), call.signal);
      return state;
    }
    call.pause();
    try {
      const answers = this.#exchange.questions.answerAll(inputRequests, call.signal);
      return { ...state, inputResponses: await unlessAborted(answers, call.signal) };
    } finally {
      call.resume();
    }
  }

  /**
   * Send a request as often as it may be, while there is time.
   *
   * @param {string} method
   * @param {JsonObject} params
   * @param {Call} call
   */
  async #persist(method, params, call) {
    const idempotent = call.options.idempotent ?? method !== "tools/call";
    let id = this.#exchange.newId();
    for (let failed = 0; ; failed += 1) {
      try {
        await this.#connection.ready(call.signal);
        return await this.#exchange.ask(method, params, call, id);
      } catch (caught) {
        call.signal.throwIfAborted();
        const error = this.#refusedTwice(caught, method) ?? befallen(caught);
        await this.#patience(error, idempotent, failed, call);
        if (idempotent || !keepsId(error)) id = this.#exchange.newId();
      }
    }
  }

  /**
   * A session runs a call once under its id, and refuses it when it arrives again: sent
   * by us after a 503, or by the browser itself, which repeats a POST when a connection
   * that it had used before breaks without a reply. Then the result is lost.
   *
   * @param {unknown} error
   * @param {string} method
   */
  #refusedTwice(error, method) {
    if (!this.#connection.stateful || method !== "tools/call") return undefined;
    if (!(error instanceof McpError) || error.code !== INVALID_REQUEST)
      return undefined;
    const said = "the server has this call already, and its result is lost";
    return new ConnectionLostError(said, { mayHaveRun: true, cause: error });
  }

  /**
   * Wait until a request that failed may be sent again; rejects with `error` if it may
   * not, or not in time.
   *
   * @param {unknown} error
   * @param {boolean} idempotent
   * @param {number} failed how often it failed before
   * @param {Call} call
   */
  async #patience(error, idempotent, failed, call) {
    const atLeastMs = mayAgainAfterMs(error, idempotent);
    const delayMs = this.#backoff.delayMs(failed, atLeastMs);
    const isHopeless = atLeastMs === undefined || this.#backoff.isSpent(failed + 1);
    if (isHopeless || !call.hasTimeFor(delayMs)) throw error;
    await sleep(delayMs, call.signal);
  }

  /**
   * Hear of changes on one stream, until the server ends it.
   *
   * @param {import("../client").Wanted} wanted
   * @param {Hearing} hearing
   */
  async listen(wanted, { ongranted, onchange, signal }) {
    const { timeoutMs } = this.#options;
    const call = new Call(
      { timeoutMs, maxTimeoutMs: Infinity, signal },
      this.#connection.closed,
    );
    const id = this.#exchange.newId();
    let isGranted = false;
    /** @type {(method: string, params: JsonObject) => void} */
    const hear = (method, params) => {
      if (params._meta?.[SUBSCRIPTION_KEY] !== id) return;
      if (isGranted) return onchange(method, params);
      isGranted = true;
      call.pause(); // from here on silence is what is to be expected
      ongranted(params.notifications ?? {});
    };
    this.#exchange.listeners.add(hear);
    try {
      await this.#connection.ready(call.signal);
      await this.#exchange.ask(
        "subscriptions/listen",
        { notifications: wanted },
        call,
        id,
      );
    } catch (error) {
      throw befallen(error);
    } finally {
      this.#exchange.listeners.delete(hear);
      call.end();
    }
  }

  /**
   * @param {string} method
   * @param {JsonObject} [params]
   */
  async notify(method, params = {}) {
    await this.#connection.ready(this.#connection.closed);
    await this.#exchange.notify(method, params);
  }
}
