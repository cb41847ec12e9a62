// A PostgreSQL that is down, crashes or freezes: each call fails in time with a BackendError, and the client recovers.

import type { LookupAddress } from "node:dns";
import { type LookupFunction, Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { callStore } from "../../../src/backend/call.ts";
import { fromPg, type SqlPort, setup } from "../../../src/backend/index.ts";
import { BackendError } from "../../../src/internal.ts";
import { pgliteAdapter, postgresAdapters } from "../postgres-clients.ts";
import { type Server, startable, startPostgres } from "../servers.ts";
import { again, failure } from "./outcomes.ts";

/** Sends an echo as the features send their calls. */
const echo = (port: SqlPort, sql = "SELECT $1::text AS echo") =>
  callStore(
    port,
    "test: echo",
    () => port.query(sql, ["hello"]),
    (answer) => (answer as { echo?: string }[])[0].echo,
  );

/** A connection to a host that has several addresses, as localhost often has. */
class ManyHomed extends Socket {
  readonly addresses: LookupAddress[];

  constructor(addresses: LookupAddress[]) {
    super();
    this.addresses = addresses;
  }

  override connect(...[port, host]: unknown[]): this {
    const lookup: LookupFunction = (_host, _options, done) => done(null, this.addresses);
    return super.connect({ port: Number(port), host: String(host), lookup, autoSelectFamily: true });
  }
}

describe.each(startable.postgres ? [...postgresAdapters, pgliteAdapter] : [pgliteAdapter])(
  "by $name",
  ({ open }) => {
    const url = process.env.DATABASE_URL ?? "";

    test("a failed statement gives a BackendError with the client's error as its cause", async () => {
      const { port, close } = await open(url);
      const error = await failure(echo(port, "SELECT $1::text, 1 / 0"));
      expect(error).toBeInstanceOf(BackendError);
      expect(error).toMatchObject({ reason: "failed", operation: "test: echo", cause: { code: "22012" } });
      expect(error.message).toBe("test: echo: division by zero");
      expect(await echo(port)).toBe("hello");
      await close();
    });

    test("a missing table gives an error that names setup()", async () => {
      const { port, close } = await open(url);
      const error = await failure(echo(port, "SELECT $1::text FROM bitflake_nowhere"));
      expect(error).toMatchObject({ reason: "failed", cause: { code: "42P01" } });
      expect(error.message).toBe(
        'test: echo: has setup() been run? relation "bitflake_nowhere" does not exist',
      );
      await close();
    });

    test("an unexpected response has another reason than a failure", async () => {
      const { port, close } = await open(url);
      const nothing = await failure(echo(port, "SELECT $1::text AS other"));
      expect(nothing).toMatchObject({ reason: "answer", operation: "test: echo" });
      // The reader expects a row, and there is none.
      const refused = await failure(echo(port, "SELECT $1::text WHERE false"));
      expect(refused).toMatchObject({ reason: "answer", cause: expect.any(TypeError) });
      await close();
    });
  },
);

describe.skipIf(!startable.postgres)("a PostgreSQL of its own", () => {
  let server: Server;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());
  // A test that failed may leave the server frozen or stopped, so restart it for the next test.
  afterEach(({ task }) => (task.result?.state === "fail" ? server.restart() : undefined));

  // A Client of pg is one connection and does not reconnect.
  const lasting = postgresAdapters.filter(({ name }) => !name.includes("a Client"));

  test.each(lasting)(
    "fails calls by $name while it is down, and answers after it has started",
    async ({ open }) => {
      await server.kill();
      const { port, close } = await open(server.url);
      const error = await failure(echo(port));
      expect(error).toBeInstanceOf(BackendError);
      expect(error).toMatchObject({
        reason: "failed",
        operation: "test: echo",
        cause: { code: "ECONNREFUSED" },
      });
      expect(error.message).toMatch(/^test: echo: connect ECONNREFUSED/);
      await expect(setup(port)).rejects.toMatchObject({ reason: "failed", operation: "setup" });
      await server.restart();
      expect(await again(() => echo(port))).toBe("hello");
      await close();
    },
  );

  test("gives an error with the code when it is down at each address of its name", async () => {
    // Node's own error for that has no message, only a code.
    const addresses = ["127.0.0.1", "127.0.0.2"].map((address) => ({ address, family: 4 }));
    const pool = new pg.Pool({
      connectionString: "postgres://db.example:1/app",
      stream: () => new ManyHomed(addresses),
    });
    const error = await failure(echo(fromPg(pool)));
    expect(error).toMatchObject({ reason: "failed", cause: expect.any(AggregateError) });
    expect(error.message).toBe("test: echo: ECONNREFUSED");
    await pool.end();
  });

  test.each(postgresAdapters)(
    "fails a call by $name when it crashes during the call",
    async ({ name, open }) => {
      const { port, close } = await open(server.url, { timeoutMs: 5000 });
      expect(await echo(port)).toBe("hello");
      const long = failure(echo(port, "SELECT $1::text AS echo, pg_sleep(60)"));
      await setTimeout(100);
      await server.kill();
      expect(await long).toMatchObject({
        reason: "failed",
        operation: "test: echo",
        cause: expect.any(Error),
      });
      await server.restart();
      if (lasting.some((one) => one.name === name)) expect(await again(() => echo(port))).toBe("hello");
      else expect(await failure(echo(port))).toMatchObject({ reason: "failed" });
      await close();
    },
  );

  test.each(postgresAdapters)(
    "gives a timeout by $name while it is frozen, and answers afterwards",
    async ({ open }) => {
      const { port, close } = await open(server.url, { timeoutMs: 200 });
      expect(await again(() => echo(port))).toBe("hello");
      server.pause();
      const started = performance.now();
      const errors = await Promise.all(Array.from({ length: 5 }, () => failure(echo(port))));
      expect(performance.now() - started).toBeLessThan(60_000);
      for (const error of errors) {
        expect(error).toMatchObject({ reason: "timeout", operation: "test: echo" });
        expect(error.message).toBe("test: echo: no answer within 200 ms");
      }
      server.resume();
      expect(await again(() => echo(port))).toBe("hello");
      await close();
    },
  );
});
