// The flag --format, and the text forms of IDs that it names.

import { parseId } from "../../internal.ts";
import { base32, base58, base62, hex } from "../../text/index.ts";

/** A text form of IDs. */
interface IdFormat {
  encode(id: bigint): string;
  decode(text: string): bigint;
}

export const FORMAT_FLAG = {
  kind: "choice",
  choices: ["decimal", "hex", "base32", "base58", "base62"],
  default: "decimal",
  description: "the text form of the IDs",
} as const;

/** Returns the text form with a name. */
export function idFormat(name: (typeof FORMAT_FLAG)["choices"][number]): IdFormat {
  switch (name) {
    case "decimal":
      return { encode: String, decode: parseId };
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
