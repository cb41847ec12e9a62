// A process can end when its work is done: no timer of the library keeps it alive, and late answers cause no error.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { postgresAdapters } from "../postgres-clients.ts";
import { redisAdapters } from "../redis-clients.ts";
import { type Server, startable, startPostgres, startRedis } from "../servers.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
// A program in this folder finds the clients, and git ignores it.
const folder = join(here, "../node_modules/.bitflake");

beforeAll(() =>
  build({
    entryPoints: ["process-exit.ts", "waiting.ts"].map((file) => join(here, file)),
    alias: { "bitflake/backend": join(here, "../../../src/backend/index.ts") },
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    packages: "external",
    format: "esm",
    platform: "node",
    target: "node20",
  }),
);

/** Starts one of the two programs, with a time limit. A killed program has no exit code. */
function run(program: string, ...args: string[]) {
  const command = ["--no-warnings", join(folder, `${program}.mjs`), ...args];
  const child = spawn(process.execPath, command, { timeout: 20_000 });
  const started = performance.now();
  const ended = once(child, "exit").then(([code]) => ({ code, ms: performance.now() - started }));
  return { stdin: child.stdin, stdout: child.stdout.setEncoding("utf8"), errors: text(child.stderr), ended };
}

describe.each([
  { kind: "Redis", adapters: redisAdapters, start: startRedis, there: startable.redis },
  { kind: "PostgreSQL", adapters: postgresAdapters, start: startPostgres, there: startable.postgres },
])("a process with a frozen $kind", ({ adapters, start, there }) => {
  let server: Server;
  beforeAll(async () => {
    if (there) server = await start();
  });
  afterAll(() => server?.stop());

  const cases = adapters.flatMap(({ name }) => ["thaws", "dies"].map((fate) => ({ name, fate })));
  describe.skipIf(!there).each(cases)("that $fate", ({ name, fate }) => {
    afterEach(() => server.restart());

    test(`ends without errors, by ${name}`, async () => {
      const { stdin, stdout, errors, ended } = run("process-exit", name, server.url);
      // If it crashed, its errors.
      const line = async () => String(await Promise.race([once(stdout, "data"), ended.then(() => errors)]));
      expect(await line()).toBe("answered\n");
      server.pause();
      stdin.write("frozen\n");
      expect(await line()).toBe("timeout\n");
      if (fate === "thaws") server.resume();
      else await server.kill();
      stdin.write("woken\n");
      expect(await line()).toBe("closed\n");
      const closed = performance.now();
      const { code } = await ended;
      expect({ code, errors: await errors }).toEqual({ code: 0, errors: "" });
      // Clients may take a few seconds to close; the timer of the first call would take a minute.
      expect(performance.now() - closed).toBeLessThan(10_000);
    });
  });
});

describe("a process that waits for an answer that never comes", () => {
  test("stays alive until the timeout, and gets the error", async () => {
    const { stdout, ended } = run("waiting", "1000");
    const printed = await text(stdout);
    const { code, ms } = await ended;
    expect({ code, printed }).toEqual({ code: 0, printed: "timeout\n" });
    expect(ms).toBeGreaterThan(1000);
  });

  test("can end before the answer if it waits in the background", async () => {
    const { stdout, ended } = run("waiting", "60000", "background");
    const printed = await text(stdout);
    const { code, ms } = await ended;
    expect({ code, printed }).toEqual({ code: 0, printed: "" });
    expect(ms).toBeLessThan(10_000);
  });
});
