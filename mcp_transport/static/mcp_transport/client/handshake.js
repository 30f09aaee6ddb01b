/**
 * How client and server agree on a revision.
 *
 * Spec: 2026-07-28 basic/versioning, server/discover; 2025-11-25 basic/lifecycle.
 */

import { HttpError, McpError, ProtocolError } from "./errors.js";
import {
  SERVER_INFO_KEY,
  STATELESS_ERRORS,
  UNSUPPORTED_PROTOCOL_VERSION,
  latest,
  revisionNamed,
} from "./revisions.js";

/** @typedef {import("../client").JsonObject} JsonObject */
/** @typedef {import("./revisions.js").Revision} Revision */
/** @typedef {import("./exchange.js").Exchange} Exchange */
/** @typedef {{revision: Revision, server: import("../client").Server}} Agreement */

const NAMELESS = { name: "", version: "" };
// What a server before revisions without sessions may say to one of their requests.
const NOT_UNDERSTOOD = new Set([400, 404, 405, 406, 415, 422]);

/**
 * Agree on a revision: without a session if both can, else by opening one.
 *
 * Rejects with ProtocolError where there is none in common, and with what the server
 * answers otherwise.
 *
 * @param {Exchange} exchange
 * @param {string} wanted a revision, or "auto"
 * @param {boolean} stateless whether revisions without sessions are spoken at this door
 * @param {import("./calls.js").Call} call
 * @returns {Promise<Agreement>}
 */
export async function shakeHands(exchange, wanted, stateless, call) {
  const asked = wanted === "auto" ? undefined : revisionNamed(wanted);
  if (wanted !== "auto" && asked === undefined)
    throw new ProtocolError(`this client does not speak ${wanted}`);
  if (asked?.stateful === false && !stateless)
    throw new ProtocolError(`${wanted} is not spoken at this door`);
  if (stateless && !asked?.stateful) {
    try {
      return await discover(
        exchange,
        /** @type {Revision} */ (asked ?? latest(false)),
        call,
      );
    } catch (error) {
      if (asked !== undefined || !suggestsSession(error)) throw error;
    }
  }
  return await initialize(exchange, asked, call);
}

/**
 * @param {Exchange} exchange
 * @param {Revision} revision
 * @param {import("./calls.js").Call} call
 * @returns {Promise<Agreement>}
 */
async function discover(exchange, revision, call) {
  exchange.revision = revision;
  const {
    capabilities = {},
    instructions,
    _meta,
  } = await exchange.ask("server/discover", {}, call);
  return {
    revision,
    server: { info: _meta?.[SERVER_INFO_KEY] ?? NAMELESS, capabilities, instructions },
  };
}

/**
 * Tell whether a server that refused to be discovered may know sessions.
 *
 * @param {unknown} error
 */
function suggestsSession(error) {
  if (error instanceof HttpError) return NOT_UNDERSTOOD.has(error.status);
  if (!(error instanceof McpError) || error.retryAfterMs !== undefined) return false;
  if (!STATELESS_ERRORS.has(error.code)) return true;
  const supported = error.data?.supported;
  return (
    error.code === UNSUPPORTED_PROTOCOL_VERSION &&
    Array.isArray(supported) &&
    latest(true, supported) !== undefined
  );
}

/**
 * @param {Exchange} exchange
 * @param {Revision | undefined} asked
 * @param {import("./calls.js").Call} call
 * @returns {Promise<Agreement>}
 */
async function initialize(exchange, asked, call) {
  exchange.revision = undefined;
  const offered = /** @type {Revision} */ (asked ?? latest(true));
  const {
    protocolVersion,
    serverInfo,
    capabilities = {},
    instructions,
  } = await exchange.ask(
    "initialize",
    {
      protocolVersion: offered.name,
      capabilities: exchange.capabilities,
      clientInfo: exchange.clientInfo,
    },
    call,
  );
  const revision = revisionNamed(protocolVersion);
  if (!revision?.stateful || (asked !== undefined && revision !== asked)) {
    throw new ProtocolError(
      `the server speaks ${protocolVersion}, and this client does not`,
    );
  }
  exchange.revision = revision;
  return {
    revision,
    server: { info: serverInfo ?? NAMELESS, capabilities, instructions },
  };
}
