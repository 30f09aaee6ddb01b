// A form that is made from a JSON Schema: arguments of a tool, answers to a
// question. What no field can show is typed in as JSON; so can be the whole.

import { button, el, uniqueId } from "./dom.js";
import { booleanField, ChoiceField, choicesOf, JsonField, LabelledField, labelOf, NumberField, TextField } from "./fields.js";
import { isObject, problemOf, propertiesOf, shapeOf } from "./schema.js";

/** @typedef {import("../client").JsonObject} JsonObject */
/** @typedef {import("./schema.js").Shape} Shape */
/** @typedef {import("./fields.js").Field} Field */
/** @typedef {import("./fields.js").Place} Place */
/** @typedef {import("./fields.js").Problem} Problem */
/** @typedef {(name: string, value: string) => Promise<string[]>} Complete  suggests values for what was typed */
/** @typedef {{root: JsonObject, depth: number, complete?: Complete}} Surroundings */

/** @type {Record<Shape["kind"], (shape: Shape, place: Place, surroundings: Surroundings) => Field>} */
const FIELDS = {
  text: (shape, place) => new TextField(shape, place),
  number: (shape, place) => new NumberField(shape, place),
  integer: (shape, place) => new NumberField(shape, place),
  boolean: booleanField,
  choice: (shape, place) => new ChoiceField(shape, place),
  choices: (shape, place) => new ChoicesField(shape, place),
  list: (shape, place, surroundings) => new ListField(shape, place, surroundings),
  group: (shape, place, surroundings) => new GroupField(shape, place, surroundings),
  json: (shape, place) => new JsonField(shape, place),
};

/**
 * Returns the field for a schema.
 *
 * @param {unknown} schema
 * @param {Place} place
 * @param {Surroundings} surroundings
 * @returns {Field}
 */
function fieldFor(schema, place, surroundings) {
  const { complete: suggest } = surroundings;
  const shape = shapeOf(schema, surroundings.root, surroundings.depth);
  const { name, label, required } = place;
  /** @type {Place["complete"]} */
  const complete = suggest && ((value) => suggest(name, value));
  const titled = { name, label: label || shape.title || name, required, complete };
  return FIELDS[shape.kind](shape, titled, surroundings);
}

/** A set of fields with a common legend, its help and its problem. */
class FieldSet {
  /**
   * @param {Shape} shape
   * @param {Place} place
   */
  constructor(shape, place) {
    this.shape = shape;
    this.place = place;
    this.problem = el("p", { class: "mcp-problem", id: uniqueId("problem"), hidden: true });
    this.body = el("div", { class: "mcp-fields" });
    this.element = el(
      "fieldset",
      { class: "mcp-fieldset", "aria-describedby": this.problem.id },
      el("legend", {}, ...labelOf(place)),
      shape.description && el("p", { class: "mcp-help" }, shape.description),
      this.body,
      this.problem,
    );
    this.element.addEventListener("input", () => this.show(null));
  }

  /** @param {string | null} problem */
  show(problem) {
    this.problem.textContent = problem ?? "";
    this.problem.hidden = problem === null;
  }

  focus() {
    /** @type {HTMLElement | null} */ (this.element.querySelector("input, select, textarea, button"))?.focus();
  }

  /**
   * Shows what is wrong with the whole, when nothing is wrong with its parts.
   *
   * @param {unknown} value
   * @param {Problem[]} problems
   * @param {boolean} found  whether something is wrong with its parts
   */
  judged(value, problems, found) {
    const problem = found || value === undefined ? null : problemOf(this.shape.schema, value);
    this.show(problem);
    if (problem !== null) problems.push(this);
    return value;
  }
}

/** Any number of a few choices, each with a tick. */
class ChoicesField extends FieldSet {
  /**
   * @param {Shape} shape
   * @param {Place} place
   */
  constructor(shape, place) {
    super(shape, place);
    this.choices = choicesOf(shape);
    this.ticks = this.choices.map(() => el("input", { type: "checkbox", id: uniqueId("tick") }));
    this.body.append(
      ...this.ticks.map((tick, at) =>
        el("div", { class: "mcp-tick" }, tick, el("label", { for: tick.id }, this.choices[at].title)),
      ),
    );
    if (shape.default !== undefined) this.fill(shape.default);
  }

