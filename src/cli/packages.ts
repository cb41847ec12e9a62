// Finds and loads the user's packages: from the current folder first, then from beside the program.

import { CommandError, describeError } from "./errors.ts";
import { type Io, nodeModule, pathFrom } from "./io.ts";

/** A package that is loaded. */
interface LoadedPackage {
  readonly name: string;
  /** Its default export, or all of its exports. */
  readonly module: unknown;
  /** The same of the packages that were named with it. */
  readonly others: readonly unknown[];
}

/** Returns the URL of a package's file; `undefined` if the package is not installed. */
async function resolvePackage(name: string, io: Io): Promise<string | undefined> {
  const { createRequire } = await nodeModule(io, "node:module");
  const { pathToFileURL } = await nodeModule(io, "node:url");
  // createRequire takes a file that need not exist: only its folder matters.
  for (const from of [await pathFrom(io, "package.json"), io.programUrl]) {
    try {
      return pathToFileURL(createRequire(from).resolve(name)).href;
    } catch {
      // Not installed here: try the next place.
    }
  }
  return undefined;
}

/** Returns whether a package is installed. */
export async function hasPackage(name: string, io: Io): Promise<boolean> {
  return (await resolvePackage(name, io)) !== undefined;
}

/**
 * Loads a package.
 *
 * @param url the URL of its file
 * @throws {@link CommandError} if it cannot be loaded
 */
async function loadPackage(name: string, url: string, io: Io): Promise<unknown> {
  try {
    const module = (await io.import(url)) as { readonly default?: unknown };
    return module.default ?? module;
  } catch (cause) {
    throw new CommandError(
      "ERR_PACKAGE",
      `the package ${name} cannot be loaded: ${describeError(cause).message}`,
      { cause },
    );
  }
}

/**
 * Loads the first of several packages that is installed.
 *
 * @param purpose what requires one of them, for the error: `"redis://"`
 * @param names one package each, or several that are needed together, separated by spaces
 * @throws {@link CommandError} if none is installed, or it cannot be loaded
 */
export async function loadFirstPackage(
  purpose: string,
  names: readonly string[],
  io: Io,
): Promise<LoadedPackage> {
  for (const candidate of names) {
    const together = candidate.split(" ");
    const urls = await Promise.all(together.map((name) => resolvePackage(name, io)));
    if (!urls.every((url) => url !== undefined)) continue;
    const modules: unknown[] = [];
    for (const [i, url] of urls.entries()) modules.push(await loadPackage(together[i] as string, url, io));
    const [module, ...others] = modules;
    return { name: together[0] as string, module, others };
  }
  const installs = names.map((name) => `npm install ${name}`).join(" or ");
  throw new CommandError(
    "ERR_PACKAGE",
    `${purpose} requires a client package, and none is installed: run ${installs}`,
  );
}
