// The static site: every link leads somewhere, every page fits and is readable, the search and the playground work.
// Screenshots are in reports/site.

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { inflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lowContrast } from "./contrast.ts";
import { button, made, visit } from "./visit.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const site = mkdtempSync(join(tmpdir(), "bitflake-site-"));
const TYPES: Record<string, string> = { ".html": "text/html", ".css": "text/css", ".svg": "image/svg+xml" };

let host: Server;
let home: string;
/** The addresses of the site's pages, from its root. */
let pages: string[];

beforeAll(async () => {
  execFileSync(process.execPath, [join(root, "docs/site.mjs"), site], { cwd: root, stdio: "pipe" });
  pages = readdirSync(site, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".html"));
  // Under a path, as on GitHub Pages.
  host = createServer(({ url = "" }, response) => {
    const path = new URL(url, "http://site.test").pathname;
    const file = join(site, path.replace("/bitflake/", "/"));
    const found = path.startsWith("/bitflake/") && extname(file) !== "" && existsSync(file);
    response.writeHead(found ? 200 : 404, { "content-type": TYPES[extname(file)] ?? "text/javascript" });
    response.end(found ? readFileSync(file) : "");
  }).listen(0, "127.0.0.1");
  await once(host, "listening");
  home = `http://127.0.0.1:${(host.address() as AddressInfo).port}/bitflake/`;
});

afterAll(() => {
  host?.close();
  rmSync(site, { recursive: true, force: true });
});

const read = (file: string) => readFileSync(join(site, file), "utf8");

/** Returns the compressed data that a script of the site assigns. */
function dataOf(script: string): unknown {
  const [, encoded = ""] = /"([^"]*)"/.exec(read(`assets/${script}.js`)) ?? [];
  return JSON.parse(inflateSync(Buffer.from(encoded, "base64")).toString());
}

/** Returns the addresses in the site's data: those of the menu, of the search and of the class hierarchy. */
function addressesIn(data: unknown): string[] {
  if (typeof data !== "object" || data === null) return [];
  return Object.entries(data).flatMap(([key, value]) =>
    (key === "path" || key === "url") && typeof value === "string" ? [value] : addressesIn(value),
  );
}

/** Returns the links of a page, with the kind of element. */
function linksOf(page: string): { element: string; link: string }[] {
  return [...read(page).matchAll(/<(\w+)\b[^>]*?\s(?:href|src)="([^"]*)"/g)].map(
    ([, element = "", link = ""]) => ({ element, link: link.replaceAll("&amp;", "&") }),
  );
}

const idsOf = new Map<string, Set<string>>();

