// Type declarations: one bundled file for all entries, with a map that leads editors to the sources.

import { readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { decode, encode, type SourceMapSegment } from "@jridgewell/sourcemap-codec";
import { rollup } from "rollup";
import { dts } from "rollup-plugin-dts";
import ts from "typescript";

/**
 * Writes all declarations to `dist/types.d.cts`, with a map, and for each entry `dist/NAME.d.cts`, which exports from it,
 * and `dist/NAME.d.ts`, which exports the same for ES modules.
 *
 * There is one set of types because a class with private fields that is declared twice is two types, which are not
 * assignable to each other. It is the CommonJS one because an ES module may import CommonJS, and not the reverse. It is
 * one file because many small ones would take more of a disk.
 *
 * @param entry source files by the names of their entries
 */
export async function writeDeclarations(entry: Readonly<Record<string, string>>): Promise<void> {
  const entries = new Set(Object.values(entry).map((path) => resolve(path)));
  const bundle = await rollup({
    input: entry,
    plugins: [dts({ sourcemap: true })],
    onwarn: ({ message }) => {
      // The base class of IdPool: it adds nothing that a program could name.
      if (!/private shared type exports .*: AsyncDisposer\./.test(message)) throw new Error(message);
    },
  });
  const { output } = await bundle.generate({
    dir: "dist",
    entryFileNames: "[name].d.cts",
    chunkFileNames: "[name].d.cts",
    manualChunks: (id) => (entries.has(id) ? undefined : "types"),
    minifyInternalExports: false,
    sourcemap: "hidden",
  });
  await bundle.close();
  for (const chunk of output) {
    if (chunk.type !== "chunk") continue;
    const { fileName, code, map, isEntry } = chunk;
    await writeFile(`dist/${fileName}`, isEntry ? code : `${code}//# sourceMappingURL=${fileName}.map\n`);
    if (!isEntry && map) await writeMap(`dist/${fileName}`, code, map);
  }
  for (const name of Object.keys(entry)) {
    await writeFile(`dist/${name}.d.ts`, `export * from "./${name}.cjs";\n`);
  }
}

/** Where a name is declared: a position in a text. */
type Names = ReadonlyMap<string, { readonly at: number; readonly members: ReadonlyMap<string, number> }>;

/** Finds the declarations of a file, and the members of its classes and interfaces. */
function namesIn(file: ts.SourceFile): Names {
  const names = new Map<string, { at: number; members: Map<string, number> }>();
  const add = (name: ts.Node | undefined, members: Iterable<ts.ClassElement | ts.TypeElement> = []) => {
    if (!name) return;
    const positions = new Map<string, number>();
    for (const member of members) {
      const isConstructor = ts.isConstructorDeclaration(member);
      const key = isConstructor ? "constructor" : member.name?.getText(file);
      const at = (isConstructor ? member : member.name)?.getStart(file);
      // Of overloads and accessors, the first.
      if (key !== undefined && at !== undefined && !positions.has(key)) positions.set(key, at);
    }
    const key = name.getText(file);
    if (!names.has(key)) names.set(key, { at: name.getStart(file), members: positions });
  };
  for (const statement of file.statements) {
    if (ts.isClassDeclaration(statement) || ts.isInterfaceDeclaration(statement)) {
      add(statement.name, statement.members);
    } else if (ts.isFunctionDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) {
      add(statement.name);
    } else if (ts.isVariableStatement(statement)) {
      for (const { name } of statement.declarationList.declarations) add(name);
    }
  }
  return names;
}

/**
 * Writes a map that has each declared name, also of members, where the source declares it. The bundler's own map has
 * only the beginnings of declarations.
 */
async function writeMap(
  path: string,
  code: string,
  map: { sources: string[]; mappings: string },
): Promise<void> {
  const sparse = decode(map.mappings);
  const file = ts.createSourceFile(path, code, ts.ScriptTarget.Latest);
  const sources = map.sources.map((source) => join(dirname(path), source));
  const parsed = await Promise.all(
    sources.map(async (source) => {
      const text = ts.createSourceFile(source, await readFile(source, "utf8"), ts.ScriptTarget.Latest);
      return { text, names: namesIn(text) };
    }),
  );
  const lines: SourceMapSegment[][] = code.split("\n").map(() => []);
  const add = (at: number, source: number, to: number) => {
    const { line, character } = file.getLineAndCharacterOfPosition(at);
    const target = parsed[source]?.text.getLineAndCharacterOfPosition(to);
    if (target) lines[line]?.push([character, source, target.line, target.character]);
  };
  for (const [name, { at, members }] of namesIn(file)) {
    const { line, character } = file.getLineAndCharacterOfPosition(at);
    // A name's own segment, or what stands before it on its line.
    const segment = sparse[line]?.findLast(([column, source]) => column <= character && source !== undefined);
    const source = segment?.[1];
    // The bundler numbers names that several files have.
    const target = source === undefined ? undefined : parsed[source]?.names.get(name.replace(/\$\d+$/, ""));
    if (source === undefined || !target) throw new Error(`${path}: no source declares ${name}`);
    add(at, source, target.at);
    for (const [member, position] of members) {
      const to = target.members.get(member);
      if (to !== undefined) add(position, source, to);
    }
  }
  const mappings = encode(lines.map((segments) => segments.sort(([a], [b]) => a - b)));
  const relativeSources = sources.map((source) => relative(dirname(path), source));
  await writeFile(
    `${path}.map`,
    JSON.stringify({
      version: 3,
      file: path.split("/").at(-1),
      sources: relativeSources,
      names: [],
      mappings,
    }),
  );
}
