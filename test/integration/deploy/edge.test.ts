// The examples for Cloudflare and Deno Deploy: the Worker in miniflare, the program in Deno with its Deno KV on a local file.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterEach, expect, test } from "vitest";
import { deployFile } from "../../deploy/monitoring.ts";
import { root } from "../../docs/snippet.ts";
import { freePort } from "../../freePort.mjs";
import { miniflareHere } from "../miniflare-here.ts";
import { makeProject } from "../programs.ts";

const KEY = "0123456789abcdef";
const { DENO } = process.env;

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  json(): Promise<unknown>;
  text(): Promise<string>;
}

/** Asserts that a deployed service issues IDs to a client with a key, and to no other. */
async function assertServes(send: (path: string, init: RequestInit) => Promise<Answer>): Promise<void> {
  const headers = { "x-api-key": KEY };
  expect((await send("/generate_snowflake_id", {})).status).toBe(401);
  const { ids } = (await (await send("/generate_snowflake_id?count=100", { headers })).json()) as {
    ids: string[];
  };
  expect(new Set(ids).size).toBe(100);
  expect(await (await send("/generate_counter_id", { headers })).json()).toEqual({ id: "1" });
  expect((await send("/health", {})).status).toBe(200);
  const metrics = await (await send("/metrics", { headers })).text();
  expect(metrics).toContain("bitflake_ready 1\n");
  expect(metrics).toContain("bitflake_lease_held{");
}

test.runIf(miniflareHere)(
  "the Worker serves, with the names of wrangler.json",
  async () => {
    const { Miniflare } = await import("miniflare");
    const folder = makeProject({});
    folders.push(folder);
    copyFileSync(deployFile("cloudflare/worker.mjs"), join(folder, "worker.mjs"));
    const settings = JSON.parse(readFileSync(deployFile("cloudflare/wrangler.json"), "utf8"));
    const [binding] = settings.durable_objects.bindings;
    expect(settings.migrations).toEqual([{ tag: "v1", new_sqlite_classes: [binding.class_name] }]);
    const outfile = join(folder, "bundle.mjs");
    await build({
      entryPoints: [join(folder, settings.main)],
      bundle: true,
      format: "esm",
      external: ["cloudflare:workers"],
      outfile,
      logLevel: "silent",
    });
    const worker = new Miniflare({
      modules: true,
      script: readFileSync(outfile, "utf8"),
      compatibilityDate: "2026-07-01",
      durableObjects: { [binding.name]: { className: binding.class_name, useSQLite: true } },
      bindings: { API_KEYS: KEY },
    });
    try {
      const url = await worker.ready;
      await assertServes((path, init) => fetch(new URL(path, url), init));
      const issued = await fetch(new URL("/v1/idgenerator/farmer/id", url), {
        method: "POST",
        headers: { "x-api-key": KEY },
      });
      expect(issued.status).toBe(200);
    } finally {
      await worker.dispose();
    }
  },
  600_000,
);

test.runIf(DENO)(
  "the program for Deno Deploy serves, and refuses to start without keys",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "bitflake-deno-"));
    folders.push(folder);
    copyFileSync(deployFile("deno/main.js"), join(folder, "main.js"));
    const dist = (name: string) => pathToFileURL(join(root, "dist", `${name}.js`)).href;
    // The package is not published: its specifiers lead to the build.
    const imports = Object.fromEntries(
      ["backend", "service"].map((name) => [`npm:bitflake@^0.1.0/${name}`, dist(name)]),
    );
    writeFileSync(join(folder, "deno.json"), JSON.stringify({ imports, unstable: ["kv"] }));
    const port = await freePort();
    const env = {
      PATH: process.env.PATH,
      DENO_DIR: join(folder, "cache"),
      DENO_KV_PATH: join(folder, "kv.sqlite3"),
      DENO_NO_UPDATE_CHECK: "1",
      DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}`,
    };
    const program = readFileSync(join(folder, "main.js"), "utf8").replace(
      "Deno.openKv()",
      'Deno.openKv(Deno.env.get("DENO_KV_PATH"))',
    );
    writeFileSync(join(folder, "main.js"), program);
    const args = ["run", "--allow-all", "main.js"];
    await expect(promisify(execFile)(DENO as string, args, { cwd: folder, env })).rejects.toThrow("API_KEYS");
    const child = spawn(DENO as string, args, {
      cwd: folder,
      env: { ...env, API_KEYS: KEY },
      stdio: "ignore",
    });
    try {
      const url = `http://127.0.0.1:${port}`;
      for (const end = Date.now() + 600_000; ; await sleep(100)) {
        const isUp = await fetch(`${url}/livez`).then(
          ({ ok }) => ok,
          () => false,
        );
        if (isUp) break;
        expect(Date.now()).toBeLessThan(end);
      }
      // The start, which the first request begins, waits for nothing: the store is new, but tells no history.
      await assertServes((path, init) => fetch(url + path, init));
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      expect((await ended)[0]).toBe(0);
    } finally {
      child.kill("SIGKILL");
    }
  },
  600_000,
);
