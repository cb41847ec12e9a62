// Finds the packages that the user has: from the folder of the call first, then from beside the program.

import { CommandError, describeError } from "./errors.ts";
import { type Io, nodeModule, pathFrom } from "./io.ts";

/** A package that was found. */
interface LoadedPackage {
  readonly name: string;
  /** What it exports; of CommonJS, what it is. */
  readonly module: unknown;
}

/** The address of a package, if there is one of the name. */
async function resolvePackage(name: string, io: Io): Promise<string | undefined> {
  const { createRequire } = await nodeModule(io, "node:module");
  const { pathToFileURL } = await nodeModule(io, "node:url");
  // A file that need not exist: only its folder matters.
  for (const from of [await pathFrom(io, "package.json"), io.programUrl]) {
    try {
      return pathToFileURL(createRequire(from).resolve(name)).href;
    } catch {
      // Not there; perhaps elsewhere.
    }
  }
  return undefined;
}

/** Whether there is a package of a name. */
export async function hasPackage(name: string, io: Io): Promise<boolean> {
  return (await resolvePackage(name, io)) !== undefined;
}

/**
 * Loads whichever of some packages there is, the first of them if there are several.
 *
 * @param what needs it: `"redis://"`
 * @throws {@link Failure} if there is none, or it cannot be loaded
 */
export async function loadFirstPackage(
  what: string,
  names: readonly string[],
  io: Io,
): Promise<LoadedPackage> {
  for (const name of names) {
    const address = await resolvePackage(name, io);
    if (address === undefined) continue;
    try {
      const module = (await io.import(address)) as { readonly default?: unknown };
      return { name, module: module.default ?? module };
    } catch (error) {
      throw new CommandError(
        "ERR_PACKAGE",
        `the package ${name} cannot be loaded: ${describeError(error).message}`,
        {
          cause: error,
        },
      );
    }
  }
  const installs = names.map((name) => `npm install ${name}`).join("  or  ");
  throw new CommandError("ERR_PACKAGE", `${what} needs a client, and none is installed here: ${installs}`);
}
