// The recipes of the guides that are apps in test/apps, where they are compiled and run: both have the same text.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { examplesOf, root } from "./snippet.ts";

const folder = join(root, "test/apps");
const apps = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !["dist", "node_modules"].includes(entry.name))
  .map(({ name }) => name);

/** Returns the sources of an app. */
function filesOf(app: string): string[] {
  return readdirSync(join(folder, app), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.includes("node_modules"))
    .map((file) => readFileSync(join(folder, app, file), "utf8"));
}

const guides = ["docs/frameworks.md", "docs/nest.md", "docs/testing.md", "docs/web.md"];
const recipes = guides.flatMap(examplesOf).filter(({ client }) => client !== "");

describe("the recipes of the guides", () => {
  test.each(recipes)("$name is a file of the app", ({ client, code }) => {
    expect(apps).toContain(client);
    expect(filesOf(client)).toContain(code);
  });

  test("that need no package: node:http", () => {
    const [example] = examplesOf("docs/web.md").filter(({ code }) => code.includes("createServer("));
    expect(filesOf("node-http")).toContain(example?.code);
  });

  test("are most of the apps", () => {
    const shown = new Set(recipes.map(({ client }) => client));
    expect(apps.length).toBeGreaterThanOrEqual(15);
    expect(shown.size).toBeGreaterThanOrEqual(11);
  });
});
