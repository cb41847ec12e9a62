// parseExactJson: JSON from a database, without rounded integers.

/** A string of JSON, or an integer of 16 digits and more, which is no part of a longer number. */
const STRING_OR_LONG_INTEGER = /"[^"\\]*(?:\\.[^"\\]*)*"|(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g;

/**
 * Parses JSON as `JSON.parse` does, but gives integers that it would round, those past 2^53, as strings of their digits:
 * as drivers return a BIGINT. Set it as the parser of a driver whose JSON contains IDs as numbers, which is how databases
 * write a BIGINT in JSON that they build.
 *
 * @throws SyntaxError if the text is not JSON
 *
 * @example
 * ```ts
 * import { parseExactJson } from "bitflake/kysely";
 *
 * parseExactJson('{"id":911780371413233665,"total":12}'); // => { id: '911780371413233665', total: 12 }
 * ```
 */
export function parseExactJson(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  // After the first parse the text is known to be JSON, so each quotation mark outside of a string begins one.
  const exact = text.replace(STRING_OR_LONG_INTEGER, (token) =>
    token.startsWith('"') || Number.isSafeInteger(Number(token)) ? token : `"${token}"`,
  );
  return exact === text ? parsed : JSON.parse(exact);
}
