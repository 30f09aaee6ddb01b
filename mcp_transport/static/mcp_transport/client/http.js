/**
 * What the doors over HTTP have in common: the credential of each request, and what
 * a refusal says.
 *
 * Spec: RFC 9110 section 10.2.3 (Retry-After); 2025-11-25 basic/authorization.
 */

import { tell, valueOf } from "./callbacks.js";
import { credentialFrom } from "./credentials.js";
import { ConnectionLostError, HttpError, McpError, ProtocolError } from "./errors.js";
import { STATELESS_ERRORS } from "./revisions.js";

/** @typedef {import("../client").JsonObject} JsonObject */
/** @typedef {import("../client").Options} Options */

/**
 * @typedef {object} Sending
 * @property {"GET" | "POST" | "DELETE"} method
 * @property {Record<string, string>} [headers]
 * @property {JsonObject} [message] the body
 * @property {AbortSignal} signal
 * @property {boolean} [keepalive] outlives the page
 */

const UNREACHABLE =
  "the server cannot be reached, or does not let this page read its replies";
const HIDDEN = "…";
const LOOPBACK = /^(localhost|.+\.localhost|127\.[0-9.]+|\[::1\])$/;

export class Http {
  #door;
  #options;

  /**
   * @param {import("../client").Door} door
   * @param {Options} options
   */
  constructor(door, options) {
    this.#door = door;
    this.#options = options;
  }

  /**
   * Send one request; give the reply, whatever its status. A token that is refused is
   * asked for once more.
   *
   * Rejects with ConnectionLostError, and with the signal's reason.
   *
   * @param {URL} url
   * @param {Sending} sending
   * @returns {Promise<Response>}
   */
  async fetch(url, sending) {
    const { token } = this.#options;
    const first = await credentialFrom(token, { refused: false });
    const response = await this.#fetch(url, sending, first);
    if (response.status !== 401 || typeof token !== "function") return response;
    const second = await credentialFrom(token, { refused: true });
    if (second === first) return response;
    await response.body?.cancel();
    return await this.#fetch(url, sending, second);
  }

  /**
   * @param {URL} url
   * @param {Sending} sending
   * @param {string | undefined} token
   */
  async #fetch(url, { method, headers = {}, message, signal, keepalive }, token) {
    signal.throwIfAborted();
    const own = (await valueOf(this.#options.headers)) ?? {};
    const secret =
      token === undefined ? own : { ...own, Authorization: `Bearer ${token}` };
    const typed =
      message === undefined
        ? headers
        : { ...headers, "Content-Type": "application/json" };
    if (message !== undefined) this.#show(url, method, typed, secret, message);
    // Asked before: who loses the net while a request is under way has sent it.
    const mayHaveRun = !isCutOff(url);
    try {
      return await fetch(url, {
        method,
        headers: { ...typed, ...secret },
        body: message === undefined ? undefined : JSON.stringify(message),
        credentials: this.#options.credentials ?? "omit",
        cache: "no-store",
        keepalive,
        signal,
      });
    } catch (error) {
      signal.throwIfAborted();
      throw new ConnectionLostError(UNREACHABLE, { mayHaveRun, cause: error });
    }
  }

  /**
   * @param {URL} url
   * @param {string} method
   * @param {Record<string, string>} headers
   * @param {Record<string, string>} secret
   * @param {JsonObject} message
   */
  #show(url, method, headers, secret, message) {
    const hidden = Object.keys(secret).map((name) => [name, HIDDEN]);
    const http = {
      method,
      url: url.href,
      headers: { ...headers, ...Object.fromEntries(hidden) },
    };
    tell(this.#options.onwire, "sent", message, {
      door: this.#door,
      at: Date.now(),
      http,
    });
  }

  /**
   * Return what a reply that is not ok says, as an error.
   *
   * @param {Response} response
   * @returns {Promise<McpError | HttpError>}
   */
  async refusal(response) {
    const { status, headers } = response;
    const retryAfterMs = waitMs(headers.get("Retry-After"));
    const wwwAuthenticate = headers.get("WWW-Authenticate");
    // Whatever stands before the server may answer with anything.
    const body = await response.json().catch(() => undefined);
    const { code, message, data } = body?.error ?? {};
    if (typeof code !== "number" || typeof message !== "string") {
      const said = `the server answered with the status ${status}`;
      return new HttpError(status, said, { retryAfterMs, wwwAuthenticate });
    }
    this.received(body, { status });
    if (isId(body.id) || STATELESS_ERRORS.has(code)) {
      return new McpError(code, message, data, retryAfterMs);
    }
    return new HttpError(status, message, { retryAfterMs, wwwAuthenticate });
  }

  /**
   * Tell the page of a message that came.
   *
   * @param {JsonObject} message
   * @param {{status?: number, eventId?: string}} meta
   */
  received(message, meta) {
    tell(this.#options.onwire, "received", message, {
      door: this.#door,
      at: Date.now(),
      ...meta,
    });
  }
}

/**
 * Tell whether nothing that is sent can arrive: there is no network. A server on the
 * same machine is reached without one.
 *
 * @param {URL} url
 */
function isCutOff({ hostname }) {
  return globalThis.navigator?.onLine === false && !LOOPBACK.test(hostname);
}

/** @param {unknown} id */
function isId(id) {
  return typeof id === "string" || typeof id === "number";
}

/**
 * Return what Retry-After asks for in milliseconds: it has seconds, or a date.
 *
 * @param {string | null} value
 * @param {number} [nowMs]
 * @returns {number | undefined}
 */
export function waitMs(value, nowMs = Date.now()) {
  if (value === null) return undefined;
  if (/^\d{1,10}$/.test(value.trim())) return Number(value) * 1000;
  // Date.parse would make a date of almost anything.
  const at = value.trim().endsWith("GMT") ? Date.parse(value) : NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}

/**
 * Return the messages in a text: one, or several of a batch.
 *
 * Throws ProtocolError.
 *
 * @param {string} text
 * @returns {JsonObject[]}
 */
export function messagesIn(text) {
  let parsed;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new ProtocolError("the server sent what is not JSON");
  }
  const messages = [parsed].flat();
  if (messages.some((message) => typeof message !== "object" || message === null)) {
    throw new ProtocolError("the server sent what is no message");
  }
  return messages;
}

/** @param {JsonObject} message */
export function isRequest(message) {
  return "id" in message && "method" in message;
}

/**
 * Tell whether a message is the response to the request `id`.
 *
 * @param {JsonObject} message
 * @param {string | number} id
 */
export function answers(message, id) {
  return message.id === id && !("method" in message);
}
