// The API report: each entry's public names with their types, read from the built declarations. `npm run api` prints it,
// `npm run api -- --write` updates test/package/api.txt, so that each change of a public name shows in the diff of a commit.

import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import ts from "typescript";

const printer = ts.createPrinter({ removeComments: true });

/** Returns whether a member is private. A private constructor stays in the report, because it forbids `new`. */
const isHidden = (member) =>
  (member.name && ts.isPrivateIdentifier(member.name)) ||
  (!ts.isConstructorDeclaration(member) &&
    (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private) !== 0);

/** Returns a declaration's text, which is `text` without what the bundler adds, and marked when it is deprecated. */
function clean(node, text) {
  const mark = ts.getJSDocDeprecatedTag(node) ? "@deprecated " : "";
  // The bundler numbers names that several files have.
  return mark + text.replace(/^(?:export |declare )+/, "").replace(/\b(\w+)\$\d+\b/g, "$1");
}

/** Returns the text of a node without its comments. */
const print = (node) => clean(node, printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile()));

/** Returns the text of a declaration. Members are sorted by name, so that moving one does not change the report. */
function declaration(node) {
  if (ts.isVariableDeclaration(node)) return `const ${print(node)};`;
  if (!ts.isClassDeclaration(node) && !ts.isInterfaceDeclaration(node)) return print(node);
  const key = (member) => (ts.isConstructorDeclaration(member) ? "" : (member.name?.getText() ?? " "));
  const members = node.members
    .filter((member) => !isHidden(member))
    .map((member) => ({ key: key(member), text: print(member).replace(/^/gm, "  ") }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const head = clean(node, node.getSourceFile().text.slice(node.getStart(), node.members.pos));
  return [head, ...members.map(({ text }) => text), "}"].join("\n");
}

/** Returns the report of a built package: a section for each entry, in which a name of an earlier entry takes one line. */
function report(root) {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const entries = Object.entries(exports)
    .filter(([, conditions]) => conditions.require)
    .map(([path, { require }]) => ({ path: path.replace(".", "bitflake"), file: join(root, require.types) }));
  // The report prints declarations and infers no type, so it needs no library.
  const options = { noLib: true, types: [], module: ts.ModuleKind.NodeNext };
  const program = ts.createProgram(
    entries.map(({ file }) => file),
    options,
  );
  const checker = program.getTypeChecker();
  const reported = new Map();
  const sections = entries.map(({ path, file }) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(file));
    if (!module) throw new Error(`${basename(file)} exports nothing: run npm run build`);
    const names = checker.getExportsOfModule(module).sort((a, b) => (a.name < b.name ? -1 : 1));
    const texts = names.map((symbol) => {
      const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      const earlier = reported.get(target);
      if (earlier) return `${symbol.name}: see ${earlier}`;
      reported.set(target, path);
      return target.declarations.map(declaration).join("\n");
    });
    return `# ${path}\n\n${texts.join("\n\n").replace(/(: see .*)\n\n(?=\w+: see )/g, "$1\n")}\n`;
  });
  return sections.join("\n");
}

const text = report(process.cwd());
if (process.argv.includes("--write")) writeFileSync(new URL("api.txt", import.meta.url), text);
else process.stdout.write(text);
