// Stores with compare-and-set that are down, killed or frozen: each call fails in time with a BackendError, and the client
// recovers with what was acknowledged.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Cells } from "../../../src/backend/cells.ts";
import type { CellPort } from "../../../src/backend/index.ts";
import { BackendError } from "../../../src/internal.ts";
import { type CellAdapter, dynamoDBAdapter, etcdAdapter, natsAdapters } from "../cell-clients.ts";
import { type Server, startable, startDynalite, startEtcd, startNats } from "../servers.ts";
import { again, failure } from "./outcomes.ts";

const engines: readonly {
  name: string;
  isStartable: boolean;
  start(): Promise<Server>;
  adapters: readonly CellAdapter[];
}[] = [
  { name: "NATS", isStartable: startable.nats, start: startNats, adapters: natsAdapters },
  { name: "etcd", isStartable: startable.etcd, start: startEtcd, adapters: [etcdAdapter] },
  { name: "DynamoDB", isStartable: true, start: startDynalite, adapters: [dynamoDBAdapter] },
];

/** Adds one to the number of a key, as a feature does. */
const add = (port: CellPort, key: string) =>
  new Cells(port).step("test: add", key, (value = "0") => {
    const next = String(Number(value) + 1);
    return { value: next, result: next };
  });

for (const { name, isStartable, start, adapters } of engines) {
  describe.skipIf(!isStartable)(`a ${name} of its own`, () => {
    let server: Server;
    beforeAll(async () => {
      server = await start();
    });
    afterAll(() => server?.stop());
    // A test that failed may leave the server frozen or stopped, so restart it for the next test.
    afterEach(({ task }) => (task.result?.state === "fail" ? server.restart() : undefined));

    describe.each(adapters)("by $name", ({ open }) => {
      test("fails calls while it is down, and keeps what it acknowledged", async () => {
        const { port, close } = await open(server.url, { timeoutMs: 20_000 });
        expect(await add(port, "kept")).toBe("1");
        await server.kill();
        const error = await failure(add(port, "kept"));
        expect(error).toBeInstanceOf(BackendError);
        expect(error).toMatchObject({ operation: "test: add" });
        await server.restart();
        expect(await again(() => add(port, "kept"))).toBe("2");
        await close();
      });

      test("gives a timeout while it is frozen, and answers afterwards", async () => {
        const { port, close } = await open(server.url, { timeoutMs: 300 });
        expect(await again(() => add(port, "frozen"))).toMatch(/\d/);
        server.pause();
        const started = performance.now();
        const errors = await Promise.all(Array.from({ length: 5 }, () => failure(add(port, "frozen"))));
        expect(performance.now() - started).toBeLessThan(60_000);
        for (const error of errors) expect(error).toBeInstanceOf(BackendError);
        server.resume();
        expect(await again(() => add(port, "frozen"))).toMatch(/\d/);
        await close();
      });
    });
  });
}
