// The manifests for JSR and npm name the same entries. `.ci/run` also has Deno check the package as if it were published.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "./project.ts";

const read = (file: string) => readFileSync(join(root, file), "utf8");
const jsr = JSON.parse(read("jsr.json")) as { version: string; license: string; exports: object };
const npm = JSON.parse(read("package.json")) as {
  version: string;
  license: string;
  exports: object;
  typesVersions: { "*": object };
};

/** The entries that are files of a folder which is not named for them. */
const FOLDERS: Readonly<Record<string, string>> = {
  "./drizzle": "orm",
  "./express": "web",
  "./fastify": "web",
  "./hono": "web",
  "./kysely": "orm",
  "./node": "web",
  "./prisma": "orm",
  "./typeorm": "orm",
};

test("each subpath of package.json has its types under node10", () => {
  const paths = Object.keys(npm.exports).filter((path) => ![".", "./package.json"].includes(path));
  expect(Object.entries(npm.typesVersions["*"])).toEqual(
    paths.map((path) => [path.slice(2), [`./dist/${path.slice(2)}.d.cts`]]),
  );
});

describe("jsr.json", () => {
  test("has the version and the license of package.json", () => {
    expect([jsr.version, jsr.license]).toEqual([npm.version, npm.license]);
  });

  test("has the entries of package.json, each with its source", () => {
    const paths = Object.keys(npm.exports).filter((path) => path !== "./package.json");
    const sources = paths.map((path) => [
      path,
      path === "."
        ? "./src/index.ts"
        : path in FOLDERS
          ? `./src/${FOLDERS[path]}/${path.slice(2)}.ts`
          : `./src/${path.slice(2)}/index.ts`,
    ]);
    expect(Object.entries(jsr.exports)).toEqual(sources);
  });

  test("no source declares a global, because JSR refuses that", () => {
    const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
    const files = sources.filter((file) => file.endsWith(".ts"));
    expect(files.length).toBeGreaterThan(100);
    expect(files.filter((file) => /^\s*declare (global|module)\b/m.test(read(join("src", file))))).toEqual(
      [],
    );
  });
});
