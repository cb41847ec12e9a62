// Files of the repository that the maintainers' pages name in code spans: each one exists.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./snippet.ts";

const decisions = readdirSync(join(root, "docs/decisions"))
  .filter((file) => file !== "index.md")
  .map((file) => `docs/decisions/${file}`);

/** Returns the code spans that look like a file or folder. Fences are left out: they show trees and commands. */
function pathsOf(page: string): string[] {
  const text = readFileSync(join(root, page), "utf8").replace(/^```.*?^```/gms, "");
  return [...text.matchAll(/`((?:src|test|docs|bench)\/[^`<>()\s]*|[\w./*-]+\.(?:ts|mjs))`/g)].map(
    ([, path = ""]) => path,
  );
}

const sources = readdirSync(root, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => /^(?:src|test|bench|docs|[^/]*\.ts$)/.test(path) && !path.includes("node_modules"));

/** Returns whether a path from the root, or the name of a file somewhere, exists; `*` stands for part of a name. */
function exists(path: string): boolean {
  if (!path.includes("*") && path.includes("/") && existsSync(join(root, path))) return true;
  const pattern = new RegExp(
    `(?:^|/)${path.replace(/[.+]/g, "\\$&").replaceAll("*", "[^/]*").replace(/\/$/, "")}$`,
  );
  return sources.some((source) => pattern.test(source));
}

test.each(["docs/architecture.md", "docs/contributing.md", ...decisions])(
  "every path in %s exists",
  (page) => {
    const paths = pathsOf(page);
    expect(paths).not.toEqual([]);
    expect(paths.filter((path) => !exists(path))).toEqual([]);
  },
);
