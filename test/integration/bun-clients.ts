// Bun's own clients with their adapters, which run in a process of Bun. The tests reach them by requests.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { PortSettings, RedisPort, SqlPort } from "bitflake/backend";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const bun = here("../runtimes/node_modules/@oven/bun-linux-x64/bin/bun");

/** Whether the Bun of test/runtimes is installed. */
export const bunHere: boolean = existsSync(bun);

/** Starts a Bun with a client. */
async function start(kind: "sql" | "redis", url: string, settings: PortSettings = {}) {
  const args = [here("bun/bridge.mjs"), JSON.stringify({ kind, url, settings })];
  const child = spawn(bun, args, { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const address = `http://127.0.0.1:${Number(String(line))}/`;
  return {
    async call(method: string, ...args: readonly unknown[]): Promise<never> {
      const response = await fetch(address, { method: "POST", body: JSON.stringify({ method, args }) });
      const { answer, error } = (await response.json()) as { answer: never; error?: { message: string } };
      if (error) throw Object.assign(new Error(error.message), error);
      return answer;
    },
    async close() {
      const ended = once(child, "exit");
      child.stdin.end();
      await ended;
    },
  };
}

/** Runs a program, and resolves to its output. The packages of the tests are found from its folder. */
export async function runByBun(code: string): Promise<string> {
  const folder = here("node_modules/.bitflake");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `bun-${process.pid}-${programs++}.ts`);
  writeFileSync(file, code);
  try {
    return (await promisify(execFile)(bun, [file])).stdout;
  } finally {
    rmSync(file);
  }
}

let programs = 0;

const bunSql = {
  name: "fromBunSql",
  async open(url: string, settings?: PortSettings): Promise<{ port: SqlPort; close(): Promise<void> }> {
    const { call, close } = await start("sql", url, settings);
    const query: SqlPort["query"] = (text, params) => call("query", text, params);
    return { port: { ...settings, dialect: "postgres", query }, close };
  },
};

const bunRedis = {
  name: "fromBunRedis",
  async open(url: string, settings?: PortSettings): Promise<{ port: RedisPort; close(): Promise<void> }> {
    const { call, close } = await start("redis", url, settings);
    const port: RedisPort = { ...settings, eval: (script, keys, args) => call("eval", script, keys, args) };
    return { port, close };
  },
};

export const bunSqlAdapters = bunHere ? [bunSql] : [];
export const bunRedisAdapters = bunHere ? [bunRedis] : [];
