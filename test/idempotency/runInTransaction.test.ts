// `once` in a transaction, on a scripted client: the statements, and answers that fail. The real ones are in
// test/integration/idempotency-transaction.test.ts.

import { describe, expect, test, vi } from "vitest";
import { memory, type SqlPort, type SqlRow } from "../../src/backend/index.ts";
import { Idempotency, type IdempotencyOptions } from "../../src/idempotency/index.ts";
import { errorOf } from "./fakePorts.ts";

const ACQUIRED = [{ key: "k" }];
const INSIDE = [{ inside: "yes" }];
const DONE = [{ key: "k" }];
const COMPLETED = [{ fingerprint: "f", value: '"before"', wait: null, far: "no" }];

/** Creates a backend, and a transaction that returns planned rows and notes the first word of each statement. */
function plan(dialect: SqlPort["dialect"], ...answers: (readonly SqlRow[] | Error)[]) {
  const sent: string[] = [];
  const backend: SqlPort = { dialect, query: () => Promise.reject(new Error("outside the transaction")) };
  const transaction: SqlPort = {
    dialect,
    async query(text) {
      sent.push(text.split(" ", 1)[0] as string);
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer ?? [];
    },
  };
  const make = (options: Partial<IdempotencyOptions> = {}) =>
    new Idempotency({ backend, name: "n", ...options });
  return { backend, transaction, sent, make };
}

describe("once in a transaction", () => {
  test.each([
    ["postgres", [ACQUIRED, INSIDE, DONE], ["INSERT", "SELECT", "UPDATE"]],
    ["sqlite", [ACQUIRED, DONE], ["INSERT", "UPDATE"]],
  ] as const)("sends all statements of %s to it", async (dialect, answers, expected) => {
    const { transaction, sent, make } = plan(dialect, ...answers);
    expect(await make().once("k", "f", () => 1, { transaction })).toEqual({ value: 1, isReplay: false });
    expect(sent).toEqual(expected);
  });

  test("returns the result of an earlier call, and calls the hooks", async () => {
    const { transaction, make } = plan("sqlite", [], COMPLETED);
    const [onHit, onMiss] = [vi.fn(), vi.fn()];
    const call = make({ onHit, onMiss }).once("k", "f", () => 1, { transaction });
    expect(await call).toEqual({ value: "before", isReplay: true });
    expect(onHit).toHaveBeenCalledExactlyOnceWith({ key: "k" });
    expect(onMiss).not.toHaveBeenCalled();
  });

  test("in PostgreSQL outside of one is refused before the work, and the lock is released", async () => {
    const { transaction, sent, make } = plan("postgres", ACQUIRED, [{ inside: "no" }], DONE);
    const [work, onMiss] = [vi.fn(), vi.fn()];
    expect(await errorOf(make({ onMiss }).once("k", "f", work, { transaction }))).toMatchObject({
      code: "ERR_ARGUMENT",
      field: "transaction",
    });
    expect(sent).toEqual(["INSERT", "SELECT", "DELETE"]);
    expect(work).not.toHaveBeenCalled();
    expect(onMiss).not.toHaveBeenCalled();
  });

  test.each(["fail", "allow"] as const)(
    "throws if the acquire fails, with onStoreError %s, and no work runs",
    async (onStoreError) => {
      const { transaction, make } = plan("postgres", new Error("connection lost"));
      const work = vi.fn();
      expect(await errorOf(make({ onStoreError }).once("k", "f", work, { transaction }))).toMatchObject({
        code: "ERR_BACKEND",
        operation: "idempotency: acquire",
      });
      expect(work).not.toHaveBeenCalled();
    },
  );

  test("throws if the result cannot be stored, and sends it once", async () => {
    const { transaction, sent, make } = plan("sqlite", ACQUIRED, new Error("disk full"));
    const once = make({ onStoreError: "allow" });
    expect(await errorOf(once.once("k", "f", () => 1, { transaction }))).toMatchObject({
      code: "ERR_BACKEND",
      operation: "idempotency: complete",
    });
    expect(sent).toEqual(["INSERT", "UPDATE"]);
  });

  test("throws LockLostError if its row is gone, such as after a rollback to a savepoint in the work", async () => {
    const { transaction, make } = plan("sqlite", ACQUIRED, []);
    expect(await errorOf(make().once("k", "f", () => 1, { transaction }))).toHaveProperty(
      "code",
      "ERR_LOCK_LOST",
    );
  });

  test("throws the error of the work, also if the release fails", async () => {
    const { transaction, sent, make } = plan("sqlite", ACQUIRED, new Error("aborted"));
    const error = new Error("no");
    expect(await errorOf(make().once("k", "f", () => Promise.reject(error), { transaction }))).toBe(error);
    expect(sent).toEqual(["INSERT", "DELETE"]);
  });

  test("waits for a call that is in progress", async () => {
    const running = [{ fingerprint: "f", value: null, wait: "900", far: "no" }];
    const { transaction, sent, make } = plan("sqlite", [], running, COMPLETED, [], COMPLETED);
    const once = make({ inFlight: "wait" });
    expect(await once.once("k", "f", () => 1, { transaction })).toEqual({ value: "before", isReplay: true });
    expect(sent).toEqual(["INSERT", "SELECT", "SELECT", "INSERT", "SELECT"]);
  });

  test("has a signal for the work that is never aborted", async () => {
    const { transaction, make } = plan("sqlite", ACQUIRED, DONE);
    const work = (signal: AbortSignal) => signal.aborted;
    expect(await make().once("k", "f", work, { transaction, signal: AbortSignal.abort() })).toMatchObject({
      value: false,
    });
  });
});

describe("a transaction that does not fit the backend", () => {
  const { backend, transaction } = plan("postgres");
  test.each<[string, object, unknown]>([
    ["another dialect", {}, { ...transaction, dialect: "sqlite" }],
    ["another prefix", {}, { ...transaction, prefix: "other" }],
    ["another schema", {}, { ...transaction, schema: "other" }],
    ["no schema", { backend: { ...backend, schema: "app" } }, transaction],
    ["a client", {}, { connect: () => {} }],
    ["no object", {}, null],
    ["a backend that is not SQL", { backend: memory() }, transaction],
  ])("is refused before any statement: %s", async (_, options, wrong) => {
    const once = new Idempotency({ backend, name: "n", ...options });
    const call = once.once("k", "f", () => 1, { transaction: wrong as SqlPort });
    expect(await errorOf(call)).toMatchObject({ code: "ERR_ARGUMENT", field: "transaction" });
  });

  test("is not one with the same settings, written or left out", async () => {
    const { transaction, make } = plan("sqlite", ACQUIRED, DONE);
    const port = { ...transaction, prefix: "bitflake", schema: undefined };
    expect(await make().once("k", "f", () => 1, { transaction: port })).toMatchObject({ value: 1 });
  });
});
