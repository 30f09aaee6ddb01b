// What a server asks while it works, put to the person at the page in a dialog:
// forms, pages to open, and, as there is no model here, messages to write.

import { button, el, uniqueId, webAddress } from "./dom.js";
import { contentBlock } from "./result.js";
import { SchemaForm } from "./schemaform.js";

/** @typedef {import("../client").ElicitationAnswer} ElicitationAnswer */
/** @typedef {import("../client").JsonObject} JsonObject */
/** @typedef {(action: ElicitationAnswer["action"], content?: JsonObject) => void} Answer */
/** @typedef {(answer: Answer) => HTMLElement} Ask  makes what is asked, under a title */

// One question at a time: the next waits for its turn.
/** @type {Promise<unknown>} */
let turn = Promise.resolve();

/**
 * Asks the user what `elicitation/create` asks. For the client's `onelicit`.
 *
 * @param {import("../client").Elicitation} params
 * @param {import("../client").Asked} asked
 * @returns {Promise<import("../client").ElicitationAnswer>}
 */
export function askUser(params, { signal }) {
  const ask = params.mode === "url" ? askToOpen : askByForm;
  return inTurn((answer) => ask(params, answer), signal);
}

/**
 * Lets the user write what a model would. For the client's `onsample`.
 *
 * @param {JsonObject} params  of `sampling/createMessage`
 * @param {import("../client").Asked} asked
 * @returns {Promise<JsonObject>}
 */
export async function askForMessage(params, { signal }) {
  const { action, content: written } = await inTurn((answer) => askToWrite(params, answer), signal);
  if (action !== "accept") throw new Error("The user wrote no message.");
  const content = { type: "text", text: written?.message };
  return { role: "assistant", content, model: "the user", stopReason: "endTurn" };
}

/**
 * @param {Ask} ask
 * @param {AbortSignal} signal
 */
function inTurn(ask, signal) {
  const answer = turn.then(() => shown(ask, signal));
  turn = answer.catch(() => undefined);
  return answer;
}

/**
 * Shows a dialog until it is answered, or until nobody waits for the answer.
 *
 * @param {Ask} ask
 * @param {AbortSignal} signal
 * @returns {Promise<ElicitationAnswer>}
 */
async function shown(ask, signal) {
  /** @type {ElicitationAnswer} */
  let given = { action: "cancel" };
  if (signal.aborted) return given;
  const dialog = el("dialog", { class: "mcp-dialog" });
  const focused = document.activeElement;
  const answered = new Promise((resolve) => {
    dialog.addEventListener("close", resolve, { once: true });
  });
  const withdraw = () => dialog.close();
  signal.addEventListener("abort", withdraw, { once: true });
  const asked = ask((action, content) => {
    given = content === undefined ? { action } : { action, content };
    dialog.close();
  });
  dialog.append(asked);
  dialog.setAttribute("aria-labelledby", asked.querySelector("h2")?.id ?? "");
  document.body.append(dialog);
  dialog.showModal();
  await answered;
  signal.removeEventListener("abort", withdraw);
  dialog.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return given;
}

/** @param {string} text */
function title(text) {
  return el("h2", { id: uniqueId("title") }, text);
}

/** @param {Answer} answer */
function refusals(answer) {
  return [
    button("Decline", () => answer("decline")),
    button("Cancel", () => answer("cancel"), { class: "mcp-button mcp-quiet" }),
  ];
}

/**
 * @param {import("../client").Elicitation} params
 * @param {Answer} answer
 */
function askByForm({ message, requestedSchema }, answer) {
  const form = new SchemaForm(requestedSchema ?? { type: "object", properties: {} });
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    const content = form.read();
    if (content !== undefined) answer("accept", content);
  };
  return el(
    "form",
    { novalidate: true, onsubmit: submit },
    title("The server asks"),
    el("p", { class: "mcp-asked" }, message),
    form.element,
    el("p", { class: "mcp-note" }, "The answer goes to the server. Give it no passwords."),
    el("div", { class: "mcp-actions" }, submitButton("Send answer"), ...refusals(answer)),
  );
}

/** @param {string} label */
function submitButton(label) {
  return el("button", { type: "submit", class: "mcp-button mcp-primary" }, label);
}

/**
 * The whole address is shown, its host apart, before anything is opened.
 *
 * @param {import("../client").Elicitation} params
 * @param {Answer} answer
 */
function askToOpen({ message, url }, answer) {
  const address = webAddress(url);
  const open = () => {
    window.open(address ?? "", "_blank", "noopener,noreferrer");
    answer("accept");
  };
  return el(
    "div",
    {},
    title("The server wants to open a page"),
    el("p", { class: "mcp-asked" }, message),
    address
      ? el("p", {}, "On the host ", el("strong", { class: "mcp-host" }, new URL(address).host))
      : el("p", { class: "mcp-failed" }, "Only addresses of the web are opened, and this is none."),
    el("pre", { class: "mcp-text mcp-code", tabindex: 0 }, address ?? String(url)),
    el(
      "div",
      { class: "mcp-actions" },
      address && button("Open the page", open, { class: "mcp-button mcp-primary" }),
      ...refusals(answer),
    ),
  );
}

const MESSAGE = {
  type: "object",
  properties: { message: { type: "string", title: "The model’s message" } },
  required: ["message"],
};

/**
 * @param {JsonObject} params
 * @param {Answer} answer
 */
function askToWrite({ systemPrompt, messages = [] }, answer) {
  const form = new SchemaForm(MESSAGE);
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    const content = form.read();
    if (content !== undefined) answer("accept", content);
  };
  return el(
    "form",
    { novalidate: true, onsubmit: submit },
    title("The server asks for a message of a model"),
    el("p", { class: "mcp-note" }, "There is no model here. Write what it would."),
    systemPrompt && el("pre", { class: "mcp-text" }, systemPrompt),
    ...messages.flatMap((/** @type {JsonObject} */ { role, content }) => [
      el("h3", {}, role),
      ...[content].flat().map((block) => contentBlock(block)),
    ]),
    form.element,
    el("div", { class: "mcp-actions" }, submitButton("Send message"), button("Refuse", () => answer("decline"))),
  );
}
