// The linter's rules on imports: biome.json refuses a cycle, an import upwards and a module of Node, in types too.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "./project.ts";

const folder = mkdtempSync(join(tmpdir(), "bitflake-layers-"));

/** Lints source files in an empty repository with the configuration of this one. Returns the names of the rules. */
function lint(files: Readonly<Record<string, string>>): string[] {
  const src = join(folder, "src");
  rmSync(src, { recursive: true, force: true });
  for (const [file, code] of Object.entries(files)) {
    mkdirSync(dirname(join(src, file)), { recursive: true });
    writeFileSync(join(src, file), code);
  }
  const biome = join(root, "node_modules/@biomejs/biome/bin/biome");
  const args = [biome, "lint", "--vcs-enabled=false", "--reporter=json", "."];
  const { stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { category: string }[] };
  return [...new Set(diagnostics.map(({ category }) => category.replace("lint/", "")))].sort();
}

const CYCLE = "suspicious/noImportCycles";
const UPWARDS = "style/noRestrictedImports";

beforeAll(() => {
  cpSync(join(root, "biome.json"), join(folder, "biome.json"));
  cpSync(join(root, ".build"), join(folder, ".build"), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the linter", () => {
  test("accepts imports downwards", () => {
    expect(
      lint({
        "errors.ts": "export const a = 1;\n",
        "internal.ts": 'export * from "./errors.ts";\n',
        "backend/call.ts": 'export { a } from "../internal.ts";\n',
        "lease/native/sql.ts": 'export { a } from "../../backend/call.ts";\n',
        "service/node/listener.ts": 'export * from "node:fs";\n',
      }),
    ).toEqual([]);
  });

  test.each(["backend", "cli", "idempotency", "lease", "numeric", "service", "snowflake", "text"])(
    "refuses a cycle of types in %s/",
    (name) => {
      expect(
        lint({
          [`${name}/a.ts`]: 'import type { B } from "./b.ts";\n\nexport type A = B | 1;\n',
          [`${name}/b.ts`]: 'import type { A } from "./a.ts";\n\nexport type B = A | 2;\n',
        }),
      ).toEqual([CYCLE]);
    },
  );

  test.each([
    ["errors.ts", "./validate.ts"],
    ["validate.ts", "./snowflake/clock.ts"],
    ["snowflake/clock.ts", "../text/hex.ts"],
    ["text/hex.ts", "../errors.ts"],
    ["threads/memory.ts", "../lease/rule.ts"],
    ["events/channels.ts", "../lease/rule.ts"],
    ["snowflake/entryStep.ts", "../events/channels.ts"],
    ["backend/call.ts", "../lease/rule.ts"],
    ["backend/drivers/memory.ts", "../../counter/rule.ts"],
    ["lease/rule.ts", "../numeric/type.ts"],
    ["lease/native/sql.ts", "../../service/app.ts"],
    ["counter/rule.ts", "../idempotency/rule.ts"],
    ["ratelimit/limiter.ts", "../service/app.ts"],
    ["ratelimit/limiter.ts", "../web/express.ts"],
    ["web/express.ts", "../service/app.ts"],
    ["web/node.ts", "node:http"],
    ["client/sender.ts", "../service/app.ts"],
    ["client/sender.ts", "node:http"],
    ["orm/typeorm.ts", "../backend/call.ts"],
    ["testing/index.ts", "../service/app.ts"],
    ["testing/conformance/rule.ts", "../../cli/run.ts"],
    ["service/app.ts", "../cli/run.ts"],
    ["service/routes/generate.ts", "../../cli/run.ts"],
    ["service/node/listener.ts", "../../cli/run.ts"],
    ["snowflake/clock.ts", "node:fs"],
    ["backend/call.ts", "node:fs"],
    ["testing/conformance/rule.ts", "node:fs"],
    ["service/routes/generate.ts", "node:fs"],
  ])("refuses in %s an import of %s", (file, path) => {
    expect(lint({ [file]: `import type { A } from "${path}";\n\nexport type B = A;\n` })).toEqual([UPWARDS]);
    expect(lint({ [file]: `export const load = () => import("${path}");\n` })).toEqual([UPWARDS]);
  });

  test("refuses an import inside a type, which these rules do not see", () => {
    expect(lint({ "lease/rule.ts": 'export type A = import("../service/app.ts").A;\n' })).toEqual(["plugin"]);
  });
});
