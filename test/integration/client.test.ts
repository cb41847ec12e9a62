// The client under faults: callers use two `bitflake serve` processes on one PostgreSQL, of which one is killed and started
// again, and the other one is stopped and started again. The test records every ID: none may repeat, and no call may fail.
//
// CLIENT_CHAOS_SECONDS sets the duration; by hand 60.

import { symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BitflakeClient, type ClientFetch } from "../../src/client/index.ts";
import { decode } from "../../src/index.ts";
import { buildProgram, type Program } from "../cli/program.ts";
import { inOwnDatabase } from "./database.ts";

const { DATABASE_URL } = process.env;
const seconds = Number(process.env["CLIENT_CHAOS_SECONDS"] ?? 8);

const KEY = "an-example-of-a-key";

/** A process that serves on a port that stays the same when it is started again. */
class ServeProcess {
  readonly #program: Program;
  readonly #store: string;
  #port = "0";
  #running: ReturnType<Program["start"]> | undefined;

  constructor(program: Program, store: string) {
    this.#program = program;
    this.#store = store;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Starts it, the first time on a port that the system chooses. */
  async start(): Promise<void> {
    const args = [
      "serve",
      "--store",
      this.#store,
      "--types",
      "types.json",
      "--port",
      this.#port,
      "--log",
      "none",
    ];
    this.#running = this.#program.start([...args, "--no-fence"], { BITFLAKE_API_KEYS: KEY });
    await this.#running.waitForOutput("listening on ");
    const [, port = ""] = /listening on http:\/\/[\w.]+:(\d+)/.exec(this.#running.written.out) ?? [];
    this.#port = port;
  }

  /** Ends it by a signal, by its ID. Resolves to its exit code, or the signal. */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<number | string | null | undefined> {
    this.#running?.child.kill(signal);
    return this.#running?.ended;
  }
}

/** IDs of 63 bits, recorded without an object for each. */
class Ids {
  #words = new BigUint64Array(2 ** 16);
  length = 0;

  add(id: bigint): void {
    if (this.length === this.#words.length) {
      const words = new BigUint64Array(2 * this.length);
      words.set(this.#words);
      this.#words = words;
    }
    this.#words[this.length++] = id;
  }

  /** Returns the IDs that are there more than once. */
  repeated(): bigint[] {
    const sorted = this.#words.slice(0, this.length).sort();
    return [...sorted.filter((id, at) => at > 0 && id === sorted[at - 1])];
  }

  at(index: number): bigint {
    return this.#words[index] as bigint;
  }
}

describe.skipIf(!DATABASE_URL)("a client of two services on one PostgreSQL", () => {
  let program: Program;
  beforeAll(async () => {
    program = await buildProgram();
    const pg = dirname(createRequire(import.meta.url).resolve("pg/package.json"));
    const packages = join(program.folder, "node_modules");
    symlinkSync(dirname(pg), packages, "junction");
    writeFileSync(join(program.folder, "types.json"), '{ "farmer": { "length": 12 } }');
  });
  afterAll(() => program?.remove());

  test("while one is killed and one is restarted: no ID repeats, and no call fails", {
    timeout: seconds * 3000 + 120_000,
  }, async () => {
    await inOwnDatabase(async () => {
      const [first, second] = [1, 2].map(() => new ServeProcess(program, process.env["DATABASE_URL"] ?? ""));
      await first.start();
      await second.start();

      /** Requests and failed attempts, by service. */
      const counts = new Map<string, { requests: number; failures: number }>();
      const countingFetch: ClientFetch = async (url, init) => {
        const { origin } = new URL(url);
        const count = counts.get(origin) ?? { requests: 0, failures: 0 };
        counts.set(origin, count);
        count.requests++;
        try {
          return await fetch(url, init as RequestInit);
        } catch (error) {
          count.failures++;
          throw error;
        }
      };
      const urls = [first.url, second.url];
      const clients = [urls, urls.toReversed()].map(
        (url) => new BitflakeClient({ url, apiKey: KEY, fetch: countingFetch }),
      );

      const flakes = new Ids();
      const values = new Ids();
      const numericIds: string[] = [];
      const changed: string[] = [];
      const errors: unknown[] = [];
      let isOver = false;
      /** Repeats a use until the end. */
      const caller = async (use: () => Promise<void>) => {
        while (!isOver) {
          await use().catch((error) => errors.push(error));
          await setTimeout(Math.random() * 5);
        }
      };
      const callers = clients.flatMap((client) => [
        ...[1, 2, 3].map(() =>
          caller(async () => {
            for (let count = 0; count < 100; count++) flakes.add(await client.nextId());
          }),
        ),
        caller(async () => {
          for (const id of await client.nextIds(1 + Math.floor(Math.random() * 500))) flakes.add(id);
        }),
        caller(async () => {
          for (const value of await client.nextCounterValues(7)) values.add(value);
        }),
        caller(async () => {
          const { id, requestKey } = await client.issueNumericId("farmer");
          numericIds.push(id);
          // The same key has the same ID on either service.
          const [other] = clients.filter((each) => each !== client);
          const again = await other?.issueNumericId("farmer", { requestKey });
          if (again?.id !== id) changed.push(`${id} and ${again?.id}`);
        }),
      ]);

      await setTimeout(seconds * 250);
      expect(await first.end("SIGKILL")).toBe("SIGKILL");
      await setTimeout(seconds * 150);
      await first.start();
      await setTimeout(seconds * 200);
      expect(await second.end("SIGTERM")).toBe(0);
      await setTimeout(seconds * 100);
      await second.start();
      await setTimeout(seconds * 300);
      isOver = true;
      await Promise.all(callers);
      await Promise.all(clients.map((client) => client.close()));
      await Promise.all([first.end("SIGTERM"), second.end("SIGTERM")]);

      const attempts = urls.map((url) => counts.get(url) ?? { requests: 0, failures: 0 });
      const lines = attempts.map(({ requests, failures }) => `${requests} requests, ${failures} failed`);
      console.info(
        `client, ${seconds} s: ${flakes.length} IDs, ${values.length} counter values, ${numericIds.length} numeric IDs; ${lines.join("; ")}`,
      );
      expect(errors).toEqual([]);
      expect(flakes.repeated()).toEqual([]);
      expect(values.repeated()).toEqual([]);
      expect(new Set(numericIds).size).toBe(numericIds.length);
      expect(changed).toEqual([]);
      // The faults had their effect, and both services were used.
      for (const { requests, failures } of attempts) {
        expect(requests).toBeGreaterThan(10);
        expect(failures).toBeGreaterThan(0);
      }
      for (const { length } of [flakes, values, numericIds]) expect(length).toBeGreaterThan(20);
      const nodes = new Set(
        Array.from({ length: 1000 }, (_, at) =>
          decode(flakes.at(Math.floor((at * flakes.length) / 1000)), "twitter"),
        ).map(({ datacenterId, machineId }) => datacenterId * 32 + machineId),
      );
      expect(nodes.size).toBeGreaterThan(1);
    });
  });
});
