// bitflake/lease loads bitflake/threads only for a lease with `threads: true`, in both builds.

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const dist = fileURLToPath(new URL("../../dist", import.meta.url));

/** A program that leases a node, with and without threads, and prints the results. */
const PROGRAM = `
const issue = async (options) => {
  const lease = await leaseNode({ backend: memory(), ...options });
  const { name } = lease.generator.constructor;
  const kind = typeof lease.generator.nextId();
  await lease.release();
  return name + " " + kind;
};
const main = async () => {
  const results = [await issue({})];
  results.push(await issue({ threads: true }).catch((error) => error.code));
  console.log(JSON.stringify(results));
};
main();
`;

describe.each([
  [
    "ESM",
    "mjs",
    "js",
    (name: string) =>
      `import { memory } from "./backend.${name}"; import { leaseNode } from "./lease.${name}";`,
  ],
  [
    "CommonJS",
    "cjs",
    "cjs",
    (name: string) =>
      `const { memory } = require("./backend.${name}"); const { leaseNode } = require("./lease.${name}");`,
  ],
] as const)("the %s build of bitflake/lease", (_, programExtension, extension, importLines) => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "bitflake-lease-threads-"));
    for (const name of ["internal", "backend", "events", "lease", "threads"]) {
      cpSync(join(dist, `${name}.${extension}`), join(folder, `${name}.${extension}`));
    }
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    writeFileSync(join(folder, `program.${programExtension}`), importLines(extension) + PROGRAM);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = (): unknown => {
    const program = join(folder, `program.${programExtension}`);
    const { stdout, stderr } = spawnSync(process.execPath, [program], { encoding: "utf8" });
    expect(stderr).toBe("");
    return JSON.parse(stdout);
  };

  test("returns a SharedGenerator for threads: true", () => {
    expect(run()).toEqual(["SnowflakeGenerator bigint", "SharedGenerator bigint"]);
  });

  test("works without the file of bitflake/threads when no threads are requested", () => {
    rmSync(join(folder, `threads.${extension}`));
    expect(run()).toEqual([
      "SnowflakeGenerator bigint",
      expect.stringMatching(/^(ERR_MODULE_NOT_FOUND|MODULE_NOT_FOUND)$/),
    ]);
  });
});
