// Every example of the README, the guides and the doc comments that needs no client: it compiles, runs, and returns the
// value after `// =>`. Examples that need a client are in test/integration/examples.test.ts.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { diagnostics, examplesOf, pages, root, run, sources } from "./snippet.ts";

const folder = mkdtempSync(join(tmpdir(), "bitflake-examples-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const examples = [...pages, ...sources].flatMap(examplesOf).filter(({ client }) => client === "");

describe("examples", () => {
  test("are found in the README, the guides and the sources", () => {
    expect(examples.length).toBeGreaterThan(130);
  });

  test("compile", () => {
    const options = { lib: "lib.es2022.d.ts", typeRoot: join(root, "node_modules/@types") };
    expect(diagnostics(examples, folder, options)).toEqual({});
  });

  test.each(examples)("$name", ({ code }) => run(code));
});
