// Fields that hold one value each: text, numbers, yes and no, choices, raw JSON.

import { el, uniqueId } from "./dom.js";
import { asError } from "./result.js";
import { problemOf } from "./schema.js";

const LONG_TEXT_CHARS = 200;
const COMPLETION_DELAY_MS = 150;

/**
 * What has something wrong with it, and shows what.
 *
 * @typedef {{focus: () => void}} Problem
 */

/**
 * What every field can do. `read` gives the value, undefined where there is none
 * to send; a field with a problem shows it, and adds itself to `problems`.
 *
 * @typedef {object} Field
 * @property {HTMLElement} element
 * @property {(problems: Problem[]) => unknown} read
 * @property {(value: unknown) => void} fill
 * @property {() => void} focus
 */

/**
 * @typedef {object} Place  where a field stands
 * @property {string} name  of the property; empty for an item of a list
 * @property {string} label
 * @property {boolean} required
 * @property {(value: string) => Promise<string[]>} [complete]
 */

/** @typedef {import("./schema.js").Shape} Shape */
/** @typedef {import("../client").JsonObject} JsonObject */

/**
 * A control with its label, its description and its problem.
 *
 * @template {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Control
 * @implements {Field}
 */
export class LabelledField {
  /**
   * @param {Shape} shape
   * @param {Place} place
   * @param {Control} control
   */
  constructor(shape, place, control) {
    this.shape = shape;
    this.place = place;
    this.control = control;
    control.id = uniqueId("field");
    this.problem = el("p", { class: "mcp-problem", id: `${control.id}-problem`, hidden: true });
    const help = helpOf(shape, control.id);
    const told = [help?.id, this.problem.id].filter(Boolean).join(" ");
    control.setAttribute("aria-describedby", told);
    if (place.required) control.setAttribute("aria-required", "true");
    control.addEventListener("input", () => this.show(null));
    this.element = el(
      "div",
      { class: "mcp-field" },
      this.labelled(el("label", { for: control.id }, ...labelOf(place))),
      help,
      this.problem,
    );
    if (shape.default !== undefined && shape.default !== null) this.fill(shape.default);
  }

  /**
   * @param {HTMLLabelElement} label
   * @returns {Node}
   */
  labelled(label) {
    const part = document.createDocumentFragment();
    part.append(label, this.control);
    return part;
  }

  /** @param {string | null} problem */
  show(problem) {
    this.problem.textContent = problem ?? "";
    this.problem.hidden = problem === null;
    if (problem === null) this.control.removeAttribute("aria-invalid");
    else this.control.setAttribute("aria-invalid", "true");
  }

  focus() {
    this.control.focus();
  }

  /**
   * Gives the value that was entered, undefined if none was. Throws an Error that
   * says what is wrong with it.
   *
   * @returns {unknown}
   */
  parse() {
    return this.control.value || undefined;
  }

  /** @param {any} value */
  fill(value) {
    this.control.value = value ?? "";
  }

  /** @param {Problem[]} problems */
  read(problems) {
    let value;
    let problem = null;
    try {
      value = this.parse();
    } catch (error) {
      problem = asError(error).message;
    }
    if (problem === null && value === undefined) {
      if (this.shape.nullable && this.place.required) value = null;
      else if (this.place.required) problem = "This is required.";
    }
    problem ??= problemOf(this.shape.schema, value);
    this.show(problem);
    if (problem !== null) problems.push(this);
    return value;
  }
}

/**
 * What a field is called. The blanks are for those who hear it.
 *
 * @param {Place} place
 */
export function labelOf({ name, label, required }) {
  /** @type {(Node | string)[]} */
  const parts = [el("span", { class: "mcp-label" }, label)];
  if (name && name !== label) parts.push(" ", el("code", {}, name));
  if (required) parts.push(" ", el("span", { class: "mcp-required" }, "required"));
  return parts;
}

/**
 * @param {Shape} shape
 * @param {string} id  of the control
 */
function helpOf({ description, schema }, id) {
  const bounds = boundsOf(schema);
  // A description need not end as a sentence does.
  const said = bounds && description ? `${description.replace(/[^.!?]$/, "$&.")} ${bounds}` : description || bounds;
  return said ? el("p", { class: "mcp-help", id: `${id}-help` }, said) : null;
}

/** @param {JsonObject} schema */
function boundsOf({ type, minimum, maximum }) {
  if (!["integer", "number"].includes(type)) return "";
  if (minimum !== undefined && maximum !== undefined) return `From ${minimum} to ${maximum}.`;
  if (minimum !== undefined) return `At least ${minimum}.`;
  return maximum === undefined ? "" : `At most ${maximum}.`;
}

/**
 * Text: one line, or, where there may be more, an area that grows.
 *
 * @extends {LabelledField<HTMLInputElement | HTMLTextAreaElement>}
 */
export class TextField extends LabelledField {
  /**
   * @param {Shape} shape
   * @param {Place} place
   */
  constructor(shape, place) {
    super(shape, place, textControl(shape, place));
  }

  parse() {
    const { value, validity } = this.control;
    if (validity.typeMismatch) {
      throw new Error(`Must be ${this.shape.input === "url" ? "a URI" : "an e-mail address"}.`);
    }
    return value && this.shape.input === "datetime-local" ? new Date(value).toISOString() : super.parse();
  }

  /** @param {any} value */
  fill(value) {
    if (this.shape.input !== "datetime-local") this.control.value = value ?? "";
    else this.control.value = value ? localTime(new Date(value)) : "";
  }
}

