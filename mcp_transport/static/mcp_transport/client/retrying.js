/** Which requests may be sent again, and when. */

import { ConnectionLostError, HttpError, McpError, SocketError } from "./errors.js";

// Statuses of what stands before a server that did not answer.
const UNANSWERED = new Set([502, 504]);
// The socket is closed because of the message: the same would close the next one.
const TOO_LARGE = new Set([1009, 4400, 4413]);

/**
 * Say an error of a door as what it means for the request that it befell.
 *
 * @param {unknown} error
 */
export function befallen(error) {
  if (error instanceof SocketError && !TOO_LARGE.has(error.code)) {
    return new ConnectionLostError(error.message, { mayHaveRun: true, cause: error });
  }
  return error;
}

/**
 * Return how long the server wants to be left alone before the request may be sent
 * again; undefined if it may not.
 *
 * What was refused did not run. Where a connection broke nobody knows, and only what
 * does no harm the second time is sent a second time.
 *
 * @param {unknown} error
 * @param {boolean} idempotent
 * @returns {number | undefined}
 */
export function mayAgainAfterMs(error, idempotent) {
  if (error instanceof ConnectionLostError) {
    return idempotent || !error.mayHaveRun ? 0 : undefined;
  }
  if (error instanceof McpError) return error.retryAfterMs;
  if (!(error instanceof HttpError)) return undefined;
  if (error.status === 429 || error.status === 503) return error.retryAfterMs;
  return idempotent && UNANSWERED.has(error.status) ? 0 : undefined;
}

/**
 * Tell whether a refused request has to keep its id when it is sent again. Where the
 * store of the sessions failed it may have been noted, and then the server knows by its
 * id that it must not run a second time.
 *
 * @param {unknown} error
 */
export function keepsId(error) {
  return error instanceof HttpError && error.status === 503;
}
