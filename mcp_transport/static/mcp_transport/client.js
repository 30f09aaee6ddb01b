/**
 * A client of the Model Context Protocol for browsers, without a build step.
 *
 * client.d.ts has the types and what each function promises; docs/browser.md tells how
 * to use it.
 */

import { Backoff } from "./client/backoff.js";
import { Connection } from "./client/connection.js";
import { McpError } from "./client/errors.js";
import { headersOfCall, paramHeaders } from "./client/headers.js";
import { Share, Stream, Subscriptions } from "./client/listening.js";
import { Requests } from "./client/requests.js";
import { HEADER_MISMATCH } from "./client/revisions.js";
import { HttpWithSse } from "./client/sse.js";
import { StreamableHttp } from "./client/streamable.js";
import { WebSocketDoor } from "./client/websocket.js";

export {
  ClosedError,
  ConnectionLostError,
  HttpError,
  McpError,
  ProtocolError,
  SocketError,
  TimeoutError,
} from "./client/errors.js";

/** @typedef {import("./client").JsonObject} JsonObject */
/** @typedef {import("./client").Options} Options */
/** @typedef {import("./client").RequestOptions} RequestOptions */
/** @typedef {import("./client").Subscription} Subscription */

const DOORS = {
  "streamable-http": StreamableHttp,
  sse: HttpWithSse,
  websocket: WebSocketDoor,
};

export class Client {
  #connection;
  #requests;
  #backoff;
  #subscriptions;
  /** @type {Set<Share>} */
  #shares = new Set();
  /** What `subscribe` has made, or makes just now. @type {Map<string, Promise<Subscription>>} */
  #watches = new Map();
  /** @type {Map<string, import("./client/headers.js").ParamHeader[]>} */
  #paramHeaders = new Map();
  /** @type {import("./client").LogLevel | undefined} */
  #logLevel;

  /**
   * @param {string | URL} url
   * @param {Options} [options]
   */
  static async connect(url, options = {}) {
    const client = new Client(url, options);
    await client.#connection.start();
    return client;
  }

