// A page that talks by EventSource and fetch alone, in a real browser.
// Arguments: the directory of the environment, the origin of the shop.

import { createRequire } from "node:module";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

const load = createRequire(path.join(process.argv[2], "package.json"));
const { chromium } = load("playwright-core");
const origin = process.argv[3];

async function talk() {
  const heard = [];
  const source = new EventSource("/sse");
  const next = (name) =>
    new Promise((resolve, reject) => {
      source.addEventListener(name, (event) => resolve(event.data), { once: true });
      setTimeout(() => reject(new Error(`no event ${name}`)), 20000);
    });
  const place = await next("endpoint");
  const send = async (message) => {
    const answered = "id" in message ? next("message") : null;
    const response = await fetch(place, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", ...message }),
    });
    if (answered) heard.push([response.status, JSON.parse(await answered)]);
  };
  await send({
    id: 1,
    method: "initialize",
    params: {
      protocolVersion: "2024-11-05",
      capabilities: {},
      clientInfo: { name: "page", version: "1" },
    },
  });
  await send({ method: "notifications/initialized" });
  const quote = { name: "quote", arguments: { item: "cake", count: 3 } };
  await send({ id: 2, method: "tools/call", params: quote });
  source.close();
  return heard;
}

const home = await mkdtemp(path.join(tmpdir(), "page-"));
const browser = await chromium.launchPersistentContext(home, {
  executablePath: "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
try {
  const page = await browser.newPage();
  await page.goto(origin);
  process.stdout.write(JSON.stringify(await page.evaluate(talk)));
} finally {
  await browser.close();
  await rm(home, { recursive: true });
}
