// The program itself: bundled from the source as the package bundles it, and started as a process.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** A program on the disk. */
export interface Program {
  /** The folder that it is in, where a package.json says that it is bitflake. */
  readonly folder: string;
  /** Its file. */
  readonly file: string;
  /** Starts it. */
  start(args: readonly string[], env?: Record<string, string>, cwd?: string): RunningProgram;
  /** Ends the processes that still run, and removes the folder. */
  remove(): void;
}

/** A process. */
interface RunningProgram {
  readonly child: ChildProcess;
  /** What it has written so far. */
  readonly written: { out: string; err: string };
  /** Resolves when the standard output holds a text. */
  waitForOutput(text: string): Promise<void>;
  /** How it ended: its exit code, or the name of the signal. */
  readonly ended: Promise<number | string | null>;
}

function watchProcess(child: ChildProcess): RunningProgram {
  const written = { out: "", err: "" };
  const listeners = new Set<() => void>();
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    written.out += text;
    for (const listen of listeners) listen();
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    written.err += text;
  });
  const ended = new Promise<number | string | null>((resolve) => {
    child.once("close", (code, signal) => resolve(signal ?? code));
  });
  const waitForOutput = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (written.out.includes(text)) resolve();
      };
      listeners.add(look);
      look();
      void ended.then((how) => reject(new Error(`ended with ${how}: ${written.err}`)));
    });
  return { child, written, ended, waitForOutput };
}

/** Makes the program. */
export async function buildProgram(): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), "bitflake-program-"));
  const file = join(folder, "dist", "cli.js");
  await build({
    entryPoints: [fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url))],
    outfile: file,
    bundle: true,
    format: "esm",
    target: "es2022",
    platform: "neutral",
    logLevel: "error",
  });
  const children = new Set<ChildProcess>();
  writeFileSync(join(folder, "package.json"), '{ "name": "bitflake", "type": "module" }');
  return {
    folder,
    file,
    start(args, env = {}, cwd = folder) {
      // A user of its own, unless the test names one: never the state of whoever runs the tests.
      const own = { PATH: process.env.PATH ?? "", HOME: join(folder, "home"), ...env };
      const child = spawn(process.execPath, [file, ...args], { cwd, env: own });
      children.add(child);
      child.once("exit", () => children.delete(child));
      return watchProcess(child);
    },
    remove() {
      for (const child of children) child.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
