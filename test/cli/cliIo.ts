// An Io of strings for the command line: its input is given, and its output is recorded.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Io, Output } from "../../src/cli/io.ts";
import { run } from "../../src/cli/run.ts";

/** The state folder of these tests, never the user's own. */
const state = mkdtempSync(join(tmpdir(), "bitflake-state-"));
process.on("exit", () => rmSync(state, { recursive: true, force: true }));

/** The options of an Io. */
export interface CliOptions {
  readonly stdin?: string | readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly programUrl?: string;
  /** The streams that are a terminal. */
  readonly terminal?: readonly ("stdin" | "stdout" | "stderr")[];
  readonly columns?: number;
  readonly now?: () => number;
  readonly signal?: AbortSignal;
  readonly import?: (name: string) => Promise<unknown>;
  /** Called with each text that is written. It may throw. */
  readonly onWrite?: (where: "stdout" | "stderr", text: string) => void;
}

/** The result of a command. */
export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** The texts of the writes to the standard output. */
  readonly writes: readonly string[];
}

/** Creates an Io, and the record of its output. */
export function fakeIo(given: CliOptions = {}): { io: Io; written: Record<"stdout" | "stderr", string[]> } {
  const { stdin = "", terminal = [], columns, onWrite } = given;
  const written = { stdout: [] as string[], stderr: [] as string[] };
  const output = (name: "stdout" | "stderr"): Output => ({
    async write(text) {
      onWrite?.(name, text);
      written[name].push(text);
    },
    isTTY: terminal.includes(name),
    columns,
  });
  const io: Io = {
    stdin: {
      async *[Symbol.asyncIterator]() {
        yield* typeof stdin === "string" ? [stdin] : stdin;
      },
      isTTY: terminal.includes("stdin"),
    },
    stdout: output("stdout"),
    stderr: output("stderr"),
    env: { BITFLAKE_STATE_DIR: state, ...given.env },
    cwd: given.cwd ?? "/",
    programUrl:
      given.programUrl ?? new URL("../../src/cli/main.ts", pathToFileURL(import.meta.filename)).href,
    now: given.now ?? Date.now,
    stopSignal: () => given.signal ?? new AbortController().signal,
    import: given.import ?? ((name) => import(/* @vite-ignore */ name)),
  };
  return { io, written };
}

/** Splits a command line as a shell does, with quotes and variables. */
function split(line: string, env: CliOptions["env"] = {}): string[] {
  const words = line.match(/(?:"[^"]*"|'[^']*'|\S)+/g) ?? [];
  return words.map((word) =>
    word.replace(/"([^"]*)"|'([^']*)'|\$(\w+)/g, (_, double, single, name) =>
      name === undefined
        ? (single ?? double.replace(/\$(\w+)/g, (_all: string, n: string) => env[n] ?? ""))
        : (env[name] ?? ""),
    ),
  );
}

/** Runs a command line without its first word, `bitflake`. */
export async function cli(line: string | readonly string[], given: CliOptions = {}): Promise<CliResult> {
  const { io, written } = fakeIo(given);
  const code = await run(typeof line === "string" ? split(line, given.env) : line, io);
  return { code, out: written.stdout.join(""), err: written.stderr.join(""), writes: written.stdout };
}

/** Returns the context of a command for `openStore`, with the default settings of a store. */
export function storeContext(
  given: CliOptions = {},
  values: { storeTimeoutMs?: number; storePoolSize?: number } = {},
) {
  const settings = { storePrefix: "bitflake", storeTimeoutMs: 4000, ...values };
  return { values: settings, sources: {}, io: fakeIo(given).io };
}
