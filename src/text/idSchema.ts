// idSchema: a Standard Schema of IDs in decimal text.

import {
  createStandardProps,
  type GeneratorOptions,
  largestId,
  type PresetName,
  readId,
  refuse,
  type TextSchema,
} from "../internal.ts";
import { decimalPattern } from "./pattern.ts";

/** The largest ID of any layout. */
const MAX_ID = 0x7fff_ffff_ffff_ffffn;

/**
 * Creates a schema of IDs in decimal text, which gives bigints. Tools that accept Standard Schema take it as it is: tRPC,
 * Hono's validator, T3 Env, arktype and others. docs/text.md has the recipes for zod and valibot.
 *
 * It validates as `parseId` does, so it also takes a bigint, which has been validated before, and a safe integer.
 * With a preset it also refuses an ID past the last one of the layout, as `decode` does, and nothing else: a timestamp in
 * the future passes.
 *
 * @param preset the name of a preset, a `PRESET_…` constant, or the options the generator was built with. Default none:
 *   every ID up to 2^63 - 1 passes
 * @throws {@link LayoutError} if the widths do not make a layout
 * @throws {@link ArgumentError} if another option is wrong
 *
 * @example
 * ```ts
 * import { idSchema } from "bitflake/text";
 *
 * const { validate } = idSchema("twitter")["~standard"];
 * validate("175928847299117063"); // => { value: 175928847299117063n }
 *
 * const message = validate("0x10").issues?.[0]?.message;
 * message; // => 'id must be a decimal string without leading zeros, from 0 to 9223372036854775807, got "0x10"'
 * ```
 */
export function idSchema(preset?: PresetName | GeneratorOptions): TextSchema<bigint> {
  const last = preset === undefined ? MAX_ID : largestId(preset);
  const rule = `a decimal string without leading zeros, from 0 to ${last}`;
  const jsonSchema = () => ({
    type: "string" as const,
    pattern: `^${decimalPattern(last)}$`,
    minLength: 1,
    maxLength: String(last).length,
  });
  const validate = (value: unknown) => {
    const id = readId(value);
    return id !== undefined && id <= last ? { value: id } : refuse("id", rule, value);
  };
  return Object.freeze({
    "~standard": createStandardProps(validate, jsonSchema),
    get jsonSchema() {
      return jsonSchema();
    },
  });
}
