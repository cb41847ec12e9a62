// Flags of a type of numeric IDs: a length and rules, or a file of types.

import { ArgumentError } from "../../internal.ts";
import { defineIdTypes, type IdTypeDefinition, NumericIdType } from "../../numeric/index.ts";
import { UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { readJsonFile } from "../settings/configFile.ts";
import type { DocumentSource, Values } from "../settings/flagTable.ts";

/** The settings of a type in a file. */
export const TYPE_FLAGS = {
  types: { kind: "document", description: "a JSON file of types, in the form that defineIdTypes takes" },
  type: { kind: "text", placeholder: "NAME", description: "the name of a type in the file" },
} as const;

/** The settings of a type without a file. */
const INLINE_TYPE_FLAGS = {
  length: { kind: "integer", min: 2, max: 32, description: "number of digits, with the check digit" },
  rules: {
    kind: "choice",
    choices: ["openg2p", "mosip"],
    description: "the rules of every ID",
    defaultText: "openg2p",
  },
} as const;

/** The settings of a type, with or without a file. */
export const ANY_TYPE_FLAGS: typeof INLINE_TYPE_FLAGS & typeof TYPE_FLAGS = {
  ...INLINE_TYPE_FLAGS,
  ...TYPE_FLAGS,
};

/** Reads a file of types. An error about a type names the file. */
export async function readTypesFile(
  io: Io,
  source: string,
  path: string,
): Promise<Readonly<Record<string, NumericIdType>>> {
  const types = (await readJsonFile(io, source, path)) as Readonly<Record<string, IdTypeDefinition>>;
  try {
    return defineIdTypes(types);
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    throw new UsageError(`${error.field} in ${path} must be ${error.rule}, got ${error.value}`, error.code);
  }
}

/** Returns the type that `--types` and `--type` name. */
export async function resolveFileType(
  io: Io,
  { types, type }: Values<typeof TYPE_FLAGS>,
  sources: Readonly<Record<string, string>>,
): Promise<NumericIdType> {
  const path = (types as DocumentSource | undefined)?.path;
  if (path === undefined) throw new UsageError("--types is required");
  if (type === undefined) throw new UsageError("--type is required with --types");
  const known = await readTypesFile(io, String(sources["types"]), path);
  const found = known[type];
  if (found) return found;
  const names = Object.keys(known);
  throw new ArgumentError("--type", `one of ${names.join(", ")} in ${path}`, type);
}

/** Returns the type of the settings. */
export async function resolveType(
  io: Io,
  { length, rules, ...file }: Values<typeof ANY_TYPE_FLAGS>,
  sources: Readonly<Record<string, string>>,
): Promise<NumericIdType> {
  const isFile = file.types !== undefined || file.type !== undefined;
  if (isFile && (length !== undefined || rules !== undefined)) {
    const flag = length === undefined ? "--rules" : "--length";
    throw new UsageError(`${flag} cannot be combined with --types: the file defines it`);
  }
  if (isFile) return resolveFileType(io, file, sources);
  if (length === undefined) throw new UsageError("--length is required, or --types and --type");
  return new NumericIdType({ name: "number", length, rules });
}
