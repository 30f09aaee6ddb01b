/**
 * The headers that repeat what the body of a request says.
 *
 * Spec: 2026-07-28 basic/transports/streamable-http #standard-request-headers,
 * #value-encoding, #custom-headers; server/tools #x-mcp-header.
 */

import { VERSION_KEY } from "./revisions.js";

/** @typedef {{header: string, path: string[]}} ParamHeader */

/** @type {Record<string, string>} */
const NAMED = { "tools/call": "name", "prompts/get": "name", "resources/read": "uri" };
const SENTINEL = "=?base64?";
const PLAIN = /^(?! )[\x20-\x7e]*(?<! )$/;

const KEYWORD = "x-mcp-header";
const TOKEN = /^[0-9A-Za-z!#$%&'*+.^_`|~-]+$/;
const TYPES = new Set(["string", "integer", "boolean"]);
// Under these keywords a key is a name; under those stands data, no schema.
const BY_NAME = new Set([
  "$defs",
  "definitions",
  "dependencies",
  "dependentSchemas",
  "patternProperties",
]);
const DATA = new Set(["const", "default", "enum", "examples"]);

/**
 * Return the headers of a request that says in `_meta` which revision it speaks;
 * of any other there are none.
 *
 * @param {import("../client").JsonObject} message
 * @returns {Record<string, string>}
 */
export function repeatedHeaders({ method, params }) {
  const version = params?._meta?.[VERSION_KEY];
  if (version === undefined) return {};
  /** @type {Record<string, string>} */
  const headers = { "MCP-Protocol-Version": version, "Mcp-Method": method };
  const member = NAMED[method];
  const name = member === undefined ? undefined : params[member];
  if (name !== undefined) headers["Mcp-Name"] = encodeValue(String(name));
  return headers;
}

/**
 * Write a value as a header can hold it.
 *
 * @param {string} value
 */
export function encodeValue(value) {
  if (PLAIN.test(value) && !value.startsWith(SENTINEL)) return value;
  const bytes = new TextEncoder().encode(value);
  return `${SENTINEL}${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))}?=`;
}

/**
 * Return which arguments of a tool are repeated in headers, by its input schema.
 *
 * Throws TypeError for a schema that may not say so: such a tool cannot be called.
 *
 * @param {import("../client").JsonObject} schema
 * @returns {ParamHeader[]}
 */
export function paramHeaders(schema) {
  /** @type {ParamHeader[]} */
  const found = [];
  collect(schema, [], found);
  const names = new Set(found.map(({ header }) => header.toLowerCase()));
  if (names.size < found.length) throw new TypeError("two arguments share one header");
  return found;
}

/**
 * @param {any} schema
 * @param {string[] | undefined} path of properties from the root; undefined where a
 *   header may not be declared
 * @param {ParamHeader[]} found
 */
function collect(schema, path, found) {
  if (Array.isArray(schema))
    return schema.forEach((item) => collect(item, undefined, found));
  if (typeof schema !== "object" || schema === null) return;
  if (KEYWORD in schema) {
    const name = schema[KEYWORD];
    if (!path?.length) throw new TypeError("a header is declared for no argument");
    if (typeof name !== "string" || !TOKEN.test(name))
      throw new TypeError("a header has no valid name");
    if (!TYPES.has(schema.type))
      throw new TypeError("an argument's type fits no header");
    found.push({ header: `Mcp-Param-${name}`, path });
  }
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === KEYWORD || DATA.has(keyword)) continue;
    if (keyword === "properties") {
      for (const [name, property] of Object.entries(value ?? {})) {
        collect(property, path && [...path, name], found);
      }
    } else if (BY_NAME.has(keyword)) {
      Object.values(value ?? {}).forEach((named) => collect(named, undefined, found));
    } else {
      collect(value, undefined, found);
    }
  }
}

/**
 * Return the headers that repeat the arguments of one call.
 *
 * @param {readonly ParamHeader[]} declared
 * @param {import("../client").JsonObject} args
 * @returns {Record<string, string>}
 */
export function headersOfCall(declared, args) {
  /** @type {Record<string, string>} */
  const headers = {};
  for (const { header, path } of declared) {
    const value = path.reduce((/** @type {any} */ at, name) => at?.[name], args);
    if (value !== undefined && value !== null)
      headers[header] = encodeValue(String(value));
  }
  return headers;
}
