// The log of the service: its lines as text and as JSON, and a log that is not read.

import { describe, expect, test } from "vitest";
import { createLog, resolveLogFormat } from "../../../src/cli/serve/log.ts";
import type { ServiceEvent, ServiceLogEntry } from "../../../src/service/index.ts";
import { fakeIo } from "../cliIo.ts";

const entry: ServiceLogEntry = {
  time: "T",
  level: "error",
  method: "GET",
  route: "/x/{id}",
  path: "/x/1",
  status: 500,
  durationMs: 1.25,
  client: "orders",
  address: "10.0.0.1",
  requestId: "r-1",
  code: "ERR_BACKEND",
};
const answered: ServiceLogEntry = { ...entry, level: "info", status: 200 };
const event: ServiceEvent = {
  time: "T",
  level: "error",
  event: "lease_lost",
  message: "The lease is lost.",
  node: 7,
};

const nextTurn = () => new Promise((later) => setImmediate(later));

const logged = async (form: "json" | "text", what: ServiceLogEntry | ServiceEvent) => {
  const { io, written } = fakeIo();
  createLog(form, io)?.(what);
  await nextTurn();
  return written.stderr.join("");
};

describe("a line", () => {
  test("of a request has the error in one line, and no password", async () => {
    const error = new Error("no redis://u:secret@h\nat all");
    expect(await logged("text", { ...entry, error })).toBe(
      "T error 500     1.250 ms GET  /x/1 orders 10.0.0.1 r-1 ERR_BACKEND: no redis://u:***@h at all\n",
    );
    expect(JSON.parse(await logged("json", { ...entry, error }))).toEqual({
      ...entry,
      error: "no redis://u:***@h at all",
    });
    expect(await logged("text", entry)).toBe(
      "T error 500     1.250 ms GET  /x/1 orders 10.0.0.1 r-1 ERR_BACKEND\n",
    );
    expect(JSON.parse(await logged("json", entry))).toEqual(entry);
  });

  test("of a request has its address once, and a hyphen for a missing value", async () => {
    const { code: _, ...good } = { ...entry, level: "info", client: "10.0.0.1", status: 200 } as const;
    expect(await logged("text", good)).toBe("T info  200     1.250 ms GET  /x/1 10.0.0.1 r-1\n");
    const unread = { ...good, method: "", route: "", path: "", client: "" };
    expect(await logged("text", unread)).toBe("T info  200     1.250 ms -    - - 10.0.0.1 r-1\n");
  });

  test("has its level, status and duration in the same columns, for any other values", async () => {
    const rows = await Promise.all(
      [
        entry,
        {
          ...entry,
          level: "info",
          method: "DELETE",
          durationMs: 12_345.678,
          path: `/${"x".repeat(100)}`,
        } as const,
        { ...entry, level: "warn", method: "", durationMs: 0, client: "c".repeat(60), status: 404 } as const,
      ].map((row) => logged("text", row)),
    );
    for (const row of rows) expect(row).toMatch(/^T (error|info |warn ) \d{3} [ \d]{5}\.\d{3} ms \S/);
    const [, ...levels] = rows.map((row) => row.indexOf(" ms "));
    for (const column of levels) expect(column).toBe(rows[0]?.indexOf(" ms "));
  });

  test("of an event has its name, node, message and error with the causes", async () => {
    const error = new Error("not renewed", { cause: new Error("redis: closed", { cause: "ECONNRESET" }) });
    expect(await logged("text", { ...event, error })).toBe(
      "T error lease_lost node 7 The lease is lost.: not renewed: redis: closed: ECONNRESET\n",
    );
    expect(JSON.parse(await logged("json", { ...event, error }))).toEqual({
      ...event,
      error: "not renewed: redis: closed: ECONNRESET",
    });
  });

  test("has the message of a quoted cause once, and ends at an error that is its own cause", async () => {
    const quoting = new Error("lease: renew: closed", { cause: new Error("closed") });
    expect(JSON.parse(await logged("json", { ...event, error: quoting })).error).toBe("lease: renew: closed");
    const circular: Error & { cause?: unknown } = new Error("round");
    circular.cause = circular;
    expect(JSON.parse(await logged("json", { ...event, error: circular })).error).toBe("round");
  });

  test("as text has a long path, and everything after it", async () => {
    const path = `/${"x".repeat(255)}`;
    const requestId = "r".repeat(128);
    expect(await logged("text", { ...entry, path, requestId })).toBe(
      `T error 500     1.250 ms GET  ${path} orders 10.0.0.1 ${requestId} ERR_BACKEND\n`,
    );
  });

  test("as text has no control characters of a client", async () => {
    const line = await logged("text", { ...entry, path: "/\u001b[31mred\u0007" });
    expect(line).not.toContain("\u001b");
    expect(line).not.toContain("\u0007");
  });
});

