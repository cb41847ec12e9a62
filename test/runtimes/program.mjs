// Starts programs that end: by themselves, at their time limit, or with the driver, and their children with them.

import { spawn } from "node:child_process";

const running = new Set();

/** Each program leads a process group, so that whatever it has started ends with it. */
function kill(child, signal = "SIGKILL") {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended, or was never there.
  }
}

process.once("exit", () => {
  for (const child of running) kill(child);
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));

/**
 * @param options those of `spawn`; `env` is added to the driver's own; `limitMs` is how long it may run
 * @returns `ended`: a promise of what it printed, a rejection if it failed; `stop(signal)`
 */
export function start(command, args, { env, limitMs = 30_000, ...options } = {}) {
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
  // Who stops a program does not ask how it ended.
  ended.catch(() => {});
  const stop = async (signal) => {
    kill(child, signal);
    await ended.catch(() => {});
  };
  return { child, ended, stop };
}

/** Runs a program to its end. @returns what it printed */
export const run = (...program) => start(...program).ended;
