// The flags --format and --prefix, and the text forms of IDs that they name.

import { parseId } from "../../internal.ts";
import { base32, base58, base62, hex, prefixed, type TextCodec } from "../../text/index.ts";
import { UsageError } from "../errors.ts";

/** The names of the text forms. */
export const FORMATS = ["decimal", "hex", "base32", "base58", "base62"] as const;

/** The name of a text form. */
export type FormatName = (typeof FORMATS)[number];

/** A text form of IDs. */
export interface IdFormat {
  readonly isDecimal: boolean;
  encode(id: bigint): string;
  decode(text: string): bigint;
}

export const FORMAT_FLAG = {
  kind: "choice",
  choices: FORMATS as typeof FORMATS,
  short: "f",
  description: "the text form of the IDs",
  defaultText: "decimal; with --prefix: base32",
} as const;

export const PREFIX_FLAG = {
  kind: "text",
  placeholder: "NAME",
  description: "the kind of the IDs, which their text form begins with: user in user_04W86BB0G4007",
} as const;

const DECIMAL: IdFormat = {
  isDecimal: true,
  encode: String,
  // Node prints a bigint with an n at its end.
  decode: (text) => parseId(/^\d+n$/.test(text) ? text.slice(0, -1) : text),
};

/** Returns the codec of a text form. */
function codecOf(name: Exclude<FormatName, "decimal">): TextCodec {
  switch (name) {
    case "hex":
      return hex;
    case "base32":
      return base32.lenient; // Base32 is made to be typed by people.
    case "base58":
      return base58;
    case "base62":
      return base62;
  }
}

/**
 * Returns the text form of the settings.
 *
 * @throws {@link UsageError} for a prefix before decimal digits
 * @throws {@link ArgumentError} if the prefix is not valid
 */
export function idFormat(name: FormatName | undefined, prefix?: string): IdFormat {
  const format = name ?? (prefix === undefined ? "decimal" : "base32");
  if (format !== "decimal") {
    const codec = codecOf(format);
    const { encode, decode } = prefix === undefined ? codec : prefixed(prefix, codec);
    return { isDecimal: false, encode, decode };
  }
  if (prefix !== undefined) {
    throw new UsageError(`--prefix requires another --format than decimal: ${FORMATS.slice(1).join(", ")}`);
  }
  return DECIMAL;
}

/** Returns a function that writes an ID as a line: in JSON in decimal, and in its text form as well. */
export function idLine({ isDecimal, encode }: IdFormat, isJson: boolean): (id: bigint) => string {
  if (!isJson) return (id) => `${encode(id)}\n`;
  return (id) => `${JSON.stringify({ id: String(id), ...(isDecimal ? {} : { text: encode(id) }) })}\n`;
}
