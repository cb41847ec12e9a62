// A free port for a server that a test starts.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** A file for each port that a process of the tests has, with its process ID. */
const claims = join(tmpdir(), `bitflake-ports-${userInfo().uid}`);

/**
 * Tells whether a process runs.
 *
 * @param {number} pid
 * @returns {boolean}
 */
function runs(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Another user's process.
    return error.code === "EPERM";
  }
}

/**
 * Claims a port for this process until it ends. Its server may start some time later, and be down for a time.
 *
 * @param {number} port
 * @returns {boolean}
 */
function claim(port) {
  const file = join(claims, String(port));
  mkdirSync(claims, { recursive: true });
  try {
    writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    removeIfEnded(file);
    return false;
  }
}

/**
 * Removes the claim of a process that has ended, for a later call.
 *
 * @param {string} file
 */
function removeIfEnded(file) {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    if (pid > 0 && !runs(pid)) rmSync(file);
  } catch {
    // Another process has removed it.
  }
}

/**
 * Tells whether no process listens on a port, at any address.
 *
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}

/**
 * Returns a free port below the ephemeral ports. The system could give one of those to any connection before the server
 * has started; and a client that reconnects could get the very port that it connects to, and talk to itself.
 *
 * @returns {Promise<number>}
 */
export async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (claim(port) && (await isFree(port))) return port;
  }
}
