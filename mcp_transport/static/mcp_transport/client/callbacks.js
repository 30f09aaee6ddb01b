/** How a page's own functions are called. */

/**
 * Call a function of the page, if there is one. What it throws is the page's affair:
 * it is reported as any uncaught error, and the client goes on.
 *
 * @param {((...args: any[]) => void) | undefined} callback
 * @param {...any} args
 */
export function tell(callback, ...args) {
  if (callback === undefined) return;
  try {
    callback(...args);
  } catch (error) {
    report(error);
  }
}

/** @param {unknown} error */
export function report(error) {
  if (typeof globalThis.reportError === "function") globalThis.reportError(error);
  else console.error(error);
}

/**
 * Return what an option says: itself, or what it gives when called.
 *
 * @template T
 * @param {T | ((...args: any[]) => T | Promise<T>) | undefined} option
 * @param {...any} args
 * @returns {Promise<T | undefined>}
 */
export async function valueOf(option, ...args) {
  return typeof option === "function"
    ? await /** @type {(...args: any[]) => T | Promise<T>} */ (option)(...args)
    : option;
}
