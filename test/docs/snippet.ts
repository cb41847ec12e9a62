// An example as the documentation has it: compiled, run on the built package, each `// => value` compared.

import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { inspect } from "node:util";
import ts from "typescript";
import { expect } from "vitest";

export const root: string = fileURLToPath(new URL("../..", import.meta.url));

/** Turns `expression; // => value` into a comparison. */
function checked(code: string): string {
  return code.replace(/^( *)(.+?);? \/\/ => (.+)$/gm, (_all, indent, expression, value) => {
    return `${indent}__same(${expression}, ${JSON.stringify(value)});`;
  });
}

/**
 * Runs an example.
 *
 * @param packages where packages other than this one lie, for an example has no folder to look for them from
 */
export async function run(code: string, packages: Readonly<Record<string, string>> = {}): Promise<void> {
  let compared = 0;
  Reflect.set(globalThis, "__same", (actual: unknown, wanted: string) => {
    compared++;
    expect(inspect(actual)).toBe(wanted);
  });
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  const { outputText } = ts.transpileModule(checked(code), { compilerOptions: options });
  const script = outputText.replace(/ from "([^"]+)"/g, (all, name: string) => {
    const own = /^bitflake(?:\/(\w+))?$/.exec(name);
    const address = own ? pathToFileURL(join(root, "dist", `${own[1] ?? "index"}.js`)).href : packages[name];
    return address ? ` from ${JSON.stringify(address)}` : all;
  });
  await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(script)}`);
  // A loop compares more than once.
  expect(compared).toBeGreaterThanOrEqual(code.split(" // => ").length - 1);
}
