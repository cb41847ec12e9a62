// Reads JSON files: the configuration file of a command, and others.

import { describeError, UsageError } from "../errors.ts";
import { type Io, nodeModule, pathFrom } from "../io.ts";
import type { FlagTable } from "./flagTable.ts";

/** A configuration file. */
export interface ConfigFile {
  readonly path: string;
  readonly content: Readonly<Record<string, unknown>>;
}

/**
 * Reads a text file.
 *
 * @param source the setting that has the path, for errors
 */
async function readTextFile(io: Io, source: string, path: string): Promise<string> {
  try {
    const { readFile } = await nodeModule(io, "node:fs/promises");
    return await readFile(await pathFrom(io, path), "utf8");
  } catch (error) {
    throw new UsageError(`${source} must be a readable file: ${describeError(error).message}`);
  }
}

/** Returns the position in a parser's message, if it has one. The rest may quote the file, and secrets in it. */
function errorPosition(error: unknown): string {
  const [position] =
    /(at )?(position|line) \d+( \(?.*column \d+\)?)?/.exec(describeError(error).message) ?? [];
  return position ? `: syntax error ${position}` : "";
}

/** Reads a JSON file. An error does not quote the file. */
export async function readJsonFile(io: Io, source: string, path: string): Promise<unknown> {
  const text = await readTextFile(io, source, path);
  try {
    return JSON.parse(text.replace(/^\uFEFF/, "")); // Some editors write a byte order mark.
  } catch (error) {
    throw new UsageError(`${path} must be JSON${errorPosition(error)}`);
  }
}

/** Reads the file that the setting `config` names; `undefined` if the command has no such setting, or it is not set. */
export async function readConfigFile(
  io: Io,
  table: FlagTable,
  flags: Readonly<Record<string, readonly string[]>>,
): Promise<ConfigFile | undefined> {
  const row = table["config"];
  const flag = flags["config"]?.[0];
  const path = flag ?? ((row?.env && io.env[row.env]) || undefined);
  if (path === undefined) return undefined;
  const source = flag === undefined ? String(row?.env) : "--config";
  const content = await readJsonFile(io, source, path);
  if ({}.toString.call(content) !== "[object Object]")
    throw new UsageError(`${path} must contain a JSON object`);
  return { path, content: content as Record<string, unknown> };
}
