// What can be done with one entry of the catalogue: call a tool, read a resource,
// fill a template, get a prompt.

import { hintsOf, titleOf } from "./catalogue.js";
import { button, el } from "./dom.js";
import { jsonTree } from "./jsontree.js";
import { asError, promptResult, resourceResult, toolResult } from "./result.js";
import { Run } from "./run.js";
import { SchemaForm } from "./schemaform.js";
import { expanded, variablesOf } from "./uritemplate.js";

/**
 * @typedef {import("../client").JsonObject} JsonObject
 * @typedef {import("./catalogue.js").Entry} Entry
 * @typedef {import("../client").Client} Client
 *
 * @typedef {object} Bench  what panels need of the page that they are on
 * @property {import("../client").Client} client
 * @property {(uri: string) => void} openResource
 *
 * @typedef {object} Panel
 * @property {HTMLElement} element
 * @property {HTMLElement} heading
 * @property {Run} run
 * @property {() => void} [changed]  the resource has changed
 */

/** @type {Record<import("./catalogue.js").Kind, (entry: Entry, bench: Bench) => Panel>} */
const PANELS = { tool: toolPanel, resource: resourcePanel, template: templatePanel, prompt: promptPanel };

/**
 * @param {import("./catalogue.js").Kind} kind
 * @param {Entry} entry  as the server lists it
 * @param {Bench} bench
 * @returns {Panel}
 */
export function panelFor(kind, entry, bench) {
  return PANELS[kind](entry, bench);
}

/**
 * @param {Entry} tool
 * @param {Bench} bench
 */
function toolPanel(tool, { client, openResource }) {
  const form = new SchemaForm(tool.inputSchema);
  const isDestructive = hintsOf(tool).includes("destructive");
  /** @param {import("../client").ToolResult} result */
  const show = (result) => toolResult(result, { openResource });
  const run = new Run("Call the tool", show, isDestructive ? "mcp-danger" : "mcp-primary");
  /** @param {JsonObject} args */
  const call = (args) => run.start((options) => client.callTool(tool.name, args, options));
  return panel(tool, tool.name, run, asked(form, run, call), schemas(tool));
}

/**
 * @param {Entry} resource
 * @param {Bench} bench
 */
function resourcePanel(resource, { client }) {
  const run = new Run("Read", resourceResult);
  const read = () => run.start((options) => client.readResource(resource.uri, options));
  const made = panel(resource, resource.uri, run, asked(null, run, read));
  if (client.server.capabilities.resources?.subscribe) run.actions.append(watcher(resource.uri, client));
  return { ...made, changed: read };
}

/**
 * A button that subscribes to a resource, and ends the subscription again.
 *
 * @param {string} uri
 * @param {Client} client
 */
function watcher(uri, client) {
  let isWatched = false;
  const toggle = button("Subscribe", async () => {
    toggle.disabled = true;
    try {
      await (isWatched ? client.unsubscribe(uri) : client.subscribe(uri));
      isWatched = !isWatched;
      toggle.textContent = isWatched ? "Unsubscribe" : "Subscribe";
    } catch (error) {
      toggle.textContent = `Subscribe (refused: ${asError(error).message})`;
    }
    toggle.disabled = false;
    toggle.setAttribute("aria-pressed", String(isWatched));
  }, { "aria-pressed": "false" });
  return toggle;
}

/**
 * @param {Entry} template
 * @param {Bench} bench
 */
function templatePanel(template, { client }) {
  const { uriTemplate } = template;
  const variables = variablesOf(uriTemplate).map((name) => ({ name, required: true }));
  const form = argumentForm(variables, client, { type: "ref/resource", uri: uriTemplate });
  const run = new Run("Read", resourceResult);
  /** @param {JsonObject} values */
  const read = (values) =>
    run.start((options) => client.readResource(expanded(uriTemplate, values), options));
  return panel(template, uriTemplate, run, asked(form, run, read));
}

/**
 * @param {Entry} prompt
 * @param {Bench} bench
 */
function promptPanel(prompt, { client, openResource }) {
  const { name, arguments: taken = [] } = prompt;
  const form = argumentForm(taken, client, { type: "ref/prompt", name });
  /** @param {JsonObject} values */
  const get = (values) => run.start((options) => client.getPrompt(name, values, options));
  const run = new Run("Get the prompt", (result) => promptResult(result, { openResource }));
  return panel(prompt, name, run, asked(form, run, get));
}

/**
 * A form for arguments that are text, with completion as the server offers it.
 *
 * @param {{name: string, title?: string, description?: string, required?: boolean}[]} taken
 * @param {Client} client
 * @param {import("../client").Reference} reference
 */
function argumentForm(taken, client, reference) {
  const properties = Object.fromEntries(
    taken.map(({ name, title, description }) => [name, { type: "string", title, description }]),
  );
  const required = taken.filter((one) => one.required).map(({ name }) => name);
  // Revisions of old do not declare whether there is completion: one refusal tells.
  let isOffered = true;
  /**
   * @param {string} name
   * @param {string} value
   */
  const complete = async (name, value) => {
    if (!isOffered) return [];
    const { [name]: _, ...known } = form.draft();
    try {
      return (await client.complete(reference, { name, value }, known)).values;
    } catch {
      isOffered = false;
      return [];
    }
  };
  const schema = { type: "object", properties, required, additionalProperties: false };
  /** @type {SchemaForm} */
  const form = new SchemaForm(schema, { complete }); // which asks no sooner than it is used
  return form;
}

/**
 * @param {SchemaForm | null} form
 * @param {Run} run
 * @param {(values: JsonObject) => void} start
 */
function asked(form, run, start) {
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    const values = form ? form.read() : {};
    if (values !== undefined) start(values);
  };
  return el("form", { novalidate: true, onsubmit: submit }, form?.element, run.actions);
}

/**
 * @param {Entry} entry
 * @param {string} key
 * @param {Run} run
 * @param {HTMLElement} form
 * @param {HTMLElement | null} [more]
 * @returns {Panel}
 */
function panel(entry, key, run, form, more = null) {
  const title = titleOf(entry);
  const heading = el("h2", { tabindex: -1 }, title);
  const element = el(
    "article",
    { class: "mcp-panel" },
    el(
      "header",
      {},
      heading,
      key !== title && el("code", {}, key),
      ...hintsOf(entry).map((hint) => el("span", { class: "mcp-chip", "data-hint": hint }, hint)),
    ),
    entry.description && el("p", { class: "mcp-description" }, entry.description),
    form,
    run.element,
    more,
  );
  return { element, heading, run };
}

/** @param {Entry} tool */
function schemas({ inputSchema, outputSchema, annotations }) {
  const stated = Object.entries({ inputSchema, outputSchema, annotations }).filter(([, value]) => value);
  return el(
    "details",
    { class: "mcp-schemas" },
    el("summary", {}, "Schema"),
    jsonTree(Object.fromEntries(stated)),
  );
}
