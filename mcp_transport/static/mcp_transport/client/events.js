/**
 * Server-sent events, read from chunks that may be cut anywhere.
 *
 * Spec: WHATWG HTML section 9.2.6 (interpreting an event stream).
 */

/**
 * `id` is that of the last event that had one, or "".
 *
 * @typedef {{type: string, data: string, id: string}} ServerSentEvent
 */

// More digits than these are no waiting time.
const RETRY = /^[0-9]{1,15}$/;
const LINE_END = /\r\n|\r|\n/g;

export class EventParser {
  /** What a client that comes back sends as Last-Event-ID; "" if there is nothing. */
  lastEventId = "";
  /** @type {number | undefined} */
  retryMs = undefined;

  // It takes a byte order mark away, and keeps a character that a chunk cuts.
  #decoder = new TextDecoder();
  #line = "";
  #afterCarriageReturn = false;
  // The event that is being read.
  #type = "";
  /** @type {string[]} */
  #data = [];
  #id = "";

  /**
   * Return the events that `chunk` completes. What follows the last blank line is
   * never an event, as the standard demands: it comes again after a resumption.
   *
   * @param {Uint8Array} chunk
   * @returns {ServerSentEvent[]}
   */
  feed(chunk) {
    let text = this.#decoder.decode(chunk, { stream: true });
    if (text === "") return [];
    if (this.#afterCarriageReturn && text.startsWith("\n")) text = text.slice(1);
    this.#afterCarriageReturn = text === "" ? false : text.endsWith("\r");
    /** @type {ServerSentEvent[]} */
    const events = [];
    let from = 0;
    for (const end of text.matchAll(LINE_END)) {
      this.#read(this.#line + text.slice(from, end.index), events);
      this.#line = "";
      from = end.index + end[0].length;
    }
    this.#line += text.slice(from);
    return events;
  }

  /**
   * @param {string} line
   * @param {ServerSentEvent[]} events
   */
  #read(line, events) {
    if (line === "") return this.#dispatch(events);
    const colon = line.indexOf(":");
    if (colon === 0) return; // a comment, which keeps the connection alive
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#type = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
    else if (name === "retry" && RETRY.test(value)) this.retryMs = Number(value);
  }

  /** @param {ServerSentEvent[]} events */
  #dispatch(events) {
    this.lastEventId = this.#id;
    if (this.#data.length > 0) {
      events.push({
        type: this.#type || "message",
        data: this.#data.join("\n"),
        id: this.#id,
      });
    }
    this.#type = "";
    this.#data = [];
  }
}

/**
 * Read a stream to its end. `parser` knows meanwhile, and afterwards, where to resume.
 *
 * @param {ReadableStream<Uint8Array>} body
 * @param {EventParser} parser
 * @returns {AsyncGenerator<ServerSentEvent, void, void>}
 */
export async function* eventsIn(body, parser) {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.feed(value);
    }
  } finally {
    // Who reads no further hangs up; a stream that broke has nobody to be told.
    reader.cancel().catch(() => {});
  }
}
