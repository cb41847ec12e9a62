// Prints the unit test files that run on Node 24: those that the counting of branches leaves out, and those of the core with
// properties, which load fast-check themselves or through a helper.

import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { uncovered } from "../test/vitest.config.ts";

const found = new Map();

/** Whether a file loads fast-check. */
function usesFastCheck(path) {
  if (!found.has(path)) {
    found.set(path, false);
    const imports = [...readFileSync(path, "utf8").matchAll(/from "([^"]+)"/g)].map(([, name]) => name);
    const helpers = imports
      .filter((name) => /^\..*\.ts$/.test(name))
      .map((name) => join(dirname(path), name));
    found.set(
      path,
      imports.includes("fast-check") ||
        helpers.filter((helper) => helper.startsWith("test/") && existsSync(helper)).some(usesFastCheck),
    );
  }
  return found.get(path);
}

const files = globSync("test/**/*.test.ts", {
  exclude: ["test/integration/**", "test/playground/**", "**/node_modules/**"],
});
const isCore = (file) => /^test.(counter|lease|snowflake|threads)\b/.test(file);
console.log([...new Set([...files.filter(isCore).filter(usesFastCheck).sort(), ...uncovered])].join("\n"));
