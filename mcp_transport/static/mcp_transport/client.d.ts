/**
 * A client of the Model Context Protocol for browsers, without a build step and
 * without dependencies. docs/browser.md tells how to use it.
 *
 * Spec: every revision that `mcp_transport` serves; Streamable HTTP, HTTP+SSE,
 * and WebSocket as docs/transports.md describes it.
 */

import type {
  Completion,
  Elicitation,
  ElicitationAnswer,
  Implementation,
  JsonObject,
  LogLevel,
  LogMessage,
  Progress,
  Prompt,
  PromptResult,
  Reference,
  Resource,
  ResourceResult,
  ResourceTemplate,
  Root,
  Tool,
  ToolResult,
} from "./client/values.js";

export type * from "./client/values.js";

/** How messages travel. */
export type Door = "streamable-http" | "sse" | "websocket";

/**
 * `connecting` until the first handshake is done; `open` while requests are
 * answered; `reconnecting` while the client comes back by itself; `closed` for good.
 */
export type State = "connecting" | "open" | "reconnecting" | "closed";

export interface StateDetail {
  /** Why it reconnects, or why it is closed. Absent after `close()`. */
  error?: Error;
  /** `reconnecting`: how many attempts failed already. */
  attempt?: number;
  /** `reconnecting`: when the next attempt is made. */
  delayMs?: number;
  /**
   * `open`: this is another session than before. What was sent in the old one
   * is over, and lists may have changed; the log level and the subscriptions of
   * this client have been made again.
   */
  renewed?: boolean;
}

export interface Asked {
  /** Aborted when nobody waits for the answer any more. */
  signal: AbortSignal;
}

/** What a message travelled in. A token in `headers` is replaced by "…". */
export interface WireMeta {
  door: Door;
  /** Milliseconds since the epoch. */
  at: number;
  /** Sent over HTTP. */
  http?: { method: string; url: string; headers: Record<string, string> };
  /** Received over HTTP: the status of the reply. */
  status?: number;
  /** Received in an event that has one: the place to resume from. */
  eventId?: string;
}

export interface Backoff {
  /** The longest first wait. Default 500. */
  firstMs?: number;
  /** The longest wait of all. Default 30000. */
  mostMs?: number;
  /** How many attempts in a row may fail before the client gives up. Default: no end. */
  attempts?: number;
}

export interface Options {
  /** Default "streamable-http". */
  door?: Door;
  /**
   * "auto" (default): the latest that both sides have. A name: that one or none.
   * Over "sse" there are only revisions with sessions.
   */
  revision?: "auto" | string;

  /**
   * The bearer token, or a function that gives one. It is called before each HTTP
   * request. When the server refuses a token it is called once more with
   * `{refused: true}`; if it then gives another one, the request is sent again.
   * When it throws it is asked again later, as where the server cannot be reached;
   * unless what it throws is an error of this module, which counts as what it says.
   */
  token?: string | ((why: { refused: boolean }) => string | Promise<string>);
  /** WebSocket: gives a new ticket for each connection, as POST /api/tickets/ does.
   * What it throws is taken as that of `token`. */
  ticket?: () => string | Promise<string>;
  /** More headers for each HTTP request, such as a CSRF token. */
  headers?: Record<string, string> | (() => Record<string, string>);
  /** Whether cookies go along, as `fetch` understands it. Default "omit". */
  credentials?: RequestCredentials;

  /** Default {name: "mcp_transport client.js", version: "1"}. */
  clientInfo?: { name: string; version: string; title?: string; [key: string]: any };
  /**
   * What is declared beside, or instead of, what the functions below stand for:
   * `onelicit` declares forms, `onsample` sampling, `roots` roots.
   */
  capabilities?: JsonObject;

  /** A request fails when nothing is heard of it for so long. Default 60000. */
  timeoutMs?: number;
  /** ... and, whatever is heard, after so long. Default 1800000 (30 minutes). */
  maxTimeoutMs?: number;
  backoff?: Backoff;

  /** Hears every message, both ways, as it is on the wire. */
  onwire?: (
    direction: "sent" | "received",
    message: JsonObject,
    meta: WireMeta,
  ) => void;
  onstate?: (state: State, detail: StateDetail) => void;
  /** Hears every notification of the server. */
  onnotification?: (method: string, params: JsonObject) => void;
  onlog?: (message: LogMessage) => void;

  /** Answers the server's question to the user. */
  onelicit?: (
    params: Elicitation,
    asked: Asked,
  ) => ElicitationAnswer | Promise<ElicitationAnswer>;
  /** Answers `sampling/createMessage`. */
  onsample?: (params: JsonObject, asked: Asked) => JsonObject | Promise<JsonObject>;
  /** Answers `roots/list`. */
  roots?: Root[] | (() => Root[] | Promise<Root[]>);
}

export interface RequestOptions {
  /** Aborting it cancels the request, here and at the server. */
  signal?: AbortSignal;
  /** Instead of the client's. The clock begins anew at each progress, and stands
   * still while a question is open. */
  timeoutMs?: number;
  onprogress?: (progress: Progress) => void;
  /**
   * Log messages of this request. Over "sse" and "websocket" they do not say to
   * which request they belong: there it hears them while no other request runs.
   */
  onlog?: (message: LogMessage) => void;
  /** Revisions without sessions: log messages from this level on, for this request. */
  logLevel?: LogLevel;
  /**
   * Whether it does no harm to run the request twice. Then it is sent again when
   * the connection broke before the result came. Default: true for all methods but
   * `tools/call`.
   */
  idempotent?: boolean;
}

