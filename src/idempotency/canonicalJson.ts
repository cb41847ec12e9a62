// Canonical JSON: one text for all JSON texts that read as the same value.

/** The deepest nesting. A fixed number, because the depth that a stack allows differs from call to call. */
const MAX_DEPTH = 100;

/** The longest number that is rewritten. A longer one is kept as written. */
const MAX_NUMBER_LENGTH = 400;

/** Codes of the characters that separate values. All white space of JSON is up to the space. */
const [SPACE, QUOTE, COMMA, COLON] = [0x20, 0x22, 0x2c, 0x3a];
const [ARRAY, ARRAY_END, OBJECT, OBJECT_END] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Thrown and caught in this file, for JSON that has no canonical text. */
class NotCanonical extends Error {}

/**
 * Rewrites JSON without white space, with keys sorted by their UTF-16 code units, and strings and numbers as `JSON.stringify`
 * writes them. A number that JavaScript cannot read exactly, or of more than 400 characters, is kept as written, so that two such numbers
 * stay different.
 *
 * @param json JSON in UTF-8, or as a string without lone surrogates
 * @returns the canonical text; `undefined` for data that is not JSON, has a key twice in one object, or is nested more than 100
 *   levels deep
 */
export function canonicalJson(json: Uint8Array | string): string | undefined {
  let text: string;
  try {
    text = typeof json === "string" ? json : new TextDecoder("utf-8", { fatal: true }).decode(json);
    // Checks the grammar, so that the scanner does not have to. It may refuse a depth that is above ours.
    JSON.parse(text);
  } catch {
    return undefined;
  }
  try {
    return new Scanner(text).value(0);
  } catch (error) {
    if (error instanceof NotCanonical) return undefined;
    throw error;
  }
}

/** Reads valid JSON. It does not parse objects, because these would lose duplicate keys and exact numbers. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Returns the canonical text of the next value. */
  value(depth: number): string {
    const first = this.#skip();
    if (first === QUOTE) return this.#string();
    if (first !== ARRAY && first !== OBJECT) return this.#scalar();
    if (depth === MAX_DEPTH) throw new NotCanonical();
    this.#at++;
    return first === ARRAY ? this.#array(depth) : this.#object(depth);
  }

  #array(depth: number): string {
    const items: string[] = [];
    while (this.#skip() !== ARRAY_END) items.push(this.value(depth + 1));
    this.#at++;
    return `[${items.join()}]`;
  }

  #object(depth: number): string {
    const fields = new Map<string, string>();
    while (this.#skip() !== OBJECT_END) {
      const key = this.#string();
      const name = key.includes("\\") ? (JSON.parse(key) as string) : key.slice(1, -1);
      // Parsers differ in the one of the two that they take.
      if (fields.has(name)) throw new NotCanonical();
      fields.set(name, `${key}:${this.value(depth + 1)}`);
    }
    this.#at++;
    // The default order compares code units.
    const names = [...fields.keys()].sort();
    return `{${names.map((name) => fields.get(name)).join()}}`;
  }

  /** Skips white space and separators. Returns the code of the next character. */
  #skip(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code > SPACE && code !== COMMA && code !== COLON) return code;
      if (Number.isNaN(code)) throw new NotCanonical();
      this.#at++;
    }
  }

  /** Returns the canonical text of the next string. */
  #string(): string {
    const start = this.#at;
    let end = start;
    let backslashes: number;
    do {
      end = this.#text.indexOf('"', end + 1);
      for (backslashes = 0; this.#text[end - 1 - backslashes] === "\\"; ) backslashes++;
      // A quote after an odd number of backslashes is escaped.
    } while (backslashes % 2 === 1);
    this.#at = end + 1;
    const text = this.#text.slice(start, this.#at);
    // Valid JSON has every character that must be escaped in its escaped form.
    return text.includes("\\") ? JSON.stringify(JSON.parse(text)) : text;
  }

  /** Returns the canonical text of the next number, `true`, `false` or `null`. */
  #scalar(): string {
    const start = this.#at;
    let code: number;
    do {
      code = this.#text.charCodeAt(++this.#at);
    } while (code > SPACE && code !== COMMA && code !== ARRAY_END && code !== OBJECT_END);
    const text = this.#text.slice(start, this.#at);
    return /^[tfn]/.test(text) ? text : canonicalNumber(text);
  }
}

/** Returns the shortest text of a number that JavaScript reads exactly, or else the number as written. */
function canonicalNumber(text: string): string {
  if (text.length > MAX_NUMBER_LENGTH) return text;
  const number = Number(text);
  if (String(number) === text) return text;
  // String(-0) is "0", but programs can see the sign.
  const shortest = Object.is(number, -0) ? "-0" : String(number);
  return decimalOf(shortest) === decimalOf(text) ? shortest : text;
}

/** Returns a decimal number as sign, digits and exponent, so that equal numbers have equal texts. */
function decimalOf(text: string): string | undefined {
  const [, sign, whole, fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text) ?? [];
  if (whole === undefined) return undefined; // "Infinity", of a number that is too large.
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return `${sign}0`;
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}
