// Many types at once, from an object or the text of a JSON file.

import { ArgumentError, assertObject, assertOneOf } from "../internal.ts";
import { type NumericIdOptions, NumericIdType, settingsOf } from "./type.ts";

/** One of many types: its name is the one that it has among them. */
export type IdTypeDefinition = Omit<NumericIdOptions, "name">;

/**
 * Makes several types at once, of an object or of the text of a JSON file.
 *
 * @param types a {@link NumericIdOptions} without `name` for each name; or JSON of that
 * @returns the types by their names, in an object without a prototype: it has these names and no others
 * @throws {@link ArgumentError} if the text is no JSON, or a definition is wrong; its `field` is the path to what is
 *   wrong, such as `types.farmer.rules.sequenceLimit`
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
  const definitions = assertObject("types", typeof types === "string" ? parsed(types) : types);
  const made: Record<string, NumericIdType> = Object.create(null);
  for (const [name, definition] of Object.entries(definitions)) {
    const path = `types.${name}`;
    for (const field of Object.keys(assertObject(path, definition)))
      assertOneOf(`a name in ${path}`, field, ["length", "rules"]);
    made[name] = new NumericIdType(settingsOf(`${path}.`, { ...definition, name }));
  }
  return Object.freeze(made);
}

function parsed(text: string): Readonly<Record<string, IdTypeDefinition>> {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, "")); // Some editors begin a file so.
  } catch (cause) {
    throw new ArgumentError("types", `JSON: ${(cause as Error).message.slice(0, 100)}`, text);
  }
}
