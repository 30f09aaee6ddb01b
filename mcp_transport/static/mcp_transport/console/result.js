// What a server gave back, shown: content blocks, contents of resources, messages
// of prompts, structured data, errors. Nothing of it is ever taken for markup.

import { copyButton } from "./copy.js";
import { button, el, inBytes, outwardLink, webAddress } from "./dom.js";
import { jsonTree } from "./jsontree.js";

const PICTURES = /^image\/(png|jpeg|gif|webp|avif|bmp|svg\+xml)$/i;
const SOUNDS = /^audio\/[\w.+-]+$/i;
const SAVED_WITHIN_MS = 60_000;

/** @typedef {import("../client").JsonObject} JsonObject */
/** @typedef {{openResource?: (uri: string) => void}} Actions  what links do */

/**
 * Shows the result of `tools/call`.
 *
 * @param {import("../client").ToolResult} result
 * @param {Actions} [actions]
 * @returns {HTMLElement}
 */
export function toolResult(result, actions = {}) {
  const { content = [], structuredContent, isError } = result;
  // Tools repeat structured data as text, for clients that know no other.
  const blocks = content.filter((block) => !repeats(block, structuredContent));
  return el(
    "div",
    { class: "mcp-result" },
    isError && el("p", { class: "mcp-failed", role: "alert" }, "The tool says that it failed."),
    ...blocks.map((block) => contentBlock(block, actions)),
    structuredContent !== undefined && data(structuredContent),
    blocks.length === 0 && structuredContent === undefined && nothing("The result is empty."),
  );
}

/**
 * @param {JsonObject} block
 * @param {unknown} structured
 */
function repeats(block, structured) {
  if (structured === undefined || block.type !== "text") return false;
  try {
    return JSON.stringify(JSON.parse(block.text)) === JSON.stringify(structured);
  } catch {
    return false;
  }
}

/**
 * Shows the result of `resources/read`.
 *
 * @param {import("../client").ResourceResult} result
 */
export function resourceResult({ contents = [] }) {
  return el(
    "div",
    { class: "mcp-result" },
    ...contents.map(resourceContents),
    contents.length === 0 && nothing("The resource is empty."),
  );
}

/**
 * Shows the result of `prompts/get`.
 *
 * @param {import("../client").PromptResult} result
 * @param {Actions} [actions]
 */
export function promptResult({ description, messages = [] }, actions = {}) {
  return el(
    "div",
    { class: "mcp-result" },
    description && el("p", { class: "mcp-help" }, description),
    ...messages.map(({ role, content }) =>
      el(
        "section",
        { class: "mcp-message" },
        el("h4", {}, role),
        ...[content].flat().map((block) => contentBlock(block, actions)),
      ),
    ),
    messages.length === 0 && nothing("There are no messages."),
  );
}

/**
 * Shows one content block; of a kind that is not known, what it consists of.
 *
 * @param {JsonObject} block
 * @param {Actions} [actions]
 * @returns {HTMLElement}
 */
export function contentBlock(block, actions = {}) {
  switch (block?.type) {
    case "text":
      return text(String(block.text));
    case "image":
      return picture(block.data, block.mimeType);
    case "audio":
      return sound(block.data, block.mimeType);
    case "resource":
      return resourceContents(block.resource ?? {});
    case "resource_link":
      return resourceLink(block, actions);
    default:
      return data(block);
  }
}

/** @param {JsonObject} contents */
function resourceContents({ uri, mimeType, text: written, blob }) {
  return el(
    "figure",
    { class: "mcp-resource" },
    el("figcaption", {}, el("code", {}, uri), mimeType && el("span", { class: "mcp-note" }, mimeType)),
    written === undefined ? binary(blob, mimeType, uri) : text(written),
  );
}

/**
 * @param {JsonObject} link
 * @param {Actions} actions
 */
