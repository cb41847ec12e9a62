// The public names and their types, compared with the API report in the repository.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { root } from "./project.ts";

test("the package exports what test/package/api.txt lists", () => {
  const report = execFileSync(process.execPath, ["test/package/api.mjs"], { cwd: root, encoding: "utf8" });
  const listed = readFileSync(new URL("api.txt", import.meta.url), "utf8");
  expect(
    report,
    "the public names changed: update the list with `npm run api -- --write` and enter the change in docs/changelog.md",
  ).toBe(listed);
});
