// Runs test files of another package on an adapter: their imports of their own sources lead to it. Started by run.mjs.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vitest/config";
import base from "../vitest.base.ts";
import { peers } from "./peers.ts";

const { PEER, PEER_FOLDER = "", PEER_SOURCE, TEST_REPORT } = process.env;
const peer = peers.find(({ name }) => name === PEER);
if (!peer || !existsSync(PEER_FOLDER)) throw new Error("start this by run.mjs");

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** An import of a module of CommonJS as TypeScript takes it without `esModuleInterop`. */
const STAR = /^import \* as (\w+) from (["'](?!\.)[^"']+["'])/gm;

/** A require of a CommonJS test file at the start of a line. */
const REQUIRE = /^(?:const|let|var) (\w+|\{[^}]*\}) = require\((['"].*?['"])\);?$/gm;

const redirect: Plugin = {
  name: "redirect-to-adapter",
  enforce: "pre",
  resolveId(source, importer = "") {
    if (!importer.startsWith(PEER_FOLDER)) return undefined;
    if (source === "vitest") return this.resolve("vitest", here("run.mjs"));
    if (source === "@jest/globals") return here("shims/jest.ts");
    if (source === "mocha") return here("shims/mocha.ts");
    for (const [pattern, adapter] of peer.imports) if (pattern.test(source)) return here(adapter);
    return undefined;
  },
  transform(code, id) {
    if (!id.startsWith(PEER_FOLDER) || id.includes("node_modules")) return undefined;
    return code.replace(STAR, "import $1 from $2").replace(REQUIRE, (_, names: string, source: string) => {
      // Of an adapter, a module that is a class is the export with the name of the variable.
      const isPeer = peer.imports.some(([pattern]) => pattern.test(source.slice(1, -1)));
      const imported = names.startsWith("{") ? names.replace(/:/g, " as ") : isPeer ? `{ ${names} }` : names;
      return `import ${imported} from ${source};`;
    });
  },
};

/** The aliases of bitflake alone, to the sources of this checkout or of another. */
const aliases = ((base.resolve?.alias ?? []) as { find: RegExp; replacement: string }[])
  .filter(({ find }) => find.source.includes("bitflake"))
  .map(({ find, replacement }) => ({
    find,
    replacement: PEER_SOURCE ? replacement.replace(here("../../"), `${PEER_SOURCE}/`) : replacement,
  }));

export default defineConfig({
  root: PEER_FOLDER,
  resolve: { alias: aliases },
  plugins: [redirect],
  test: {
    include: peer.files,
    globals: true,
    testTimeout: 6000,
    fileParallelism: false,
    reporters: TEST_REPORT ? [["json", { outputFile: TEST_REPORT }]] : ["default"],
  },
});
