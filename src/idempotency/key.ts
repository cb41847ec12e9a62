// The header `Idempotency-Key`: a quoted string as in the IETF draft, or bare as most clients send it.

import { ArgumentError } from "../internal.ts";

/** The names of the header. Some older clients send the second one. */
export const KEY_HEADER_NAMES = ["idempotency-key", "x-idempotency-key"] as const;

/** The page that describes the header, for clients that are refused. */
export const KEY_HEADER_DOCS = "https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/";

/** The longest key. */
export const MAX_KEY_LENGTH = 255;

/** A string of structured fields (RFC 9651): printable ASCII, with quotes and backslashes escaped. */
const STRING = String.raw`"((?:[ !#-\[\]-~]|\\["\\])*)"`;

/** The other values that a parameter may have: number or date, token, bytes, boolean, display string. */
const VALUES = [
  String.raw`@?-?\d{1,15}`,
  String.raw`-?\d{1,12}\.\d{1,3}`,
  String.raw`[A-Za-z*][\w!#$%&'*+.^\x60|~:/-]*`,
  String.raw`:[A-Za-z\d+/=]*:`,
  String.raw`\?[01]`,
  String.raw`%"(?:[ !#$&-~]|%[\da-f]{2})*"`,
];

/** A string with parameters, which have no meaning here and are skipped. Created when it is first needed. */
let quoted: RegExp | undefined;

/** Visible ASCII without double quotes, commas and backslashes. A comma would be two headers that were joined. */
const BARE = /^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]+$/;

/** Parses a header. Returns `undefined` if it is not a key. */
function parseKey(text: string): string | undefined {
  if (BARE.test(text)) return text;
  quoted ??= new RegExp(`^${STRING}(?:; *[a-z*][a-z\\d_.*-]*(?:=(?:${[STRING, ...VALUES].join("|")}))?)*$`);
  return quoted.exec(text)?.[1]?.replace(/\\(.)/g, "$1");
}

/**
 * Asserts that a value is the name of a header (RFC 9110, 5.6.2).
 *
 * @returns the name in lower case
 */
export function assertHeaderName(field: string, name: unknown): string {
  if (typeof name === "string" && /^[\w!#$%&'*+.^\x60|~-]{1,100}$/.test(name)) return name.toLowerCase();
  throw new ArgumentError(field, "the name of a header, of 1 to 100 characters", name);
}

/**
 * Reads the key of a request.
 *
 * @param header returns a header of the request
 * @param names the headers that may have the key, in lower case
 * @param maxLength the longest key that is allowed
 * @returns the key; `undefined` if there is none; or the rule that it breaks
 */
export function readKey(
  header: (name: string) => string | null | undefined,
  names: readonly string[] = KEY_HEADER_NAMES,
  maxLength: number = MAX_KEY_LENGTH,
): string | undefined | { readonly brokenRule: string } {
  const keys = new Set<string>();
  for (const name of names) {
    const text = header(name);
    if (text === null || text === undefined) continue;
    const key = parseKey(text);
    if (!key || key.length > maxLength) {
      return {
        brokenRule: `${name} must be 1 to ${maxLength} characters of visible ASCII without double quotes, commas and backslashes, or a string of 1 to ${maxLength} printable ASCII characters in double quotes`,
      };
    }
    keys.add(key);
  }
  const [key] = keys;
  return keys.size > 1 ? { brokenRule: `${names.join(" and ")} must be equal if both are given` } : key;
}
