/**
 * What can go wrong, by whose word it is.
 *
 * No message repeats a header, a token or a ticket.
 */

/** A JSON-RPC error: the server's answer to a request. */
export class McpError extends Error {
  /**
   * @param {number} code
   * @param {string} message
   * @param {any} [data]
   * @param {number} [retryAfterMs]
   */
  constructor(code, message, data, retryAfterMs) {
    super(message);
    this.name = "McpError";
    this.code = code;
    this.data = data;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The server, or something before it, refused a request by the rules of HTTP. */
export class HttpError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   * @param {{retryAfterMs?: number, wwwAuthenticate?: string | null}} [told]
   */
  constructor(status, message, { retryAfterMs, wwwAuthenticate = null } = {}) {
    super(message);
    this.name = "HttpError";
    this.status = status;
    this.retryAfterMs = retryAfterMs;
    this.wwwAuthenticate = wwwAuthenticate;
  }
}

/** What the server says by the codes that it ends a WebSocket with. */
const CLOSED = new Map([
  [1001, "the server stops"],
  [1009, "a message was too long"],
  [1012, "the server restarts"],
  [4400, "the server takes text frames only"],
  [4401, "there is no valid token or ticket, or no longer"],
  [4413, "a message was too long"],
  [4429, "too many requests, or too many connections"],
  [4500, "the server failed"],
  [4503, "the server has no room, or cannot reach what it needs"],
]);

/** The server ended the WebSocket. */
export class SocketError extends Error {
  /** @param {number} code */
  constructor(code) {
    super(CLOSED.get(code) ?? `the WebSocket was closed with the code ${code}`);
    this.name = "SocketError";
    this.code = code;
  }
}

/** The connection broke before the result came. */
export class ConnectionLostError extends Error {
  /**
   * @param {string} message
   * @param {{mayHaveRun: boolean, cause?: unknown}} how
   */
  constructor(message, { mayHaveRun, cause }) {
    super(message, { cause });
    this.name = "ConnectionLostError";
    this.mayHaveRun = mayHaveRun;
  }
}

/** Nothing was heard of a request for too long. */
export class TimeoutError extends Error {
  /** @param {number} timeoutMs */
  constructor(timeoutMs) {
    super(`nothing was heard for ${timeoutMs} ms`);
    this.name = "TimeoutError";
    this.timeoutMs = timeoutMs;
  }
}

/** The client is closed. */
export class ClosedError extends Error {
  /** @param {unknown} [cause] */
  constructor(cause) {
    super(
      cause instanceof Error
        ? `the client is closed: ${cause.message}`
        : "the client is closed",
      {
        cause,
      },
    );
    this.name = "ClosedError";
  }
}

/** The other side does not speak MCP as this client does. */
export class ProtocolError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "ProtocolError";
  }
}

const WORDED = [McpError, HttpError, SocketError, ConnectionLostError, ProtocolError];
// HTTP statuses that say of themselves that the same may be asked later.
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);
// Close codes after which coming back in the same way is of no use.
const FINAL_CLOSE = new Set([1008, 4400, 4401]);

/**
 * Tell whether connecting again cannot help: the server is there, and says no.
 *
 * @param {unknown} error
 */
export function isFinal(error) {
  if (error instanceof HttpError) return !PASSING.has(error.status);
  if (error instanceof SocketError) return FINAL_CLOSE.has(error.code);
  if (error instanceof McpError) return error.retryAfterMs === undefined;
  return !(error instanceof ConnectionLostError || error instanceof TimeoutError);
}

/**
 * Tell whether an error says already, in words of ours, what went wrong.
 *
 * @param {unknown} error
 */
export function isWorded(error) {
  return WORDED.some((kind) => error instanceof kind);
}
