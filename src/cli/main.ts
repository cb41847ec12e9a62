#!/usr/bin/env node

// The program: gives the command line the real world, and its exit code to the shell.

import { type Input, type Io, type Output, OutputClosedError } from "./io.ts";
import { run } from "./run.ts";

/** What is used of a stream that is written to. */
interface Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string, done: (error?: (Error & { code?: unknown }) | null) => void): unknown;
  on(event: "error", listener: () => void): unknown;
}

/** What is used of the stream that is read. */
interface Readable extends AsyncIterable<string> {
  readonly isTTY?: boolean;
  setEncoding(encoding: "utf8"): unknown;
}

type SignalName = "SIGINT" | "SIGTERM" | "SIGHUP";

/** What is used of the process. */
interface Process {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  exitCode: number;
  cwd(): string;
  exit(): never;
  on(event: SignalName, listener: () => void): unknown;
  off(event: SignalName, listener: () => void): unknown;
  emitWarning(warning: unknown, ...more: unknown[]): void;
}

/** How long connections that will not end are waited for, in milliseconds. */
const EXIT_DELAY_MS = 1000;

function createOutput(stream: Writable): Output {
  stream.on("error", () => {}); // Each write hears of it by itself.
  return {
    write: (text) =>
      new Promise((resolve, reject) => {
        stream.write(text, (error) => {
          if (error) reject(error.code === "EPIPE" ? new OutputClosedError() : error);
          else resolve();
        });
      }),
    get isTTY() {
      return stream.isTTY === true;
    },
    get columns() {
      return stream.columns;
    },
  };
}

/** The standard input, which is not touched before somebody reads it: then it would keep the process waiting. */
function createInput(process: Process): Input {
  return {
    [Symbol.asyncIterator]() {
      const { stdin } = process;
      stdin.setEncoding("utf8");
      return stdin[Symbol.asyncIterator]();
    },
    get isTTY() {
      return process.stdin.isTTY === true;
    },
  };
}

/** Aborts at the first signal to end; the second finds nobody listening, and ends the process. */
function createStopSignal(process: Process): AbortSignal {
  const controller = new AbortController();
  const names: readonly SignalName[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  const stop = () => {
    for (const name of names) process.off(name, stop);
    controller.abort();
  };
  for (const name of names) process.on(name, stop);
  return controller.signal;
}

function processIo(process: Process): Io {
  return {
    stdin: createInput(process),
    stdout: createOutput(process.stdout),
    stderr: createOutput(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    programUrl: import.meta.url,
    now: () => Date.now(),
    stopSignal: () => createStopSignal(process),
    import: (name) => import(name),
  };
}

/** Node 22 warns of its own SQLite each time that it is loaded; who asked for sqlite: knows what it is. */
function silenceSqliteWarning(process: Process): void {
  const { emitWarning } = process;
  process.emitWarning = (warning, ...more) => {
    if (!/SQLite/.test(String(warning))) emitWarning.call(process, warning, ...more);
  };
}

function main(): void {
  const { process } = globalThis as unknown as { process: Process };
  silenceSqliteWarning(process);
  void run(process.argv.slice(2), processIo(process)).then((code) => {
    process.exitCode = code;
    // All is written. What is left are connections to a server that does not answer.
    const timer: unknown = setTimeout(() => process.exit(), EXIT_DELAY_MS);
    (timer as { unref?(): void }).unref?.();
  });
}

main();
