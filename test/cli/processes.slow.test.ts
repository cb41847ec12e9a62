// Several processes on one machine without a common configuration: services in separate folders, and many `bitflake new` at
// once. They generate no ID twice.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decode } from "bitflake";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { buildProgram, type Program } from "./program.ts";

const hasSqlite = isBuiltin("node:sqlite");
const root = mkdtempSync(join(tmpdir(), "bitflake-machine-"));
let program: Program;
beforeAll(async () => {
  program = await buildProgram();
});
afterAll(() => {
  program.remove();
  rmSync(root, { recursive: true, force: true });
});

/** The empty home of a user, new for each test. */
let home = "";
beforeEach(() => {
  home = mkdtempSync(join(root, "home-"));
});

/** Creates a current folder for a process. */
function folder(): string {
  return mkdtempSync(join(root, "cwd-"));
}

/** Starts the program as this user. */
function start(args: readonly string[], { cwd = folder(), env = {} as Record<string, string> } = {}) {
  return program.start(args, { HOME: home, ...env }, cwd);
}

/** Starts a service. Resolves when it listens. */
async function serve(args: readonly string[] = [], at = {}) {
  const { child, written, waitForOutput, ended } = start(
    ["serve", "--port", "0", "--log", "none", ...args],
    at,
  );
  await waitForOutput("listening on ");
  const url = /http:\S+/.exec(written.out)?.[0] ?? "";
  const ids = async (count: number): Promise<string[]> => {
    const { ids } = (await (await fetch(`${url}/generate_snowflake_id?count=${count}`)).json()) as {
      ids: string[];
    };
    return ids;
  };
  return {
    url,
    ids,
    written,
    async node() {
      const { datacenterId, machineId } = decode((await ids(1))[0] as string, "twitter");
      return datacenterId * 32 + machineId;
    },
    async stop() {
      child.kill("SIGTERM");
      expect(await ended).toBe(0);
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

describe("services without settings, each in its own folder", () => {
  test("lease different nodes, and repeat none of 100,000 IDs", async () => {
    const services = [await serve(), await serve()];
    const nodes = await Promise.all(services.map((service) => service.node()));
    expect(new Set(nodes).size).toBe(2);
    for (const [i, { written }] of services.entries()) {
      expect(written.out).toContain(
        `\nnode: datacenter 0, machine ${nodes[i]}, leased from the state folder; `,
      );
    }
    const rounds = services.map(async ({ ids }) => {
      const all: string[] = [];
      for (let round = 0; round < 50; round++) all.push(...(await ids(1000)));
      return all;
    });
    const all = (await Promise.all(rounds)).flat();
    expect([all.length, new Set(all).size]).toEqual([100_000, 100_000]);
    for (const service of services) await service.stop();
  });

  test("lease different nodes when they start at the same moment", async () => {
    const services = await Promise.all(
      Array.from({ length: 5 }, () => serve(["--store-timeout-ms", "60000"])),
    );
    const nodes = await Promise.all(services.map((service) => service.node()));
    expect(new Set(nodes).size).toBe(5);
    for (const service of services) await service.stop();
  });

  test("lease different nodes in memory and in SQLite", async () => {
    const services = [
      await serve(["--store", "memory:"]),
      await serve(),
      await serve(["--store", "memory:"]),
    ];
    const nodes = await Promise.all(services.map((service) => service.node()));
    expect(new Set(nodes).size).toBe(3);
    for (const service of services) await service.stop();
  });

  test("do not take the node of a killed service while its lease lasts", async () => {
    const first = await serve();
    const taken = await first.node();
    await first.kill();
    const second = await serve();
    expect(await second.node()).not.toBe(taken);
    await second.stop();
  });

  test("keep their state in a folder that only the user can read", async () => {
    const service = await serve();
    await service.stop();
    const state = join(home, ".local", "state", "bitflake");
    expect(statSync(state).mode & 0o777).toBe(0o700);
    expect(existsSync(join(state, "bitflake.db"))).toBe(hasSqlite);
    if (hasSqlite) expect(statSync(join(state, "bitflake.db")).mode & 0o777).toBe(0o600);
    if (!hasSqlite) expect(service.written.err).toMatch(/^warning: .*memory.*counters restart at 1/);
  });
});

describe("bitflake new, eight at once", () => {
  test.each([
    ["of a layout with nodes", ["--tick-ms", "100"]],
    ["of a layout without nodes", ["--preset", "minimal", "--tick-ms", "100"]],
    ["of a layout without nodes and with short ticks", ["--preset", "minimal"]],
    ["of a layout with few nodes", ["--preset", "safe_integer"]],
  ])("repeat no ID %s", async (_, layout) => {
    const runs = Array.from({ length: 8 }, async () => {
      // With long ticks, some of the processes use the same tick, under any load of the machine.
      const { written, ended } = start(["new", "--count", "1000", ...layout]);
      expect([await ended, written.err]).toEqual([0, ""]);
      return written.out.trim().split("\n");
    });
    const all = (await Promise.all(runs)).flat();
    expect([all.length, new Set(all).size]).toEqual([8000, 8000]);
  });

  test("repeat no ID of a service that runs beside it", async () => {
    const service = await serve();
    const { written, ended } = start(["new", "--count", "100000"]);
    const all: string[] = [];
    let isOver = false;
    void ended.then(() => {
      isOver = true;
    });
    while (!isOver) all.push(...(await service.ids(1000)));
    all.push(...written.out.trim().split("\n"));
    expect(new Set(all).size).toBe(all.length);
    await service.stop();
  });
});

// Node 20 has no SQLite. The test is not declared there, because it would count as skipped.
if (hasSqlite) {
  test("a bitflake.db in the current folder is used instead of the one in the state folder", async () => {
    const cwd = folder();
    const counted = async () => {
      const { url, stop, written } = await serve([], { cwd });
      const { id } = (await (await fetch(`${url}/generate_counter_id`)).json()) as { id: string };
      await stop();
      return [id, /^store: (.*)$/m.exec(written.out)?.[1]];
    };
    const shared = join(home, ".local", "state", "bitflake", "bitflake.db");
    expect(await counted()).toEqual(["1", `sqlite:${shared}`]);
    writeFileSync(join(cwd, "bitflake.db"), "");
    expect(await counted()).toEqual(["1", "sqlite:bitflake.db"]);
    expect(await counted()).toEqual(["2", "sqlite:bitflake.db"]);
  });
}

// A file in place of a folder, because the mode of a folder does not stop root.
describe("a state folder that cannot be written", () => {
  test.each([[["serve"]], [["new"]], [["new", "--preset", "minimal"]]])(
    "is an error of %j that has the remedy",
    async (args) => {
      const env = { BITFLAKE_STATE_DIR: join(home, "file", "state") };
      writeFileSync(join(home, "file"), "");
      const { written, ended } = start(args, { env });
      expect(await ended).toBe(1);
      expect(written.out).toBe("");
      expect(written.err).toMatch(/^error: .*file\/state.*BITFLAKE_STATE_DIR.*--machine-id/);
    },
  );

  test("is not required if the node is given", async () => {
    const env = { BITFLAKE_STATE_DIR: join(home, "file", "state") };
    writeFileSync(join(home, "file"), "");
    const { written, ended } = start(["new", "--machine-id", "7"], { env });
    expect([await ended, written.err]).toEqual([0, ""]);
  });

  test("keeps its mode if it exists", async () => {
    const env = { BITFLAKE_STATE_DIR: join(home, "shared") };
    mkdirSync(env.BITFLAKE_STATE_DIR);
    chmodSync(env.BITFLAKE_STATE_DIR, 0o750);
    const { ended } = start(["new"], { env });
    expect(await ended).toBe(0);
    expect(statSync(env.BITFLAKE_STATE_DIR).mode & 0o777).toBe(0o750);
  });
});
