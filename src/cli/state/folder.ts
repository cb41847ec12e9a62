// The state folder: what processes of one user on one machine share, where they have no common store.

import { CommandError, describeError } from "../errors.ts";
import { type Io, type NodeModules, nodeModule, pathFrom } from "../io.ts";

/** The variable that names the folder. */
export const STATE_VARIABLE = "BITFLAKE_STATE_DIR";

/** Returns the error of a state folder that cannot be used, with the remedies. */
export function stateError(folder: string, cause: unknown): CommandError {
  const remedy = `set ${STATE_VARIABLE} to a writable folder, or give this process its own node with --machine-id`;
  return new CommandError(
    "ERR_STATE",
    `the state folder ${folder} cannot be used: ${describeError(cause).message}; ${remedy}`,
    { cause },
  );
}

/** Returns the path of the state folder, which need not exist. */
async function statePath(io: Io): Promise<string> {
  const { env } = io;
  const named = env[STATE_VARIABLE];
  if (named) return pathFrom(io, named);
  const { homedir, platform } = await nodeModule(io, "node:os");
  // HOME of the command's environment comes first, because homedir() reads the environment of the process.
  const home = env["HOME"] || homedir();
  switch (platform()) {
    case "darwin":
      return pathFrom(io, "Library/Application Support/bitflake", home);
    case "win32":
      return pathFrom(io, "bitflake", env["LOCALAPPDATA"] || (await pathFrom(io, "AppData/Local", home)));
    default:
      return pathFrom(io, "bitflake", env["XDG_STATE_HOME"] || (await pathFrom(io, ".local/state", home)));
  }
}

function isFolder(fs: NodeModules["node:fs"], path: string): boolean {
  try {
    return fs.statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/**
 * Creates a folder and its parents, readable by the user alone. It does not use the `recursive` option of `mkdirSync`,
 * which never returns where a file system reports ENOENT for a folder that it does not allow, as /proc does.
 */
export async function makeFolder(io: Io, folder: string): Promise<void> {
  const fs = await nodeModule(io, "node:fs");
  const { dirname } = await nodeModule(io, "node:path");
  const make = (path: string): void => {
    if (isFolder(fs, path)) return;
    const parent = dirname(path);
    if (parent !== path) make(parent);
    try {
      fs.mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      // Another process may have created it meanwhile.
      if (!isFolder(fs, path)) throw error;
    }
  };
  make(folder);
}

/**
 * Returns the state folder, and creates it if it does not exist.
 *
 * @throws {@link CommandError} if it cannot be created
 */
export async function stateFolder(io: Io): Promise<string> {
  const folder = await statePath(io);
  try {
    await makeFolder(io, folder);
    return folder;
  } catch (error) {
    throw stateError(folder, error);
  }
}
