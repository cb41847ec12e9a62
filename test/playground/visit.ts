// The playground on its own server, in a real Chromium. A test file that imports this gets both, and each of its tests fails on
// an error in the console, an exception, a failed request, or a request to another origin.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

let browser: Browser;
let server: ChildProcess;
let address: string;
let problems: string[] = [];

/** Starts the playground's server. Returns the process and its first output. */
export async function serve(...args: string[]): Promise<{ process: ChildProcess; output: string }> {
  const started = spawn(process.execPath, [`${root}docs/playground/serve.mjs`, ...args]);
  const [first] = (await Promise.race([once(started.stdout, "data"), once(started.stderr, "data")])) as [
    Buffer,
  ];
  return { process: started, output: String(first).trim() };
}

beforeAll(async () => {
  ({ process: server, output: address } = await serve());
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      // An origin without TLS that is not localhost, for which browsers disable the features of secure origins.
      "--host-resolver-rules=MAP insecure.test 127.0.0.1",
    ],
  });
});

/** Closes all windows. A test that stops a server closes them first, because a page may send a request at any time. */
export async function closeWindows(): Promise<void> {
  for (const context of browser.contexts()) await context.close();
}

afterEach(async () => {
  await closeWindows();
  const found = problems;
  problems = [];
  expect(found).toEqual([]);
});

afterAll(async () => {
  await browser?.close();
  server?.kill();
});

/** Returns the problems so far, and forgets them: a test that causes some compares them. */
export function takeProblems(): string[] {
  const found = problems;
  problems = [];
  return found;
}

/** Returns the address of the page. */
export function home(): string {
  return address;
}

/** Opens the page in a new window, by a fragment or a whole address. */
export async function visit(link = "", options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  // Only a hang takes as long.
  page.setDefaultTimeout(300_000);
  const url = new URL(link, address);
  page.on("console", (message) => {
    if (["error", "warning", "assert"].includes(message.type())) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("requestfailed", (request) => {
    // The console gives up a poll of a service that answers late, as in this process when the machine is busy.
    const isLatePoll =
      request.url().endsWith("/status") && request.failure()?.errorText === "net::ERR_ABORTED";
    if (!isLatePoll) problems.push(`failed: ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) problems.push(`${response.status()}: ${response.url()}`);
  });
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== url.origin && protocol !== "data:") problems.push(`elsewhere: ${request.url()}`);
  });
  await page.goto(url.href);
  return page;
}

/** Clicks a link to a state of the page, and waits until the page has it: browsers tell the page some time after the click. */
export async function follow(page: Page, name: string): Promise<void> {
  // Added after the page's own listener, so it is called after it.
  const shown = page.evaluate(
    () => new Promise((resolve) => addEventListener("hashchange", () => resolve(null), { once: true })),
  );
  await page.getByRole("link", { name }).click();
  await shown;
}

/** Returns the field with a label. */
export function field(page: Page, label: string): Locator {
  return page.getByRole(WIDTHS.includes(label) ? "spinbutton" : "textbox", { name: label, exact: true });
}

const WIDTHS = ["timestamp", "datacenter", "machine", "sequence"];

/** Returns the texts of the four widths. */
export async function widths(page: Page): Promise<string> {
  return (await Promise.all(WIDTHS.map((label) => field(page, label).inputValue()))).join("·");
}

export function button(page: Page, name: string): Locator {
  return page.getByRole("button", { name });
}

/** Returns the fields of the diagram, each as its lines: name, range, bits and value. */
export async function drawn(page: Page): Promise<string[][]> {
  const fields = await page
    .getByRole("list", { name: /^Fields/ })
    .getByRole("listitem")
    .allInnerTexts();
  return fields.map((text) => text.split(/\s*\n\s*/));
}

/** Returns the values of an ID in the diagram, by field. */
export async function fieldValues(page: Page): Promise<Record<string, string | undefined>> {
  return Object.fromEntries((await drawn(page)).map(([name, , , value]) => [name, value]));
}

/** Returns one figure of the capacity; empty without a layout. */
export async function figure(page: Page, term: string): Promise<string> {
  return (await page.locator(`dt:text-is("${term}") + dd`).textContent()) ?? "";
}

export async function figures(page: Page): Promise<string[]> {
  return [
    await figure(page, "Nodes"),
    await figure(page, "IDs per second"),
    await figure(page, "Timestamp full on"),
  ];
}

/** Returns the descriptions of an element, as assistive technology reads them. */
export async function described(target: Locator): Promise<string[]> {
  return target.evaluate((element) =>
    (element.getAttribute("aria-describedby") ?? "")
      .split(" ")
      .map((id) => document.getElementById(id)?.textContent ?? `no #${id}`)
      .filter((text) => text !== ""),
  );
}

/** Returns the labels of the fields that are marked as invalid. */
export async function marked(page: Page): Promise<string[]> {
  return page
    .locator("input[aria-invalid=true]")
    .evaluateAll((inputs) =>
      inputs.map((input) => (input as HTMLInputElement).labels?.[0]?.textContent ?? ""),
    );
}

/** Returns the IDs in the list, newest first, each with the rest of its line. */
export async function made(page: Page): Promise<{ id: string; line: string }[]> {
  const lines = await page.locator("#made li").allInnerTexts();
  return lines.map((text) => {
    const [id = "", ...rest] = text.split(/\s+/);
    return { id, line: rest.join(" ") };
  });
}

/** Returns the message of the error that a call throws. */
export function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("the call did not throw");
}