  /**
   * @param {string | URL} url
   * @param {Options} options
   */
  constructor(url, options) {
    const { door = "streamable-http" } = options;
    const Door = DOORS[door];
    if (Door === undefined) throw new TypeError(`there is no door ${door}`);
    const address = new URL(url, globalThis.document?.baseURI);
    this.#connection = new Connection(
      options,
      (hooks) => new Door(address, options, hooks),
    );
    this.#connection.restore = () => this.#restore();
    this.#requests = new Requests(options, this.#connection);
    this.#backoff = new Backoff(options.backoff);
    this.#subscriptions = new Subscriptions(this.#requests);
  }

  get state() {
    return this.#connection.state;
  }

  get revision() {
    return this.#connection.revision?.name ?? "";
  }

  get stateful() {
    return this.#connection.stateful;
  }

  get sessionId() {
    return this.#connection.sessionId;
  }

  get server() {
    return this.#connection.server;
  }

  // Lists.

  /** @param {RequestOptions} [options] */
  async listTools(options) {
    const tools = await this.#all("tools/list", "tools", options);
    return this.stateful ? tools : tools.filter((tool) => this.#isCallable(tool));
  }

  /**
   * Remember which arguments of a tool are repeated in headers. A tool that says so
   * wrongly must not be used. Spec: 2026-07-28 server/tools #x-mcp-header.
   *
   * @param {JsonObject} tool
   */
  #isCallable({ name, inputSchema }) {
    try {
      this.#paramHeaders.set(name, paramHeaders(inputSchema));
      return true;
    } catch (error) {
      console.warn(`the tool ${name} is left out:`, error);
      return false;
    }
  }

  /** @param {RequestOptions} [options] */
  async listResources(options) {
    return await this.#all("resources/list", "resources", options);
  }

  /** @param {RequestOptions} [options] */
  async listResourceTemplates(options) {
    return await this.#all("resources/templates/list", "resourceTemplates", options);
  }

  /** @param {RequestOptions} [options] */
  async listPrompts(options) {
    return await this.#all("prompts/list", "prompts", options);
  }

  /**
   * @param {string} method
   * @param {string} member
   * @param {RequestOptions} [options]
   * @returns {Promise<any[]>}
   */
  async #all(method, member, options) {
    const found = [];
    /** @type {JsonObject} */
    let page = {};
    do {
      // An empty cursor is one too.
      const params = page.nextCursor === undefined ? {} : { cursor: page.nextCursor };
      page = await this.#requests.send(method, params, options);
      found.push(...page[member]);
    } while (page.nextCursor !== undefined);
    return found;
  }

  // What they are for.

  /**
   * @param {string} name
   * @param {JsonObject} [args]
   * @param {RequestOptions} [options]
   */
  async callTool(name, args = {}, options = {}) {
    const call = () => {
      const headers = headersOfCall(this.#paramHeaders.get(name) ?? [], args);
      return this.#requests.send(
        "tools/call",
        { name, arguments: args },
        { ...options, headers },
      );
    };
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof McpError) || error.code !== HEADER_MISMATCH) throw error;
    }
    // It did not run: which headers it wants is in a list that we have not seen.
    await this.listTools({ signal: options.signal });
    return await call();
  }

  /**
   * @param {string} uri
   * @param {RequestOptions} [options]
   */
  async readResource(uri, options) {
    return await this.#requests.send("resources/read", { uri }, options);
  }

  /**
   * @param {string} name
   * @param {Record<string, string>} [args]
   * @param {RequestOptions} [options]
   */
  async getPrompt(name, args = {}, options) {
    return await this.#requests.send("prompts/get", { name, arguments: args }, options);
  }

  /**
   * @param {import("./client").Reference} ref
   * @param {{name: string, value: string}} argument
   * @param {Record<string, string>} [known]
   * @param {RequestOptions} [options]
   */
  async complete(ref, argument, known, options) {
    const context = known === undefined ? {} : { context: { arguments: known } };
    const result = await this.#requests.send(
      "completion/complete",
      { ref, argument, ...context },
      options,
    );
    return result.completion;
  }

  /** @param {import("./client").LogLevel} level */
  async setLogLevel(level) {
    if (this.stateful) await this.#requests.send("logging/setLevel", { level });
    else this.#connection.exchange.logLevel = level;
    this.#logLevel = level;
  }

  // Changes.

  /** @param {string} uri */
  async subscribe(uri) {
    const known = this.#watches.get(uri);
    if (known !== undefined) return void (await known);
    const watch = this.#watch(uri);
    this.#watches.set(uri, watch);
    try {
      await watch;
    } catch (error) {
      if (this.#watches.get(uri) === watch) this.#watches.delete(uri);
      throw error;
    }
  }

  /**
   * @param {string} uri
   * @returns {Promise<Subscription>}
   */
  async #watch(uri) {
    if (this.stateful) {
      await this.#subscriptions.add(uri);
      return { close: () => this.#subscriptions.remove(uri) };
    }
    const hearing = {
      onchange: () => {}, // it is told as any notification
      onend: () => this.#watches.delete(uri),
    };
    return await this.listen({ resourceSubscriptions: [uri] }, hearing);
  }

  /** @param {string} uri */
  async unsubscribe(uri) {
    const watch = this.#watches.get(uri);
    this.#watches.delete(uri);
    await (await watch)?.close();
  }

  /**
   * @param {import("./client").Wanted} wanted
   * @param {import("./client").ListenOptions} options
   * @returns {Promise<Subscription>}
   */
  async listen(wanted, options) {
    if (!this.stateful) {
      return await new Stream(
        this.#connection,
        this.#requests,
        this.#backoff,
        wanted,
        options,
      ).begin();
    }
    const share = new Share(this.#connection, this.#subscriptions, wanted, options);
    this.#shares.add(share);
    share.over.addEventListener("abort", () => this.#shares.delete(share));
    await share.begin();
    return { close: () => share.close() };
  }

  /** Make again in a new session what the old one had. */
  async #restore() {
    if (!this.stateful) return;
    try {
      if (this.#logLevel !== undefined) await this.setLogLevel(this.#logLevel);
      await this.#subscriptions.restore();
    } finally {
      for (const share of this.#shares) share.renewed();
    }
  }

  // Anything else.

  /** @param {RequestOptions} [options] */
  async ping(options) {
    await this.#requests.send(this.stateful ? "ping" : "server/discover", {}, options);
  }

  /**
   * @param {string} method
   * @param {JsonObject} [params]
   * @param {RequestOptions} [options]
   */
  async request(method, params, options) {
    return await this.#requests.send(method, params, options);
  }

  /**
   * @param {string} method
   * @param {JsonObject} [params]
   */
  async notify(method, params) {
    await this.#requests.notify(method, params);
  }

  async close() {
    await this.#connection.close();
  }
}
