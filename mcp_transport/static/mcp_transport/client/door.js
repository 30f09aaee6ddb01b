/** What a door is to the connection, and the connection to a door. */

/** @typedef {import("../client").JsonObject} JsonObject */
/** @typedef {string | number} Id */

/**
 * How messages travel. A door that is lost can be opened again.
 *
 * @typedef {object} Door
 * @property {boolean} stateless Whether revisions without sessions are spoken here.
 * @property {boolean} closingCancels Whether a call without a session ends with the
 *   request that carries it.
 * @property {string} [sessionId]
 * @property {(signal: AbortSignal) => Promise<void>} open Make a connection, in place of
 *   the one before.
 * @property {(revision: import("./revisions.js").Revision) => void} begin The handshake
 *   is done.
 * @property {(message: JsonObject, sending: Sending) => Promise<void>} send Resolves when
 *   the message has arrived, and, if it is a request, its response was received.
 * @property {() => Promise<void>} close
 */

/**
 * @typedef {object} Sending
 * @property {AbortSignal} signal
 * @property {Record<string, string>} [headers] that repeat arguments, for doors that
 *   have headers
 */

/**
 * @typedef {object} Hooks
 * @property {(message: JsonObject, requestId?: Id) => void} received A message came; on
 *   the stream of the request `requestId`, if that is known.
 * @property {(error: unknown) => void} lost The session is over, and what it was for has
 *   to begin anew.
 * @property {(source: object, error: unknown, failed: number) => void} broke A stream
 *   broke, and is asked for again.
 * @property {(source: object) => void} mended It is open again.
 * @property {() => void} probe Find out whether the session is still there.
 */

/**
 * The requests that wait for their responses on a connection that carries messages
 * both ways.
 */
export class Unanswered {
  /** @type {Map<Id, {resolve: () => void, reject: (error: unknown) => void}>} */
  #waiting = new Map();

  /**
   * Wait for the response to a message; there is none to wait for unless it is a request.
   *
   * @param {JsonObject} message
   * @param {AbortSignal} signal
   * @returns {Promise<void>}
   */
  wait({ id, method }, signal) {
    if (id === undefined || method === undefined) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      const abort = () => this.#waiting.delete(id) && reject(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  /** @param {JsonObject} message */
  received({ id, method }) {
    if (method !== undefined) return;
    this.#waiting.get(id)?.resolve();
    this.#waiting.delete(id);
  }

  /** @param {unknown} error */
  lose(error) {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
