// Meets a server with release 1 of the TypeScript SDK; prints what it saw.
// Arguments: the directory of the environment, and a URL, whose scheme and path
// name the door, or an entry of mcpServers as JSON. The token is in TOKEN.

import * as shop from "./typescript.mjs";

const { Client } = shop.load("@modelcontextprotocol/sdk/client/index.js");
const types = shop.load("@modelcontextprotocol/sdk/types.js");

// The WebSocket of a browser and of Node sends no headers, so that the token goes
// where it can; the SDK's transport makes its socket of the global class.
class SocketWithToken extends WebSocket {
  constructor(url, subprotocol) {
    super(url, [subprotocol, `token-${process.env.TOKEN}`]);
  }
}

function transportTo(address) {
  const client = (file) => shop.load(`@modelcontextprotocol/sdk/client/${file}`);
  if (address.startsWith("{")) {
    const { StdioClientTransport } = client("stdio.js");
    return new StdioClientTransport(JSON.parse(address));
  }
  const url = new URL(address);
  if (url.protocol === "ws:") {
    const { WebSocketClientTransport } = client("websocket.js");
    globalThis.WebSocket = SocketWithToken;
    return new WebSocketClientTransport(url);
  }
  if (url.pathname === "/sse") {
    const { SSEClientTransport } = client("sse.js");
    return new SSEClientTransport(url, shop.transportOptions);
  }
  const { StreamableHTTPClientTransport } = client("streamableHttp.js");
  return new StreamableHTTPClientTransport(url, shop.transportOptions);
}

const heard = new shop.Heard();
const { capabilities } = shop;
const client = new Client(shop.clientInfo, { capabilities });
for (const schema of [
  types.ElicitRequestSchema,
  types.CreateMessageRequestSchema,
  types.ListRootsRequestSchema,
]) {
  client.setRequestHandler(schema, shop.answers[schema.shape.method.value]);
}
client.setNotificationHandler(
  types.LoggingMessageNotificationSchema,
  heard.logged,
);
for (const schema of [
  types.ResourceUpdatedNotificationSchema,
  types.ToolListChangedNotificationSchema,
]) {
  client.setNotificationHandler(schema, heard.changed);
}

const call = (name, args, options) =>
  client.callTool({ name, arguments: args }, undefined, options);
const transport = transportTo(shop.address);
// The client tells its transport, and nobody else, what was negotiated.
let revision;
const told = transport.setProtocolVersion?.bind(transport);
transport.setProtocolVersion = (version) => {
  revision = version;
  told?.(version);
};
await client.connect(transport);
await client.setLoggingLevel("info");
const seen = await shop.everything(client, call, heard);
await shop.changesBySession(client, call, heard);
await transport.terminateSession?.(); // where a session outlives its connection
await client.close();
shop.print(revision, seen, heard);
