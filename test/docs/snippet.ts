// Examples of the documentation: where they are, and how one is compiled, run on the built package and compared.

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { inspect } from "node:util";
import ts from "typescript";
import { expect } from "vitest";

export const root: string = fileURLToPath(new URL("../..", import.meta.url));

/** The README and the guides, as paths from the root. */
export const pages: readonly string[] = [
  "README.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md") && !/^(api|site)\//.test(file))
    .map((file) => `docs/${file}`),
];

/** The source files, as paths from the root. */
export const sources: readonly string[] = readdirSync(join(root, "src"), {
  recursive: true,
  encoding: "utf8",
})
  .filter((file) => file.endsWith(".ts"))
  .map((file) => join("src", file));

/** An example, fenced as `ts` or as `ts` with the name of the client that it needs. */
export interface Example {
  readonly name: string;
  readonly client: string;
  readonly code: string;
}

/** Returns the examples of a page or of the doc comments of a source file. */
export function examplesOf(file: string): Example[] {
  const text = readFileSync(join(root, file), "utf8");
  // In a doc comment each line begins with a star.
  const plain = file.endsWith(".ts") ? text.replace(/^[ \t]*\* ?/gm, "") : text;
  return [...plain.matchAll(/^```ts(?: (\w+))?\n(.*?)^```/gms)].map(([, client = "", code = ""], index) => ({
    name: `${relative(root, join(root, file))}, ${client || "example"} ${index + 1}`,
    client,
    code,
  }));
}

/** How many examples have run. */
let runs = 0;

/** Turns `expression; // => value` into a comparison. */
function checked(code: string): string {
  return code.replace(/^( *)(.+?);? \/\/ => (.+)$/gm, (_all, indent, expression, value) => {
    return `${indent}__same(${expression}, ${JSON.stringify(value)});`;
  });
}

/**
 * Runs an example and compares each value that it shows.
 *
 * @param packages paths of the packages other than bitflake, because an example has no folder to resolve them from
 */
export async function run(code: string, packages: Readonly<Record<string, string>> = {}): Promise<void> {
  let compared = 0;
  Reflect.set(globalThis, "__same", (actual: unknown, wanted: string) => {
    compared++;
    expect(inspect(actual)).toBe(wanted);
  });
  const options = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    // For the entities of TypeORM.
    experimentalDecorators: true,
  };
  const { outputText } = ts.transpileModule(checked(code), { compilerOptions: options });
  const script = outputText.replace(/ from "([^"]+)"/g, (all, name: string) => {
    const own = /^bitflake(?:\/(\w+))?$/.exec(name);
    const address = own ? pathToFileURL(join(root, "dist", `${own[1] ?? "index"}.js`)).href : packages[name];
    return address ? ` from ${JSON.stringify(address)}` : all;
  });
  // The number makes the URL unique, because a module runs once for each URL.
  await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(`${script}// ${runs++}`)}`);
  // A loop compares more than once.
  expect(compared).toBeGreaterThanOrEqual(code.split(" // => ").length - 1);
}

/** Compiles examples against the built types; returns the compiler's messages by the name of the example. */
export function diagnostics(
  examples: readonly Example[],
  folder: string,
  { lib, typeRoot }: { readonly lib: string; readonly typeRoot: string },
): Record<string, string[]> {
  const paths = examples.map((_, index) => join(folder, `example-${index}.ts`));
  for (const [index, { code }] of examples.entries()) ts.sys.writeFile(paths[index] as string, code);
  const program = ts.createProgram(paths, {
    noEmit: true,
    strict: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: [lib, "lib.dom.d.ts"],
    types: ["node"],
    typeRoots: [typeRoot],
    paths: { bitflake: [join(root, "dist/index.d.ts")], "bitflake/*": [join(root, "dist/*.d.ts")] },
    skipLibCheck: true,
  });
  const found: Record<string, string[]> = {};
  for (const { file, messageText } of ts.getPreEmitDiagnostics(program)) {
    const name = examples[paths.indexOf(file?.fileName ?? "")]?.name ?? "somewhere else";
    found[name] = [...(found[name] ?? []), ts.flattenDiagnosticMessageText(messageText, "\n")];
  }
  return found;
}
