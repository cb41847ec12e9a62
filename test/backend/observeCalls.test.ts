// Observers of the calls to a store.

import { expect, test } from "vitest";
import { callStore } from "../../src/backend/call.ts";
import { type Backend, memory } from "../../src/backend/index.ts";
import { observeCalls } from "../../src/backend/observeCalls.ts";

test("an observer gets each call of its backend with its time and its error, until it is removed", async () => {
  const [backend, other] = [memory(), memory()];
  const calls: unknown[][] = [];
  const stop = observeCalls(backend, (...call) => void calls.push(call));
  const send = (store: Backend, answer: () => Promise<unknown>) =>
    callStore(store, "test: send", answer, (value) => (value === 1 ? value : undefined)).catch(() => {});
  await send(backend, async () => 1);
  await send(backend, async () => 2);
  await send(backend, async () => {
    throw new Error("down");
  });
  await send({ ...backend, timeoutMs: 1 }, () => new Promise(() => {}));
  await send(other, async () => 1);
  expect(calls).toEqual([
    ["test: send", expect.any(Number), undefined],
    ["test: send", expect.any(Number), expect.objectContaining({ reason: "answer" })],
    ["test: send", expect.any(Number), expect.objectContaining({ reason: "failed" })],
  ]);
  for (const [, durationMs] of calls) expect(durationMs).toBeGreaterThanOrEqual(0);
  stop();
  await send(backend, async () => 1);
  expect(calls.length).toBe(3);
});

test("two observers of a backend get the same calls", async () => {
  const backend = memory();
  const counts = [0, 0];
  const stops = counts.map((_, index) =>
    observeCalls(backend, () => {
      counts[index] = (counts[index] as number) + 1;
    }),
  );
  const send = () =>
    callStore(
      backend,
      "test: send",
      async () => 1,
      () => 1,
    );
  await send();
  stops[0]?.();
  stops[0]?.();
  await send();
  expect(counts).toEqual([1, 2]);
  stops[1]?.();
  await send();
  expect(counts).toEqual([1, 2]);
});

test("a call that times out is reported with that reason", async () => {
  const backend = { ...memory(), timeoutMs: 1 };
  const errors: unknown[] = [];
  observeCalls(backend, (_operation, _durationMs, error) => void errors.push(error));
  await callStore(
    backend,
    "test: send",
    () => new Promise(() => {}),
    () => 1,
  ).catch(() => {});
  expect(errors).toEqual([expect.objectContaining({ reason: "timeout" })]);
});
