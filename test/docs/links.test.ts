// Links within the documentation: each file and each heading that one names exists.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { pages, root } from "./snippet.ts";

/** Returns the text of a page without its code blocks. */
function prose(page: string): string {
  return readFileSync(join(root, page), "utf8").replace(/^```.*?^```/gms, "");
}

/** Returns the fragments that GitHub gives to the headings of a page. */
function anchorsOf(page: string): string[] {
  return [...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

const links = [...pages, "docs/llms.txt"].flatMap((page) =>
  [...prose(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)].map(([, path = "", anchor]) => ({
    page,
    target: path === "" ? page : normalize(join(dirname(page), path)),
    anchor,
  })),
);

test("links are found", () => {
  expect(links.length).toBeGreaterThan(100);
});

test("every link names a file that exists", () => {
  const broken = links.filter(({ target }) => !existsSync(join(root, target)));
  expect(broken.map(({ page, target }) => `${page}: ${target}`)).toEqual([]);
});

test("a guide links to a part of the README, because the site has no page for the whole", () => {
  const whole = links.filter(
    ({ page, target, anchor }) => page !== "README.md" && target === "README.md" && anchor === undefined,
  );
  expect(whole.map(({ page }) => page).filter((page) => page !== "docs/llms.txt")).toEqual([]);
});

test("every fragment is the fragment of a heading", () => {
  const broken = links.filter(({ target, anchor }) => {
    return anchor !== undefined && existsSync(join(root, target)) && !anchorsOf(target).includes(anchor);
  });
  expect(broken.map(({ page, target, anchor }) => `${page}: ${target}#${anchor}`)).toEqual([]);
});
