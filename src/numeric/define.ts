// defineIdTypes: several NumericIdTypes from one object or JSON text.

import { ArgumentError, assertObject, assertOneOf } from "../internal.ts";
import { type NumericIdOptions, NumericIdType, resolveTypeSettings } from "./type.ts";

/** Definition of one of several types, without the name, which is its key. */
export type IdTypeDefinition = Omit<NumericIdOptions, "name">;

/**
 * Creates several types from an object or from the text of a JSON file.
 *
 * @param types a {@link NumericIdOptions} without `name` for each name, or JSON of that
 * @returns the types by name, in an object without a prototype, so that it has these names and no others
 * @throws {@link ArgumentError} if the text is not JSON, or a definition is wrong. Its `field` is the path to the wrong
 *   value, such as `types.farmer.rules.sequenceLimit`
 *
 * @example
 * ```ts
 * import { defineIdTypes } from "bitflake/numeric";
 *
 * const types = defineIdTypes({
 *   farmer: { length: 10 },
 *   household: { length: 12, rules: { extends: "mosip", restrictedNumbers: ["13"] } },
 * });
 * types.household.validate("5138").broken.map(({ rule }) => rule); // => [ 'length', 'checkDigit', 'restrictedNumbers' ]
 * ```
 */
export function defineIdTypes(types: string): Readonly<Record<string, NumericIdType>>;
export function defineIdTypes<Name extends string>(
  types: Readonly<Record<Name, IdTypeDefinition>>,
): Readonly<Record<Name, NumericIdType>>;
export function defineIdTypes(
  types: string | Readonly<Record<string, IdTypeDefinition>>,
): Readonly<Record<string, NumericIdType>> {
  const definitions = assertObject("types", typeof types === "string" ? parseJson(types) : types);
  const made: Record<string, NumericIdType> = Object.create(null);
  for (const [name, definition] of Object.entries(definitions)) {
    const path = `types.${name}`;
    for (const field of Object.keys(assertObject(path, definition)))
      assertOneOf(`a name in ${path}`, field, ["length", "rules"]);
    made[name] = new NumericIdType(resolveTypeSettings(`${path}.`, { ...definition, name }));
  }
  return Object.freeze(made);
}

function parseJson(text: string): Readonly<Record<string, IdTypeDefinition>> {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, "")); // Some editors write a byte order mark.
  } catch (cause) {
    throw new ArgumentError("types", `JSON: ${(cause as Error).message.slice(0, 100)}`, text);
  }
}
