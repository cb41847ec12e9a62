// The forms in which an ID is written and read.

import { parseId } from "../../internal.ts";
import { base32, base58, base62, hex } from "../../text/index.ts";

/** A form: how an ID becomes a text, and comes back. */
interface IdFormat {
  encode(id: bigint): string;
  decode(text: string): bigint;
}

/** The setting of the form. */
export const FORMAT_FLAG = {
  kind: "choice",
  choices: ["decimal", "hex", "base32", "base58", "base62"],
  default: "decimal",
  description: "how an ID is written",
} as const;

/** The form of a name. */
export function idFormat(name: (typeof FORMAT_FLAG)["choices"][number]): IdFormat {
  switch (name) {
    case "decimal":
      return { encode: String, decode: parseId };
    case "hex":
      return hex;
    case "base32":
      return base32.lenient; // People type it, and it is made to be typed.
    case "base58":
      return base58;
    case "base62":
      return base62;
  }
}
