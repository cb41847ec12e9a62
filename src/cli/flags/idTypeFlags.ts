// How a command is told which numeric IDs it works with: by a length and rules, or by a file of types.

import { ArgumentError } from "../../internal.ts";
import { defineIdTypes, type IdTypeDefinition, NumericIdType } from "../../numeric/index.ts";
import { UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { readJsonFile } from "../settings/configFile.ts";
import type { DocumentSource, Values } from "../settings/flagTable.ts";

/** The settings of a type that is in a file. */
export const TYPE_FLAGS = {
  types: { kind: "document", description: "a JSON file of types, as defineIdTypes takes it" },
  type: { kind: "text", placeholder: "NAME", description: "which type of the file" },
} as const;

/** The settings of a type that is given by itself. */
const INLINE_TYPE_FLAGS = {
  length: { kind: "integer", min: 2, max: 32, description: "how many digits, with the check digit" },
  rules: {
    kind: "choice",
    choices: ["openg2p", "mosip"],
    description: "what every ID keeps to",
    defaultText: "openg2p",
  },
} as const;

/** The settings of a type, whichever way it is given. */
export const ANY_TYPE_FLAGS: typeof INLINE_TYPE_FLAGS & typeof TYPE_FLAGS = {
  ...INLINE_TYPE_FLAGS,
  ...TYPE_FLAGS,
};

/** The types of a file; an error names the file. */
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

/** The type that a file and a name say. */
export async function resolveFileType(
  io: Io,
  { types, type }: Values<typeof TYPE_FLAGS>,
  sources: Readonly<Record<string, string>>,
): Promise<NumericIdType> {
  const path = (types as DocumentSource | undefined)?.path;
  if (path === undefined) throw new UsageError("--types is needed");
  if (type === undefined) throw new UsageError("--type is needed, for a file may hold many");
  const known = await readTypesFile(io, String(sources["types"]), path);
  const found = known[type];
  if (found) return found;
  const names = Object.keys(known);
  throw new ArgumentError("--type", `one of ${names.join(", ")} in ${path}`, type);
}

/** The type that a command was told. */
export async function resolveType(
  io: Io,
  { length, rules, ...file }: Values<typeof ANY_TYPE_FLAGS>,
  sources: Readonly<Record<string, string>>,
): Promise<NumericIdType> {
  const isFile = file.types !== undefined || file.type !== undefined;
  if (isFile && (length !== undefined || rules !== undefined)) {
    throw new UsageError(
      `${length === undefined ? "--rules" : "--length"} does not go with --types: the file says it`,
    );
  }
  if (isFile) return resolveFileType(io, file, sources);
  if (length === undefined) throw new UsageError("--length is needed, or --types and --type");
  return new NumericIdType({ name: "number", length, rules });
}
