/**
 * What a server may ask of its client, and the answers of the page.
 *
 * Spec: 2025-11-25 client/elicitation, client/sampling, client/roots;
 * 2026-07-28 basic/patterns/mrtr.
 */

import { report, valueOf } from "./callbacks.js";
import { McpError } from "./errors.js";
import { INTERNAL_ERROR, METHOD_NOT_FOUND } from "./revisions.js";

/** @typedef {import("../client").JsonObject} JsonObject */
/** @typedef {(params: any, asked: import("../client").Asked) => JsonObject | Promise<JsonObject>} Answering */

export class Questions {
  /** What the client declares that it can be asked. */
  capabilities;
  /** @type {Map<string, Answering>} */
  #answering = new Map();

  /** @param {import("../client").Options} options */
  constructor({ onelicit, onsample, roots, capabilities }) {
    /** @type {JsonObject} */
    const declared = {};
    this.#answering.set("ping", () => ({}));
    if (onelicit !== undefined) {
      this.#answering.set("elicitation/create", onelicit);
      declared.elicitation = { form: {} };
    }
    if (onsample !== undefined) {
      this.#answering.set("sampling/createMessage", onsample);
      declared.sampling = {};
    }
    if (roots !== undefined) {
      this.#answering.set("roots/list", async () => ({ roots: await valueOf(roots) }));
      declared.roots = {};
    }
    this.capabilities = { ...declared, ...capabilities };
  }

  /**
   * Give the page's answer. Rejects with McpError (-32601) for what nobody answers, and
   * with what the page's function throws.
   *
   * @param {string} method
   * @param {JsonObject} params
   * @param {AbortSignal} signal
   * @returns {Promise<JsonObject>}
   */
  async answer(method, params, signal) {
    const answering = this.#answering.get(method);
    if (answering === undefined) {
      throw new McpError(METHOD_NOT_FOUND, `this client has no ${method}`);
    }
    return await answering(params, { signal });
  }

  /**
   * Give the answers to all that a result asks for, by their keys.
   *
   * @param {Record<string, JsonObject>} asked
   * @param {AbortSignal} signal
   * @returns {Promise<JsonObject>}
   */
  async answerAll(asked, signal) {
    /** @type {JsonObject} */
    const answers = {};
    // One after the other: a user has one pair of eyes.
    for (const [key, { method, params }] of Object.entries(asked)) {
      answers[key] = await this.answer(method, params ?? {}, signal);
      signal.throwIfAborted();
    }
    return answers;
  }

  /**
   * Give the response to a server's request. What the page's function throws is
   * reported, and not told to the server.
   *
   * @param {JsonObject} request
   * @param {AbortSignal} signal
   * @returns {Promise<JsonObject>}
   */
  async response({ id, method, params }, signal) {
    try {
      const result = await this.answer(method, params ?? {}, signal);
      return { jsonrpc: "2.0", id, result };
    } catch (error) {
      const isOurs = error instanceof McpError;
      if (!isOurs && !signal.aborted) report(error);
      const told = isOurs
        ? { code: error.code, message: error.message }
        : { code: INTERNAL_ERROR, message: "the client could not answer" };
      return { jsonrpc: "2.0", id, error: told };
    }
  }
}
