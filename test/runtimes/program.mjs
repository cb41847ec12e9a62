// Starts programs. Each ends by itself, at its time limit or with this process, and its children end with it.

import { spawn } from "node:child_process";

const running = new Set();

/** Ends a program and its children. Each program leads a process group. */
function kill(child, signal = "SIGKILL") {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended already, or did not start.
  }
}

process.once("exit", () => {
  for (const child of running) kill(child);
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));

/**
 * Starts a program.
 *
 * @param options those of `spawn`; `env` is added to the environment of this process; `limitMs` is the time limit
 * @returns `ended`, a promise of the output, which rejects when the program fails; and `stop(signal)`
 */
export function start(command, args, { env, limitMs = 300_000, ...options } = {}) {
  const child = spawn(command, args, {
    ...options,
    env: { ...process.env, NO_COLOR: "1", ...env },
    detached: true,
  });
  running.add(child);
  const out = [];
  const err = [];
  child.stdout?.on("data", (chunk) => out.push(chunk));
  child.stderr?.on("data", (chunk) => err.push(chunk));
  const limit = setTimeout(kill, limitMs, child);
  const ended = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      const text = Buffer.concat(out).toString();
      if (code === 0) return resolve(text);
      const last = (Buffer.concat(err).toString().trim() || text.trim()).slice(-600);
      reject(new Error(`${command.split("/").at(-1)} ended with ${signal ?? code}: ${last}`));
    });
  }).finally(() => {
    clearTimeout(limit);
    kill(child);
    running.delete(child);
  });
  // A caller that stops a program ignores its result.
  ended.catch(() => {});
  const stop = async (signal) => {
    kill(child, signal);
    await ended.catch(() => {});
  };
  return { child, ended, stop };
}

/** Runs a program to its end and returns its output. */
export const run = (...program) => start(...program).ended;
