/** The revisions that the client speaks. Only here are they named. */

/** @typedef {{name: string, stateful: boolean}} Revision */

/** @type {readonly Revision[]} */
export const REVISIONS = [
  { name: "2024-11-05", stateful: true },
  { name: "2025-03-26", stateful: true },
  { name: "2025-06-18", stateful: true },
  { name: "2025-11-25", stateful: true },
  { name: "2026-07-28", stateful: false },
];

/**
 * @param {string} name
 * @returns {Revision | undefined}
 */
export function revisionNamed(name) {
  return REVISIONS.find((revision) => revision.name === name);
}

/**
 * Return the latest revision, with or without sessions, that is among `names`.
 *
 * @param {boolean} stateful
 * @param {readonly string[]} [names]
 * @returns {Revision | undefined}
 */
export function latest(stateful, names = REVISIONS.map(({ name }) => name)) {
  return REVISIONS.findLast(
    (it) => it.stateful === stateful && names.includes(it.name),
  );
}

const META = "io.modelcontextprotocol/";
export const VERSION_KEY = `${META}protocolVersion`;
export const CAPABILITIES_KEY = `${META}clientCapabilities`;
export const CLIENT_INFO_KEY = `${META}clientInfo`;
export const LOG_LEVEL_KEY = `${META}logLevel`;
export const SERVER_INFO_KEY = `${META}serverInfo`;
export const SUBSCRIPTION_KEY = `${META}subscriptionId`;

export const INVALID_REQUEST = -32600;
export const METHOD_NOT_FOUND = -32601;
export const INTERNAL_ERROR = -32603;
export const HEADER_MISMATCH = -32020;
export const MISSING_CLIENT_CAPABILITY = -32021;
export const UNSUPPORTED_PROTOCOL_VERSION = -32022;

/** Errors that only a server without sessions gives. */
export const STATELESS_ERRORS = new Set([
  HEADER_MISMATCH,
  MISSING_CLIENT_CAPABILITY,
  UNSUPPORTED_PROTOCOL_VERSION,
]);
