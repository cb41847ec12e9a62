// The configuration file of a command that has one, and JSON files in general.

import { describeError, UsageError } from "../errors.ts";
import { type Io, nodeModule, pathFrom } from "../io.ts";
import type { FlagTable } from "./flagTable.ts";
import type { Origins } from "./resolveSettings.ts";

/**
 * Reads a text file.
 *
 * @param source what the path is called where it was said
 */
async function readTextFile(io: Io, source: string, path: string): Promise<string> {
  try {
    const { readFile } = await nodeModule(io, "node:fs/promises");
    return await readFile(await pathFrom(io, path), "utf8");
  } catch (error) {
    throw new UsageError(`${source} must be a file that can be read: ${describeError(error).message}`);
  }
}

/** Where in a JSON text the parser gave up, if it says so. The rest of what it says quotes the text, and its secrets. */
function errorPosition(error: unknown): string {
  const [place] = /(at )?(position|line) \d+( \(?.*column \d+\)?)?/.exec(describeError(error).message) ?? [];
  return place ? `, and it is not, ${place}` : "";
}

/** Reads a file of JSON. What is wrong with it is said without its text. */
export async function readJsonFile(io: Io, source: string, path: string): Promise<unknown> {
  const text = await readTextFile(io, source, path);
  try {
    return JSON.parse(text.replace(/^\uFEFF/, "")); // Some editors begin a file so.
  } catch (error) {
    throw new UsageError(`${path} must be JSON${errorPosition(error)}`);
  }
}

/** Reads the file that the setting `config` names, in a command that has such a setting. */
export async function readConfig(
  io: Io,
  table: FlagTable,
  flags: Origins["flags"],
): Promise<Origins["file"]> {
  const row = table["config"];
  const said = flags["config"]?.[0];
  const path = said ?? ((row?.env && io.env[row.env]) || undefined);
  if (path === undefined) return undefined;
  const source = said === undefined ? String(row?.env) : "--config";
  const content = await readJsonFile(io, source, path);
  if ({}.toString.call(content) !== "[object Object]")
    throw new UsageError(`${path} must hold a JSON object`);
  return { path, content: content as Record<string, unknown> };
}
