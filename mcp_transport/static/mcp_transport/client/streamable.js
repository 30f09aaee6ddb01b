/**
 * Streamable HTTP, with sessions and without.
 *
 * A request is a POST, and its reply one JSON response or a stream of events that
 * ends with the response. In a session a stream that breaks is resumed by the id of
 * its last event, and one more stream stands open for what belongs to no request.
 *
 * Spec: 2026-07-28 basic/transports/streamable-http; 2025-11-25 basic/transports
 * #streamable-http.
 */

import { Backoff, untilWorthTrying } from "./backoff.js";
import {
  ConnectionLostError,
  HttpError,
  ProtocolError,
  isFinal,
  isWorded,
} from "./errors.js";
import { EventParser, eventsIn } from "./events.js";
import { repeatedHeaders } from "./headers.js";
import { Http, answers, isRequest, messagesIn } from "./http.js";

/** @typedef {import("../client").JsonObject} JsonObject */
/** @typedef {import("./door.js").Hooks} Hooks */
/** @typedef {string | number} Id */

/**
 * A session, or what stands for one: `id` is undefined where the server has none.
 *
 * @typedef {{id?: string, revision?: string, over: AbortController}} Session
 */

const SESSION_HEADER = "Mcp-Session-Id";
const BOTH = "application/json, text/event-stream";
const EVENTS = "text/event-stream";
// What a server that ends a stream without a word may be asked again after.
const RETRY_MS = 1000;
const GOODBYE_MS = 5000;
const LOST = "the connection broke before the result came";

/** Where one stream was read to, and how often it could not be. */
class Place {
  parser = new EventParser();
  failed = 0;
  retryMs = RETRY_MS;
  lastEventId = "";

  /** Take over what the connection that ends has told. */
  settle() {
    const { lastEventId, retryMs } = this.parser;
    if (lastEventId !== "") this.lastEventId = lastEventId;
    if (retryMs !== undefined) this.retryMs = retryMs;
    this.parser = new EventParser();
  }
}

/** @typedef {import("./door.js").Door} Door */

/** @implements {Door} */
export class StreamableHttp {
  stateless = true;
  closingCancels = true;
  #url;
  #http;
  #hooks;
  #backoff;
  /** @type {Session} */
  #session = { over: new AbortController() };

  /**
   * @param {URL} url
   * @param {import("../client").Options} options
   * @param {Hooks} hooks
   */
  constructor(url, options, hooks) {
    this.#url = url;
    this.#http = new Http("streamable-http", options);
    this.#hooks = hooks;
    this.#backoff = new Backoff(options.backoff);
  }

  get sessionId() {
    return this.#session.id;
  }

  async open() {
    this.#session.over.abort();
    this.#session = { over: new AbortController() };
  }

  /** @param {import("./revisions.js").Revision} revision */
  begin(revision) {
    if (!revision.stateful) return;
    this.#session.revision = revision.name;
    this.#stand(this.#session);
  }