/**
 * Writes a moment as <input type="datetime-local"> takes it.
 *
 * @param {Date} moment
 */
function localTime(moment) {
  if (Number.isNaN(moment.getTime())) return "";
  const shifted = new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}

/**
 * @param {Shape} shape
 * @param {Place} place
 */
function textControl(shape, { complete }) {
  if (complete) return completed(el("input", { class: "mcp-input", autocomplete: "off" }), complete);
  const { schema, input } = shape;
  if (input || schema.maxLength <= LONG_TEXT_CHARS) {
    return el("input", { class: "mcp-input", type: input ?? "text", autocomplete: "off" });
  }
  const area = el("textarea", { class: "mcp-input", rows: 1 });
  // As in a chat: Enter sends, Shift+Enter begins a line.
  area.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    area.form?.requestSubmit();
  });
  return area;
}

/**
 * Offers what `complete` suggests for what was typed so far.
 *
 * @param {HTMLInputElement} input
 * @param {(value: string) => Promise<string[]>} complete
 */
function completed(input, complete) {
  const offered = el("datalist", { id: uniqueId("offered") });
  input.setAttribute("list", offered.id);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let asked = 0;
  const suggest = async () => {
    const mine = (asked += 1);
    const values = await complete(input.value);
    // An answer that comes after a later question is of no use.
    if (mine !== asked) return;
    offered.replaceChildren(...values.map((value) => el("option", { value })));
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(suggest, COMPLETION_DELAY_MS);
  });
  input.addEventListener("focus", suggest);
  input.addEventListener("focus", () => input.after(offered), { once: true });
  return input;
}

/** @extends {LabelledField<HTMLInputElement>} */
export class NumberField extends LabelledField {
  /**
   * @param {Shape} shape
   * @param {Place} place
   */
  constructor(shape, place) {
    const step = shape.kind === "integer" ? 1 : "any";
    super(shape, place, el("input", { class: "mcp-input", type: "number", step, autocomplete: "off" }));
  }

  parse() {
    if (this.control.validity.badInput) throw new Error("Must be a number.");
    return this.control.value === "" ? undefined : Number(this.control.value);
  }
}

/**
 * One of several. What may be left out has an empty choice first.
 *
 * @extends {LabelledField<HTMLSelectElement>}
 */
export class ChoiceField extends LabelledField {
  /**
   * @param {Shape} shape
   * @param {Place} place
   */
  constructor(shape, place) {
    const choices = choicesOf(shape);
    const options = choices.map(({ title }, at) => el("option", { value: at }, title));
    const isSure = place.required && choices.length === 1;
    const isNeeded = place.required && !shape.nullable;
    if (!isSure) options.unshift(el("option", { value: "" }, isNeeded ? "Choose…" : "–"));
    super(shape, place, el("select", { class: "mcp-input" }, ...options));
  }

  parse() {
    const { value } = this.control;
    return value === "" ? undefined : choicesOf(this.shape)[Number(value)].value;
  }

  /** @param {unknown} value */
  fill(value) {
    const at = indexOf(choicesOf(this.shape), value);
    this.control.value = at < 0 ? "" : String(at);
  }
}

/**
 * Returns the choices of a shape that has some.
 *
 * @param {Shape} shape
 */
export function choicesOf({ choices = [] }) {
  return choices;
}

/**
 * @param {{value: unknown}[]} choices
 * @param {unknown} value
 */
function indexOf(choices, value) {
  const written = JSON.stringify(value);
  return choices.findIndex((choice) => JSON.stringify(choice.value) === written);
}

const YES_AND_NO = [
  { value: true, title: "yes" },
  { value: false, title: "no" },
];

/**
 * Yes or no by a tick. It always has a value, so it is for what is always sent.
 *
 * @extends {LabelledField<HTMLInputElement>}
 */
export class TickField extends LabelledField {
  /**
   * @param {Shape} shape
   * @param {Place} place
   */
  constructor(shape, place) {
    super(shape, { ...place, required: false }, el("input", { type: "checkbox" }));
  }

  /** @param {HTMLLabelElement} label */
  labelled(label) {
    return el("div", { class: "mcp-tick" }, this.control, label);
  }

  parse() {
    return this.control.checked;
  }

  /** @param {unknown} value */
  fill(value) {
    this.control.checked = value === true;
  }
}

/**
 * Returns a tick; or, where "not given" is a third answer, a choice of three.
 *
 * @param {Shape} shape
 * @param {Place} place
 */
export function booleanField(shape, place) {
  const isEither = typeof shape.default === "boolean" || (place.required && !shape.nullable);
  if (isEither) return new TickField(shape, place);
  return new ChoiceField({ ...shape, choices: YES_AND_NO }, place);
}

/**
 * Raw JSON, for what no other field can show.
 *
 * @extends {LabelledField<HTMLTextAreaElement>}
 */
export class JsonField extends LabelledField {
  /**
   * @param {Shape} shape
   * @param {Place} place
   */
  constructor(shape, place) {
    const attributes = { class: "mcp-input mcp-code", rows: 3, placeholder: "JSON" };
    super(shape, place, el("textarea", { ...attributes, spellcheck: "false" }));
  }

  parse() {
    const text = this.control.value.trim();
    if (text === "") return undefined;
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new Error(`Is not JSON: ${asError(error).message}`, { cause: error });
    }
  }

  /** @param {unknown} value */
  fill(value) {
    this.control.value = value === undefined ? "" : JSON.stringify(value, null, 2);
  }
}
