// Text for the clipboard: a request as curl, the endpoint as configuration of a
// client. A token is in them only if that was asked for.

import { button } from "./dom.js";

const SAID_FOR_MS = 2000;
/** What stands for the token: a variable of the shell, or of the client. */
export const TOKEN_VARIABLE = "MCP_TOKEN";

/**
 * @param {string} label
 * @param {() => string} getText
 * @param {string} [className]
 */
export function copyButton(label, getText, className = "mcp-button mcp-quiet mcp-copy") {
  const copier = button(label, async () => {
    copier.textContent = (await copied(getText())) ? "Copied" : "Not allowed";
    setTimeout(() => (copier.textContent = label), SAID_FOR_MS);
  }, { class: className, "aria-live": "polite" });
  return copier;
}

/** @param {string} text */
async function copied(text) {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(() => true, () => false);
  }
  // The clipboard API is missing on plain http beyond this machine.
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "mcp-offscreen";
  const focused = document.activeElement;
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return isCopied;
}

/**
 * Writes a message as it was sent over HTTP as one command of a shell.
 *
 * @param {{method: string, url: string, headers: Record<string, string>}} http
 * @param {object} [message]  none for GET and DELETE
 * @param {string} [token]  without it, $MCP_TOKEN stands in its place
 * @returns {string}
 */
export function asCurl({ method, url, headers }, message, token) {
  const lines = [`curl -sS -N ${quoted(url)}`];
  if (method !== "POST") lines.push(`-X ${method}`);
  for (const [name, value] of Object.entries(headers)) {
    lines.push(`-H ${isCredential(name) ? bearer(token) : quoted(`${name}: ${value}`)}`);
  }
  if (message !== undefined) lines.push(`--data ${quoted(JSON.stringify(message))}`);
  return lines.join(" \\\n  ");
}

/** @param {string} name */
function isCredential(name) {
  return name.toLowerCase() === "authorization";
}

/** @param {string | undefined} token */
function bearer(token) {
  if (token) return quoted(`Authorization: Bearer ${token}`);
  return `"Authorization: Bearer $${TOKEN_VARIABLE}"`;
}

/**
 * Quotes for a POSIX shell, where that is needed.
 *
 * @param {string} text
 */
function quoted(text) {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** How configuration files name the doors that they know. @type {Partial<Record<import("../client").Door, string>>} */
const TRANSPORTS = { "streamable-http": "http", sse: "sse" };

/**
 * Whether other clients can be told of this door.
 *
 * @param {import("../client").Door} door
 */
export function isConfigurable(door) {
  return Object.hasOwn(TRANSPORTS, door);
}

/**
 * @typedef {object} Address
 * @property {string} name  of the server
 * @property {string} url
 * @property {import("../client").Door} door
 * @property {string} [token]  without it, a variable stands in its place
 */

/**
 * Writes configuration for clients that take `mcpServers`, such as Cursor.
 *
 * @param {Address} address
 */
export function asConfiguration({ name, url, door, token }) {
  const value = token ?? `\${env:${TOKEN_VARIABLE}}`;
  const headers = { Authorization: `Bearer ${value}` };
  const server = { type: TRANSPORTS[door], url, headers };
  return JSON.stringify({ mcpServers: { [name]: server } }, null, 2);
}

/**
 * Writes the command that adds the server to Claude Code.
 *
 * @param {Address} address
 */
export function asClaudeCode({ name, url, door, token }) {
  const command = `claude mcp add --transport ${TRANSPORTS[door]} ${quoted(name)} ${quoted(url)}`;
  return `${command} \\\n  --header ${bearer(token)}`;
}