  /**
   * @param {JsonObject} message
   * @param {import("./door.js").Sending} sending
   */
  async send(message, { signal, headers }) {
    const session = this.#session;
    const response = await this.#http.fetch(this.#url, {
      method: "POST",
      headers: {
        Accept: BOTH,
        ...named(session),
        ...repeatedHeaders(message),
        ...headers,
      },
      message,
      signal,
    });
    if (!response.ok) throw await this.#refused(response, session);
    if (message.method === "initialize") {
      session.id = response.headers.get(SESSION_HEADER) ?? undefined;
    }
    if (isRequest(message)) await this.#answered(message.id, response, session, signal);
    else await response.body?.cancel();
  }

  /**
   * @param {Response} response
   * @param {Session} session
   */
  async #refused(response, session) {
    const error = await this.#http.refusal(response);
    const isGone =
      session.id !== undefined && error instanceof HttpError && error.status === 404;
    if (!isGone) return error;
    if (session === this.#session) this.#hooks.lost(error);
    return new ConnectionLostError("the session is over", {
      mayHaveRun: false,
      cause: error,
    });
  }

  /**
   * @param {Id} id
   * @param {Response} response
   * @param {Session} session
   * @param {AbortSignal} signal
   */
  async #answered(id, response, session, signal) {
    const type = response.headers.get("Content-Type") ?? "";
    if (type.startsWith(EVENTS))
      return await this.#follow(id, response, session, signal);
    if (!type.startsWith("application/json")) {
      throw new ProtocolError("the server answered with neither JSON nor events");
    }
    const messages = messagesIn(await whole(response, signal));
    if (!messages.some((message) => answers(message, id))) {
      throw new ProtocolError("the server answered something else than was asked");
    }
    for (const message of messages)
      this.#received(message, { status: response.status }, id);
  }

  /**
   * Read the stream of one request until its response, however often it breaks.
   *
   * @param {Id} id
   * @param {Response} response
   * @param {Session} session
   * @param {AbortSignal} signal
   */
  async #follow(id, response, session, signal) {
    const place = new Place();
    for (;;) {
      /** @type {unknown} */
      let broke;
      try {
        if (await this.#read(response, place, id)) return;
        place.failed = 0;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ProtocolError) throw error;
        broke = error;
      }
      if (session.revision === undefined || place.lastEventId === "") {
        throw new ConnectionLostError(LOST, { mayHaveRun: true, cause: broke });
      }
      response = await this.#resumed(place, session, signal);
    }
  }

  /**
   * Read to the end of one connection, or to the response; tell whether that came.
   * Rejects with ConnectionLostError when the connection breaks.
   *
   * @param {Response} response
   * @param {Place} place
   * @param {Id} [id]
   */
  async #read(response, place, id) {
    if (response.body === null) return false;
    try {
      for await (const event of eventsIn(response.body, place.parser)) {
        if (event.data === "") continue; // a place to resume from, and no message
        place.failed = 0;
        const eventId = event.id || undefined;
        for (const message of messagesIn(event.data)) {
          this.#received(message, { status: response.status, eventId }, id);
          if (id !== undefined && answers(message, id)) return true;
        }
      }
      return false;
    } catch (error) {
      throw isWorded(error)
        ? error
        : new ConnectionLostError(LOST, { mayHaveRun: true, cause: error });
    } finally {
      place.settle();
    }
  }

  /**
   * Come back to the stream of one request, as often as it takes.
   *
   * @param {Place} place
   * @param {Session} session
   * @param {AbortSignal} signal
   * @returns {Promise<Response>}
   */
  async #resumed(place, session, signal) {
    for (;;) {
      await untilWorthTrying(
        this.#backoff.delayMs(place.failed, place.retryMs),
        signal,
      );
      try {
        return await this.#get(place, session, signal);
      } catch (error) {
        signal.throwIfAborted();
        place.failed += 1;
        if (isFinal(error) || this.#backoff.isSpent(place.failed)) {
          throw new ConnectionLostError(LOST, { mayHaveRun: true, cause: error });
        }
        place.retryMs = askedMs(error) ?? place.retryMs;
      }
    }
  }

  /**
   * @param {Place} place
   * @param {Session} session
   * @param {AbortSignal} signal
   */
  async #get({ lastEventId }, session, signal) {
    /** @type {Record<string, string>} */
    const resuming = lastEventId === "" ? {} : { "Last-Event-ID": lastEventId };
    const headers = { Accept: EVENTS, ...named(session), ...resuming };
    const response = await this.#http.fetch(this.#url, {
      method: "GET",
      headers,
      signal,
    });
    if (!response.ok) throw await this.#http.refusal(response);
    return response;
  }

  /**
   * Keep the session's own stream open as long as the session lasts.
   *
   * @param {Session} session
   */
  async #stand(session) {
    const { signal } = session.over;
    const place = new Place();
    while (!signal.aborted) {
      try {
        const response = await this.#get(place, session, signal);
        this.#hooks.mended(session);
        await this.#read(response, place);
        place.failed = 0;
      } catch (error) {
        if (signal.aborted || !this.#mayStandAgain(error, place)) return;
        place.failed += 1;
        place.retryMs = askedMs(error) ?? place.retryMs;
        if (this.#backoff.isSpent(place.failed)) return this.#hooks.lost(error);
        this.#hooks.broke(session, error, place.failed);
      }
      const delayMs = this.#backoff.delayMs(place.failed, place.retryMs);
      await untilWorthTrying(delayMs, signal).catch(() => {});
    }
  }

  /**
   * Tell whether the standing stream is to be asked for again after `error`; if the
   * session itself is at stake, see to that.
   *
   * @param {unknown} error
   * @param {Place} place
   */
  #mayStandAgain(error, place) {
    const status = error instanceof HttpError ? error.status : undefined;
    if (status === 405) return false; // this server has no such stream
    if (status === 409) return true; // it has not noticed yet that we are gone
    if (status === 404 && place.lastEventId !== "") {
      place.lastEventId = ""; // these events are gone, and perhaps not the session
      return true;
    }
    if (status === 404) {
      // Either the session is over, or the server does not know GET at all.
      this.#hooks.probe();
      return false;
    }
    if (isFinal(error)) this.#hooks.lost(error);
    return !isFinal(error);
  }

  /**
   * @param {JsonObject} message
   * @param {{status: number, eventId?: string}} meta
   * @param {Id} [id] of the request that it belongs to
   */
  #received(message, meta, id) {
    this.#http.received(message, meta);
    this.#hooks.received(message, id);
  }

  async close() {
    const session = this.#session;
    session.over.abort();
    if (session.id === undefined) return;
    this.#session = { over: session.over };
    const signal = AbortSignal.timeout(GOODBYE_MS);
    const leaving = {
      method: /** @type {const} */ ("DELETE"),
      headers: named(session),
      signal,
      keepalive: true,
    };
    // The session ends by itself if it cannot be told.
    const response = await this.#http.fetch(this.#url, leaving).catch(() => undefined);
    await response?.body?.cancel();
  }
}

/**
 * Return the headers that say which session a message belongs to.
 *
 * @param {Session} session
 * @returns {Record<string, string>}
 */
function named({ id, revision }) {
  return {
    ...(id === undefined ? {} : { [SESSION_HEADER]: id }),
    ...(revision === undefined ? {} : { "MCP-Protocol-Version": revision }),
  };
}

/**
 * Read a body to its end. Rejects with ConnectionLostError when it breaks off.
 *
 * @param {Response} response
 * @param {AbortSignal} signal
 */
async function whole(response, signal) {
  try {
    return await response.text();
  } catch (error) {
    signal.throwIfAborted();
    throw new ConnectionLostError(LOST, { mayHaveRun: true, cause: error });
  }
}

/** @param {unknown} error */
function askedMs(error) {
  return error instanceof HttpError ? error.retryAfterMs : undefined;
}
