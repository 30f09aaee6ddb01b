/** Tokens and tickets, as the page gives them. */

import { valueOf } from "./callbacks.js";
import { ConnectionLostError, isWorded } from "./errors.js";

/**
 * Return what an option says, or its function gives. A function that throws has most
 * likely not reached who issues the credential, as where the network is away: it can
 * be asked again, and nothing was sent without it.
 *
 * Rejects with ConnectionLostError; and with an error of the client's own that the
 * function throws, which counts as what it says.
 *
 * @template T
 * @param {T | ((...args: any[]) => T | Promise<T>) | undefined} option
 * @param {...any} args
 * @returns {Promise<T | undefined>}
 */
export async function credentialFrom(option, ...args) {
  try {
    return await valueOf(option, ...args);
  } catch (error) {
    if (isWorded(error)) throw error;
    const said = "the page could not get a credential";
    throw new ConnectionLostError(said, { mayHaveRun: false, cause: error });
  }
}
