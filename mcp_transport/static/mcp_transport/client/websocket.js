/**
 * MCP over WebSocket: each text frame is one message, under the subprotocol `mcp`. A
 * page can set no header, so the credential is one more subprotocol. The session is
 * the connection itself.
 *
 * docs/transports.md #websocket has the rules and the close codes.
 */

import { tell } from "./callbacks.js";
import { credentialFrom } from "./credentials.js";
import { Unanswered } from "./door.js";
import { ConnectionLostError, ProtocolError, SocketError } from "./errors.js";
import { messagesIn } from "./http.js";

/** @typedef {import("../client").JsonObject} JsonObject */
/** @typedef {import("../client").Options} Options */

const SUBPROTOCOL = "mcp";
const TICKET = "ticket-";
const TOKEN = "token-";
// Codes that do not say why: the browser's own, or none at all.
const WORDLESS = new Set([1000, 1005, 1006]);
const NORMAL = 1000;
const BROKE = "the WebSocket broke";

/** @typedef {import("./door.js").Door} Door */

/** @implements {Door} */
export class WebSocketDoor {
  stateless = true;
  closingCancels = false;
  #url;
  #options;
  #hooks;
  #unanswered = new Unanswered();
  /** @type {WebSocket | undefined} */
  #socket;
  /** @type {unknown} */
  #why;

  /**
   * @param {URL} url
   * @param {Options} options
   * @param {import("./door.js").Hooks} hooks
   */
  constructor(url, options, hooks) {
    this.#url = new URL(url.href.replace(/^http/, "ws"));
    this.#options = options;
    this.#hooks = hooks;
  }

  /** @param {AbortSignal} signal */
  async open(signal) {
    this.#drop();
    const credential = await this.#credential();
    signal.throwIfAborted();
    const socket = new WebSocket(this.#url, [SUBPROTOCOL, ...credential]);
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#received(socket, data));
    await opened(socket, signal);
    socket.addEventListener("close", ({ code }) => this.#closed(socket, code));
  }

  /** Return the subprotocol that lets us in: a ticket's before a token's. */
  async #credential() {
    const ticket = await credentialFrom(this.#options.ticket);
    if (ticket !== undefined)
      return [ticket.startsWith(TICKET) ? ticket : TICKET + ticket];
    const token = await credentialFrom(this.#options.token, { refused: false });
    return token === undefined ? [] : [TOKEN + token];
  }

  begin() {}

  /**
   * @param {WebSocket} socket
   * @param {unknown} data
   */
  #received(socket, data) {
    if (socket !== this.#socket) return;
    try {
      if (typeof data !== "string")
        throw new ProtocolError("the server sent a binary frame");
      for (const message of messagesIn(data)) {
        tell(this.#options.onwire, "received", message, {
          door: "websocket",
          at: Date.now(),
        });
        this.#hooks.received(message);
        this.#unanswered.received(message);
      }
    } catch (error) {
      socket.close(NORMAL);
      this.#lose(error);
    }
  }

  /**
   * @param {WebSocket} socket
   * @param {number} code
   */
  #closed(socket, code) {
    if (socket !== this.#socket) return;
    this.#lose(
      WORDLESS.has(code)
        ? new ConnectionLostError(BROKE, { mayHaveRun: true })
        : new SocketError(code),
    );
  }

  /** @param {unknown} error */
  #lose(error) {
    this.#socket = undefined;
    this.#why = error;
    this.#unanswered.lose(error);
    this.#hooks.lost(error);
  }

  /**
   * @param {JsonObject} message
   * @param {import("./door.js").Sending} sending
   */
  async send(message, { signal }) {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) {
      if (this.#why instanceof SocketError) throw this.#why;
      throw new ConnectionLostError(BROKE, { mayHaveRun: false, cause: this.#why });
    }
    tell(this.#options.onwire, "sent", message, { door: "websocket", at: Date.now() });
    socket.send(JSON.stringify(message));
    await this.#unanswered.wait(message, signal);
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#why = undefined;
    socket?.close(NORMAL);
  }

  async close() {
    this.#drop();
  }
}

/**
 * Wait until a socket is open. Rejects with ConnectionLostError when it is not let in:
 * browsers do not tell a page why.
 *
 * @param {WebSocket} socket
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function opened(socket, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(signal.reason);
      socket.close();
    };
    const refused = () => {
      const said =
        "the WebSocket could not be opened: the server cannot be reached, or refuses this page";
      reject(new ConnectionLostError(said, { mayHaveRun: false }));
    };
    socket.addEventListener("open", () => {
      socket.removeEventListener("close", refused);
      signal.removeEventListener("abort", abort);
      resolve();
    });
    socket.addEventListener("close", refused);
    signal.addEventListener("abort", abort, { once: true });
  });
}
