/** A page of a shop that is written in TypeScript: it is checked, and never run. */

import {
  Client,
  ClosedError,
  ConnectionLostError,
  HttpError,
  McpError,
  ProtocolError,
  SocketError,
  TimeoutError,
} from "/static/mcp_transport/client.js";
import type {
  Completion,
  Door,
  Elicitation,
  ElicitationAnswer,
  JsonObject,
  LogMessage,
  Options,
  Progress,
  Prompt,
  RequestOptions,
  Resource,
  ResourceTemplate,
  State,
  StateDetail,
  Subscription,
  Tool,
  ToolResult,
  Wanted,
  WireMeta,
} from "/static/mcp_transport/client.js";

// Every door, with the credential that suits it.

const DOORS: Record<Door, string> = {
  "streamable-http": "/mcp",
  sse: "/sse",
  websocket: "/ws",
};

async function freshToken({ refused }: { refused: boolean }): Promise<string> {
  const response = await fetch(refused ? "/my/token/?anew" : "/my/token/");
  if (response.status === 403) throw new HttpError(403, "nobody is logged in");
  const { token }: { token: string } = await response.json();
  return token;
}

async function openEach(): Promise<Client[]> {
  const overHttp = await Client.connect(DOORS["streamable-http"], {
    token: freshToken,
    headers: () => ({ "X-CSRFToken": "…" }),
    credentials: "same-origin",
    revision: "2025-11-25",
  });
  const overEvents = await Client.connect(new URL(DOORS.sse, location.href), {
    door: "sse",
    token: "mcp_…",
  });
  const overSocket = await Client.connect(DOORS.websocket, {
    door: "websocket",
    ticket: async () => "v1.…",
  });
  return [overHttp, overEvents, overSocket];
}

// Every option.

function answer(
  { mode, message, requestedSchema, url }: Elicitation,
  { signal }: { signal: AbortSignal },
): ElicitationAnswer {
  if (signal.aborted) return { action: "cancel" };
  if (mode === undefined) throw new McpError(-32602, "a question of old");
  if (mode === "url" && url !== undefined)
    return { action: confirm(`${message} ${url}`) ? "accept" : "decline" };
  const names = Object.keys(requestedSchema?.properties ?? {});
  return {
    action: "accept",
    content: Object.fromEntries(names.map((name) => [name, prompt(name)])),
  };
}

const everything: Options = {
  clientInfo: { name: "shop", version: "2", title: "The shop" },
  capabilities: { elicitation: { form: {}, url: {} } },
  timeoutMs: 5_000,
  maxTimeoutMs: 60_000,
  backoff: { firstMs: 100, mostMs: 2_000, attempts: 5 },
  onelicit: answer,
  onsample: async (params: JsonObject) => ({
    role: "assistant",
    model: "none",
    content: { type: "text", text: String(params.maxTokens) },
  }),
  roots: () => [{ uri: "file:///srv/shop", name: "shop" }],
  onstate: (state: State, { error, attempt, delayMs, renewed }: StateDetail) =>
    console.info(state, error?.message, attempt, delayMs, renewed),
  onnotification: (method: string, params: JsonObject) => console.info(method, params),
  onlog: ({ level, data, logger }: LogMessage) => console.info(level, logger, data),
  onwire: (direction, message, meta: WireMeta) =>
    console.debug(direction, message.id, meta.door, meta.http?.url, meta.eventId),
};

// What it can do.

async function lookAround(client: Client): Promise<string[]> {
  const tools: Tool[] = await client.listTools();
  const resources: Resource[] = await client.listResources({ timeoutMs: 1_000 });
  const templates: ResourceTemplate[] = await client.listResourceTemplates();
  const prompts: Prompt[] = await client.listPrompts();
  const { name, version } = client.server.info;
  const session: string | undefined = client.sessionId;
  const state: State = client.state;
  const revision: string = client.revision;
  const stateful: boolean = client.stateful;
  return [
    ...tools.map(({ name, annotations }) => `${name} ${annotations?.readOnlyHint}`),
    ...resources.map(({ uri }) => uri),
    ...templates.map(({ uriTemplate }) => uriTemplate),
    ...prompts.flatMap(({ arguments: taken = [] }) => taken.map(({ name }) => name)),
    `${name} ${version} ${session} ${state} ${revision} ${stateful}`,
  ];
}

