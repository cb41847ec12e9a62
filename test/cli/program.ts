// The program: bundled from the source as the package bundles it, and started as a process.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** A program in a folder of its own. */
export interface Program {
  /** Its folder, whose package.json has the name bitflake. */
  readonly folder: string;
  readonly file: string;
  /** Starts it as a process. */
  start(args: readonly string[], env?: Record<string, string>, cwd?: string): RunningProgram;
  /** Kills its processes and removes its folder. */
  remove(): void;
}

/** A started process. */
interface RunningProgram {
  readonly child: ChildProcess;
  /** Its output so far. */
  readonly written: { out: string; err: string };
  /** Resolves when an output contains a text; by default the standard output. Rejects if the process ends before. */
  waitForOutput(text: string, stream?: "out" | "err"): Promise<void>;
  /** Resolves to the exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string | null>;
}

function watchProcess(child: ChildProcess): RunningProgram {
  const written = { out: "", err: "" };
  const listeners = new Set<() => void>();
  const collect = (stream: "out" | "err") => (text: string) => {
    written[stream] += text;
    for (const listener of listeners) listener();
  };
  child.stdout?.setEncoding("utf8").on("data", collect("out"));
  child.stderr?.setEncoding("utf8").on("data", collect("err"));
  const ended = new Promise<number | string | null>((resolve) => {
    child.once("close", (code, signal) => resolve(signal ?? code));
  });
  const waitForOutput = (text: string, stream: "out" | "err" = "out") =>
    new Promise<void>((resolve, reject) => {
      const check = () => {
        if (written[stream].includes(text)) resolve();
      };
      listeners.add(check);
      check();
      void ended.then((how) => reject(new Error(`ended with ${how}: ${written.err}`)));
    });
  return { child, written, ended, waitForOutput };
}

/** Bundles the program into a new folder. */
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
      // A home of its own, unless the test sets one: never the state folder of the user who runs the tests.
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
