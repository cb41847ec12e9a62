// Counts private words, old words and clauses without a noun in src, test and docs: `npm run words`. With `--check`, which
// `npm run check:lint` runs, fails where one stands that the project no longer uses.

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
 * strings, pages); or in both. The check fails on an entry that is `refused`.
 */
const ENTRIES = [
  // The private vocabulary.
  { title: "house", names: true, prose: true, pattern: forms("house") },
  { title: "realm (name)", names: true, pattern: forms("realm") },
  { title: "life", names: true, prose: true, pattern: forms("life") },
  { title: "means (name)", names: true, pattern: forms("means") },
  { title: "parts (name)", names: true, pattern: forms("parts") },
  { title: "grantee", names: true, prose: true, pattern: forms("grantee") },
  { title: "ask", names: true, prose: true, pattern: forms("ask", "asks", "asked", "asking") },
  { title: "tell", names: true, prose: true, pattern: forms("tell", "tells", "told", "telling") },
  { title: "watch", names: true, prose: true, pattern: forms("watch", "watches", "watched", "watching") },
  { title: "settle", names: true, prose: true, pattern: forms("settle", "settles", "settled", "settling") },
  { title: "patience", names: true, prose: true, pattern: forms("patience", "patient", "patiently") },
  { title: "world", names: true, prose: true, pattern: forms("world") },
  { title: "crew", names: true, prose: true, pattern: forms("crew") },
  { title: "ground", names: true, prose: true, pattern: forms("ground") },
  { title: "desk", names: true, prose: true, pattern: forms("desk") },
  { title: "fire", names: true, prose: true, pattern: forms("fire", "fires", "fired") },
  { title: "door", names: true, prose: true, pattern: forms("door", "doors") },
  // Old words.
  // "Not yet" is plain English, "locked for 5 ms yet" is not.
  {
    title: "yet",
    prose: true,
    pattern: /(?<!\b(?:no|not|nothing|nobody|never|no longer)\b[^.;]{0,80})\byet\b/gi,
  },
  { title: "ere, lest, whence", prose: true, pattern: forms("ere", "lest", "whence") },
  { title: "thereof, therein …", prose: true, pattern: /\b(?:t?here|where)(?:of|in|upon|with|to)\b/gi },
  { title: "in earnest", prose: true, pattern: forms("in earnest") },
  {
    title: ", for (because)",
    prose: true,
    pattern: /[,;] for (?:it|its|they|their|he|we|there|nobody|nothing|none|neither|these|this) /gi,
  },
  // Clauses without a noun.
  { title: "whoever, whatever", prose: true, pattern: forms("whoever", "whomever", "whatever") },
  {
    title: "who …",
    prose: true,
    pattern: new RegExp(String.raw`(?<=${NO_NOUN})\bwho\b(?![^.;?]{0,120}\?)`, "gi"),
  },
  {
    title: "what …",
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
const counts = ENTRIES.map(() => Object.fromEntries(FOLDERS.map((folder) => [folder, 0])));
const refused = [];
for (const path of paths) {
  const text = readFileSync(path, "utf8");
  const parts = split(path, text);
  const folder = FOLDERS.find((name) => path.startsWith(`${name}/`)) ?? "docs";
  for (const [row, entry] of ENTRIES.entries()) {
    for (const index of find(entry, parts)) {
      counts[row][folder]++;
      const number = text.slice(0, index).split("\n").length;
      const line = `${path}:${number}: ${text.split("\n")[number - 1].trim()}`;
      if (entry.refused && !entry.allowed?.test(line)) refused.push(`${line}  (${entry.title})`);
    }
  }
}

if (process.argv.includes("--check")) {
  if (refused.length > 0) {
    console.error(
      `${refused.join("\n")}\n${refused.length} words that this project does not use: see docs/contributing.md`,
    );
    process.exit(1);
  }
} else {
  const row = (title, ...cells) =>
    console.log([title.padEnd(20), ...cells.map((cell) => String(cell).padStart(6))].join(""));
  row("", ...FOLDERS, "all");
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  for (const [at, { title }] of ENTRIES.entries()) {
    row(title, ...Object.values(counts[at]), sum(Object.values(counts[at])));
  }
  const totals = FOLDERS.map((folder) => sum(counts.map((count) => count[folder])));
  row("all", ...totals, sum(totals));
}
