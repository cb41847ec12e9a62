// Runs the bundle of a page where a page has no more than this: no module of Node, no process.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL("../../browser/main.ts", import.meta.url))],
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "page",
  platform: "browser",
  write: false,
  logLevel: "error",
});
const script = outputFiles[0]?.text ?? "";
assert.ok(script.length < 30_000, `the bundle has ${script.length} bytes`);

interface Page {
  timeOf(message: string): string;
  shortId(): string;
  requestId(): string;
}
const page = runInContext(`${script}; page`, createContext({ crypto })) as Page;
assert.equal(page.timeOf("175928847299117063"), "2016-04-30T11:18:25.796Z");
assert.match(page.shortId(), /^[1-9A-HJ-NP-Za-km-z]{11}$/);
const [first, second] = [page.shortId(), page.shortId()];
assert.ok(first < second, "the text forms sort as the IDs do");
assert.match(page.requestId(), /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
