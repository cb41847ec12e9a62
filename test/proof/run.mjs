// Bundles prove.ts, because Node 20 runs no TypeScript, and runs it.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "bitflake-proof-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const outfile = join(folder, "prove.mjs");
await build({
  entryPoints: [join(here, "prove.ts")],
  bundle: true,
  platform: "node",
  format: "esm",
  outfile,
});
const { prove } = await import(pathToFileURL(outfile).href);
process.exitCode = (await prove({ here, folder, args: process.argv.slice(2) })) ? 0 : 1;
