// What both TypeScript programs do with a server: list, read and call everything.

import { createRequire } from "node:module";
import path from "node:path";

const CHANGE_TIMEOUT_MS = 20_000;
const STOCK = "shop://stock";

// A package of the environment that the program was told to use.
export const load = createRequire(path.join(process.argv[2], "package.json"));
export const address = process.argv[3];
export const transportOptions = {
  requestInit: { headers: { Authorization: `Bearer ${process.env.TOKEN}` } },
};
export const clientInfo = { name: "typescript-program", version: "1.0.0" };
export const capabilities = { elicitation: {}, roots: {}, sampling: {} };

// What the client answers to each request of the server.
export const answers = {
  "elicitation/create": ({ params }) => {
    const [field] = Object.keys(params.requestedSchema.properties);
    return { action: "accept", content: { [field]: "Ada" } };
  },
  "sampling/createMessage": ({ params }) => ({
    role: "assistant",
    content: {
      type: "text",
      text: `On '${params.messages[0].content.text}': sip.`,
    },
    model: "model-1",
  }),
  "roots/list": () => ({ roots: [{ uri: "file:///home/ada", name: "home" }] }),
};

export class Heard {
  log = [];
  progress = [];
  changes = [];
  #waiting = [];
  #arrived = 0;

  logged = ({ params }) => {
    const { _meta, ...said } = params;
    this.log.push(said);
  };

  progressed = ({ progress, total, message }) => {
    this.progress.push([progress, total ?? null, message ?? null]);
  };

  changed = ({ method, params }) => {
    this.changes.push([method, params?.uri ?? null]);
    const resolve = this.#waiting.shift();
    if (resolve) resolve();
    else this.#arrived += 1;
  };

  nextChange() {
    if (this.#arrived > 0) {
      this.#arrived -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error("no change was announced")),
        CHANGE_TIMEOUT_MS,
      );
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

async function errorOf(promise) {
  try {
    await promise;
  } catch (error) {
    return { code: error.code, data: error.data };
  }
  return null;
}

// `call(name, arguments, options)` hides how the two releases spell callTool.
export async function everything(client, call, heard) {
  const calls = {};
  for (const [name, args] of [
    ["quote", { item: "cake", count: 3 }],
    ["refuse", {}],
    ["menu", {}],
    ["whoami", {}],
    ["order", {}],
    ["slogan", { subject: "tea" }],
    ["folders", {}],
  ]) {
    calls[name] = await call(name, args);
  }
  calls.misuse = await call("quote", { item: "beer" });
  calls.brew = await call("brew", { cups: 3 }, { onprogress: heard.progressed });
  return {
    server: client.getServerVersion(),
    instructions: client.getInstructions(),
    tools: (await client.listTools()).tools,
    resources: (await client.listResources()).resources,
    templates: (await client.listResourceTemplates()).resourceTemplates,
    prompts: (await client.listPrompts()).prompts,
    calls,
    stock: await client.readResource({ uri: STOCK }),
    logo: await client.readResource({ uri: "shop://logo" }),
    item: await client.readResource({ uri: "shop://items/tea" }),
    letter: await client.getPrompt({
      name: "letter",
      arguments: { customer: "Ada" },
    }),
    completion: await client.complete({
      ref: { type: "ref/prompt", name: "letter" },
      argument: { name: "tone", value: "f" },
    }),
    "unknown tool": await errorOf(call("nothing", {})),
    "unknown resource": await errorOf(
      client.readResource({ uri: "shop://nothing" }),
    ),
  };
}

export async function changesBySession(client, call, heard) {
  await client.subscribeResource({ uri: STOCK });
  await call("restock", {});
  await heard.nextChange();
  await client.unsubscribeResource({ uri: STOCK });
  for (let round = 0; round < 2; round += 1) {
    await call("toggle_counter", {});
    await heard.nextChange();
  }
}

export async function changesBySubscription(client, call, heard) {
  const subscription = await client.listen({
    toolsListChanged: true,
    resourceSubscriptions: [STOCK],
  });
  for (const tool of ["restock", "toggle_counter", "toggle_counter"]) {
    await call(tool, {});
    await heard.nextChange();
  }
  await subscription.close();
}

export function print(revision, seen, { log, progress, changes }) {
  console.log(JSON.stringify({ revision, ...seen, log, progress, changes }));
}