  /** @param {Problem[]} problems */
  read(problems) {
    const ticked = this.choices.filter((_, at) => this.ticks[at].checked);
    const isLeftOut = ticked.length === 0 && !this.place.required;
    return this.judged(isLeftOut ? undefined : ticked.map(({ value }) => value), problems, false);
  }

  /** @param {unknown} value */
  fill(value) {
    const wanted = new Set((Array.isArray(value) ? value : []).map((item) => JSON.stringify(item)));
    this.choices.forEach((choice, at) => {
      this.ticks[at].checked = wanted.has(JSON.stringify(choice.value));
    });
  }
}

/** A list to which items are added one by one. */
class ListField extends FieldSet {
  /**
   * @param {Shape} shape
   * @param {Place} place
   * @param {Surroundings} surroundings
   */
  constructor(shape, place, surroundings) {
    super(shape, place);
    this.surroundings = { ...surroundings, depth: surroundings.depth + 1, complete: undefined };
    /** @type {{field: Field, row: HTMLElement}[]} */
    this.items = [];
    this.adder = button("Add", () => this.add().focus());
    this.adder.setAttribute("aria-label", `Add an item to ${place.label}`);
    this.body.after(this.adder);
    if (shape.default !== undefined) this.fill(shape.default);
    else if (place.required) for (let n = shape.schema.minItems ?? 0; n > 0; n--) this.add();
  }

  add() {
    const field = fieldFor(this.shape.schema.items, { name: "", label: "Item", required: true }, this.surroundings);
    const item = { field, row: el("div", { class: "mcp-item" }, field.element) };
    item.row.append(button("Remove", () => this.remove(item)));
    this.items.push(item);
    this.body.append(item.row);
    this.number();
    return field;
  }

  /** @param {{field: Field, row: HTMLElement}} item */
  remove(item) {
    this.items.splice(this.items.indexOf(item), 1);
    item.row.remove();
    this.number();
    this.adder.focus();
  }

  number() {
    this.show(null);
    this.items.forEach(({ row }, at) => {
      const label = `Item ${at + 1}`;
      row.querySelector(".mcp-label")?.replaceChildren(label);
      row.lastElementChild?.setAttribute("aria-label", `Remove ${label} of ${this.place.label}`);
    });
  }

  /** @param {Problem[]} problems */
  read(problems) {
    const before = problems.length;
    const value = this.items.map(({ field }) => field.read(problems));
    const isLeftOut = value.length === 0 && !this.place.required;
    return this.judged(isLeftOut ? undefined : value, problems, problems.length > before);
  }

  /** @param {unknown} value */
  fill(value) {
    this.items = [];
    this.body.replaceChildren();
    for (const item of Array.isArray(value) ? value : []) this.add().fill(item);
  }
}

/** An object. One that may be left out has no fields until it is asked for. */
class GroupField extends FieldSet {
  /**
   * @param {Shape} shape
   * @param {Place} place
   * @param {Surroundings} surroundings
   */
  constructor(shape, place, surroundings) {
    super(shape, place);
    this.surroundings = { ...surroundings, depth: surroundings.depth + 1 };
    /** @type {{name: string, field: Field}[] | null} */
    this.fields = null;
    /** What was filled in for which there is no field. @type {JsonObject} */
    this.rest = {};
    this.given = el("input", { type: "checkbox", id: uniqueId("tick") });
    if (place.required) this.open();
    else this.offer();
    if (isObject(shape.default)) this.fill(shape.default);
  }

  offer() {
    this.given.addEventListener("change", () => this.toggle(this.given.checked));
    const label = el("label", { for: this.given.id }, `Give ${this.place.label}`);
    this.body.before(el("div", { class: "mcp-tick" }, this.given, label));
  }

