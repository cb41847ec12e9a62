// bitflake top: on services that run, and on servers that are none.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { memory } from "../../../src/backend/index.ts";
import { drawStatus, jsonStatus, lineStatus } from "../../../src/cli/top/drawStatus.ts";
import type { ServiceStatus } from "../../../src/cli/top/fetchStatus.ts";
import { History } from "../../../src/service/console/history.ts";
import { createService, listen, type ServiceOptions } from "../../../src/service/index.ts";
import { cli } from "../cliIo.ts";

const KEY = "a-key-that-may-watch-0";

/** Starts a service, and returns its URL. */
async function startService(options: Partial<ServiceOptions> = {}): Promise<string> {
  const service = createService({ backend: memory(), machineId: 7, ...options });
  await service.start();
  const server = await listen(service, { port: 0 });
  onTestFinished(async () => {
    await server.close();
    await service.stop();
  });
  return server.url;
}

/** Starts a server with one answer, and returns its URL. */
async function startServer(status: number, body: string): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(status, { "content-type": "application/json", location: "http://127.0.0.1:1/" });
    response.end(body);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("with a service", () => {
  test("prints a line for each reading, and rates from the second on", async () => {
    const url = await startService();
    const { code, out, err } = await cli(`top ${url} --count 2 --interval-ms 100`);
    expect([code, err]).toEqual([0, ""]);
    const [first, second] = out.split("\n") as [string, string];
    expect(first).toMatch(/^\d{4}-\S+Z {2}ok {2}rates follow$/);
    expect(second).toMatch(
      /^\d{4}-\S+Z {2}ok {2}0 requests\/s {2}0 IDs\/s {2}0 4xx\/s {2}0 5xx\/s {2}median - {2}99% -$/,
    );
  });

  test("prints objects with --json", async () => {
    const url = await startService({ types: { farmer: { length: 10 } } });
    await (await fetch(`${url}/generate_uuid?count=5`)).json();
    const { code, out } = await cli(`top ${url} -n 2 --interval-ms 100 --json`);
    expect(code).toBe(0);
    const [first, second] = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(first).toMatchObject({
      name: "service",
      status: "ok",
      processes: 1,
      requestsPerSecond: null,
      node: { datacenterId: 0, machineId: 7, isLeased: false },
      leaseMsLeft: null,
      stores: [{ kind: "memory", state: "ok" }],
      pools: [{ type: "farmer" }],
    });
    expect(second.requestsPerSecond).toBe(0);
  });

  test("draws a screen on a terminal until Ctrl-C, and leaves the last one there", async () => {
    const url = await startService();
    const stop = new AbortController();
    const { code, out, writes } = await cli(`top ${url} --interval-ms 100`, {
      terminal: ["stdout"],
      signal: stop.signal,
      onWrite: (_where, text) => {
        // The third reading has rates of the second.
        if (text.includes("errors 5xx  0 ")) stop.abort();
      },
    });
    expect(code).toBe(0);
    expect(writes[0]).toBe("\u001b[?1049h\u001b[?25l");
    expect(writes[1]?.startsWith("\u001b[H")).toBe(true);
    expect(writes[1]?.endsWith("\u001b[K\n\u001b[J")).toBe(true);
    const last = writes.at(-1) as string;
    expect(last.startsWith("\u001b[?25h\u001b[?1049l\u001b[1mbitflake service\u001b[22m")).toBe(true);
    expect(last).toContain("node: datacenter 0, machine 7, as given");
    expect(out.split("\u001b[?1049h")).toHaveLength(2);
  });

  test("requires a key where the service does, from the variable alone", async () => {
    const url = await startService({
      apiKeys: [
        { name: "watcher", keys: [KEY], scopes: ["watch"] },
        { name: "issuer", keys: ["a-key-that-may-issue-0"], scopes: ["issue"] },
      ],
    });
    const needed = /requires an API key with the scope watch: set BITFLAKE_WATCH_KEY/;
    expect((await cli(`top ${url} -n 1`, { env: { BITFLAKE_WATCH_KEY: KEY } })).code).toBe(0);
    for (const env of [
      {},
      { BITFLAKE_WATCH_KEY: "a-key-that-may-issue-0" },
      { BITFLAKE_WATCH_KEY: "wrong" },
    ]) {
      const { code, err } = await cli(`top ${url} -n 1`, { env });
      expect([code, needed.test(err)]).toEqual([1, true]);
    }
    const two = await cli(`top ${url} -n 1`, { env: { BITFLAKE_WATCH_KEY: `${KEY}\n${KEY}` } });
    expect([two.code, two.err]).toEqual([
      2,
      "error: BITFLAKE_WATCH_KEY must be one key, of visible ASCII characters\nTry `bitflake top --help`.\n",
    ]);
    const flag = await cli(`top ${url} --watch-key ${KEY}`);
    expect(flag.code).toBe(2);
    expect(flag.err).toContain("--watch-key is not available as a flag");
    expect(flag.err).not.toContain(KEY);
  });

  test("reads a service that stops answering again and again", async () => {
    const service = createService({ backend: memory(), machineId: 7 });
    await service.start();
    const server = await listen(service, { port: 0 });
    let lines = 0;
    const { code, out, err } = await cli(`top ${server.url} --interval-ms 100 --count 3`, {
      onWrite: (where) => {
        if (where === "stdout" && ++lines === 1) void server.close();
      },
    });
    await service.stop();
    expect(code).toBe(0);
    expect(out.split("\n").length).toBeLessThan(4);
    expect(err).toContain("/status does not answer: ");
  });

  test("keeps the path of a service behind a proxy", async () => {
    const url = await startServer(200, "{}");
    const { err } = await cli(`top ${url}/ids?token=secret -n 1`);
    expect(err).toContain(`${url}/ids/status did not answer with the status of a bitflake service`);
    expect(err).not.toContain("secret");
  });
});

