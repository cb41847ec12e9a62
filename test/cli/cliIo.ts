// A world made of strings: what the command line reads is given, and what it writes is kept.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Io, Output } from "../../src/cli/io.ts";
import { run } from "../../src/cli/run.ts";

/** Where the commands of these tests keep their state: never where the user's own do. */
const state = mkdtempSync(join(tmpdir(), "bitflake-state-"));
process.on("exit", () => rmSync(state, { recursive: true, force: true }));

/** What a world is made of. */
export interface CliOptions {
  readonly stdin?: string | readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly here?: string;
  /** Which streams are a terminal. */
  readonly terminal?: readonly ("stdin" | "stdout" | "stderr")[];
  readonly columns?: number;
  readonly now?: () => number;
  readonly signal?: AbortSignal;
  readonly import?: (name: string) => Promise<unknown>;
  /** Hears of each text that is written; may throw. */
  readonly onWrite?: (where: "stdout" | "stderr", text: string) => void;
}

/** What a command has done. */
export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Each text that was written to the standard output. */
  readonly writes: readonly string[];
}

/** A world, and what was written in it. */
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
    programUrl: given.here ?? new URL("../../src/cli/main.ts", pathToFileURL(import.meta.filename)).href,
    now: given.now ?? Date.now,
    stopSignal: () => given.signal ?? new AbortController().signal,
    import: given.import ?? ((name) => import(/* @vite-ignore */ name)),
  };
  return { io, written };
}

/** Splits a command line as a shell does, as far as examples need it: quotes and variables. */
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

/** Runs a command line, which begins after `bitflake`. */
export async function cli(line: string | readonly string[], given: CliOptions = {}): Promise<CliResult> {
  const { io, written } = fakeIo(given);
  const code = await run(typeof line === "string" ? split(line, given.env) : line, io);
  return { code, out: written.stdout.join(""), err: written.stderr.join(""), writes: written.stdout };
}

/** What `openStore` takes of a call that says nothing of its store but the address. */
export function storeContext(
  given: CliOptions = {},
  values: { storeTimeoutMs?: number; storePoolSize?: number } = {},
) {
  const said = { storePrefix: "bitflake", storeTimeoutMs: 4000, ...values };
  return { values: said, sources: {}, io: fakeIo(given).io };
}
