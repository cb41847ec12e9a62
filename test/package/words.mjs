// Counts private words, old words and clauses without a noun in src, test and docs: `npm run words`. `npm run words -- WORD`
// lists the lines. `--check`, which `npm run check:lint` runs, fails when one occurs more often than its entry allows.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import ts from "typescript";

/** The columns of the table. The README counts as a part of the docs. */
const FOLDERS = ["src", "test", "docs"];

/** A pattern for a word, or for several forms of it. */
const forms = (...words) => new RegExp(String.raw`\b(?:${words.join("|")})\b`, "gi");

/** Before `who`: no noun that it could belong to. */
const NO_NOUN = String.raw`(?:^|[.,;:(!?"'/\x60–—|]|\b(?:and|or|but|nor|to|of|for|from|by|with|than|as|that|is|are|was|were|be|not|if|when|only|on|at|in|after|before|until|all|one|he|they|those|anyone|anybody|everyone|everybody|someone|somebody|nobody|none|others?)\b)[ *]*`;

/** Before `what`: a verb that asks or answers a question, as in "an error says what failed". */
const QUESTION = String.raw`\b(?:asks?|asked|checks?|decides?|depends on|describes?|documents?|explains?|knows?|lists?|prints?|says?|said|sees?|shows?|shown|states?) +`;

/**
 * What is counted: in `names`, which are identifiers, split at their capitals; in `prose`, which is all other text (comments,
 * strings, pages); or in both. `most` is how often it may occur in src, test and docs: lower it when the count falls.
 */