describe("without a service", () => {
  test.each([
    [200, "not JSON", "did not answer with the status of a bitflake service"],
    [
      200,
      '{"name":"x","status":"ok","uptimeMs":1,"requests":{},"pools":[]}',
      "did not answer with the status",
    ],
    [404, '{"code":"ERR_NOT_FOUND"}', "answered 404, ERR_NOT_FOUND"],
    [503, "", "answered 503"],
    [302, "", "does not answer"],
  ])("an answer with %i %s is an error", async (status, body, message) => {
    const { code, out, err } = await cli(`top ${await startServer(status, body)} -n 5`);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain(message);
  });

  test("a port without a server is an error that names the cause", async () => {
    const { code, err } = await cli("top http://127.0.0.1:9 -n 1 --json");
    expect(code).toBe(1);
    const { error } = JSON.parse(err);
    expect(error.code).toBe("ERR_SERVICE");
    expect(error.message).toMatch(/^http:\/\/127\.0\.0\.1:9\/status does not answer: .+/);
  });

  test.each(["top", "top localhost:3000", "top ftp://h", "top http://u:p@h", "top http://a http://b"])(
    "%s is wrong usage",
    async (line) => {
      const { code, err } = await cli(line);
      expect(code).toBe(2);
      expect(err).toContain("top requires one URL of a service, such as http://127.0.0.1:3000, got ");
      expect(err).not.toContain("u:p");
    },
  );
});

