// Bundles the page of the console into src/service/console/page.generated.ts: `npm run console`. A test compares the file
// with a fresh bundle.

import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const page = join(root, "src/service/console/page");

/** The file that the service imports. */
export const GENERATED = join(root, "src/service/console/page.generated.ts");

/** Bundles a file and what it imports. */
async function bundle(file) {
  const { outputFiles } = await build({
    entryPoints: [join(page, file)],
    bundle: true,
    alias: {
      "bitflake/explain": join(root, "src/explain/index.ts"),
      "bitflake/mask": join(root, "src/mask/index.ts"),
    },
    minify: true,
    format: "esm",
    target: ["chrome123", "firefox128", "safari17.5"],
    charset: "utf8",
    legalComments: "none",
    write: false,
  });
  return outputFiles[0].text.trim();
}

/** Returns the source of a policy that allows this text alone. */
function hashOf(text) {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/** Writes a text as a constant. */
function constant(name, text) {
  return `export const ${name}: string = ${JSON.stringify(text)};\n`;
}

/** Returns the text of the generated file. */
export async function generate() {
  const style = await bundle("style.css");
  const script = await bundle("page.mjs");
  // The text stands in an element: this would end it.
  for (const text of [style, script]) {
    if (/<\/(?:script|style)|<!--/i.test(text))
      throw new Error("the page has an end tag in its script or style");
  }
  const body = await readFile(join(page, "body.html"), "utf8");
  const playground = await readFile(join(root, "docs/playground/index.html"), "utf8");
  const [, icon] = /<link\s+rel="icon"\s+href="([^"]*)"/.exec(playground);
  return [
    "// Written by .build/console.mjs (npm run console) from page/ and docs/playground/components/. Do not edit.\n\n",
    constant("BODY", body.replace(/\n\s+/g, "\n").trim()),
    constant("ICON", icon),
    constant("STYLE", style),
    constant("STYLE_HASH", hashOf(style)),
    constant("SCRIPT", script),
    constant("SCRIPT_HASH", hashOf(script)),
  ].join("");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(resolve(GENERATED), await generate());
