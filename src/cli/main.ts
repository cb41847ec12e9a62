#!/usr/bin/env node

// The `bitflake` program: runs the command line on the process's streams, variables and signals.

import { type Input, type Io, type Output, OutputClosedError } from "./io.ts";
import { run } from "./run.ts";

/** The part of a writable stream that the program uses. */
interface Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string, done: (error?: (Error & { code?: unknown }) | null) => void): unknown;
  on(event: "error", listener: () => void): unknown;
}

/** The part of a readable stream that the program uses. */
interface Readable extends AsyncIterable<string> {
  readonly isTTY?: boolean;
  setEncoding(encoding: "utf8"): unknown;
}

type SignalName = "SIGINT" | "SIGTERM" | "SIGHUP";

/** The part of the process that the program uses. */
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

/** How long the process waits for connections that do not close, in milliseconds. */
const EXIT_DELAY_MS = 1000;

function createOutput(stream: Writable): Output {
  stream.on("error", () => {}); // Each write gets its own error.
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

/** Returns the standard input. The stream is opened by the first read, because an open one keeps the process running. */
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

/** Returns a signal that the first stop signal aborts. The second one has no listener, so it ends the process. */
function createStopSignal(process: Process, onHangup?: () => void): AbortSignal {
  const controller = new AbortController();
  const names: readonly SignalName[] = onHangup ? ["SIGINT", "SIGTERM"] : ["SIGINT", "SIGTERM", "SIGHUP"];
  if (onHangup) process.on("SIGHUP", onHangup);
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
    stopSignal: (onHangup) => createStopSignal(process, onHangup),
    import: (name) => import(name),
  };
}

/** Drops the warning that Node 22 prints each time its SQLite is loaded. */
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
    // All output is written. Only connections to a server that does not answer can keep the process running.
    const timer: unknown = setTimeout(() => process.exit(), EXIT_DELAY_MS);
    (timer as { unref?(): void }).unref?.();
  });
}

main();
