// The console of the service in a real Chromium: each control, appearance at four widths in both schemes, accessibility, and
// stores that fail. Screenshots are in reports/console.

import { fileURLToPath } from "node:url";
import axe from "axe-core";
import { masked, scatter } from "bitflake/mask";
import type { BrowserContextOptions, Page, Request } from "playwright-core";
import { afterEach, describe, expect, test } from "vitest";
import { leaseNode } from "../../src/lease/index.ts";
import { createService, type Listening, listen, type Service } from "../../src/service/index.ts";
import type { ServiceOptions } from "../../src/service/options.ts";
import { memoryCells } from "../support/memoryCells.ts";
import { lowContrast } from "./contrast.ts";
import { overflowing } from "./overflowing.ts";
import { closeWindows, drawn, takeProblems, visit } from "./visit.ts";

const pictures = fileURLToPath(new URL("../../reports/console/", import.meta.url));

const ISSUE_KEY = "issue-key-0123456789";
const WATCH_KEY = "watch-key-0123456789";
const KEYS: ServiceOptions["apiKeys"] = [
  { name: "orders", keys: [ISSUE_KEY], scopes: ["issue"] },
  { name: "ops", keys: [WATCH_KEY], scopes: ["watch"] },
];

const running: { service: Service; server: Listening }[] = [];

afterEach(async () => {
  await closeWindows();
  for (const { service, server } of running.splice(0)) {
    await server.close();
    await service.stop();
  }
});

/** Starts a service on a store that a test can stop, with pools in memory. */
async function serve(options: Partial<ServiceOptions> = {}) {
  const { memory } = await import("../../src/backend/index.ts");
  const store = memoryCells(() => Date.now());
  const service = createService({
    backend: store,
    poolBackend: memory(),
    types: { farmer: { length: 10 }, household: { length: 8 } },
    holder: "this-pod 1",
    ...options,
  });
  await service.start();
  const server = await listen(service, { port: 0, allowedHosts: ["insecure.test"] });
  running.push({ service, server });
  return {
    store,
    service,
    server,
    url: `${server.url}/`,
    /** Opens the console. */
    open: (link = "", context: BrowserContextOptions = {}) => visit(`${server.url}/${link}`, context),
  };
}

const headline = (page: Page) => page.getByRole("status").first();

/** Waits until the console shows a headline. */
async function untilHeadline(page: Page, text: RegExp): Promise<void> {
  await headline(page).filter({ hasText: text }).waitFor();
}

/**
 * Does something, and waits until the console shows a headline. Returns how many polls, which are a second apart, ended in
 * between: a busy machine is slow, and does not poll more often.
 */
async function pollsUntil(page: Page, text: RegExp, change: () => unknown): Promise<number> {
  let polls = 0;
  const count = (request: Request) => {
    if (new URL(request.url()).pathname === "/status") polls++;
  };
  page.on("requestfinished", count);
  page.on("requestfailed", count);
  await change();
  await untilHeadline(page, text);
  page.off("requestfinished", count);
  page.off("requestfailed", count);
  return polls;
}

/** Returns the form of an operation, opened. */
async function form(page: Page, method: string, path: string) {
  const details = page.locator("details.operation").filter({
    has: page.locator("summary code", { hasText: new RegExp(`^${path.replace(/[{}/]/g, "\\$&")}$`) }),
    hasText: method,
  });
  await details.locator("summary").first().click();
  return details;
}

/** Returns the violations that axe finds. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const { violations } = await (window as unknown as { axe: typeof axe }).axe.run();
    return violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 100)).join(" | ")}`,
    );
  });
  return found;
}

/**
 * Asserts that a page fits, is readable and accessible at four widths in both schemes, and takes a picture of each.
 *
 * @param least how many texts and edges the page has at least
 */
async function expectReadableEverywhere(page: Page, name: string, least: number): Promise<void> {
  for (const width of [360, 768, 1280, 2560]) {
    await page.setViewportSize({ width, height: 900 });
    const backgrounds = new Set<string>();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      backgrounds.add(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
      const where = `${name}, ${width} px, ${colorScheme}`;
      expect(await page.evaluate(overflowing), where).toEqual([]);
      expect(await page.evaluate(lowContrast, least), where).toEqual([]);
      expect(await violations(page), where).toEqual([]);
      await page.screenshot({ path: `${pictures}${name}-${width}-${colorScheme}.png`, fullPage: true });
    }
    // The page follows the change of the scheme.
    expect(backgrounds.size, `${name}, ${width} px`).toBe(2);
  }
}

