// The key that a request carries: the header `Idempotency-Key`, quoted as the IETF draft has it or bare as most have it.

/** The names of the header; the second is what some older clients send. */
export const HEADERS = ["idempotency-key", "x-idempotency-key"] as const;

/** The longest key. */
const LONGEST = 255;

/** A structured field's string: printable ASCII, quotes and backslashes escaped. */
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/** Visible ASCII but quotes, commas and backslashes: a comma would be two headers, joined. */
const BARE = /^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]+$/;

/** What a header says; `undefined` if that is no key. */
function unquoted(text: string): string | undefined {
  return BARE.test(text) ? text : QUOTED.exec(text)?.[1]?.replace(/\\(.)/g, "$1");
}

/**
 * Looks for the key.
 *
 * @param header gives a header of the request
 * @returns the key; `undefined` if there is none; or what is wrong with it
 */
export function keyIn(
  header: (name: string) => string | null | undefined,
): string | undefined | { readonly wrong: string } {
  const keys = new Set<string>();
  for (const name of HEADERS) {
    const text = header(name);
    if (text === null || text === undefined) continue;
    const key = unquoted(text);
    if (!key || key.length > LONGEST) {
      return {
        wrong: `${name} must be 1 to ${LONGEST} characters of visible ASCII, or a quoted string of ASCII`,
      };
    }
    keys.add(key);
  }
  const [key] = keys;
  return keys.size > 1 ? { wrong: `${HEADERS.join(" and ")} must be the same, if both are there` } : key;
}
