// The adapter for Deno KV, in Deno: the program checks a versionstamp that comes back with a backup, and what differs from
// other stores. stores.ts runs the conformance suites on it.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { examplesOf, root } from "../../docs/snippet.ts";

const deno = process.env.DENO ?? "";

const check = fileURLToPath(new URL("../deno/kv-check.ts", import.meta.url));

/** Runs a command of Deno on a program. */
function run(command: string, program: string, ...args: string[]): { status: number | null; text: string } {
  const env = { ...process.env, NO_COLOR: "1", DENO_NO_PACKAGE_JSON: "1", DENO_NO_UPDATE_CHECK: "1" };
  const { status, stdout, stderr } = spawnSync(deno, [...command.split(" "), program, ...args], {
    env,
    encoding: "utf8",
  });
  return { status, text: stdout + stderr };
}

test.skipIf(!deno)("Deno accepts its own database as the adapter types it", () => {
  expect(run("check --quiet --no-config --unstable-kv", check)).toEqual({ status: 0, text: "" });
});

test.skipIf(!deno)("the program in Deno passes", () => {
  const folder = mkdtempSync(join(tmpdir(), "bitflake-denokv-"));
  try {
    const result = run("run --quiet --no-config --unstable-kv --allow-all", check, folder);
    expect(result).toEqual({ status: 0, text: "passed\n" });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const examples = ["src/backend/drivers/denokv.ts", "docs/stores.md"]
  .flatMap(examplesOf)
  .filter(({ client }) => client === "denokv");

test.skipIf(!deno).each(examples)("$name", ({ code }) => {
  const folder = mkdtempSync(join(tmpdir(), "bitflake-denokv-"));
  try {
    const program = join(folder, "example.ts");
    const sources = pathToFileURL(join(root, "src/")).href;
    const text = code
      .replace(/ from "bitflake\/(\w+)"/g, ` from "${sources}$1/index.ts"`)
      .replace(/^(.+); \/\/ => (.+)$/gm, "console.log(inspect($1));")
      .replace("Deno.openKv()", 'Deno.openKv(":memory:")');
    writeFileSync(program, `import { inspect } from "node:util";\n${text}`);
    const shown = [...code.matchAll(/ \/\/ => (.+)$/gm)].map(([, value]) => `${value}\n`).join("");
    const result = run("run --check --quiet --no-config --unstable-kv --allow-all", program);
    expect(result).toEqual({ status: 0, text: shown });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
