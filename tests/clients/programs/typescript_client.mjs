// Meets a server with release 2 of the TypeScript SDK; prints what it saw.
// Arguments: the directory of the environment, the URL, and "legacy" (the
// handshake of old) or "auto". The token is in TOKEN.

import * as shop from "./typescript.mjs";

const { Client, LOG_LEVEL_META_KEY, StreamableHTTPClientTransport } = shop.load(
  "@modelcontextprotocol/client",
);

const mode = process.argv[4];
const heard = new shop.Heard();
const { capabilities } = shop;
const client = new Client(shop.clientInfo, {
  capabilities,
  versionNegotiation: { mode },
});
for (const [method, answer] of Object.entries(shop.answers)) {
  client.setRequestHandler(method, answer);
}
client.setNotificationHandler("notifications/message", heard.logged);
for (const method of [
  "notifications/resources/updated",
  "notifications/tools/list_changed",
]) {
  client.setNotificationHandler(method, heard.changed);
}

const meta = mode === "auto" ? { _meta: { [LOG_LEVEL_META_KEY]: "info" } } : {};
const call = (name, args, options) =>
  client.callTool({ name, arguments: args, ...meta }, options);
const transport = new StreamableHTTPClientTransport(
  new URL(shop.address),
  shop.transportOptions,
);
await client.connect(transport);
if (mode === "legacy") await client.setLoggingLevel("info");
const revision = client.getNegotiatedProtocolVersion();
const seen = await shop.everything(client, call, heard);
if (mode === "legacy") {
  await shop.changesBySession(client, call, heard);
  await transport.terminateSession();
} else {
  await shop.changesBySubscription(client, call, heard);
}
await client.close();
shop.print(revision, seen, heard);
