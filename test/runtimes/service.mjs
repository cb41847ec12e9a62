// The programs of docs/service.md, unchanged, on the runtimes that they are written for.

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../freePort.mjs";
import { start } from "./program.mjs";
import { adapted, beginSlowly, check, untilUp } from "./service-checks.mjs";
import { installed } from "./workspace.mjs";

const GUIDE = new URL("../../docs/service.md", import.meta.url);

/** How long a program may take to exit. Node alone waits 5 s for a connection that is kept alive. */
const EXIT_MS = 8000;

/** Returns the program of the guide whose first line is the name of its file. */
async function programOf(file) {
  const [, code] =
    new RegExp(`^\`\`\`js\n(// ${file}\n.*?)^\`\`\``, "ms").exec(await readFile(GUIDE, "utf8")) ?? [];
  if (!code) throw new Error(`the guide has no ${file}`);
  return code;
}

/** Runs a program as a process, and ends it with SIGTERM. */
function inProcess(file, ...command) {
  return async (folder) => {
    const port = await freePort();
    await writeFile(join(folder, file), adapted(await programOf(file), port));
    let said = "";
    const [program, ...args] = [...command, file];
    const { child, ended } = start(program, args, { cwd: folder });
    child.stdout.on("data", (text) => {
      said += text;
    });
    const base = `http://127.0.0.1:${port}`;
    await untilUp(base, ended);
    const outcome = await check(base, { said: () => said });
    const slow = await beginSlowly(base);
    child.kill("SIGTERM");
    await new Promise((wake) => setTimeout(wake, 300));
    // It may be refused with 503, because the request was not complete; the connection must not break.
    const status = await slow.finish().catch(String);
    outcome["answers a request that completes after SIGTERM"] = [200, 503].includes(status)
      ? "ok"
      : `${status}`;
    const limit = setTimeout(() => child.kill("SIGKILL"), EXIT_MS);
    outcome["exits on SIGTERM"] = await ended.then(() => "ok", String);
    clearTimeout(limit);
    return outcome;
  };
}

/** Resolves to the state that must survive a restart: IDs, counter values, the numeric ID of a key. The requests are concurrent. */
async function readState(base) {
  const post = { method: "POST", headers: { "idempotency-key": "lasting" } };
  const send = async (path, options) => (await fetch(`${base}${path}`, options)).json();
  const [flakes, counts, numeric] = await Promise.all([
    Promise.all(Array.from({ length: 20 }, () => send("/generate_snowflake_id"))),
    Promise.all(Array.from({ length: 20 }, () => send("/generate_counter_id"))),
    send("/v1/idgenerator/farmer/id", post),
  ]);
  return {
    flakes: flakes.map(({ id }) => BigInt(id)),
    counts: counts.map(({ id }) => Number(id)),
    numeric: numeric.response.id,
  };
}

/** Asserts that the state continues the state before the restart. */
async function assertContinues(base, before) {
  const after = await readState(base);
  assert.equal(after.numeric, before.numeric);
  const counts = [...before.counts.sort((a, b) => a - b), ...after.counts.sort((a, b) => a - b)];
  assert.deepEqual(
    counts,
    Array.from({ length: 40 }, (_, at) => at + 1),
  );
  assert.equal(new Set([...before.flakes, ...after.flakes]).size, 40);
}

/** Runs the Worker in workerd, twice on one storage, bundled as wrangler bundles it. */
async function inWorkerd(folder) {
  const { build } = await import("esbuild");
  const port = await freePort();
  await writeFile(join(folder, "worker.mjs"), adapted(await programOf("worker.mjs"), port));
  await build({
    entryPoints: [join(folder, "worker.mjs")],
    bundle: true,
    format: "esm",
    external: ["cloudflare:workers"],
    outfile: join(folder, "worker", "index.js"),
    logLevel: "silent",
  });
  await mkdir(join(folder, "worker", "storage"));
  await writeFile(
    join(folder, "worker", "config.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "storage", disk = (path = "${join(folder, "worker", "storage")}", writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  compatibilityDate = "2026-11-01",
  modules = [(name = "worker", esModule = embed "index.js")],
  durableObjectNamespaces = [(className = "Ids", uniqueKey = "ids", enableSql = true)],
  durableObjectStorage = (localDisk = "storage"),
  bindings = [(name = "IDS", durableObjectNamespace = "Ids")],
);`,
  );
  const base = `http://127.0.0.1:${port}`;
  const whileRunning = async (run) => {
    let said = "";
    const { child, ended, stop } = start(installed("@cloudflare/workerd-linux-64/bin/workerd"), [
      "serve",
      join(folder, "worker", "config.capnp"),
    ]);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (text) => {
        said += text;
      });
    }
    try {
      await untilUp(base, ended);
      return await run(() => said);
    } finally {
      await stop();
    }
  };
  const before = await whileRunning(() => readState(base));
  return whileRunning(async (said) => ({
    "keeps its state over a restart": await assertContinues(base, before).then(() => "ok", String),
    ...(await check(base, { said, isByHeader: true })),
  }));
}

const HOSTS = {
  node20: inProcess("mount.mjs", installed("node20/bin/node")),
  node22: inProcess("mount.mjs", installed("node22/bin/node")),
  node24: inProcess("mount.mjs", installed("node24/bin/node")),
  node26: inProcess("mount.mjs", installed("node26/bin/node")),
  deno: inProcess("deno.mjs", installed("@deno/linux-x64-glibc/deno"), "run", "--no-prompt", "--allow-net"),
  bun: inProcess("bun.mjs", installed("@oven/bun-linux-x64/bin/bun")),
  workerd: inWorkerd,
};

/** @returns runtime → title → "ok", or the error */
export async function serve({ folder }) {
  const outcomes = new Map();
  for (const [host, run] of Object.entries(HOSTS)) {
    const outcome = await run(folder).catch((error) => ({ starts: String(error) }));
    outcomes.set(`${host} serves`, outcome);
  }
  return outcomes;
}
