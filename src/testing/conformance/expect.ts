// Expectations of the suite: compares an answer with the expected one, and shows both.

/** The longest text of a value in a message, in characters. */
const SHOWN = 64;

/** How many items of a list a message shows. */
const SHOWN_ITEMS = 5;

/** An expectation that was not met. The suite turns it into a `ConformanceError`. */
export class UnmetExpectation extends Error {
  declare readonly key: string;
  declare readonly expected: string;
  declare readonly actual: string;

  /** @param key the key that it is about; `""` if it is about none */
  constructor(key: string, expected: string, actual: string, options?: { readonly cause: unknown }) {
    super(`expected ${expected}, got ${actual}`, options);
    this.key = key;
    this.expected = expected;
    this.actual = actual;
  }
}

/** Returns a value as a message shows it: short, with its type visible. */
export function show(value: unknown): string {
  if (typeof value === "string") {
    const start = JSON.stringify(value.slice(0, SHOWN));
    return value.length > SHOWN ? `${start}… (${value.length} characters)` : start;
  }
  if (typeof value === "bigint") return `${value}n`;
  if (Array.isArray(value)) {
    const items = value.slice(0, SHOWN_ITEMS).map(show).join(", ");
    return value.length > SHOWN_ITEMS ? `[${items}, …] (${value.length} items)` : `[${items}]`;
  }
  if (value instanceof Error) return `${value.name}: ${value.message.slice(0, 200)}`;
  if (typeof value !== "object" || value === null) return String(value);
  const fields = Object.entries(value).map(([name, field]) => `${name}: ${show(field)}`);
  return fields.length > 0 ? `{ ${fields.join(", ")} }` : "{}";
}

/** Returns whether two values of strings, numbers, arrays and plain objects are the same. */
function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  const fieldOf = (from: object, name: string) => (from as Record<string, unknown>)[name];
  return [...names].every((name) => isSame(fieldOf(a, name), fieldOf(b, name)));
}

/**
 * Asserts that a value is the expected one.
 *
 * @param title describes the value, such as `"read to return"`
 */
export function expectSame(key: string, title: string, actual: unknown, expected: unknown): void {
  if (!isSame(actual, expected)) throw new UnmetExpectation(key, `${title} ${show(expected)}`, show(actual));
}

/** Asserts that a condition holds. */
export function expectThat(key: string, expected: string, isMet: boolean, actual: unknown): void {
  if (!isMet) throw new UnmetExpectation(key, expected, show(actual));
}