const ENTRIES = [
  // The private vocabulary.
  { title: "house", most: [0, 2, 0], names: true, prose: true, pattern: forms("house") },
  { title: "realm (name)", most: [0, 4, 0], names: true, pattern: forms("realm") },
  { title: "life", most: [0, 1, 0], names: true, prose: true, pattern: forms("life") },
  { title: "means (name)", most: [0, 0, 0], names: true, pattern: forms("means") },
  { title: "parts (name)", most: [42, 16, 0], names: true, pattern: forms("parts") },
  { title: "grantee", most: [0, 0, 0], names: true, prose: true, pattern: forms("grantee") },
  {
    title: "ask",
    most: [11, 19, 3],
    names: true,
    prose: true,
    pattern: forms("ask", "asks", "asked", "asking"),
  },
  {
    title: "tell",
    most: [10, 20, 0],
    names: true,
    prose: true,
    pattern: forms("tell", "tells", "told", "telling"),
  },
  {
    // But not the scope of API keys.
    title: "watch",
    most: [14, 34, 4],
    names: true,
    prose: true,
    pattern: /(?<!["'`])\b(?:watch|watches|watched|watching)\b/gi,
  },
  {
    title: "settle",
    most: [2, 16, 0],
    names: true,
    prose: true,
    pattern: forms("settle", "settles", "settled", "settling"),
  },
  {
    title: "patience",
    most: [0, 2, 0],
    names: true,
    prose: true,
    pattern: forms("patience", "patient", "patiently"),
  },
  { title: "world", most: [0, 0, 0], names: true, prose: true, pattern: forms("world") },
  { title: "crew", most: [0, 14, 0], names: true, prose: true, pattern: forms("crew") },
  { title: "ground", most: [0, 0, 0], names: true, prose: true, pattern: forms("ground") },
  { title: "desk", most: [0, 0, 0], names: true, prose: true, pattern: forms("desk") },
  { title: "fire", most: [0, 1, 0], names: true, prose: true, pattern: forms("fire", "fires", "fired") },
  { title: "door", most: [0, 1, 0], names: true, prose: true, pattern: forms("door", "doors") },
  // Old words.
  // "Not yet" is plain English, "locked for 5 ms yet" is not.
  {
    title: "yet",
    most: [0, 0, 0],
    prose: true,
    pattern: /(?<!\b(?:no|not|nothing|nobody|never|no longer)\b[^.;]{0,80})\byet\b/gi,
  },
  { title: "ere, lest, whence", most: [0, 0, 0], prose: true, pattern: forms("ere", "lest", "whence") },
  {
    title: "thereof, therein …",
    most: [0, 0, 0],
    prose: true,
    pattern: /\b(?:t?here|where)(?:of|in|upon|with|to)\b/gi,
  },
  { title: "in earnest", most: [0, 0, 0], prose: true, pattern: forms("in earnest") },
  {
    title: ", for (because)",
    most: [2, 0, 0],
    prose: true,
    pattern: /[,;] for (?:it|its|they|their|he|we|there|nobody|nothing|none|neither|these|this) /gi,
  },
  // Clauses without a noun.
  {
    title: "whoever, whatever",
    most: [16, 26, 2],
    prose: true,
    pattern: forms("whoever", "whomever", "whatever"),
  },
  {
    title: "who …",
    most: [1, 10, 2],
    prose: true,
    pattern: new RegExp(String.raw`(?<=${NO_NOUN})\bwho\b(?![^.;?]{0,120}\?)`, "gi"),
  },
  {
    title: "what …",
    most: [87, 104, 20],
    prose: true,
    pattern: new RegExp(String.raw`(?<!${QUESTION})\bwhat\b(?![^.;?]{0,120}\?)`, "gi"),
  },
];

/** Blanks text out, but for its line breaks, so that the rest stays where it is. */
const blank = (text) => text.replace(/[^\n]/g, " ");

/** Splits a file into its names and its prose, which are as long as the file. */
function split(path, text) {
  let names = "";
  let prose = "";
  let at = 0;
  if (!path.endsWith(".md")) {
    const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
    const visit = (node) => {
      if (ts.isIdentifier(node)) {
        const from = node.getStart(source);
        names += blank(text.slice(at, from)) + text.slice(from, node.end);
        prose += text.slice(at, from) + blank(text.slice(from, node.end));
        at = node.end;
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  prose += text.slice(at);
  // A sentence goes on in the next line, after what begins a comment's line.
  return { names, prose: prose.replace(/\n[ \t]*(?:\*(?!\/)|\/\/)?/g, (begin) => " ".repeat(begin.length)) };
}

/** The words of a name: `nextId` is "next" and "Id". */
const WORD_START = /(?<=[a-z\d])(?=[A-Z])/;

/** Finds where an entry stands in a file. */
function* find(entry, { names, prose }) {
  if (entry.names) {
    for (const { 0: name, index } of names.matchAll(/[\w$]+/g)) {
      for (const word of name.split(WORD_START)) if (word.match(entry.pattern)) yield index;
    }
  }
  if (entry.prose) for (const { index } of prose.matchAll(entry.pattern)) yield index;
}

const paths = execFileSync("git", ["ls-files", "README.md", ...FOLDERS], { encoding: "utf8" })
  .split("\n")
  .filter((path) => /\.(?:ts|mjs|md)$/.test(path) && existsSync(path) && !path.endsWith("/words.mjs"));
/** The lines of each entry, by folder. */
const lines = ENTRIES.map(() => FOLDERS.map(() => []));
for (const path of paths) {
  const text = readFileSync(path, "utf8");
  const parts = split(path, text);
  const folder = FOLDERS.findIndex((name) => path.startsWith(`${name}/`));
  for (const [row, entry] of ENTRIES.entries()) {
    for (const index of find(entry, parts)) {
      const number = text.slice(0, index).split("\n").length;
      lines[row].at(folder).push(`${path}:${number}: ${text.split("\n")[number - 1].trim()}`);
    }
  }
}

const [argument] = process.argv.slice(2);
if (argument === "--check") {
  const excess = ENTRIES.flatMap(({ title, most }, row) =>
    FOLDERS.flatMap((folder, column) => {
      const found = lines[row][column];
      if (found.length <= most[column]) return [];
      const limit = most[column] === 0 ? "not used" : `${found.length}, at most ${most[column]}`;
      return [`"${title}" in ${folder}: ${limit}. Use the words of docs/architecture.md.`, ...found];
    }),
  );
  if (excess.length > 0) {
    console.error(excess.join("\n"));
    process.exit(1);
  }
} else if (argument) {
  const row = ENTRIES.findIndex(({ title }) => title.startsWith(argument));
  console.log((lines[row] ?? []).flat().join("\n"));
} else {
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const print = (title, cells) =>
    console.log([title.padEnd(20), ...cells.map((cell) => String(cell).padStart(6))].join(""));
  print("", [...FOLDERS, "all"]);
  const counts = lines.map((folders) => folders.map(({ length }) => length));
  for (const [row, { title }] of ENTRIES.entries()) print(title, [...counts[row], sum(counts[row])]);
  const totals = FOLDERS.map((_, column) => sum(counts.map((count) => count[column])));
  print("all", [...totals, sum(totals)]);
}
