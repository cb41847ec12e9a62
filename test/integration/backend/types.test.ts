// Types of the adapters with those of the clients: the valid lines of clients.test-d.ts compile, and the others do not.

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

test.each([".", "bun"])(
  "in %s the adapters accept the clients as their packages type them, and nothing else",
  (configuration) => {
    const compiler = createRequire(import.meta.url).resolve("typescript/bin/tsc");
    const folder = fileURLToPath(new URL(`../${configuration}`, import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, [compiler, "-p", folder], {
      encoding: "utf8",
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
  },
);
