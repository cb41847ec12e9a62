// A value that the processes of one machine share by files, changed by compare-and-set and without a lock: a process that
// is killed leaves nothing behind that others would have to wait for.
//
// Each version of the value is a file with the version as its name. A process reads the newest, and puts the next one in
// place by link(), which fails where another process was faster; then it reads again.

import { CommandError } from "../errors.ts";
import { type Io, nodeModule, pathFrom } from "../io.ts";
import { stateError } from "./folder.ts";

/** How many versions are kept: a process that is overtaken by fewer finds the version taken that it wants to write. */
const KEPT_VERSIONS = 64;

/** How often a change is tried; each failure means that another process has succeeded. */
const MAX_ATTEMPTS = 1000;

/** Writes what JSON has no form for: `{ "map": [[key, value], ...] }`, `{ "bigint": "1" }`. */
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

/** Changes a shared value: gets it, `undefined` before the first change, and returns the next one and a result. */
type Change<State, Result> = (state: State | undefined) => readonly [State | undefined, Result];

/** A shared value. */
export interface SharedFile {
  /**
   * Changes the value in one step. The function may be called several times, each time with a newer value; where it
   * returns the value that it got, nothing is written.
   *
   * @throws {@link Failure} if the files cannot be read or written
   */
  change<State, Result>(change: Change<State, Result>): Result;
}

/**
 * Opens a shared value.
 *
 * @param name of its folder within the state folder
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
        `${pathOf(version)} is damaged; remove ${folder} when no process of bitflake runs`,
        { cause },
      );
    }
  };

  /** Writes a version, unless there is one already. */
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
    // One that was paused for so long that its version had come and gone has put it in place again, behind the others.
    return Math.max(...all) < version + KEPT_VERSIONS / 2;
  };

  const attempt = <State, Result>(change: Change<State, Result>): readonly [Result] | undefined => {
    const version = latest();
    let state: State | undefined;
    try {
      state = version === 0 ? undefined : (read(version) as State);
    } catch (error) {
      if ((error as { code?: unknown }).code === "ENOENT") return undefined; // Too old by now.
      throw error;
    }
    const [next, result] = change(state);
    return next === state || write(version + 1, next) ? [result] : undefined;
  };

  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
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
        // Of the file system; what the change itself throws is passed on.
        throw typeof (error as { syscall?: unknown }).syscall === "string"
          ? stateError(stateFolder, error)
          : error;
      }
      throw new CommandError("ERR_STATE", `others were faster ${MAX_ATTEMPTS} times at changing ${folder}`);
    },
  };
}
