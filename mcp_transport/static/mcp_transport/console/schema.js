// What a JSON Schema asks for, in the terms of a form. Knows no page.

const MAX_DEPTH = 8;
/** @type {Record<string, string>} */
const FORMATS = { email: "email", uri: "url", date: "date", "date-time": "datetime-local" };

/**
 * @typedef {import("../client").JsonObject} JsonObject
 *
 * @typedef {object} Shape
 * @property {"text" | "number" | "integer" | "boolean" | "choice" | "choices" | "list"
 *   | "group" | "json"} kind  "json" is what no field can show: it is typed in as JSON
 * @property {boolean} nullable  whether null is a value of it
 * @property {string} [title]
 * @property {string} [description]
 * @property {unknown} [default]
 * @property {{value: unknown, title: string}[]} [choices]
 * @property {string} [input]  the type of an <input>, for text of a known format
 * @property {JsonObject} schema  the schema itself, without what was seen through
 */

/**
 * Returns the shape of a schema. `root` is where its `$ref` point into.
 *
 * @param {unknown} schema
 * @param {JsonObject} root
 * @param {number} [depth]  how many groups it is in
 * @returns {Shape}
 */
export function shapeOf(schema, root, depth = 0) {
  const { schema: seen, nullable } = seeThrough(schema, root);
  const { title, description } = seen;
  const shape = { title, description, default: seen.default, nullable, schema: seen };
  return { ...shape, ...kindOf(seen, root, depth) };
}

/**
 * Follows `$ref`, an `allOf` of one, and alternatives of which one is null.
 *
 * @param {unknown} schema
 * @param {JsonObject} root
 * @returns {{schema: JsonObject, nullable: boolean}}
 */
function seeThrough(schema, root) {
  /** @type {JsonObject} */
  let seen = isObject(schema) ? schema : {};
  let nullable = false;
  for (let step = 0; step < MAX_DEPTH; step++) {
    const [inner, outer] = inside(seen, root);
    if (!inner) break;
    nullable ||= inner.nullable;
    seen = { ...inner.schema, ...outer };
  }
  if (Array.isArray(seen.type) && seen.type.includes("null")) {
    const types = seen.type.filter((type) => type !== "null");
    return { schema: { ...seen, type: types.length === 1 ? types[0] : types }, nullable: true };
  }
  return { schema: seen, nullable };
}

/**
 * @param {JsonObject} schema
 * @param {JsonObject} root
 * @returns {[{schema: JsonObject, nullable: boolean} | null, JsonObject]}
 */
function inside(schema, root) {
  const { $ref, allOf, anyOf, oneOf, ...outer } = schema;
  if (typeof $ref === "string") {
    return [{ schema: pointed($ref, root) ?? {}, nullable: false }, outer];
  }
  if (Array.isArray(allOf) && allOf.length === 1 && isObject(allOf[0])) {
    return [{ schema: allOf[0], nullable: false }, outer];
  }
  const alternatives = anyOf ?? oneOf;
  if (!Array.isArray(alternatives)) return [null, outer];
  const others = alternatives.filter((one) => one?.type !== "null");
  if (others.length !== 1 || !isObject(others[0])) return [null, outer];
  return [{ schema: others[0], nullable: alternatives.length > 1 }, outer];
}

/**
 * Returns what a local `$ref` points to; one that leaves the schema is not followed.
 *
 * @param {string} ref
 * @param {JsonObject} root
 * @returns {JsonObject | undefined}
 */
function pointed(ref, root) {
  if (!ref.startsWith("#/")) return undefined;
  let found = root;
  for (const part of ref.slice(2).split("/")) {
    const key = unescaped(part);
    if (!isObject(found) || !Object.hasOwn(found, key)) return undefined;
    found = found[key];
  }
  return isObject(found) ? found : undefined;
}

/** @param {string} part */
function unescaped(part) {
  try {
    return decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
  } catch {
    return part; // a lone "%" stands for itself
  }
}

/**
 * @param {JsonObject} schema
 * @param {JsonObject} root
 * @param {number} depth
 * @returns {Pick<Shape, "kind" | "choices" | "input">}
 */
function kindOf(schema, root, depth) {
  const choices = choicesOf(schema);
  if (choices) return { kind: "choice", choices };
  switch (schema.type) {
    case "string":
      return { kind: "text", input: FORMATS[schema.format] };
    case "number":
    case "integer":
    case "boolean":
      return { kind: schema.type };
    case "array":
      return arrayOf(schema, root, depth);
    case "object":
      return { kind: isClosed(schema) && depth < MAX_DEPTH ? "group" : "json" };
    default:
      return { kind: "json" };
  }
}

