// The program as a process: its streams, its signals, its exit codes.

import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VERSION } from "../../src/version.ts";
import { buildProgram, type Program } from "./program.ts";

let program: Program;
beforeAll(async () => {
  program = await buildProgram();
  writeFileSync(join(program.folder, "types.json"), '{ "farmer": { "length": 12 } }');
});
afterAll(() => program.remove());

/** Runs it to its end, with a text to read. */
async function ran(args: readonly string[], stdin = "", env = {}) {
  const { child, written, ended } = program.start(args, env);
  child.stdin?.end(stdin);
  return { code: await ended, ...written };
}

describe("the program", () => {
  test("knows its version", async () => {
    expect(await ran(["--version"])).toEqual({ code: 0, out: `${VERSION}\n`, err: "" });
  });

  test("reads the standard input, and writes all of what it has to say before it ends", async () => {
    const stdin = Array.from({ length: 20_000 }, (_, i) => `${i}\n`).join("");
    const { code, out, err } = await ran(["decode", "--json"], stdin);
    expect([code, err]).toEqual([0, ""]);
    expect(out.split("\n")).toHaveLength(20_001);
    expect(JSON.parse(out.split("\n").at(-2) as string).id).toBe("19999");
  });

  test("has the exit codes that it says it has", async () => {
    expect((await ran(["numeric", "check", "1", "--length", "10"])).code).toBe(1);
    const { code, out, err } = await ran(["nwe"]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain("did you mean new?");
  });

  test("ends quietly when nobody reads any more", async () => {
    const { child, written, ended, waitForOutput } = program.start(["new", "--count", "1000000"]);
    await waitForOutput("\n");
    child.stdout?.destroy();
    expect([await ended, written.err]).toEqual([0, ""]);
  });

  test("waits for whoever reads slowly", async () => {
    const { child, written, ended } = program.start(["new", "--count", "200000"]);
    child.stdout?.pause();
    await setTimeout(500);
    child.stdout?.resume();
    expect(await ended).toBe(0);
    expect(written.out.split("\n")).toHaveLength(200_001);
  });

  test("ends by a signal at once, where there is nothing to put in order", async () => {
    const { child, ended } = program.start(["decode"]);
    await setTimeout(500);
    child.kill("SIGINT");
    expect(await ended).toBe("SIGINT");
  });
});

describe.skipIf(process.platform === "win32")("a signal", () => {
  const serve = ["serve", "--store", "memory:", "--port", "0"];

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("%s ends the service in order", async (name) => {
    const { child, written, ended, waitForOutput } = program.start(serve);
    await waitForOutput("listening on ");
    const url = /http\S+/.exec(written.out)?.[0];
    expect((await fetch(`${url}/generate_snowflake_id`)).status).toBe(200);
    child.kill(name);
    expect(await ended).toBe(0);
  });

  test("that comes twice ends it at once, whatever is under way", async () => {
    const { child, written, ended, waitForOutput } = program.start(serve);
    await waitForOutput("listening on ");
    const url = new URL(/http\S+/.exec(written.out)?.[0] as string);
    // A request that never comes to its end keeps the service from ending in order.
    const { connect } = await import("node:net");
    const socket = connect(Number(url.port), url.hostname);
    socket.on("error", () => {});
    socket.write("GET /generate_snowflake_id HTTP/1.1\r\nHost: x\r\n");
    await setTimeout(300);
    child.kill("SIGINT");
    expect(await Promise.race([ended, setTimeout(500, "waiting")])).toBe("waiting");
    child.kill("SIGTERM");
    expect(await ended).toBe("SIGTERM");
    socket.destroy();
  });

  test("ends a fill after the step that is under way", async () => {
    const args = ["pool", "fill", "--store", "memory:", "--types", "types.json", "--type", "farmer"];
    const { child, written, ended } = program.start([...args, "--to", "1000000"]);
    while (!written.err) await setTimeout(20);
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(written.out).toMatch(
      /^farmer: \d+ IDs are available, \d+ of them new\. The fill was interrupted\.\n$/,
    );
  });
});

test("a server that never answers is no reason to never end", async () => {
  // It takes connections and says nothing, like a frozen one; the client is one that waits for it for ever.
  const server = createServer(() => {}).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const { mkdirSync } = await import("node:fs");
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
  const { code, err } = await ran([
    "lease",
    "inspect",
    "--store",
    `postgres://u:secret@127.0.0.1:${port}/db`,
  ]);
  server.close();
  expect(code).toBe(1);
  expect(err).toBe(`error: postgres://u:***@127.0.0.1:${port}/db: no answer within 4 s\n`);
});
