/**
 * How long to wait before another attempt: exponential back-off with full jitter,
 * so that the clients of a server that restarts do not all come at once.
 */

const FIRST_MS = 500;
const MOST_MS = 30_000;
// What lasted so long did not fail, whatever it ended by.
export const LASTING_MS = 10_000;

export class Backoff {
  #firstMs;
  #mostMs;
  #attempts;
  #random;

  /**
   * @param {import("../client").Backoff} [options]
   * @param {() => number} [random] gives numbers from 0 to below 1
   */
  constructor(
    { firstMs = FIRST_MS, mostMs = MOST_MS, attempts = Infinity } = {},
    random = Math.random,
  ) {
    this.#firstMs = firstMs;
    this.#mostMs = mostMs;
    this.#attempts = attempts;
    this.#random = random;
  }

  /**
   * Tell whether so many attempts have failed in a row that it is to be given up.
   *
   * @param {number} failed
   */
  isSpent(failed) {
    return failed >= this.#attempts;
  }

  /**
   * Return how long to wait after `failed` attempts have failed in a row: at least as
   * long as the server asks for.
   *
   * @param {number} failed
   * @param {number} [atLeastMs]
   */
  delayMs(failed, atLeastMs = 0) {
    const longestMs = Math.min(this.#mostMs, this.#firstMs * 2 ** failed);
    return Math.round(atLeastMs + this.#random() * longestMs);
  }
}

/**
 * Wait. Rejects with the signal's reason when it is aborted.
 *
 * @param {number} delayMs
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export function sleep(delayMs, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, delayMs);
    signal.addEventListener("abort", abort, { once: true });
  });
}

/**
 * Wait before a connection is made again, but no longer than until the browser is
 * online again, or the page is looked at.
 *
 * @param {number} delayMs
 * @param {AbortSignal} signal
 */
export async function untilWorthTrying(delayMs, signal) {
  const over = new AbortController();
  const wake = () => over.abort(over);
  const woken = () => globalThis.document?.visibilityState !== "hidden" && wake();
  const ending = { signal: over.signal };
  globalThis.addEventListener?.("online", wake, ending);
  globalThis.document?.addEventListener("visibilitychange", woken, ending);
  try {
    await sleep(delayMs, AbortSignal.any([signal, over.signal]));
  } catch (reason) {
    if (reason !== over) throw reason;
  } finally {
    over.abort(over);
  }
}