/**
 * An object that a form can show says which properties it has.
 *
 * @param {JsonObject} schema
 */
function isClosed(schema) {
  const properties = Object.keys(schema.properties ?? {});
  return properties.length > 0 || schema.additionalProperties === false;
}

/**
 * @param {JsonObject} schema
 * @param {JsonObject} root
 * @param {number} depth
 * @returns {Pick<Shape, "kind" | "choices">}
 */
function arrayOf(schema, root, depth) {
  if (!isObject(schema.items) || schema.prefixItems || depth >= MAX_DEPTH) {
    return { kind: "json" };
  }
  const choices = choicesOf(seeThrough(schema.items, root).schema);
  return choices ? { kind: "choices", choices } : { kind: "list" };
}

/**
 * @param {JsonObject} schema
 * @returns {Shape["choices"] | null}
 */
function choicesOf(schema) {
  const { enum: values, enumNames, oneOf, anyOf } = schema;
  if (Array.isArray(values)) {
    return values.map((value, at) => ({ value, title: enumNames?.[at] ?? worded(value) }));
  }
  const alternatives = oneOf ?? anyOf;
  if (Array.isArray(alternatives) && alternatives.every((one) => isObject(one) && "const" in one)) {
    return alternatives.map((one) => ({ value: one.const, title: one.title ?? worded(one.const) }));
  }
  if ("const" in schema) return [{ value: schema.const, title: worded(schema.const) }];
  return null;
}

/** @param {unknown} value */
function worded(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/**
 * Returns the properties of a group in order: name, schema, whether it must be there.
 *
 * @param {JsonObject} schema
 */
export function propertiesOf(schema) {
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  return Object.entries(schema.properties ?? {}).map(([name, property]) => ({
    name,
    property,
    required: required.has(name),
  }));
}

/**
 * Says what is wrong with a value that was typed in, in a sentence; null if
 * nothing is. What only the server can know, it will say.
 *
 * @param {JsonObject} schema
 * @param {unknown} value
 * @returns {string | null}
 */
export function problemOf(schema, value) {
  if (typeof value === "string") return problemOfText(schema, value);
  if (typeof value === "number") return problemOfNumber(schema, value);
  if (Array.isArray(value)) return problemOfList(schema, value);
  return null;
}

/**
 * @param {JsonObject} schema
 * @param {string} text
 */
function problemOfText(schema, text) {
  const length = [...text].length;
  const { minLength: least = 0, maxLength: most = Infinity, pattern } = schema;
  if (length < least) return `Needs at least ${counted(least, "character")}.`;
  if (length > most) return `Takes at most ${counted(most, "character")}; this has ${length}.`;
  if (typeof pattern === "string" && !matches(pattern, text)) return `Must match ${pattern}`;
  return null;
}

/**
 * @param {string} pattern
 * @param {string} text
 */
function matches(pattern, text) {
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return true; // a pattern of another dialect: for the server to judge
  }
}

/**
 * @param {JsonObject} schema
 * @param {number} number
 */
function problemOfNumber(schema, number) {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, type } = schema;
  if (type === "integer" && !Number.isInteger(number)) return "Must be a whole number.";
  if (Number.isInteger(number) && !Number.isSafeInteger(number)) {
    return "Is too large to be sent exactly.";
  }
  if (number < minimum) return `Must be at least ${minimum}.`;
  if (number > maximum) return `Must be at most ${maximum}.`;
  if (number <= exclusiveMinimum) return `Must be more than ${exclusiveMinimum}.`;
  if (number >= exclusiveMaximum) return `Must be less than ${exclusiveMaximum}.`;
  if (multipleOf > 0 && !isMultiple(number, multipleOf)) return `Must be a multiple of ${multipleOf}.`;
  return null;
}

/**
 * 0.3 is a multiple of 0.1, whatever binary fractions say.
 *
 * @param {number} number
 * @param {number} of
 */
function isMultiple(number, of) {
  const times = number / of;
  return Math.abs(times - Math.round(times)) < 1e-9 * Math.max(1, Math.abs(times));
}

/**
 * @param {JsonObject} schema
 * @param {unknown[]} list
 */
function problemOfList(schema, list) {
  const { minItems: least = 0, maxItems: most = Infinity, uniqueItems } = schema;
  if (list.length < least) return `Needs at least ${counted(least, "item")}.`;
  if (list.length > most) return `Takes at most ${counted(most, "item")}; there are ${list.length}.`;
  const written = list.map((item) => JSON.stringify(item));
  if (uniqueItems && new Set(written).size < written.length) return "No item may be there twice.";
  return null;
}

/**
 * @param {number} number
 * @param {string} noun
 */
function counted(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/**
 * @param {unknown} value
 * @returns {value is JsonObject}
 */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
