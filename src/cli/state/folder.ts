// The state folder: what the processes of one user on one machine must know of each other.

import { CommandError, describeError } from "../errors.ts";
import { type Io, nodeModule, pathFrom } from "../io.ts";

/** The variable that names another folder. */
export const STATE_VARIABLE = "BITFLAKE_STATE_DIR";

/** Returns an error that says what cannot be done in the state folder, and the ways around it. */
export function stateError(folder: string, cause: unknown): CommandError {
  const remedy = `name a folder that can be written by ${STATE_VARIABLE}, or give this process a node of its own by --machine-id`;
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
  // The home of the call's environment first: homedir() knows that of the process alone.
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

/**
 * Returns the state folder, and makes it where it is missing: then nobody but the user may look into it.
 *
 * @throws {@link Failure} if it cannot be made
 */
export async function stateFolder(io: Io): Promise<string> {
  const folder = await statePath(io);
  try {
    const { mkdirSync } = await nodeModule(io, "node:fs");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  } catch (error) {
    throw stateError(folder, error);
  }
}