  /** @param {boolean} isGiven */
  toggle(isGiven) {
    if (isGiven) this.open();
    else {
      this.fields = null;
      this.body.replaceChildren();
    }
  }

  open() {
    const fields = propertiesOf(this.shape.schema).map(({ name, property, required }) => ({
      name,
      field: fieldFor(property, { name, label: "", required }, this.surroundings),
    }));
    this.body.replaceChildren(...fields.map(({ field }) => field.element));
    this.fields = fields;
    return fields;
  }

  /** @param {Problem[]} problems */
  read(problems) {
    if (this.fields === null) return undefined;
    const value = { ...this.rest };
    for (const { name, field } of this.fields) {
      const part = field.read(problems);
      if (part !== undefined) define(value, name, part);
    }
    return value;
  }

  /** @param {unknown} value */
  fill(value) {
    if (!isObject(value)) return;
    this.given.checked = true;
    const fields = this.open();
    const names = new Set(fields.map(({ name }) => name));
    this.rest = Object.fromEntries(Object.entries(value).filter(([name]) => !names.has(name)));
    for (const { name, field } of fields) {
      if (Object.hasOwn(value, name)) field.fill(value[name]);
    }
  }
}

/**
 * Sets a property of any name, "__proto__" among them.
 *
 * @param {JsonObject} object
 * @param {string} name
 * @param {unknown} value
 */
function define(object, name, value) {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}

/** The fields of a schema of an object, to be put in a form. */
export class SchemaForm {
  /**
   * @param {JsonObject} schema
   * @param {object} [options]
   * @param {Complete} [options.complete]
   */
  constructor(schema, { complete } = {}) {
    const place = { name: "", label: "All values", required: true };
    const surroundings = { root: schema, depth: 0, complete };
    this.whole = new JsonField({ kind: "json", schema: {}, nullable: false }, { ...place, label: "JSON" });
    const shape = shapeOf(schema, schema);
    this.group = shape.kind === "group" ? new GroupField(shape, place, surroundings) : null;
    this.current = this.group ?? this.whole;
    if (!this.group) this.whole.fill({});
    this.body = el("div", { class: "mcp-fields" }, ...this.parts());
    this.element = el("div", { class: "mcp-schemaform" }, this.body, this.switch());
  }

  parts() {
    if (this.current === this.whole) return [this.whole.element];
    const fields = this.group?.fields ?? [];
    if (fields.length === 0) return [el("p", { class: "mcp-help" }, "There is nothing to fill in.")];
    return fields.map(({ field }) => field.element);
  }

  switch() {
    const { group } = this;
    if (!group?.fields?.length) return null;
    const toggle = button("Edit as JSON", () => {
      const isWhole = this.current === this.whole;
      const value = this.current.read([]);
      if (isWhole && !isObject(value)) return this.whole.show("Must be a JSON object.");
      this.current = isWhole ? group : this.whole;
      this.current.fill(value);
      this.body.replaceChildren(...this.parts());
      toggle.textContent = isWhole ? "Edit as JSON" : "Edit as a form";
    }, { class: "mcp-button mcp-quiet" });
    return toggle;
  }

  /**
   * Gives the values; or undefined, with each problem shown and the first in focus.
   *
   * @returns {JsonObject | undefined}
   */
  read() {
    /** @type {Problem[]} */
    const problems = [];
    const value = this.current.read(problems);
    if (problems.length === 0 && !isObject(value)) {
      this.whole.show("Must be a JSON object.");
      problems.push(this.whole);
    }
    problems[0]?.focus();
    return problems.length === 0 && isObject(value) ? value : undefined;
  }

  /** Gives what was filled in so far, without a word on what is wrong with it. */
  draft() {
    /** @type {Record<string, string>} */
    const filled = {};
    for (const { name, field } of this.group?.fields ?? []) {
      const value = field instanceof LabelledField && field.control.value;
      if (value) define(filled, name, value);
    }
    return filled;
  }

  /** @param {JsonObject} value */
  fill(value) {
    this.current.fill(value);
    this.body.replaceChildren(...this.parts());
  }
}
