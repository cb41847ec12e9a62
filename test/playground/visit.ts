// The playground as a user has it: served by its own server, in a real Chromium. Whoever imports this gets both, and
// every test fails on an error in the console, an exception, a failed request, or a request to anywhere else.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

let browser: Browser;
let server: ChildProcess;
let address: string;
let complaints: string[] = [];

/** Starts the playground's server and returns the process and the first thing it says. */
export async function serve(...args: string[]): Promise<{ process: ChildProcess; says: string }> {
  const started = spawn(process.execPath, [`${root}docs/playground/serve.mjs`, ...args]);
  const [said] = (await Promise.race([once(started.stdout, "data"), once(started.stderr, "data")])) as [
    Buffer,
  ];
  return { process: started, says: String(said).trim() };
}

beforeAll(async () => {
  ({ process: server, says: address } = await serve());
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
      // An origin without TLS that is not localhost, so that browsers withhold what is for secure ones.
      "--host-resolver-rules=MAP insecure.test 127.0.0.1",
    ],
  });
});

afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  const heard = complaints;
  complaints = [];
  expect(heard).toEqual([]);
});

afterAll(async () => {
  await browser?.close();
  server?.kill();
});

/** The address of the page. */
export function home(): string {
  return address;
}

/** Opens the page in a window of its own, by a link behind the # or a whole address. */
export async function visit(link = "", options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const url = new URL(link, address);
  page.on("console", (message) => {
    if (["error", "warning", "assert"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("requestfailed", (request) => complaints.push(`failed: ${request.url()}`));
  page.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()}: ${response.url()}`);
  });
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== url.origin && protocol !== "data:") complaints.push(`elsewhere: ${request.url()}`);
  });
  await page.goto(url.href);
  return page;
}

/** The field with exactly this label. */
export function field(page: Page, label: string): Locator {
  return page.getByRole(WIDTHS.includes(label) ? "spinbutton" : "textbox", { name: label, exact: true });
}

const WIDTHS = ["timestamp", "datacenter", "machine", "sequence"];

/** What the four widths read. */
export async function widths(page: Page): Promise<string> {
  return (await Promise.all(WIDTHS.map((label) => field(page, label).inputValue()))).join("·");
}

export function button(page: Page, name: string): Locator {
  return page.getByRole("button", { name });
}

/** The fields of the diagram, each as its lines: name, range, bits and what they say. */
export async function drawn(page: Page): Promise<string[][]> {
  const fields = await page
    .getByRole("list", { name: /^Fields/ })
    .getByRole("listitem")
    .allInnerTexts();
  return fields.map((text) => text.split(/\s*\n\s*/));
}

/** What the diagram says of an ID, field by field. */
export async function said(page: Page): Promise<Record<string, string | undefined>> {
  return Object.fromEntries((await drawn(page)).map(([name, , , value]) => [name, value]));
}

/** One figure of what the layout holds; empty where there is no layout. */
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

/** The texts that an element is described by, as assistive technology reads them. */
export async function described(target: Locator): Promise<string[]> {
  return target.evaluate((element) =>
    (element.getAttribute("aria-describedby") ?? "")
      .split(" ")
      .map((id) => document.getElementById(id)?.textContent ?? `no #${id}`)
      .filter((text) => text !== ""),
  );
}

/** The labels of the fields that are marked as wrong. */
export async function marked(page: Page): Promise<string[]> {
  return page
    .locator("input[aria-invalid=true]")
    .evaluateAll((inputs) =>
      inputs.map((input) => (input as HTMLInputElement).labels?.[0]?.textContent ?? ""),
    );
}

/** The IDs made in the page, the newest first, each with what its line says of it. */
export async function made(page: Page): Promise<{ id: string; line: string }[]> {
  const lines = await page.locator("#made li").allInnerTexts();
  return lines.map((text) => {
    const [id = "", ...rest] = text.split(/\s+/);
    return { id, line: rest.join(" ") };
  });
}

/** What a call of the library throws. */
export function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("the library takes this");
}