function resourceLink({ uri, name, title, description, mimeType, size }, { openResource }) {
  const about = [mimeType, size !== undefined && inBytes(size)].filter(Boolean).join(", ");
  return el(
    "div",
    { class: "mcp-link" },
    el("strong", {}, title ?? name),
    webAddress(uri) ? outwardLink(uri) : el("code", {}, uri),
    about && el("span", { class: "mcp-note" }, about),
    description && el("p", { class: "mcp-help" }, description),
    openResource && button("Read it", () => openResource(uri)),
  );
}

/** @param {string} written */
function text(written) {
  return el(
    "div",
    { class: "mcp-block" },
    el("pre", { class: "mcp-text", tabindex: 0 }, written),
    copyButton("Copy", () => written),
  );
}

/** @param {unknown} value */
function data(value) {
  return el(
    "div",
    { class: "mcp-block" },
    jsonTree(value),
    copyButton("Copy", () => JSON.stringify(value, null, 2)),
  );
}

/**
 * @param {string | undefined} blob
 * @param {string} [mimeType]
 * @param {string} [uri]
 */
function binary(blob, mimeType = "", uri = "") {
  if (blob === undefined) return nothing("Neither text nor bytes came.");
  if (PICTURES.test(mimeType)) return picture(blob, mimeType);
  if (SOUNDS.test(mimeType)) return sound(blob, mimeType);
  return download(blob, uri);
}

/**
 * @param {string} encoded
 * @param {string} [mimeType]
 */
function picture(encoded, mimeType = "") {
  if (!PICTURES.test(mimeType)) return unshown(encoded, mimeType);
  const image = el("img", { class: "mcp-picture", alt: `A picture (${mimeType})` });
  image.addEventListener("error", () => image.replaceWith(unshown(encoded, mimeType)));
  image.src = `data:${mimeType};base64,${encoded}`;
  return image;
}

/**
 * @param {string} encoded
 * @param {string} [mimeType]
 */
function sound(encoded, mimeType = "") {
  if (!SOUNDS.test(mimeType)) return unshown(encoded, mimeType);
  return el("audio", { controls: true, src: `data:${mimeType};base64,${encoded}` });
}

/**
 * @param {string} encoded
 * @param {string} mimeType
 */
function unshown(encoded, mimeType) {
  const said = `This cannot be shown (${mimeType || "of no stated kind"}).`;
  return el("div", {}, nothing(said), download(encoded, ""));
}

/**
 * Offers bytes as a file. They are decoded when they are asked for.
 *
 * @param {string} encoded
 * @param {string} uri
 */
function download(encoded, uri) {
  const [, last = ""] = uri.match(/([^/\\]*)$/) ?? [];
  const name = last.replaceAll(/[^\w.-]/g, "_") || "content.bin";
  const offer = button(`Save ${name}`, () => {
    let bytes;
    try {
      bytes = Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0));
    } catch {
      offer.replaceWith(nothing("What came is not base64."));
      return;
    }
    const href = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
    el("a", { href, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(href), SAVED_WITHIN_MS);
  });
  return offer;
}

/** @param {string} said */
function nothing(said) {
  return el("p", { class: "mcp-help" }, said);
}

/**
 * Returns what was thrown as an error, whatever it is.
 *
 * @param {unknown} thrown
 */
export function asError(thrown) {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/**
 * Writes what an error says as a sentence.
 *
 * @param {Error} error
 */
export function sentence({ message }) {
  const begun = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

/**
 * Shows why a request has no result.
 *
 * @param {Error & {code?: number, status?: number, data?: unknown}} error
 */
export function failure(error) {
  const { code, status, data: more } = error;
  const number = code ?? status;
  return el(
    "div",
    { class: "mcp-result" },
    el(
      "div",
      { class: "mcp-failed", role: "alert" },
      el("strong", {}, error.name),
      number !== undefined && el("code", {}, String(number)),
      el("p", {}, sentence(error)),
    ),
    more !== undefined && more !== null && data(more),
  );
}