describe("the screen", () => {
  const plain = { red: (text: string) => text, green: (text: string) => text, bold: (text: string) => text };
  const url = new URL("http://127.0.0.1:3000/");
  const bounds = [1, 10];
  const statusAt = (uptimeMs: number, count: number, more: Partial<ServiceStatus> = {}): ServiceStatus => ({
    name: "ids",
    version: "1.0.0",
    status: "ok",
    uptimeMs,
    processes: 2,
    node: { datacenterId: 1, machineId: 3 },
    lease: { state: "held", msLeft: 24_400 },
    nodes: { held: 2 },
    layout: { capacity: { nodes: 1024 } },
    ids: { snowflake: count * 10 },
    requests: {
      bucketBoundsMs: bounds,
      routes: [
        { route: "/generate_uuid", count, classes: { "2xx": count, "4xx": 3 }, buckets: [count, 0, 0] },
        { route: "", count: 2, classes: { "4xx": 2 }, buckets: [2, 0, 0] },
      ],
    },
    stores: [{ kind: "postgres", uses: ["counters", "pools"], state: "ok", errorCode: null }],
    pools: [
      { type: "farmer", state: "ok", available: 3000, highMark: 6000, remaining: "9000" },
      { type: "card", state: "ok", available: 6001, highMark: 6000, remaining: "1" },
      { type: "new", state: "slow", available: null, highMark: 6000, remaining: null },
    ],
    ...more,
  });
  const historyOf = (...statuses: ServiceStatus[]) => {
    const history = new History();
    for (const status of statuses) history.add(status, 1_800_000_000_000 + status.uptimeMs);
    return history;
  };

  test("shows rates, the last minute, the node, stores, pools and routes", () => {
    const [before, after] = [statusAt(60_000, 100), statusAt(62_000, 1100)];
    expect(`\n${drawStatus(after, historyOf(before, after), url, plain)}`).toBe(`
bitflake ids 1.0.0 at http://127.0.0.1:3000/
ok, up 62 s, 2 processes
node: datacenter 1, machine 3, lease held, 24 s left; 2 of 1,024 nodes held

            per second  last minute
requests    500         1,000
IDs         5,000       10,000
errors 4xx  0           0
errors 5xx  0           0
time to answer: median 0.5 ms, 99% within 0.99 ms

store     state  uses
postgres  ok     counters, pools

pool    state                        available   remaining
farmer  ok     ##########----------  3,000       9000
card    ok     ####################  over 6,000  1
new     slow   ????????????????????  unknown     unknown

route           requests  4xx  5xx
/generate_uuid  1,100     3    0
no route        2         2    0
`);
  });

  test("shows why the service does not answer, and its failing parts", () => {
    const red = { ...plain, red: (text: string) => `<${text}>` };
    const status = statusAt(1000, 1, { status: "failing", lease: { state: "lost", msLeft: 0 }, nodes: null });
    expect(drawStatus(status, historyOf(status), url, red)).toContain("\n<failing>, up 1 s");
    expect(drawStatus(status, historyOf(status), url, red)).toContain("machine 3, lease lost\n");
    expect(drawStatus(status, historyOf(status), url, red, "refused")).toContain(
      "\n<no answer>, up 1 s, 2 processes\n<refused>\n",
    );
    const starting = statusAt(1, 1, { status: "starting", node: null, lease: null });
    expect(drawStatus(starting, historyOf(starting), url, plain)).toContain("node: not leased\n");
  });

  test("has no control characters of the service's, and at most eight rows of a table", () => {
    const evil = "\u001b]0;gone\u0007";
    const routes = Array.from({ length: 20 }, (_, index) => ({
      route: `${evil}${index}`,
      count: index,
      classes: {},
      buckets: [0, 0, 0],
    }));
    const status = statusAt(1000, 1, {
      name: evil,
      version: evil,
      status: evil,
      requests: { bucketBoundsMs: bounds, routes },
      stores: [{ kind: evil, uses: [evil], state: evil, errorCode: evil }],
      pools: [{ type: evil, state: evil, available: 1, highMark: 2, remaining: evil }],
    });
    const history = historyOf(status);
    for (const text of [drawStatus(status, history, url, plain), lineStatus(status, history, 0)])
      expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
    expect(JSON.parse(jsonStatus(status, history, 0)).name).toBe(evil);
    expect(drawStatus(status, history, url, plain)).toContain("\n13 more");
  });

  test("has percentiles for long intervals, and notices a restart between two of them", () => {
    const history = historyOf(statusAt(600_000, 100));
    history.add(statusAt(630_000, 400), 1_800_000_630_000);
    expect(lineStatus(statusAt(630_000, 400), history, 0)).toContain("median 0.5 ms");
    // An hour later it has run for longer than before, and not for an hour more.
    history.add(statusAt(1_800_000, 401), 1_800_004_200_000);
    expect(lineStatus(statusAt(1_800_000, 401), history, 0)).toContain("rates follow");
  });

  test("has no rates after a restart of the service, and when a process is missing from the sums", () => {
    const line = (...statuses: ServiceStatus[]) =>
      lineStatus(statuses.at(-1) as ServiceStatus, historyOf(...statuses), 0);
    const before = statusAt(60_000, 1000);
    expect(line(before, statusAt(61_000, 1500))).toContain("500 requests/s");
    expect(line(before, { ...statusAt(61_000, 300), processes: 1 })).toContain("rates follow");
    const history = historyOf(before);
    history.add(statusAt(500, 2), 1_800_000_061_000);
    expect(lineStatus(statusAt(500, 2), history, 0)).toContain("rates follow");
  });
});