describe("at four widths, light and dark", () => {
  test("the console fits, is readable and accessible: at work, and with a store that is down", async () => {
    const { store, service, open } = await serve({ rateLimit: { limit: 100_000 } });
    for (const holder of ["id-service-b2d1 1", "batch import on etl-3"])
      await leaseNode({ backend: store, name: "service", holder });
    for (const path of [
      "/generate_uuid?count=500",
      "/generate_snowflake_id",
      "/generate_uuid?count=x",
      "/nowhere",
    ])
      await service(new Request(`http://localhost${path}`));
    const page = await open();
    await untilHeadline(page, /Everything works/);
    await page.getByLabel("Take an ID apart").fill("911780371413233664");
    await page.getByText("Made 2026-11-21 00:49:40.605 UTC").waitFor();
    await page
      .locator("details.operation")
      .evaluateAll((all) => all.map((details) => details.setAttribute("open", "")));
    const tried = page.locator("details.operation").filter({ hasText: "/generate_snowflake_id" });
    await tried.getByLabel("count").fill("3");
    await tried.getByRole("button", { name: "Send" }).click();
    await tried.getByText("200 OK").waitFor();
    await tried.getByText("Headers").click();
    await expectReadableEverywhere(page, "work", 200);

    store.before = () => {
      throw new Error("down");
    };
    await untilHeadline(page, /Something fails/);
    await expectReadableEverywhere(page, "down", 200);
  });

  test("the form for a key fits, and a wrong key is refused", async () => {
    const { open } = await serve({ apiKeys: KEYS });
    const page = await open();
    await page.locator("#key").fill("not-a-key-of-the-service");
    await page.getByRole("button", { name: "Open the console" }).click();
    await page.getByText("A valid API key is needed").waitFor();
    await expectReadableEverywhere(page, "key", 10);
    expect(takeProblems()).toEqual([expect.stringContaining("401"), expect.stringContaining("401")]);
  });

  test("the reference fits, is readable and accessible, also without scripts", async () => {
    const { open } = await serve();
    const page = await open("docs");
    await page
      .locator("details")
      .evaluateAll((all) => all.map((details) => details.setAttribute("open", "")));
    await expectReadableEverywhere(page, "docs", 100);
    const plain = await open("docs", { javaScriptEnabled: false });
    expect(await plain.getByRole("heading", { level: 3 }).count()).toBeGreaterThan(15);
  });
});

describe("a store", () => {
  test("that is down is shown within three polls with its consequences, and so is its recovery", async () => {
    const { store, open } = await serve({ rateLimit: { limit: 1000 } });
    const page = await open();
    await untilHeadline(page, /Everything works/);
    const fail = () => {
      store.before = () => {
        throw new Error("down at 10.0.0.5");
      };
    };
    expect(await pollsUntil(page, /Something fails/, fail)).toBeLessThanOrEqual(3);
    expect(await page.title()).toBe("something fails – bitflake console");
    const problem = await page.locator("#problems li").first().textContent();
    expect(problem).toContain("The store of counters, limits and leases cannot be written");
    expect(problem).toContain("All requests that count in the rate limit get 503");
    expect(problem).toMatch(/Snowflake IDs continue until the lease ends, in \d+ s/);
    expect(await page.content()).not.toContain("10.0.0.5");
    const recover = () => {
      store.before = () => {};
    };
    expect(await pollsUntil(page, /Everything works|warning/, recover)).toBeLessThanOrEqual(3);
  });

  test("that does not answer is shown within three polls", async () => {
    const { store, open } = await serve();
    const page = await open();
    await untilHeadline(page, /Everything works/);
    let thaw = () => {};
    const frozen = new Promise<void>((resolve) => {
      thaw = resolve;
    });
    const freeze = () => {
      store.before = () => frozen;
    };
    expect(await pollsUntil(page, /Something fails/, freeze)).toBeLessThanOrEqual(3);
    expect(await page.locator("#problems").textContent()).toContain("does not answer");
    store.before = () => {};
    thaw();
    await untilHeadline(page, /Everything works|warning/);
  });
});

