// Builds the static site from the README, the guides, the doc comments and the playground: `npm run docs:site`, or
// `node docs/site.mjs [folder]` after a build. The site works on any static host, under any path.

import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Application, Converter, JSX, KindRouter, PageEvent, ReflectionKind } from "typedoc";

const root = fileURLToPath(new URL("..", import.meta.url));
const site = resolve(process.argv[2] ?? join(root, "docs/site"));

/** The pages of docs/, without their extension, in the order of the menu. */
const GROUPS = {
  Guides: [
    ...[
      "generators",
      "layout",
      "clocks",
      "node-ids",
      "stores",
      "ports",
      "threads",
      "text",
      "databases",
      "masked-ids",
    ],
    ...[
      "sql",
      "counters",
      "numeric-ids",
      "idempotency",
      "rate-limits",
      "web",
      "events",
      "explain",
      "service",
      "client",
      "command-line",
      "deploy",
      "capacity",
      "runbook",
      "frameworks",
      "nest",
    ],
    ...["testing", "migrating", "migrate", "benchmarks"],
  ],
  "For maintainers": ["architecture", "proof", "contributing", "changelog"],
  Decisions: ["index", "stamp-intervals", "identity-ledger", "gcra", "native-steps", "no-pools-on-redis"]
    .concat("ff1", "masked-ids", "events", "zero-dependencies")
    .map((page) => `decisions/${page}`),
};
const pages = Object.values(GROUPS).flat();
const forgotten = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter(
    (file) => file.endsWith(".md") && !/^(?:api|site)\//.test(file) && !pages.includes(file.slice(0, -3)),
  );
if (forgotten.length > 0) throw new Error(`GROUPS in docs/site.mjs must contain ${forgotten.join(", ")}`);

/** Keeps the file names of the guides as addresses, which TypeDoc would make from their titles. */
class SiteRouter extends KindRouter {
  getIdealBaseName(reflection) {
    return reflection.isDocument() ? reflection.frontmatter.path : super.getIdealBaseName(reflection);
  }
}

// The options of `npm run docs`, which are in package.json, apply except where an option here replaces one.
const app = await Application.bootstrapWithPlugins({
  projectDocuments: pages.map((page) => join(root, `docs/${page}.md`)),
  out: site,
  validation: { notExported: true, invalidLink: true, invalidPath: true, notDocumented: true },
  router: "site",
  lightHighlightTheme: "github-light-high-contrast",
  darkHighlightTheme: "github-dark-high-contrast",
  highlightLanguages: ["bash", "console", "javascript", "json", "prisma", "sql", "typescript", "yaml"],
  headings: { readme: false, document: false },
  groupOrder: [...Object.keys(GROUPS), "Modules", "*"],
  sortEntryPoints: false,
  navigation: { includeGroups: true, includeFolders: false, excludeReferences: true },
  // Its page lacks some of the interfaces that link to it.
  includeHierarchySummary: false,
  // From the root of the site.
  navigationLinks: {
    Guides: "/guides/generators.html",
    Reference: "/modules.html",
    Benchmarks: "/guides/benchmarks.html",
    Playground: "/playground/index.html",
  },
  searchInComments: true,
  searchInDocuments: true,
  customCss: join(root, "docs/site.css"),
});
app.renderer.defineRouter("site", SiteRouter);

app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => {
  const page = document.name;
  const [group] = Object.entries(GROUPS).find(([, members]) => members.includes(page));
  document.frontmatter = { group, path: page.includes("/") ? page : `guides/${page}` };
  document.name = /^# (.+)$/m.exec(readFileSync(join(root, `docs/${page}.md`), "utf8"))[1];
});
app.converter.on(Converter.EVENT_CREATE_DECLARATION, (_context, declaration) => {
  if (!declaration.kindOf(ReflectionKind.Module)) return;
  declaration.name =
    declaration.name === "index" ? "bitflake" : `bitflake/${declaration.name.replace(/^(orm|web)\//, "")}`;
});
const playground = readFileSync(join(root, "docs/playground/index.html"), "utf8");
const [icon] = /<link\s+rel="icon"[^>]*>/.exec(playground);
app.renderer.hooks.on("head.end", () => JSX.createElement(JSX.Raw, { html: icon }));
app.renderer.on(PageEvent.END, (event) => {
  const up = "../".repeat(event.url.split("/").length - 1);
  event.contents = event.contents?.replaceAll('<a href="/', `<a href="${up}`);
});

const project = await app.convert();
if (project === undefined) process.exit(1);
app.validate(project);
await app.generateOutputs(project);

// The playground with a copy of the library, and a link back to the guides.
cpSync(join(root, "docs/playground"), join(site, "playground"), {
  recursive: true,
  filter: (file) => !file.endsWith("serve.mjs"),
});
cpSync(join(root, "docs/diagram.mjs"), join(site, "diagram.mjs"));
for (const file of ["index", "internal", "explain", "mask"].flatMap((name) => [
  `${name}.js`,
  `${name}.js.map`,
]))
  cpSync(join(root, "dist", file), join(site, "dist", file));
writeFileSync(
  join(site, "playground/index.html"),
  playground
    .replaceAll("../../dist/", "../dist/")
    .replace("<header>", '<header>\n      <nav><a href="../index.html">Documentation</a></nav>'),
);

// Warnings fail the build, and so do the links that `invalidPath` reports.
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exit(1);
