/**
 * Hearing of changes. Revisions without sessions have a stream for it that is asked for;
 * a session hears of lists by itself, and of resources that it subscribes to.
 *
 * Spec: 2026-07-28 basic/patterns/subscriptions; 2025-11-25 server/resources
 * #subscriptions.
 */

import { Backoff, LASTING_MS, untilWorthTrying } from "./backoff.js";
import { tell } from "./callbacks.js";
import { asError } from "./connection.js";
import { ClosedError, ConnectionLostError, isFinal } from "./errors.js";

/** @typedef {import("../client").ListenOptions} ListenOptions */
/** @typedef {import("../client").Subscription} Subscription */
/** @typedef {import("../client").Wanted} Wanted */
/** @typedef {import("./connection.js").Connection} Connection */
/** @typedef {import("./requests.js").Requests} Requests */

/** What a change of each list is called. @type {[keyof Wanted, string, string][]} */
const LISTS = [
  ["toolsListChanged", "tools", "notifications/tools/list_changed"],
  ["promptsListChanged", "prompts", "notifications/prompts/list_changed"],
  ["resourcesListChanged", "resources", "notifications/resources/list_changed"],
];
const SUBSCRIBE = "resources/subscribe";
const UPDATED = "notifications/resources/updated";

/** One stream of `subscriptions/listen`, and those that come after it. */
export class Stream {
  #connection;
  #requests;
  #wanted;
  #options;
  #backoff;
  #over = new AbortController();

  /**
   * @param {Connection} connection
   * @param {Requests} requests
   * @param {Backoff} backoff
   * @param {Wanted} wanted
   * @param {ListenOptions} options
   */
  constructor(connection, requests, backoff, wanted, options) {
    this.#connection = connection;
    this.#requests = requests;
    this.#backoff = backoff;
    this.#wanted = wanted;
    this.#options = options;
  }

  /**
   * Resolves when the server has agreed, and rejects if it does not.
   *
   * @returns {Promise<Subscription>}
   */
  begin() {
    const { signal, ongranted, onend } = this.#options;
    const ending = AbortSignal.any([
      this.#over.signal,
      this.#connection.closed,
      ...(signal ? [signal] : []),
    ]);
    return new Promise((resolve, reject) => {
      let hasBegun = false;
      const granted = (/** @type {Wanted} */ what) => {
        hasBegun = true;
        tell(ongranted, what);
        resolve({ close: () => this.close() });
      };
      this.#run(granted, () => hasBegun, ending).catch((error) => {
        this.#connection.mended(this);
        if (!hasBegun) reject(error);
        else if (!this.#over.signal.aborted && !signal?.aborted)
          tellEnd(onend, error);
      });
    });
  }

  /**
   * Ask for the stream again and again, until it is refused or not wanted any more.
   *
   * @param {(granted: Wanted) => void} granted
   * @param {() => boolean} hasBegun
   * @param {AbortSignal} signal
   */
  async #run(granted, hasBegun, signal) {
    for (let failed = 0; ; failed += 1) {
      const beganAtMs = Date.now();
      const error = await this.#hear(granted, signal);
      signal.throwIfAborted();
      if (!hasBegun() || isFinal(error) || this.#backoff.isSpent(failed + 1))
        throw error;
      if (Date.now() - beganAtMs > LASTING_MS) failed = 0;
      const delayMs = this.#backoff.delayMs(failed);
      this.#connection.broke(this, { error: asError(error), attempt: failed, delayMs });
      await untilWorthTrying(delayMs, signal);
    }
  }

  /**
   * Hear one stream out; return what it ended by.
   *
   * @param {(granted: Wanted) => void} granted
   * @param {AbortSignal} signal
   * @returns {Promise<unknown>}
   */
  async #hear(granted, signal) {
    const ongranted = (/** @type {Wanted} */ what) => {
      this.#connection.mended(this);
      granted(what);
    };
    try {
      await this.#requests.listen(this.#wanted, {
        ongranted,
        onchange: this.#options.onchange,
        signal,
      });
      return new ConnectionLostError("the server ended the stream", {
        mayHaveRun: true,
      });
    } catch (error) {
      return error;
    }
  }

  async close() {
    this.#over.abort();
  }
}

/**
 * Say why hearing ended; that the page closed the client itself it need not hear.
 *
 * @param {ListenOptions["onend"]} onend
 * @param {unknown} error
 */
function tellEnd(onend, error) {
  const why = error instanceof ClosedError ? error.cause : error;
  if (why !== undefined) tell(onend, asError(why));
}

