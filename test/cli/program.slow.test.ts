// The program as a process: streams, signals, exit codes.

import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VERSION } from "../../src/version.ts";
import { buildProgram, type Program } from "./program.ts";

let program: Program;
beforeAll(async () => {
  program = await buildProgram();
  writeFileSync(join(program.folder, "types.json"), '{ "farmer": { "length": 12 } }');
});
afterAll(() => program.remove());

/** Runs the program to its end, with a text on the standard input. */
async function runToEnd(args: readonly string[], stdin = "", env = {}) {
  const { child, written, ended } = program.start(args, env);
  child.stdin?.end(stdin);
  return { code: await ended, ...written };
}

describe("the program", () => {
  test("prints its version", async () => {
    expect(await runToEnd(["--version"])).toEqual({ code: 0, out: `${VERSION}\n`, err: "" });
  });

  test("reads the standard input, and writes all of its output before it exits", async () => {
    const stdin = Array.from({ length: 20_000 }, (_, i) => `${i}\n`).join("");
    const { code, out, err } = await runToEnd(["decode", "--json"], stdin);
    expect([code, err]).toEqual([0, ""]);
    expect(out.split("\n")).toHaveLength(20_001);
    expect(JSON.parse(out.split("\n").at(-2) as string).id).toBe("19999");
  });

  test("exits with 1 for a negative answer and 2 for wrong usage", async () => {
    expect((await runToEnd(["numeric", "check", "1", "--length", "10"])).code).toBe(1);
    const { code, out, err } = await runToEnd(["nwe"]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain("did you mean new?");
  });

  test("exits with 1 if no numeric ID meets the rules", async () => {
    writeFileSync(
      join(program.folder, "none.json"),
      '{ "x": { "length": 5, "rules": { "evenDigitsLimit": 1, "notStartWith": ["1","3","5","7","9"] } } }',
    );
    expect(await runToEnd(["numeric", "new", "--types", "none.json", "--type", "x", "--json"])).toEqual({
      code: 1,
      out: "",
      err: expect.stringMatching(/^\{"error":\{"code":"ERR_NO_VALID_ID","message":".*"\}\}\n$/),
    });
  });

  test.each(["new", "uuid", "random"])(
    "%s exits with 0 and without an error when its reader closes the pipe",
    async (command) => {
      const { child, written, ended, waitForOutput } = program.start([command, "--count", "1000000"]);
      await waitForOutput("\n");
      child.stdout?.destroy();
      expect([await ended, written.err]).toEqual([0, ""]);
    },
  );

  test("convert writes each line before it reads the next, and ends when its reader closes the pipe", async () => {
    const { child, written, ended, waitForOutput } = program.start(["convert", "--to", "hex"]);
    const stdin = child.stdin as NonNullable<typeof child.stdin>;
    stdin.on("error", () => {}); // The program has ended.
    for (const id of ["1", "2n"]) {
      stdin.write(`${id}\n`);
      await waitForOutput(`000${id[0]}\n`);
    }
    child.stdout?.destroy();
    while (child.exitCode === null && child.signalCode === null) {
      stdin.write("3\n");
      await new Promise((turn) => setTimeout(turn, 10));
    }
    expect([await ended, written.err]).toEqual([0, ""]);
  });

  test("waits for a slow reader, and loses no line", async () => {
    const { child, written, ended } = program.start(["new", "--count", "200000"]);
    const stdout = child.stdout as NonNullable<typeof child.stdout>;
    stdout.pause();
    // When this side's buffer is full, the pipe fills up, which holds far less than the 3.8 MB of output.
    await expect
      .poll(() => stdout.readableLength, { timeout: 60_000 })
      .toBeGreaterThanOrEqual(stdout.readableHighWaterMark);
    expect([child.exitCode, child.signalCode]).toEqual([null, null]);
    stdout.resume();
    expect(await ended).toBe(0);
    expect(written.out.split("\n")).toHaveLength(200_001);
  });

  test("is ended by a signal at once in a command that has no cleanup", async () => {
    const { child, ended, waitForOutput } = program.start(["decode", "--json"]);
    child.stdin?.write("1\n");
    await waitForOutput('"id":"1"');
    child.kill("SIGINT");
    expect(await ended).toBe("SIGINT");
  });
});

describe.skipIf(process.platform === "win32")("a signal", () => {
  const serve = ["serve", "--store", "memory:", "--port", "0"];

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "%s stops the service with exit code 0",
    async (name) => {
      const { child, written, ended, waitForOutput } = program.start(serve);
      await waitForOutput("listening on ");
      const url = /http\S+/.exec(written.out)?.[0];
      expect((await fetch(`${url}/generate_snowflake_id`)).status).toBe(200);
      child.kill(name);
      expect(await ended).toBe(0);
    },
  );

  test("that is the second one ends the service at once, although a request is incomplete", async () => {
    const { child, written, ended, waitForOutput } = program.start(serve);
    await waitForOutput("listening on ");
    const url = /http\S+/.exec(written.out)?.[0] as string;
    const { port, hostname } = new URL(url);
    const isListening = () =>
      fetch(`${url}/generate_uuid`).then(
        (response) => response.ok,
        () => false,
      );
    // A request that never ends keeps the service from stopping after the first signal.
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    await new Promise((sent) => socket.write("GET /generate_uuid HTTP/1.1\r\nHost: x\r\n", sent));
    // The service reads it no later than the first of two later requests.
    expect([await isListening(), await isListening()]).toEqual([true, true]);
    child.kill("SIGINT");
    // The first signal closes the port.
    await expect.poll(isListening, { timeout: 60_000 }).toBe(false);
    expect([child.exitCode, child.signalCode]).toEqual([null, null]);
    child.kill("SIGTERM");
    expect(await ended).toBe("SIGTERM");
    socket.destroy();
  });

  test("stops a fill after the current step, with exit code 130", async () => {
    const args = ["pool", "fill", "--store", "memory:", "--types", "types.json", "--type", "farmer"];
    const { child, written, ended, waitForOutput } = program.start([...args, "--to", "1000000"]);
    await waitForOutput("farmer:", "err");
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(written.out).toMatch(
      /^farmer: \d+ IDs are available, \d+ of them new\. The fill was interrupted\.\n$/,
    );
  });
});

test("a command exits although the server does not answer and the client does not close", async () => {
  // A server that accepts connections and never answers, and a client that waits for it without a limit.
  const server = createServer(() => {}).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  mkdirSync(join(program.folder, "node_modules", "pg"), { recursive: true });
  writeFileSync(
    join(program.folder, "node_modules", "pg", "index.js"),
    `const net = require("node:net");
exports.Pool = class {
  constructor() { this.socket = net.connect(${port}, "127.0.0.1"); }
  on() {}
  query() { return new Promise(() => {}); }
  end() { return new Promise(() => {}); }
};`,
  );
  const store = ["--store", `postgres://u:secret@127.0.0.1:${port}/db`, "--store-timeout-ms", "100"];
  const { code, err } = await runToEnd(["lease", "inspect", ...store]);
  server.close();
  expect(code).toBe(1);
  expect(err).toBe(`error: postgres://u:***@127.0.0.1:${port}/db: no answer within 100 ms\n`);
});
