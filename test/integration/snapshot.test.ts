// Copies of one process: four processes from one V8 startup snapshot have no random value in common.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterEach, describe, expect, test } from "vitest";
import { makeKnown } from "./known-namespace.ts";
import { makeProject } from "./programs.ts";

const COPIES = 4;
const APP = fileURLToPath(new URL("snapshot/app.mjs", import.meta.url));

/** The Node versions: those of test/runtimes, or this one if it is of that version. */
function nodeOf(major: number): string | undefined {
  const path = fileURLToPath(new URL(`../runtimes/node_modules/node${major}/bin/node`, import.meta.url));
  if (existsSync(path)) return path;
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  if (process.env.CI) throw new Error(`Node ${major} is missing: npm ci --prefix test/runtimes`);
  console.log(
    `Snapshots of Node ${major} are left out: npm ci --ignore-scripts --no-bin-links --prefix test/runtimes`,
  );
  return undefined;
}

const nodes = [20, 22, 24].flatMap((major) => {
  const path = nodeOf(major);
  return path === undefined ? [] : [[major, path] as const];
});

type Tokens = Readonly<Record<string, string>>;

interface Report {
  /** The first random values, and the last ones. */
  readonly tokens: Tokens;
  readonly more: Tokens;
  readonly node: number;
  readonly ids: readonly string[];
  readonly runs: number;
  readonly value: string;
}

const undo: (() => unknown)[] = [];
afterEach(() => {
  for (const step of undo.splice(0).reverse()) step();
});

/** A process from the snapshot: `ready` resolves when it waits, `go` lets it work, `end` lets it end. */
function start(node: string, folder: string, env: NodeJS.ProcessEnv) {
  const child = spawn(node, ["--snapshot-blob", "app.blob"], { cwd: folder, env });
  undo.push(() => child.kill("SIGKILL"));
  const ended = once(child, "exit");
  let errors = "";
  child.stderr.on("data", (text) => {
    errors += text;
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`it ended with ${await ended}: ${errors}`);
    return value as string;
  };
  return {
    ready: next(),
    async go(): Promise<Report> {
      child.stdin.write("go\n");
      return JSON.parse(await next());
    },
    async end(): Promise<void> {
      child.stdin.end();
      expect(await ended).toEqual([0, null]);
    },
  };
}

async function bundled(): Promise<string> {
  const folder = makeProject({}, "ioredis");
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  const outfile = join(folder, "app.cjs");
  await build({
    entryPoints: [APP],
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    nodePaths: [join(folder, "node_modules")],
  });
  return folder;
}

// Without a Redis, globalSetup.ts reports the skipped tests.
describe.runIf(process.env.REDIS_URL)("four processes of one snapshot", () => {
  test.each(nodes)(
    "on Node %d hold four nodes, repeat no ID or token, and do work once",
    async (major, node) => {
      const folder = await bundled();
      const name = `snapshot ${process.pid} ${major}`;
      await makeKnown(process.env.REDIS_URL as string, { preset: "twitter", name, ttlMs: 30_000 });
      const env = { ...process.env, SNAPSHOT_NAME: name };
      const flags = ["--snapshot-blob", "app.blob", "--build-snapshot", "app.cjs"];
      execFileSync(node, flags, { cwd: folder, env, stdio: "pipe" });
      const copies = Array.from({ length: COPIES }, () => start(node, folder, env));
      await Promise.all(copies.map(({ ready }) => ready));
      const reports = await Promise.all(copies.map((copy) => copy.go()));
      await Promise.all(copies.map((copy) => copy.end()));

      expect(new Set(reports.map((report) => report.node)).size).toBe(COPIES);
      const ids = reports.flatMap((report) => report.ids);
      expect(ids.length).toBeGreaterThan(1000);
      expect(ids.length - new Set(ids).size).toBe(0);
      expect(reports.map(({ value }) => value)).toEqual(Array(COPIES).fill("done"));
      expect(reports.reduce((sum, { runs }) => sum + runs, 0)).toBe(1);
      for (const kind of Object.keys(reports[0]?.tokens ?? {})) {
        const drawn = reports.flatMap(({ tokens, more }) => [tokens[kind], more[kind]]);
        expect([kind, new Set(drawn).size]).toEqual([kind, 2 * COPIES]);
      }
    },
  );
});