/** What to listen for. */
export interface Wanted {
  toolsListChanged?: boolean;
  promptsListChanged?: boolean;
  resourcesListChanged?: boolean;
  /** URIs whose `notifications/resources/updated` are wanted. */
  resourceSubscriptions?: string[];
}

export interface ListenOptions {
  /** Hears each change: a method such as "notifications/tools/list_changed". */
  onchange: (method: string, params: JsonObject) => void;
  /**
   * Hears what the server grants, at once and each time that the client has come
   * back after a connection broke: what changed meanwhile may have gone unheard.
   */
  ongranted?: (granted: Wanted) => void;
  /** Hears why it ended, if not by a `close()` of the page. */
  onend?: (error: Error) => void;
  signal?: AbortSignal;
}

export interface Subscription {
  close(): Promise<void>;
}

/** What the server says of itself. */
export interface Server {
  info: Implementation;
  capabilities: JsonObject;
  instructions?: string;
}

export class Client {
  private constructor();

  /**
   * Connect to an endpoint: `/mcp` for "streamable-http", `/sse` for "sse", `/ws`
   * (also as http: or https:) for "websocket".
   *
   * Rejects with HttpError or SocketError when the server does not let us in, with
   * McpError when it refuses the handshake, with TimeoutError, with ProtocolError
   * when the two have no revision in common, and with ConnectionLostError when
   * nobody answers.
   */
  static connect(url: string | URL, options?: Options): Promise<Client>;

  readonly state: State;
  /** The revision that is spoken, such as "2026-07-28". */
  readonly revision: string;
  /** Whether that revision has sessions. */
  readonly stateful: boolean;
  /** Streamable HTTP with a session: its id. */
  readonly sessionId: string | undefined;
  readonly server: Server;

  /** Each gives all pages. */
  listTools(options?: RequestOptions): Promise<Tool[]>;
  listResources(options?: RequestOptions): Promise<Resource[]>;
  listResourceTemplates(options?: RequestOptions): Promise<ResourceTemplate[]>;
  listPrompts(options?: RequestOptions): Promise<Prompt[]>;

  callTool(
    name: string,
    args?: JsonObject,
    options?: RequestOptions,
  ): Promise<ToolResult>;
  readResource(uri: string, options?: RequestOptions): Promise<ResourceResult>;
  /** The values of arguments are strings. */
  getPrompt(
    name: string,
    args?: Record<string, string>,
    options?: RequestOptions,
  ): Promise<PromptResult>;
  /** Suggestions for `value`, which was typed so far; `known` are other arguments. */
  complete(
    ref: Reference,
    argument: { name: string; value: string },
    known?: Record<string, string>,
    options?: RequestOptions,
  ): Promise<Completion>;

  /** Ask for log messages of `level` and above, from now on. */
  setLogLevel(level: LogLevel): Promise<void>;
  /** Hear, by `onnotification`, of each change of a resource. */
  subscribe(uri: string): Promise<void>;
  unsubscribe(uri: string): Promise<void>;
  /** Hear of changes, at every revision. Resolves when the server has agreed. */
  listen(wanted: Wanted, options: ListenOptions): Promise<Subscription>;
  /** Whether the server answers. */
  ping(options?: RequestOptions): Promise<void>;

  /**
   * Send any request; gives the result as it is on the wire. Questions of the
   * server are answered on the way.
   */
  request(
    method: string,
    params?: JsonObject,
    options?: RequestOptions,
  ): Promise<JsonObject>;
  notify(method: string, params?: JsonObject): Promise<void>;

  /** End the session and all that runs. May be called twice. */
  close(): Promise<void>;
}

/** A JSON-RPC error: the server's answer to a request. */
export class McpError extends Error {
  constructor(code: number, message: string, data?: any, retryAfterMs?: number);
  readonly code: number;
  readonly data: any;
  /** When the server wants to be asked again; undefined if it does not say. */
  readonly retryAfterMs: number | undefined;
}

/** The server, or something before it, refused a request by the rules of HTTP. */
export class HttpError extends Error {
  constructor(
    status: number,
    message: string,
    told?: { retryAfterMs?: number; wwwAuthenticate?: string | null },
  );
  readonly status: number;
  /** From Retry-After; undefined without it. */
  readonly retryAfterMs: number | undefined;
  /** The challenge of a 401 or 403; null without one. */
  readonly wwwAuthenticate: string | null;
}

/** The server ended the WebSocket, and `code` says why (docs/transports.md). */
export class SocketError extends Error {
  readonly code: number;
}

/** The connection broke before the result came. */
export class ConnectionLostError extends Error {
  /** False if the request cannot have reached the server. */
  readonly mayHaveRun: boolean;
}

/** Nothing was heard of a request for too long. It was cancelled. */
export class TimeoutError extends Error {
  readonly timeoutMs: number;
}

/** The client is closed. */
export class ClosedError extends Error {}

/** The other side does not speak MCP as this client does. */
export class ProtocolError extends Error {}