test("the form is the one that is set, otherwise text on a terminal and JSON elsewhere", () => {
  const terminal = fakeIo({ terminal: ["stderr"] }).io;
  const pipe = fakeIo().io;
  expect(resolveLogFormat("none", true, pipe)).toBe("none");
  expect(resolveLogFormat(undefined, false, terminal)).toBe("text");
  expect(resolveLogFormat(undefined, true, terminal)).toBe("json");
  expect(resolveLogFormat(undefined, false, pipe)).toBe("json");
  expect(createLog("none", pipe)).toBeUndefined();
});

test("lines of one turn are written at its end, together and in their order", async () => {
  const { io, written } = fakeIo();
  const log = createLog("text", io);
  for (const path of ["/1", "/2", "/3"]) log?.({ ...answered, path });
  expect(written.stderr).toEqual([]);
  await nextTurn();
  log?.({ ...answered, path: "/4" });
  await nextTurn();
  const paths = written.stderr.map((text) => [...text.matchAll(/\/\d/g)].join(" "));
  expect(paths).toEqual(["/1 /2 /3", "/4"]);
});

test("an error is written at once, after the lines before it, because the process may end in this turn", async () => {
  const { io, written } = fakeIo();
  const log = createLog("text", io);
  log?.({ ...answered, path: "/1" });
  log?.({ ...entry, path: "/2" });
  expect(written.stderr).toHaveLength(1);
  log?.({ ...answered, path: "/3" });
  await nextTurn();
  const paths = written.stderr.map((text) => [...text.matchAll(/\/\d/g)].join(" "));
  expect(paths).toEqual(["/1 /2", "/3"]);
});

describe("a reader", () => {
  test("that is gone is not an error", async () => {
    const onWrite = () => {
      throw new Error("closed");
    };
    createLog("text", fakeIo({ onWrite }).io)?.(entry);
    await nextTurn();
  });

  test.each(["json", "text"] as const)(
    "that stops loses lines, which are counted, and costs no memory: %s",
    async (form) => {
      const { io } = fakeIo();
      const written: string[] = [];
      let read = () => {};
      const stopped = new Promise<void>((resolve) => {
        read = resolve;
      });
      const write = (text: string) => {
        written.push(text);
        return stopped;
      };
      const log = createLog(form, { ...io, stderr: { ...io.stderr, write } });
      for (let at = 0; at < 50_000; at++) log?.(answered);
      await nextTurn();
      const kept = written.join("").split("\n").length - 1;
      const size = written.join("").length;
      expect(size).toBeLessThan(1_100_000);
      expect(size).toBeGreaterThan(1_000_000);
      log?.(answered);
      read();
      await nextTurn();
      await nextTurn();
      const lost = 50_001 - kept;
      expect(written).toHaveLength(2);
      expect(written.at(-1)).toContain(`${lost} lines were lost`);
      if (form === "json") {
        expect(JSON.parse(written.at(-1) as string)).toMatchObject({
          level: "warn",
          event: "log_lines_lost",
          count: lost,
        });
      }
      log?.(answered);
      await nextTurn();
      expect(written).toHaveLength(3);
    },
  );
});