/** Returns what is wrong with a link from a page, or undefined. */
function faultOf(page: string, link: string): string | undefined {
  const [path = "", fragment] = link.split("#");
  const file = path === "" ? page : posix.join(posix.dirname(page), decodeURIComponent(path));
  const isFile = statSync(join(site, file), { throwIfNoEntry: false })?.isFile() ?? false;
  if (file.startsWith("..") || !isFile) return "no such file";
  // The playground reads its state from the fragment.
  if (!fragment || file.startsWith("playground/")) return undefined;
  const ids =
    idsOf.get(file) ?? new Set([...read(file).matchAll(/\sid="([^"]*)"/g)].map(([, id = ""]) => id));
  idsOf.set(file, ids);
  return ids.has(decodeURIComponent(fragment)) ? undefined : "no such fragment";
}

describe("links", () => {
  test("the site has a page for the README, each guide, each module and the playground", () => {
    const guides = readdirSync(join(root, "docs"))
      .filter((file) => file.endsWith(".md"))
      .map((file) => `guides/${file.replace(".md", ".html")}`);
    const decisions = readdirSync(join(root, "docs/decisions")).map(
      (file) => `decisions/${file.replace(".md", ".html")}`,
    );
    const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const modules = Object.keys(exports)
      .filter((path) => path !== "./package.json")
      .map((path) => `modules/${path.replace(".", "bitflake").replace("/", "_")}.html`);
    const wanted = ["index.html", "playground/index.html", ...guides, ...decisions, ...modules];
    expect(wanted.filter((page) => !pages.includes(page))).toEqual([]);
  });

  test("every link within the site leads to a file and a fragment that exist", () => {
    const links = pages.flatMap((page) => linksOf(page).map(({ link }) => ({ page, link })));
    const inside = links.filter(({ link }) => !/^(?:https?|data|mailto):/.test(link));
    expect(inside.length).toBeGreaterThan(5_000);
    const broken = inside.flatMap(({ page, link }) => {
      const fault = faultOf(page, link);
      return fault ? [`${page}: ${link}: ${fault}`] : [];
    });
    expect(broken).toEqual([]);
  });

  test.each([
    ["navigation", 150],
    ["search", 500],
    ["hierarchy", 20],
  ] as const)("every address in the data of the %s exists", (script, least) => {
    const addresses = addressesIn(dataOf(script));
    expect(addresses.length).toBeGreaterThan(least);
    expect(addresses.filter((address) => faultOf("index.html", address) !== undefined)).toEqual([]);
  });

  test("no page links to a Markdown file, and none loads anything from another host", () => {
    const found = pages.flatMap((page) =>
      linksOf(page)
        .filter(
          ({ element, link }) =>
            /^(?!https?:).*\.md\b/.test(link) || (element !== "a" && /^(?:https?:)?\/\//.test(link)),
        )
        .map(({ link }) => `${page}: ${link}`),
    );
    expect(found).toEqual([]);
  });
});

/** Returns the elements that make the page wider than the window. A block that scrolls inside itself does not. */
function overflowing(): string[] {
  const { clientWidth, scrollWidth } = document.documentElement;
  const contained = (element: Element) => {
    for (let box: Element | null = element.parentElement; box !== null; box = box.parentElement)
      if (getComputedStyle(box).overflowX !== "visible") return true;
    return false;
  };
  const wide = Array.from(document.querySelectorAll(".col-content *")).filter(
    (element) => element.getBoundingClientRect().right > clientWidth + 0.5 && !contained(element),
  );
  return [
    ...(scrollWidth > clientWidth ? [`${scrollWidth} px wide`] : []),
    ...wide.map((element) => element.outerHTML.slice(0, 80)),
  ];
}

const WIDTHS = [390, 1280];
const SCHEMES = ["light", "dark"] as const;

test("every guide, and a page of each kind of the reference, fits and is readable at each width in both schemes", async () => {
  const kinds = ["classes", "functions", "interfaces", "types", "variables"];
  const samples = kinds.flatMap((kind) => pages.filter((page) => page.startsWith(`${kind}/`)).slice(0, 3));
  const chosen = pages.filter((page) => /^(?:guides|decisions|modules)\/|^\w+\.html$/.test(page));
  const tab = await visit(new URL("index.html", home).href);
  const found: string[] = [];
  for (const page of [...chosen, ...samples]) {
    await tab.goto(new URL(page, home).href);
    await tab.locator("#tsd-nav-container a").first().waitFor({ state: "attached" });
    const backgrounds = new Set<string>();
    for (const width of WIDTHS) {
      await tab.setViewportSize({ width, height: 900 });
      for (const colorScheme of SCHEMES) {
        await tab.emulateMedia({ colorScheme });
        // Colors change by transitions, and one in between is not that of the scheme.
        await tab.evaluate(() =>
          Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => {}))),
        );
        backgrounds.add(await tab.evaluate(() => getComputedStyle(document.body).backgroundColor));
        const faults = [...(await tab.evaluate(overflowing)), ...(await tab.evaluate(lowContrast, 30))];
        found.push(...faults.map((fault) => `${page}, ${width} px, ${colorScheme}: ${fault}`));
        if (/index|rate-limits|layout|modules\/bitflake.html/.test(page)) {
          const path = join(root, `reports/site/${page.replace(/\W/g, "-")}-${width}-${colorScheme}.png`);
          await tab.screenshot({ path, fullPage: true });
        }
      }
    }
    // The page follows the change of the scheme.
    if (backgrounds.size !== SCHEMES.length) found.push(`${page}: ${[...backgrounds]}`);
  }
  expect(found).toEqual([]);
});

describe.each(WIDTHS)("at %d px", (width) => {
  describe.each(SCHEMES)("in %s", (colorScheme) => {
    const options = { viewport: { width, height: 900 }, colorScheme };

    test("the search finds a guide and opens it", async () => {
      const page = await visit(new URL("functions/bitflake.nextId.html", home).href, options);
      await button(page, "Search").click();
      await page.getByRole("combobox").fill("rate limit");
      await page.getByRole("option").first().waitFor();
      expect(await page.getByRole("option").first().textContent()).toBe("Rate limits");
      expect(await page.evaluate(lowContrast, 30)).toEqual([]);
      expect(await page.evaluate(overflowing)).toEqual([]);
      await page.screenshot({ path: join(root, `reports/site/search-${width}-${colorScheme}.png`) });
      await page.getByRole("option").first().click();
      await page.waitForURL("**/guides/rate-limits.html*");
      expect(await page.locator("h1").textContent()).toBe("Rate limits");
    });

    test("the menu leads to the playground, which works and leads back", async () => {
      const page = await visit(new URL("guides/node-ids.html", home).href, options);
      if (width < 770) {
        await page.getByLabel("Menu").click();
        await page
          .locator(".col-sidebar")
          .evaluate((menu) => Promise.all(menu.getAnimations().map(({ finished }) => finished)));
        await page.screenshot({ path: join(root, `reports/site/menu-${width}-${colorScheme}.png`) });
      }
      await page.getByRole("link", { name: "Playground" }).filter({ visible: true }).click();
      await page.waitForURL("**/playground/index.html*");
      await button(page, "Generate").click();
      expect((await made(page)).length).toBe(5);
      await page.getByRole("link", { name: "Documentation" }).click();
      await page.waitForURL("**/bitflake/index.html");
    });
  });
});

test("the theme can be chosen, and stays chosen on the next page", async () => {
  const page = await visit(new URL("index.html", home).href, { colorScheme: "light" });
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await page.getByRole("heading", { name: "Settings" }).click();
  await page.getByLabel("Theme").selectOption("dark");
  const dark = await background();
  expect(dark).not.toBe(light);
  await page.goto(new URL("guides/layout.html", home).href);
  expect(await background()).toBe(dark);
});
