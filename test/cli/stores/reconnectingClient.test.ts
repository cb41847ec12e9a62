// A client that does not answer is replaced, by a client that is made of promises here; test/integration has the real ones.

import { describe, expect, test } from "vitest";
import { reconnectingClient } from "../../../src/cli/stores/reconnectingClient.ts";

/** Clients by their numbers, and what became of them. */
function clients(given: { ready?: (n: number) => Promise<unknown>; isOver?: (n: number) => boolean } = {}) {
  const opened: number[] = [];
  const closed: number[] = [];
  const connection = reconnectingClient(50, () => {
    const client = opened.length;
    opened.push(client);
    return {
      client,
      ready: given.ready?.(client) ?? Promise.resolve(),
      isOver: () => given.isOver?.(client) ?? false,
      close: () => closed.push(client),
    };
  });
  return { connection, opened, closed };
}

const never = () => new Promise<never>(() => {});

describe("a client", () => {
  test("that answers is kept, also when the answer is an error", async () => {
    const { connection, opened, closed } = clients();
    expect(await connection.use(async (client) => client)).toBe(0);
    await expect(connection.use(() => Promise.reject(new Error("no such table")))).rejects.toThrow(
      "no such table",
    );
    expect(await connection.use(async (client) => client)).toBe(0);
    expect([opened, closed]).toEqual([[0], []]);
  });

  test("that goes silent is replaced once, however many calls wait for it", async () => {
    const { connection, opened, closed } = clients();
    const calls = Array.from({ length: 5 }, () => connection.use(never));
    for (const call of calls) await expect(call).rejects.toThrow("no answer within 50 ms");
    expect(await connection.use(async (client) => client)).toBe(1);
    expect([opened, closed]).toEqual([[0, 1], [0]]);
  });

  test("that never connects is silent too", async () => {
    const { connection } = clients({ ready: (client) => (client === 0 ? never() : Promise.resolve()) });
    await expect(connection.use(async (client) => client)).rejects.toThrow("no answer within 50 ms");
    expect(await connection.use(async (client) => client)).toBe(1);
  });

  test("that cannot connect is replaced at the next call", async () => {
    const refused = () => Promise.reject(new Error("refused"));
    const { connection, closed } = clients({
      ready: (client) => (client < 2 ? refused() : Promise.resolve()),
    });
    await expect(connection.ready).rejects.toThrow("refused");
    await expect(connection.use(async (client) => client)).rejects.toThrow("refused");
    expect(await connection.use(async (client) => client)).toBe(2);
    expect(closed).toEqual([0, 1]);
  });

  test("that has given up is replaced at the next call", async () => {
    const over = new Set<number>();
    const { connection, closed } = clients({ isOver: (client) => over.has(client) });
    expect(await connection.use(async (client) => client)).toBe(0);
    over.add(0);
    expect(await connection.use(async (client) => client)).toBe(1);
    expect(closed).toEqual([0]);
  });

  test("that is closed is used no more, and none takes its place", async () => {
    const { connection, opened, closed } = clients();
    const call = connection.use(never);
    connection.close();
    await expect(connection.use(async (client) => client)).rejects.toThrow("the connection is closed");
    await expect(call).rejects.toThrow("no answer within 50 ms");
    expect([opened, closed]).toEqual([[0], [0]]);
  });
});
