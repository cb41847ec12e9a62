// A value that processes on one machine share through files. Changes are compare-and-set without a lock, so a process that is
// killed leaves nothing behind that others would have to wait for.
//
// Each version of the value is a file with the version as its name. A process reads the newest version and creates the next
// one by link(), which fails if another process was faster; then it starts again.

import { CommandError } from "../errors.ts";
import { type Io, nodeModule, pathFrom } from "../io.ts";
import { makeFolder, stateError } from "./folder.ts";

/** How many versions are kept. A process that is overtaken by fewer versions finds that its own exists already. */
const KEPT_VERSIONS = 64;

/** How often a change is attempted. Each failure means that another process has succeeded. */
const MAX_ATTEMPTS = 1000;

/** Encodes a value as JSON, with maps as `{ "map": [[key, value], ...] }` and bigints as `{ "bigint": "1" }`. */
const encode = (value: unknown): string =>
  JSON.stringify(value, (_, part) => {
    if (part instanceof Map) return { map: [...part] };
    return typeof part === "bigint" ? { bigint: String(part) } : part;
  });

const decode = (text: string): unknown =>
  JSON.parse(text, (_, part) => {
    if (Array.isArray(part?.map)) return new Map(part.map);
    return typeof part?.bigint === "string" ? BigInt(part.bigint) : part;
  });

/** A function from the value, which is `undefined` before the first change, to the next value and a result. */
type Change<State, Result> = (state: State | undefined) => readonly [State | undefined, Result];

/** A shared value. */
export interface SharedFile {
  /**
   * Changes the value atomically. The function may be called several times, each time with a newer value. If it returns
   * its argument, nothing is written.
   *
   * @throws {@link CommandError} if the files cannot be read or written
   */
  change<State, Result>(change: Change<State, Result>): Result;
}

/**
 * Opens a shared value.
 *
 * @param name the name of its folder in the state folder
 */
export async function sharedFile(io: Io, stateFolder: string, name: string): Promise<SharedFile> {
  const fs = await nodeModule(io, "node:fs");
  const folder = await pathFrom(io, name, stateFolder);
  const pathOf = (version: number | string) => `${folder}/${version}`;
  const versions = () =>
    fs
      .readdirSync(folder)
      .filter((file) => /^\d+$/.test(file))
      .map(Number);
  const latest = () => Math.max(0, ...versions());

  const read = (version: number): unknown => {
    const text = fs.readFileSync(pathOf(version), "utf8");
    try {
      return decode(text);
    } catch (cause) {
      throw new CommandError(
        "ERR_STATE",
        `${pathOf(version)} is damaged; stop all bitflake processes and remove ${folder}`,
        { cause },
      );
    }
  };

  /** Writes a version. Returns whether it is in place: another process may have been faster. */
  const write = (version: number, state: unknown): boolean => {
    const draft = pathOf(`draft-${globalThis.crypto.getRandomValues(new Uint32Array(4)).join("-")}`);
    const file = fs.openSync(draft, "wx", 0o600);
    try {
      try {
        fs.writeFileSync(file, encode(state));
        fs.fsyncSync(file);
      } finally {
        fs.closeSync(file);
      }
      fs.linkSync(draft, pathOf(version));
    } catch (error) {
      if ((error as { code?: unknown }).code === "EEXIST") return false;
      throw error;
    } finally {
      fs.unlinkSync(draft);
    }
    const all = versions();
    for (const old of all) if (old <= version - KEPT_VERSIONS) fs.rmSync(pathOf(old), { force: true });
    // If this process was paused until its version was removed, the link succeeded behind the newer versions: start again.
    return Math.max(...all) < version + KEPT_VERSIONS / 2;
  };

  const attempt = <State, Result>(change: Change<State, Result>): readonly [Result] | undefined => {
    const version = latest();
    let state: State | undefined;
    try {
      state = version === 0 ? undefined : (read(version) as State);
    } catch (error) {
      if ((error as { code?: unknown }).code === "ENOENT") return undefined; // The version was removed meanwhile.
      throw error;
    }
    const [next, result] = change(state);
    return next === state || write(version + 1, next) ? [result] : undefined;
  };

  try {
    await makeFolder(io, folder);
  } catch (error) {
    throw stateError(stateFolder, error);
  }
  return {
    change(change) {
      try {
        for (let tries = 0; tries < MAX_ATTEMPTS; tries++) {
          const done = attempt(change);
          if (done) return done[0];
        }
      } catch (error) {
        // Only errors of the file system are translated; errors of the change are rethrown.
        throw typeof (error as { syscall?: unknown }).syscall === "string"
          ? stateError(stateFolder, error)
          : error;
      }
      throw new CommandError(
        "ERR_STATE",
        `other processes changed ${folder} first, ${MAX_ATTEMPTS} times in a row; try again`,
      );
    },
  };
}