async function recount(client: Client, stop: AbortController): Promise<string> {
  const options: RequestOptions = {
    signal: stop.signal,
    timeoutMs: 10_000,
    idempotent: true,
    logLevel: "warning",
    onprogress: ({ progress, total, message }: Progress) =>
      console.info(progress / (total ?? 1), message),
    onlog: ({ data }) => console.info(data),
  };
  setTimeout(() => stop.abort(new Error("too slow")), 20_000);
  const { content, structuredContent, isError = false }: ToolResult =
    await client.callTool("recount", { depth: 3 }, options);
  return isError ? String(content[0]?.text) : String(structuredContent);
}

async function readOn(client: Client): Promise<Completion> {
  const { contents } = await client.readResource("shop://stock");
  const { messages } = await client.getPrompt("letter", { customer: "Ada" });
  await client.setLogLevel("debug");
  await client.ping();
  await client.notify("notifications/roots/list_changed");
  const any: JsonObject = await client.request("tools/list", { cursor: "" });
  console.info(contents[0]?.text, messages[0]?.role, any.tools);
  const ref = { type: "ref/prompt", name: "letter" } as const;
  return await client.complete(ref, { name: "tone", value: "k" }, { customer: "Ada" });
}

async function watch(client: Client): Promise<Subscription> {
  await client.subscribe("shop://stock");
  await client.unsubscribe("shop://stock");
  const wanted: Wanted = { toolsListChanged: true, resourceSubscriptions: ["shop://a"] };
  return await client.listen(wanted, {
    onchange: (method, params) => console.info(method, params.uri),
    ongranted: (granted) => console.info(granted.resourceSubscriptions?.length),
    onend: (error) => console.error(error.message),
    signal: AbortSignal.timeout(60_000),
  });
}

// What can go wrong.

function reasonOf(error: unknown): string {
  if (error instanceof McpError) return `${error.code} ${JSON.stringify(error.data)}`;
  if (error instanceof HttpError)
    return `${error.status} ${error.wwwAuthenticate ?? ""} ${error.retryAfterMs ?? 0}`;
  if (error instanceof SocketError) return `closed with ${error.code}`;
  if (error instanceof ConnectionLostError) return `it ran: ${error.mayHaveRun}`;
  if (error instanceof TimeoutError) return `silent for ${error.timeoutMs} ms`;
  if (error instanceof ClosedError) return `closed: ${error.cause}`;
  if (error instanceof ProtocolError) return error.message;
  throw error;
}

// What is refused before it runs.

async function mistaken(client: Client): Promise<void> {
  // @ts-expect-error: a client is made by connect
  new Client("/mcp", {});
  // @ts-expect-error: there is no such door
  await Client.connect("/mcp", { door: "carrier-pigeon" });
  // @ts-expect-error: an option is misspelt
  await Client.connect("/mcp", { timeout: 5 });
  // @ts-expect-error: arguments have names
  await client.callTool("recount", "deep");
  // @ts-expect-error: the arguments of prompts are strings
  await client.getPrompt("letter", { copies: 3 });
  // @ts-expect-error: nobody knows such a level
  await client.setLogLevel("loud");
  // @ts-expect-error: who listens wants to hear
  await client.listen({ toolsListChanged: true }, {});
  // @ts-expect-error: an answer has an action
  await Client.connect("/mcp", { onelicit: () => ({ content: {} }) });
  // @ts-expect-error: what was agreed on is not to be changed
  client.revision = "2025-11-25";
}

export { everything, lookAround, mistaken, openEach, readOn, reasonOf, recount, watch };
