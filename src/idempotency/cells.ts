// Idempotency keys on any store with compare-and-set: runs the rule itself. A key's cell has its record as JSON.

import { type CellStep, Cells, cellKey } from "../backend/cells.ts";
import { GRACE_MS, MAX_SKEW_MS } from "../backend/expiry.ts";
import type { CellPort } from "../backend/ports.ts";
import type { OncePort } from "./port.ts";
import {
  acquire,
  complete,
  extend,
  type ForgetResult,
  forget,
  isReleasable,
  type KeyRecord,
  type PeekResult,
  peek,
} from "./rule.ts";

/** The value of a key that was released or forgotten. Like a record that has ended, it counts as absent. */
const RELEASED = "";

export function cellOncePort(port: CellPort, name: string): OncePort {
  const cells = new Cells(port);
  const keyOf = (key: string) => cellKey(port, "once", name, key);
  /** Stores the record that a step returns. Resolves to whether it returned one. */
  const update = (
    operation: string,
    key: string,
    step: (record: KeyRecord | undefined, now: number) => KeyRecord | undefined,
    options = {},
  ) => {
    const rule = (value: string | undefined, nowMs: number): CellStep<boolean> => {
      const next = step(parseRecord(value), Math.floor(nowMs));
      return next ? { ...store(next, nowMs), result: true } : { result: false };
    };
    return cells.step(`idempotency: ${operation}`, keyOf(key), rule, options);
  };
  return {
    acquire(key, request, options) {
      const rule = (value: string | undefined, nowMs: number, hasClock: boolean) => {
        const before = parseRecord(value);
        // Otherwise a process whose clock is behind would shorten the lock of a living owner, and the work would run twice.
        const graceMs = hasClock ? GRACE_MS : MAX_SKEW_MS;
        const [next, result] = acquire(before, request, Math.floor(nowMs), graceMs);
        return next === before ? { result } : { ...store(next, nowMs), result };
      };
      return cells.step("idempotency: acquire", keyOf(key), rule, options);
    },
    extend: (key, request, options) =>
      update("extend", key, (record, now) => extend(record, request, now), options),
    complete: (key, request, value) =>
      update("complete", key, (record, now) => complete(record, request, value, now)),
    release(key, owner, options) {
      const rule = (value: string | undefined, nowMs: number): CellStep<boolean> =>
        isReleasable(parseRecord(value), owner, Math.floor(nowMs))
          ? { value: RELEASED, keepMs: GRACE_MS, result: true }
          : { result: false };
      return cells.step("idempotency: release", keyOf(key), rule, options);
    },
    peek(key) {
      const rule = (value: string | undefined, nowMs: number): CellStep<PeekResult> => ({
        result: peek(parseRecord(value), Math.floor(nowMs)),
      });
      return cells.step("idempotency: peek", keyOf(key), rule);
    },
    forget(key) {
      const rule = (value: string | undefined, nowMs: number): CellStep<ForgetResult> => {
        const result = forget(parseRecord(value), Math.floor(nowMs));
        return result.outcome === "forgotten" ? { value: RELEASED, keepMs: GRACE_MS, result } : { result };
      };
      return cells.step("idempotency: forget", keyOf(key), rule);
    },
  };
}

/** Returns what to write for a record: it is kept until it ends. */
function store(record: KeyRecord, nowMs: number): { value: string; keepMs: number } {
  const { fingerprint, owner, lockedUntil, lockMs, value, ends } = record;
  return {
    value: JSON.stringify([fingerprint, owner, lockedUntil, lockMs, ends, value]),
    keepMs: Math.max(1, Math.ceil(ends - nowMs)),
  };
}

function parseRecord(text: string | undefined): KeyRecord | undefined {
  if (text === undefined || text === RELEASED) return undefined;
  const [fingerprint, owner, lockedUntil, lockMs, ends, value] = JSON.parse(text) as readonly unknown[];
  const isValid =
    typeof fingerprint === "string" &&
    typeof owner === "string" &&
    (lockedUntil === null || Number.isSafeInteger(lockedUntil)) &&
    Number.isSafeInteger(lockMs) &&
    Number.isSafeInteger(ends) &&
    (typeof value === "string" || value === null);
  if (!isValid) throw new Error("not the record of a key");
  return { fingerprint, owner, lockedUntil, lockMs, ends, value } as KeyRecord;
}
