// How a command is told which numeric IDs it works with: by a length and rules, or by a file of types.

import { ArgumentError } from "../../internal.ts";
import { defineIdTypes, type IdTypeDefinition, NumericIdType } from "../../numeric/index.ts";
import { UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { readJson } from "../settings/configFile.ts";
import type { Said, Values } from "../settings/flagTable.ts";

/** The settings of a type that is in a file. */
export const TYPE_FLAGS = {
  types: { kind: "document", what: "a JSON file of types, as defineIdTypes takes it" },
  type: { kind: "text", value: "NAME", what: "which type of the file" },
} as const;

/** The settings of a type that is given by itself. */
const LONE_TYPE_FLAGS = {
  length: { kind: "whole", least: 2, most: 32, what: "how many digits, with the check digit" },
  rules: {
    kind: "choice",
    choices: ["openg2p", "mosip"],
    what: "what every ID keeps to",
    otherwise: "openg2p",
  },
} as const;

/** The settings of a type, whichever way it is given. */
export const ANY_TYPE_FLAGS: typeof LONE_TYPE_FLAGS & typeof TYPE_FLAGS = {
  ...LONE_TYPE_FLAGS,
  ...TYPE_FLAGS,
};

/** The types of a file; an error names the file. */
export async function readTypes(
  world: Io,
  source: string,
  path: string,
): Promise<Readonly<Record<string, NumericIdType>>> {
  const types = (await readJson(world, source, path)) as Readonly<Record<string, IdTypeDefinition>>;
  try {
    return defineIdTypes(types);
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    throw new UsageError(`${error.field} in ${path} must be ${error.rule}, got ${error.value}`, error.code);
  }
}

/** The type that a file and a name say. */
export async function typeInFile(
  world: Io,
  { types, type }: Values<typeof TYPE_FLAGS>,
  sources: Readonly<Record<string, string>>,
): Promise<NumericIdType> {
  const path = (types as Said | undefined)?.path;
  if (path === undefined) throw new UsageError("--types is needed");
  if (type === undefined) throw new UsageError("--type is needed, for a file may hold many");
  const known = await readTypes(world, String(sources["types"]), path);
  const found = known[type];
  if (found) return found;
  const names = Object.keys(known);
  throw new ArgumentError("--type", `one of ${names.join(", ")} in ${path}`, type);
}

/** The type that a command was told. */
export async function typeOf(
  world: Io,
  { length, rules, ...file }: Values<typeof ANY_TYPE_FLAGS>,
  sources: Readonly<Record<string, string>>,
): Promise<NumericIdType> {
  const isFile = file.types !== undefined || file.type !== undefined;
  if (isFile && (length !== undefined || rules !== undefined)) {
    throw new UsageError(
      `${length === undefined ? "--rules" : "--length"} does not go with --types: the file says it`,
    );
  }
  if (isFile) return typeInFile(world, file, sources);
  if (length === undefined) throw new UsageError("--length is needed, or --types and --type");
  return new NumericIdType({ name: "number", length, rules });
}
