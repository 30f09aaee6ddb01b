// Meets a server with release 1 of the TypeScript SDK; prints what it saw.
// Arguments: the directory of the environment, the URL. The token is in TOKEN.

import * as shop from "./typescript.mjs";

const { Client } = shop.load("@modelcontextprotocol/sdk/client/index.js");
const { StreamableHTTPClientTransport } = shop.load(
  "@modelcontextprotocol/sdk/client/streamableHttp.js",
);
const types = shop.load("@modelcontextprotocol/sdk/types.js");

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
const transport = new StreamableHTTPClientTransport(
  shop.url,
  shop.transportOptions,
);
await client.connect(transport);
await client.setLoggingLevel("info");
const seen = await shop.everything(client, call, heard);
await shop.changesBySession(client, call, heard);
await transport.terminateSession();
await client.close();
shop.print(transport.protocolVersion, seen, heard);