test("a service that does not answer is shown within three polls, with the last figures", async () => {
  const { server, open } = await serve();
  const page = await open();
  await untilHeadline(page, /Everything works/);
  expect(await pollsUntil(page, /The service does not answer/, () => server.close())).toBeLessThanOrEqual(3);
  await expect.poll(() => page.locator("#problems").textContent()).toMatch(/No answer for \d+ s/);
  expect(await page.getByRole("heading", { name: "Node and lease" }).isVisible()).toBe(true);
  await closeWindows();
  for (const problem of takeProblems()) expect(problem).toMatch(/failed: |ERR_CONNECTION|Failed to load/);
});

describe("the figures", () => {
  test("are those of /status, and change with it", async () => {
    const { service, store, open } = await serve();
    await leaseNode({ backend: store, name: "service", holder: "<b>pod</b> 7" });
    const page = await open();
    await untilHeadline(page, /Everything works/);
    const send = (path: string, init?: RequestInit) => service(new Request(`http://localhost${path}`, init));
    await send("/generate_uuid?count=40");
    await send("/v1/idgenerator/farmer/id", { method: "POST" });
    await page.locator("#by-kind", { hasText: "uuid40" }).waitFor();
    await page.locator("#by-kind", { hasText: "numeric1" }).waitFor();
    const row = page.getByRole("row", { name: /\/generate_uuid/ });
    expect(await row.getByRole("cell").allTextContents()).toEqual([
      "/generate_uuid",
      "1",
      "0",
      "0",
      expect.stringMatching(/ms$/),
    ]);
    const farmer = page.locator("#pool-list li", { hasText: "farmer" });
    await farmer.filter({ hasText: "Issued1" }).waitFor();
    expect(await farmer.getByRole("meter").getAttribute("aria-valuetext")).toMatch(
      /available of 6,000; a refill starts at 1,000$/,
    );
    const nodes = await page.locator("#node-list li").allInnerTexts();
    expect(nodes.map((text) => /^Node \d+$/.test(text.split("\n")[0]))).toEqual([true, true]);
    // Text from outside is text.
    expect(nodes.join()).toContain("<b>pod</b> 7");
    expect(nodes.join()).toContain("this-pod 1");
    expect(
      await page.getByRole("img", { name: /^Map of 1,024 nodes: 2 held, 0 expired, 1,022 free$/ }).count(),
    ).toBe(1);
    expect(await page.getByRole("img", { name: /^IDs per second, the last 1 min: per second/ }).count()).toBe(
      1,
    );
    const bits = await drawn(page);
    expect(bits.map(([name, range]) => `${name} ${range}`)).toEqual([
      "timestamp bits 62–22",
      "datacenter bits 21–17",
      "machine bits 16–12",
      "sequence bits 11–0",
    ]);
    expect(await page.locator('[data-figure="rate"]').textContent()).toBe("4,096,000");
  });

  test("of many nodes are shown on demand", async () => {
    const { store, open } = await serve();
    await Promise.all(
      Array.from({ length: 14 }, () => leaseNode({ backend: store, name: "service", waitMs: 5000 })),
    );
    const page = await open();
    await page.getByRole("button", { name: "Show all nodes" }).click();
    await expect.poll(() => page.locator("#node-list li").count()).toBe(15);
    expect(await page.getByRole("button", { name: "Show all nodes" }).isVisible()).toBe(false);
  });

  test("are not requested while the page is hidden", async () => {
    const { open } = await serve();
    const page = await open();
    await untilHeadline(page, /Everything works/);
    let requests = 0;
    page.on("request", () => requests++);
    const setHidden = (isHidden: boolean) =>
      page.evaluate((value) => {
        Object.defineProperty(document, "hidden", { value, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, isHidden);
    await setHidden(true);
    const hiddenAt = requests;
    await page.waitForTimeout(3000);
    // One may have been under way.
    expect(requests - hiddenAt).toBeLessThanOrEqual(1);
    await setHidden(false);
    await expect.poll(() => requests, { timeout: 120_000 }).toBeGreaterThan(hiddenAt + 2);
  });
});

describe("an ID", () => {
  test.each([
    ['"911780371413233664",', "Made 2026-11-21 00:49:40.605 UTC"],
    ["911780371413233664n", "Made 2026-11-21 00:49:40.605 UTC"],
    ["911_780_371_413_233_664", "Made 2026-11-21 00:49:40.605 UTC"],
    ["017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "UUID v7, made 2022-02-22 19:22:22.000 UTC."],
    ["9BFAAA0C-892B-4F93-B0F1-C4DC504B94F5", "UUID v4, without a time."],
    ["8349257232", "It keeps the rules of the type farmer."],
    ["9223372036854775808", "An ID of this layout has at most 63 bits."],
    ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "ULID, made 2016-07-30 23:54:10.259 UTC."],
    ["hello", "This is neither a whole number nor an ID in a known text form."],
  ])("%s is taken apart: %s", async (pasted, text) => {
    const { open } = await serve();
    const page = await open();
    await untilHeadline(page, /Everything works/);
    await page.getByLabel("Take an ID apart").fill(pasted);
    await page.getByText(text).waitFor();
  });

  test("is taken apart by the chosen preset, and generated", async () => {
    const { open } = await serve();
    const page = await open();
    await untilHeadline(page, /Everything works/);
    await page.getByLabel("Take an ID apart").fill("175928847299117063");
    await page.getByRole("button", { name: /^discord/ }).click();
    // Not anywhere: the other formats of the ID have the same time before.
    await page.locator("#id-note", { hasText: "Made 2016-04-30 11:18:25.796 UTC" }).waitFor();
    expect((await drawn(page)).map(([, , , value]) => value)).toEqual([
      "2016-04-30T11:18:25.796Z",
      "1",
      "0",
      "7",
    ]);
    expect(await page.getByRole("button", { name: /^discord/ }).getAttribute("aria-pressed")).toBe("true");
    await page.getByRole("button", { name: "Generate" }).click();
    await page.getByText(/Made .*, \d+ s ago/).waitFor();
    expect(await page.getByRole("button", { name: /^this service/ }).getAttribute("aria-pressed")).toBe(
      "true",
    );
    await page.getByLabel("Take an ID apart").fill("");
    await page.locator("#id-note:empty").waitFor({ state: "attached" });
  });

  test("is shown masked and scattered, and in the other formats that it may have", async () => {
    const { open } = await serve();
    const page = await open();
    await untilHeadline(page, /Everything works/);
    const origins = page.getByRole("region", { name: "Other formats of this ID" });
    const outside = page.locator("[data-outside]:not(.hint)");
    expect(await outside.allInnerTexts()).toEqual(["", "", ""]);
    await page.getByLabel("Take an ID apart").fill("911780371413233664");
    await origins.waitFor();
    expect(await origins.getByRole("listitem").allInnerTexts()).toEqual([
      "X (Twitter), made 2017-09-24 02:32:35.262 UTC",
      "Discord, made 2021-11-21 00:49:40.605 UTC",
    ]);
    const id = 911780371413233664n;
    const key = "2b7e151628aed2a6abf7158809cf4f3c";
    expect(await outside.allInnerTexts()).toEqual(
      [
        masked(key, { name: "orders" }).encode(id),
        masked(key, { name: "users" }).encode(id),
        scatter({ shards: 16 }).encode(id),
      ].map(String),
    );
    const before = await outside.allInnerTexts();
    // An ID that the service has made is of its layout.
    await page.getByRole("button", { name: "Generate" }).click();
    await origins.waitFor({ state: "hidden" });
    const after = await outside.allInnerTexts();
    expect(after.every((text) => /^\d{1,19}$/.test(text))).toBe(true);
    expect(after).not.toEqual(before);
  });
});

describe("a form", () => {
  test("exists for every operation, sends the request, and shows the response and the command", async () => {
    const { url, open } = await serve();
    const page = await open("", { permissions: ["clipboard-read", "clipboard-write"] });
    const { paths } = (await (await fetch(`${url}openapi.json`)).json()) as { paths: Record<string, object> };
    const count = Object.values(paths).flatMap((item) => Object.keys(item)).length;
    await expect.poll(() => page.locator("details.operation").count()).toBe(count);
    const random = await form(page, "GET", "/generate_random_string/{length}");
    await random.getByRole("textbox", { name: "length" }).fill("");
    await random.getByRole("button", { name: "Send" }).click();
    await random.getByText("Fill in length.").waitFor();
    expect(
      await random
        .getByRole("textbox", { name: "length" })
        .evaluate((input) => input === document.activeElement),
    ).toBe(true);
    await random.getByRole("textbox", { name: "length" }).fill("12");
    await random.getByRole("textbox", { name: "count" }).fill("2");
    await random.getByRole("textbox", { name: "count" }).press("Enter");
    await random.getByText("200 OK").waitFor();
    expect(JSON.parse((await random.locator("pre.body").textContent()) ?? "")).toEqual({
      ids: [expect.stringMatching(/^[\w-]{12}$/), expect.stringMatching(/^[\w-]{12}$/)],
    });
    const command = `curl -sS '${url}generate_random_string/12?count=2'`;
    expect(await random.locator("pre.command").textContent()).toBe(command);
    await random.getByRole("button", { name: "Copy the command" }).click();
    await random.getByText("Copied.").waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(command);
    await random.getByText("Headers").click();
    expect(await random.locator("pre.headers").textContent()).toContain("content-type: application/json");
  });

  test("sends headers, and selects the command if there is no clipboard", async () => {
    const { url } = await serve();
    // Not localhost, and without TLS: browsers give it no clipboard.
    const page = await visit(url.replace("127.0.0.1", "insecure.test"));
    const issue = await form(page, "POST", "/v1/idgenerator/{type}/id");
    await issue.getByRole("textbox", { name: "type" }).fill("farmer");
    await issue.getByLabel("Idempotency-Key", { exact: true }).fill('"it\'s"');
    const ids = new Set<string | null>();
    for (let sent = 0; sent < 2; sent++) {
      await issue.getByRole("button", { name: "Send" }).click();
      await issue.getByText("200 OK").waitFor();
      ids.add(/"id": "(\d{10})"/.exec((await issue.locator("pre.body").textContent()) ?? "")?.[1] ?? null);
      await issue.getByRole("button", { name: "Copy the command" }).click();
      await issue.getByText("Selected").waitFor();
    }
    expect(ids.size).toBe(1);
    expect(await page.evaluate(() => String(getSelection()))).toContain(`-H 'Idempotency-Key: "it'\\''s"'`);
  });

  test("of a Snowflake ID leads to its parts", async () => {
    const { open } = await serve();
    const page = await open();
    await untilHeadline(page, /Everything works/);
    const snowflake = await form(page, "GET", "/generate_snowflake_id");
    await snowflake.getByRole("button", { name: "Send" }).click();
    await snowflake.getByRole("button", { name: "Take this ID apart" }).click();
    await page.getByText(/Made .*, \d+ s ago/).waitFor();
    expect(
      await page.getByLabel("Take an ID apart").evaluate((input) => input === document.activeElement),
    ).toBe(true);
  });
});

describe("with API keys", () => {
  test("a form takes the key, which is kept in the session, sent as a header, and forgotten on demand", async () => {
    const { open, url } = await serve({ apiKeys: KEYS });
    const page = await open();
    const input = page.locator("#key");
    await input.waitFor();
    expect(await input.evaluate((element) => element === document.activeElement)).toBe(true);
    await input.fill(ISSUE_KEY);
    await input.press("Enter");
    await page.getByText("The API key must have the scope watch.").waitFor();
    expect(takeProblems()).toEqual([expect.stringContaining("403"), expect.stringContaining("403")]);
    await input.fill(WATCH_KEY);
    await input.press("Enter");
    await untilHeadline(page, /Everything works/);

    // Issuing needs another scope, as the answer says, and the command does not show the key.
    const uuid = await form(page, "GET", "/generate_uuid");
    await uuid.getByRole("button", { name: "Send" }).click();
    await uuid.getByText("The API key must have the scope issue.").waitFor();
    expect(takeProblems()).toEqual([expect.stringContaining("403"), expect.stringContaining("403")]);
    expect(await uuid.locator("pre.command").textContent()).toBe(
      `curl -sS ${url}generate_uuid -H "Authorization: Bearer $BITFLAKE_KEY"`,
    );
    expect(await page.content()).not.toContain(WATCH_KEY);
    expect(
      await page.evaluate(() => [Object.values(sessionStorage), localStorage.length, document.cookie]),
    ).toEqual([[WATCH_KEY], 0, ""]);
    expect(page.url()).toBe(url);

    await page.reload();
    await untilHeadline(page, /Everything works/);
    const other = await open();
    await other.locator("#key").waitFor();
    await page.getByRole("button", { name: "Forget the key" }).click();
    await input.waitFor();
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
    expect(await page.locator("#live").isVisible()).toBe(false);
  });

  test("a key that no header can carry is refused as any wrong key", async () => {
    const { open } = await serve({ apiKeys: KEYS });
    const page = await open();
    await page.locator("#key").fill("ключ");
    await page.getByRole("button", { name: "Open the console" }).click();
    await page.getByText("A valid API key is needed").waitFor();
    takeProblems();
  });
});

describe("the keyboard", () => {
  test("reaches the content by the first link, and every control in the order of the page", async () => {
    const { open } = await serve();
    const page = await open();
    await untilHeadline(page, /Everything works/);
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toMatch(/^Skip to/);
    expect(
      await page.evaluate(() => document.activeElement?.getBoundingClientRect().top),
    ).toBeGreaterThanOrEqual(0);
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
    const reached: string[] = [];
    for (;;) {
      await page.keyboard.press("Tab");
      const name = await page.evaluate(() => {
        const element = document.activeElement as HTMLElement;
        if (element === document.body) return undefined;
        const { outlineStyle, outlineWidth } = getComputedStyle(element);
        const place = Array.from(document.querySelectorAll("*")).indexOf(element);
        return {
          place,
          isVisible: outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2,
          id: element.id,
        };
      });
      if (name === undefined) break;
      expect(name.isVisible).toBe(true);
      reached.push(`${String(name.place).padStart(6, "0")}`);
      if (reached.length > 200) break;
    }
    expect(reached).toEqual([...reached].sort());
    const summaries = await page.locator("details.operation > summary").count();
    expect(reached.length).toBeGreaterThan(summaries + 10);
    expect(reached.length).toBeLessThan(200);
  });

  test("opens a form, fills it in and sends it", async () => {
    const { open } = await serve();
    const page = await open();
    const summary = page.locator("details.operation > summary", { hasText: "/capacity" });
    await summary.focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.press("s");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.locator("details.operation[open]").getByText("200 OK").waitFor();
  });
});

test("nothing moves if the user prefers reduced motion", async () => {
  const { open } = await serve();
  const page = await open("", { reducedMotion: "reduce" });
  await untilHeadline(page, /Everything works/);
  await page.evaluate(() => document.querySelector("#pool-list .meter")?.classList.add("filling"));
  expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
  expect(await page.evaluate(() => getComputedStyle(document.documentElement).scrollBehavior)).toBe("auto");
});

test("only a change of the state is announced", async () => {
  const { open } = await serve();
  const page = await open();
  await untilHeadline(page, /Everything works/);
  await page.evaluate(() => {
    Reflect.set(window, "changes", 0);
    for (const region of Array.from(document.querySelectorAll("[aria-live], [role=status], [role=alert]")))
      new MutationObserver(() => Reflect.set(window, "changes", Reflect.get(window, "changes") + 1)).observe(
        region,
        {
          childList: true,
          subtree: true,
          characterData: true,
        },
      );
  });
  await page.waitForTimeout(3500);
  expect(await page.evaluate(() => Reflect.get(window, "changes"))).toBe(0);
});

test("the policy blocks scripts, styles and requests that are not the page's", async () => {
  const { open } = await serve();
  const page = await open();
  await untilHeadline(page, /Everything works/);
  const blocked = await page.evaluate(async () => {
    const violated: string[] = [];
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) =>
      violated.push(effectiveDirective),
    );
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    const style = document.createElement("style");
    style.textContent = "body { display: none }";
    document.head.append(script, style);
    await fetch("http://127.0.0.1:1/").catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 100));
    return [Reflect.get(window, "ran"), ...violated.sort()];
  });
  expect(blocked).toEqual([undefined, "connect-src", "script-src-elem", "style-src-elem"]);
  takeProblems();
});
