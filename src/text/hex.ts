// Hexadecimal text form: 16 characters.

import { parseId } from "../internal.ts";
import { idOrThrow, type TextCodec } from "./codec.ts";

const WIDTH = 16;
const PATTERN = "[0-7][0-9a-f]{15}";

/**
 * Hexadecimal in lower case: 16 characters. Texts sort as their IDs do if characters compare by their codes: see
 * {@link TextCodec}.
 *
 * @example
 * ```ts
 * import { hex } from "bitflake/text";
 *
 * hex.encode(175928847299117063n); // => '0271065ac1020007'
 * hex.decode("0271065ac1020007"); // => 175928847299117063n
 * ```
 */
export const hex: TextCodec = /* @__PURE__ */ Object.freeze({
  encode: (id: bigint | string | number) => parseId(id).toString(16).padStart(WIDTH, "0"),
  decode: (text: string) => {
    const fits = typeof text === "string" && /^[0-7][0-9a-f]{15}$/.test(text);
    return idOrThrow(
      fits ? BigInt(`0x${text}`) : undefined,
      text,
      "16 digits of 0-9a-f, up to 7fffffffffffffff",
    );
  },
  width: WIDTH,
  pattern: PATTERN,
});
