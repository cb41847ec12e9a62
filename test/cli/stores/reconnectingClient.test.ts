// The reconnecting client, with clients made of promises; test/integration has real ones.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { reconnectingClient } from "../../../src/cli/stores/reconnectingClient.ts";

/** Creates a reconnecting client whose clients are numbers, with the records of which were opened and closed. */
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

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Asserts that calls fail after the timeout, and not before. */
async function expectNoAnswer(calls: readonly Promise<unknown>[]): Promise<void> {
  const failed = vi.fn();
  const failures = calls.map((call) =>
    expect(call.finally(failed)).rejects.toThrow("no answer within 50 ms"),
  );
  await vi.advanceTimersByTimeAsync(49);
  expect(failed).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  await Promise.all(failures);
}

describe("a client", () => {
  test("that answers is kept, also if the answer is an error", async () => {
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
    await expectNoAnswer(calls);
    expect(await connection.use(async (client) => client)).toBe(1);
    expect([opened, closed]).toEqual([[0, 1], [0]]);
  });

  test("that never connects is replaced", async () => {
    const { connection } = clients({ ready: (client) => (client === 0 ? never() : Promise.resolve()) });
    await expectNoAnswer([connection.use(async (client) => client)]);
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

  test("that is closed is not used again, and not replaced", async () => {
    const { connection, opened, closed } = clients();
    const call = connection.use(never);
    connection.close();
    await expect(connection.use(async (client) => client)).rejects.toThrow("the connection is closed");
    await expectNoAnswer([call]);
    expect([opened, closed]).toEqual([[0], [0]]);
  });
});
