// The warning of processes that share a node by accident, in real processes: of node:cluster, and as PM2 and Kubernetes
// start them. They load the built package.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";

const dist = new URL("../../dist/", import.meta.url);
const folder = mkdtempSync(join(tmpdir(), "bitflake-shared-node-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const imports = `
  import { createRequire } from "node:module";
  import { nextId, nextIds, makeGenerator, makeGeneratorFromEnv, SnowflakeGenerator } from "${dist}index.js";
  import { SharedGenerator } from "${dist}threads.js";
  import { leaseNode } from "${dist}lease.js";
  import { memory } from "${dist}backend.js";
  const copy = createRequire("${dist}")("${fileURLToPath(dist)}index.cjs");
`;

/** The environment of a process without a sign of other processes. */
const plain = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(KUBERNETES_|NODE_APP_INSTANCE|pm_id|FLAKEID_|VITEST|NODE_OPTIONS)/.test(name),
  ),
);

/** Runs code in a process. Returns the lines of its warnings. */
function warningsOf(code: string, env: Record<string, string>): string[] {
  const file = join(folder, "process.mjs");
  writeFileSync(file, `${imports}${code}`);
  const { status, stderr } = spawnSync(process.execPath, [file], {
    encoding: "utf8",
    env: { ...plain, ...env },
  });
  if (status !== 0) throw new Error(stderr);
  return stderr.split("\n").filter((line) => line.includes("BITFLAKE_SHARED_NODE_ID"));
}

const KUBERNETES = { KUBERNETES_SERVICE_HOST: "10.0.0.1" };

describe("a generator without a node ID", () => {
  test.each<[string, Record<string, string>, string]>([
    ["in a Kubernetes pod", KUBERNETES, "in a Kubernetes pod"],
    ["under PM2", { NODE_APP_INSTANCE: "0", pm_id: "0" }, "a process of PM2"],
    ["under PM2 with another name for the instance", { pm_id: "3" }, "a process of PM2"],
  ])(
    "%s warns once, however many there are and from however many copies of the package",
    (_where, env, what) => {
      const warnings = warningsOf(
        `nextId();
       nextIds(2);
       for (let i = 0; i < 3; i++) makeGenerator("twitter").nextId();
       makeGeneratorFromEnv("twitter");
       new SharedGenerator("single_dc");
       copy.nextId();
       copy.makeGenerator("twitter");`,
        env,
      );
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toContain(`[BITFLAKE_SHARED_NODE_ID] BitflakeWarning: this process is ${what}`);
    },
  );

  test.each([
    "nextId();",
    "nextIds(1);",
    'makeGenerator("twitter");',
    "new SnowflakeGenerator();",
    'makeGeneratorFromEnv("twitter");',
    'makeGeneratorFromEnv("minimal", { required: true });',
    'new SharedGenerator("twitter");',
    'copy.makeGenerator("twitter");',
  ])("warns by %s", (code) => {
    expect(warningsOf(code, KUBERNETES)).toHaveLength(1);
  });

  test("emits no warning without a sign of other processes", () => {
    expect(warningsOf('nextId(); makeGenerator("twitter").nextId();', {})).toEqual([]);
    const child = `import { fork } from "node:child_process";
      if (process.send) nextId();
      else fork(process.argv[1]);`;
    expect(warningsOf(child, {})).toEqual([]);
  });

  test("emits no warning if a node was given, also node 0, or for a lease", () => {
    const chosen = `
      makeGenerator("twitter", { machineId: 0 }).nextId();
      makeGenerator("twitter", { datacenterId: 0 }).nextId();
      makeGeneratorFromEnv("twitter", { env: { FLAKEID_MACHINE_ID: "0" } }).nextId();
      new SharedGenerator("twitter", { machineId: 0 }).nextId();
      makeGenerator("twitter", { machineId: 1 });
      const lease = await leaseNode({ backend: memory() });
      lease.generator.nextId();
      await lease.release();
      const shared = await leaseNode({ backend: memory(), threads: true });
      SharedGenerator.attach(shared.generator.handle);
      await shared.release();
    `;
    expect(warningsOf(chosen, KUBERNETES)).toEqual([]);
  });

  test("emits no warning where it attaches to a generator of another thread", () => {
    const joined = `
      const { handle } = new SharedGenerator("twitter", { machineId: 0 });
      const { machineId, ...options } = handle.options;
      try {
        SharedGenerator.attach({ ...handle, options });
      } catch {}
    `;
    expect(warningsOf(joined, KUBERNETES)).toEqual([]);
  });
});

describe("a cluster of four", () => {
  /** Runs a program in a cluster of four workers, and counts its IDs and warnings. */
  function cluster(setUp: string, fork: string) {
    const file = join(folder, "cluster.mjs");
    writeFileSync(
      file,
      `import cluster from "node:cluster";
       ${imports}
       if (cluster.isPrimary) {
         const all = [];
         let warnings = 0;
         let running = 4;
         for (let slot = 0; slot < 4; slot++) {
           const worker = cluster.fork(${fork});
           worker.on("message", ({ ids, warned }) => {
             all.push(...ids);
             warnings += warned;
             worker.disconnect();
           });
           worker.on("exit", () => {
             if (--running === 0) console.log(JSON.stringify([all.length, new Set(all).size, warnings]));
           });
         }
       } else {
         let warned = 0;
         process.on("warning", ({ code }) => {
           if (code === "BITFLAKE_SHARED_NODE_ID") warned++;
         });
         ${setUp}
         const ids = [];
         // All workers have the same clock, so that the number of repeated IDs does not depend on their speed.
         const clock = ((now) => () => now++)(1_800_000_000_000);
         for (let i = 0; i < 1000; i++) ids.push(String(make(clock).nextId()));
         setImmediate(() => process.send({ ids, warned })); // Warnings come in between.
       }`,
    );
    const printed = execFileSync(process.execPath, [file], {
      encoding: "utf8",
      env: plain,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [made, distinct, warnings] = JSON.parse(printed) as number[];
    return { made, distinct, warnings };
  }

  test("repeats IDs and warns once in each worker when no variable has the node", () => {
    const setUp = `const ids1 = makeGeneratorFromEnv("twitter");
      nextId();
      const make = (clock) => makeGeneratorFromEnv("twitter", { clock });`;
    expect(cluster(setUp, "{}")).toEqual({ made: 4000, distinct: 1000, warnings: 4 });
  });

  test("repeats no ID and emits no warning with the node from a slot, as in the guide", () => {
    const setUp = `const make = (clock) => makeGeneratorFromEnv("twitter", { clock, required: true });`;
    expect(cluster(setUp, '{ FLAKEID_DATACENTER_ID: "0", FLAKEID_MACHINE_ID: String(slot) }')).toEqual({
      made: 4000,
      distinct: 4000,
      warnings: 0,
    });
  });
});