/**
 * What a session has subscribed to, and how many want it. Whoever comes while it is
 * subscribed to waits for the same request.
 */
export class Subscriptions {
  #requests;
  /** @type {Map<string, {count: number, made: Promise<unknown>}>} */
  #known = new Map();

  /** @param {Requests} requests */
  constructor(requests) {
    this.#requests = requests;
  }

  /** @param {string} uri */
  async add(uri) {
    const made = this.#known.get(uri)?.made ?? this.#requests.send(SUBSCRIBE, { uri });
    const known = this.#known.get(uri) ?? { count: 0, made };
    known.count += 1;
    this.#known.set(uri, known);
    try {
      await made;
    } catch (error) {
      if (this.#known.get(uri) === known) this.#known.delete(uri);
      throw error;
    }
  }

  /** @param {string} uri */
  async remove(uri) {
    const known = this.#known.get(uri);
    if (known === undefined) return;
    known.count -= 1;
    if (known.count > 0) return;
    this.#known.delete(uri);
    await this.#requests.send("resources/unsubscribe", { uri });
  }

  /** Subscribe again, in a new session. Rejects with AggregateError where it may not. */
  async restore() {
    const made = Array.from(this.#known.keys(), (uri) =>
      this.#requests.send(SUBSCRIBE, { uri }),
    );
    const refused = (await Promise.allSettled(made)).flatMap((one) =>
      one.status === "rejected" ? [one.reason] : [],
    );
    if (refused.length > 0)
      throw new AggregateError(refused, "a subscription could not be made again");
  }
}

/** One page's share in what a session hears. */
export class Share {
  #connection;
  #subscriptions;
  #options;
  #granted;
  /** @type {string[]} */
  #subscribed = [];
  #over = new AbortController();

  /**
   * @param {Connection} connection
   * @param {Subscriptions} subscriptions
   * @param {Wanted} wanted
   * @param {ListenOptions} options
   */
  constructor(connection, subscriptions, wanted, options) {
    this.#connection = connection;
    this.#subscriptions = subscriptions;
    this.#options = options;
    this.#granted = granted(wanted, connection.server.capabilities);
  }

  async begin() {
    const { signal, ongranted } = this.#options;
    signal?.throwIfAborted();
    this.#connection.exchange.listeners.add(this.#hear);
    try {
      for (const uri of this.#granted.resourceSubscriptions ?? []) {
        await this.#subscriptions.add(uri);
        this.#subscribed.push(uri);
      }
    } catch (error) {
      await this.close().catch(() => {}); // of what was subscribed to
      throw error;
    }
    const ending = { signal: this.over };
    const { closed } = this.#connection;
    signal?.addEventListener("abort", () => this.close().catch(() => {}), ending);
    closed.addEventListener("abort", () => this.#lost(closed.reason), ending);
    tell(ongranted, this.#granted);
  }

  /** The session is a new one: what happened in between went unheard. */
  renewed() {
    tell(this.#options.ongranted, this.#granted);
  }

  /** @param {unknown} error why the client is closed */
  #lost(error) {
    this.#over.abort();
    tellEnd(this.#options.onend, error);
  }

  /** Aborted when it has ended. */
  get over() {
    return this.#over.signal;
  }

  /** @param {string} method @param {import("../client").JsonObject} params */
  #hear = (method, params) => {
    const isList = LISTS.some(([key, , name]) => name === method && this.#granted[key]);
    const isResource =
      method === UPDATED && this.#granted.resourceSubscriptions?.includes(params.uri);
    if (isList || isResource) this.#options.onchange(method, params);
  };

  async close() {
    if (this.over.aborted) return;
    this.#over.abort();
    this.#connection.exchange.listeners.delete(this.#hear);
    if (this.#connection.closed.aborted) return;
    for (const uri of this.#subscribed) await this.#subscriptions.remove(uri);
  }
}

/**
 * Return what a session hears of what is wanted, by what the server declares.
 *
 * @param {Wanted} wanted
 * @param {import("../client").JsonObject} capabilities
 * @returns {Wanted}
 */
function granted(wanted, capabilities) {
  const lists = LISTS.filter(
    ([key, family]) => wanted[key] && capabilities[family]?.listChanged,
  );
  const uris = capabilities.resources?.subscribe
    ? wanted.resourceSubscriptions
    : undefined;
  return {
    ...Object.fromEntries(lists.map(([key]) => [key, true])),
    ...(uris === undefined ? {} : { resourceSubscriptions: uris }),
  };
}
