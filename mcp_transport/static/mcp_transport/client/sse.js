/**
 * HTTP+SSE: a stream that the server speaks on, and POSTs to the place that its first
 * event names. The session ends with the stream.
 *
 * Spec: 2024-11-05 basic/transports #http-with-sse.
 */

import { ConnectionLostError, HttpError, ProtocolError, isWorded } from "./errors.js";
import { EventParser, eventsIn } from "./events.js";
import { Http, messagesIn } from "./http.js";
import { Unanswered } from "./door.js";

/** @typedef {import("../client").JsonObject} JsonObject */
/** @typedef {import("./events.js").ServerSentEvent} ServerSentEvent */

const ENDED = "the server's stream ended";

/** @typedef {import("./door.js").Door} Door */

/** @implements {Door} */
export class HttpWithSse {
  stateless = false;
  closingCancels = false;
  #url;
  #http;
  #hooks;
  #unanswered = new Unanswered();
  #over = new AbortController();
  /** @type {URL | undefined} */
  #endpoint;

  /**
   * @param {URL} url
   * @param {import("../client").Options} options
   * @param {import("./door.js").Hooks} hooks
   */
  constructor(url, options, hooks) {
    this.#url = url;
    this.#http = new Http("sse", options);
    this.#hooks = hooks;
  }

  /** @param {AbortSignal} signal */
  async open(signal) {
    this.#over.abort();
    this.#endpoint = undefined;
    const over = (this.#over = new AbortController());
    const abort = () => over.abort(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      const headers = { Accept: "text/event-stream" };
      const response = await this.#http.fetch(this.#url, {
        method: "GET",
        headers,
        signal: over.signal,
      });
      if (!response.ok || response.body === null)
        throw await this.#http.refusal(response);
      const events = eventsIn(response.body, new EventParser());
      const { value: first } = await events.next();
      if (first === undefined)
        throw new ConnectionLostError(ENDED, { mayHaveRun: false });
      this.#endpoint = this.#postedTo(first);
      this.#listen(events, over);
    } catch (error) {
      over.signal.throwIfAborted();
      over.abort(error);
      if (isWorded(error)) throw error;
      throw new ConnectionLostError(ENDED, { mayHaveRun: false, cause: error });
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  begin() {}

  /**
   * Return where messages are posted: a token goes to the origin of the stream only.
   *
   * @param {ServerSentEvent} event
   */
  #postedTo(event) {
    if (event.type !== "endpoint") {
      throw new ProtocolError("the stream does not begin with the event endpoint");
    }
    const base = this.#url.href;
    const endpoint = URL.canParse(event.data, base)
      ? new URL(event.data, base)
      : undefined;
    if (endpoint?.origin !== this.#url.origin) {
      throw new ProtocolError("the endpoint of the stream is at another origin");
    }
    return endpoint;
  }

  /**
   * @param {AsyncGenerator<ServerSentEvent, void, void>} events
   * @param {AbortController} over
   */
  async #listen(events, over) {
    try {
      for await (const event of events) {
        if (event.type !== "message") continue;
        for (const message of messagesIn(event.data)) this.#received(message);
      }
      this.#lose(new ConnectionLostError(ENDED, { mayHaveRun: true }), over);
    } catch (error) {
      const lost = isWorded(error)
        ? error
        : new ConnectionLostError(ENDED, { mayHaveRun: true, cause: error });
      this.#lose(lost, over);
    }
  }

  /** @param {JsonObject} message */
  #received(message) {
    this.#http.received(message, { status: 200 });
    this.#hooks.received(message);
    this.#unanswered.received(message);
  }

  /**
   * @param {unknown} error
   * @param {AbortController} over
   */
  #lose(error, over) {
    if (over.signal.aborted) return;
    over.abort(error);
    this.#endpoint = undefined;
    this.#unanswered.lose(error);
    this.#hooks.lost(error);
  }

  /**
   * @param {JsonObject} message
   * @param {import("./door.js").Sending} sending
   */
  async send(message, { signal }) {
    const answered = this.#unanswered.wait(message, signal);
    await Promise.all([this.#post(message, signal), answered]);
  }

  /**
   * @param {JsonObject} message
   * @param {AbortSignal} signal
   */
  async #post(message, signal) {
    const over = this.#over;
    if (this.#endpoint === undefined) {
      throw new ConnectionLostError(ENDED, {
        mayHaveRun: false,
        cause: over.signal.reason,
      });
    }
    const response = await this.#http.fetch(this.#endpoint, {
      method: "POST",
      message,
      signal,
    });
    if (response.ok) return void (await response.body?.cancel());
    const error = await this.#http.refusal(response);
    if (!(error instanceof HttpError) || error.status !== 404) throw error;
    this.#lose(error, over);
    throw new ConnectionLostError("the session is over", {
      mayHaveRun: false,
      cause: error,
    });
  }

  async close() {
    this.#over.abort();
    this.#endpoint = undefined;
  }
}
