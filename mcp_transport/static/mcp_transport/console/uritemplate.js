// URI templates: the variables of one, and the URI that their values make of it.
// Spec: RFC 6570, without lists and maps as values.

const EXPRESSION = /\{([+#./;?&]?)([^{}]+)\}/g;
/** @type {Record<string, {first: string, between: string, isReserved?: boolean, isNamed?: boolean}>} */
const OPERATORS = {
  "": { first: "", between: "," },
  "+": { first: "", between: ",", isReserved: true },
  "#": { first: "#", between: ",", isReserved: true },
  ".": { first: ".", between: "." },
  "/": { first: "/", between: "/" },
  ";": { first: ";", between: ";", isNamed: true },
  "?": { first: "?", between: "&", isNamed: true },
  "&": { first: "&", between: "&", isNamed: true },
};

/**
 * Returns the names of the variables, each once, in order.
 *
 * @param {string} template
 */
export function variablesOf(template) {
  const found = [...template.matchAll(EXPRESSION)].flatMap(([, , names]) => namesIn(names));
  return [...new Set(found.map(({ name }) => name))];
}

/**
 * Puts values into a template. What has no value is left out.
 *
 * @param {string} template
 * @param {Record<string, string>} values
 */
export function expanded(template, values) {
  return template.replaceAll(EXPRESSION, (_, operator, names) => {
    const { first, between, isReserved, isNamed } = OPERATORS[operator];
    const given = namesIn(names).filter(({ name }) => values[name] !== undefined);
    const parts = given.map(({ name, length }) => {
      const value = [...values[name]].slice(0, length).join("");
      const written = isReserved ? reserved(value) : strict(value);
      if (!isNamed) return written;
      return written === "" && operator === ";" ? name : `${name}=${written}`;
    });
    return parts.length ? first + parts.join(between) : "";
  });
}

/**
 * @param {string} names
 * @returns {{name: string, length?: number}[]}
 */
function namesIn(names) {
  return names.split(",").map((spec) => {
    const [name, length] = spec.replace(/\*$/, "").split(":");
    return { name, length: length === undefined ? undefined : Number(length) };
  });
}

/** @param {string} value */
function strict(value) {
  /** @param {string} char */
  const coded = (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(value).replaceAll(/[!'()*]/g, coded);
}

/** @param {string} value */
function reserved(value) {
  // encodeURI would write "%" of what is encoded already as "%25", and "[" as "%5B".
  return encodeURI(value).replaceAll("%25", "%").replaceAll("%5B", "[").replaceAll("%5D", "]");
}
