// Channels: when a message is created, when subscribers run, and runtimes without node:diagnostics_channel.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { IdempotencyOutcome } from "../../src/events/index.ts";
import { delivered, listen } from "./recordEvents.ts";

const NAME = "bitflake:idempotency:hit";

let publish: typeof import("../../src/events/channels.ts").publish;
beforeEach(async () => {
  // A module with no channel looked up.
  vi.resetModules();
  ({ publish } = await import("../../src/events/channels.ts"));
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("publish", () => {
  test("without a subscriber creates no message", async () => {
    const createMessage = vi.fn(() => ({ name: "orders" }));
    publish(NAME, createMessage);
    const listener = vi.fn();
    subscribe(NAME, listener);
    await delivered();
    expect(listener).not.toHaveBeenCalled();
    publish(NAME, createMessage);
    unsubscribe(NAME, listener);
    publish(NAME, createMessage);
    expect(createMessage).toHaveBeenCalledTimes(1);
  });

  test("looks a channel up once, and not before the first event", () => {
    const lookUp = vi.spyOn(process, "getBuiltinModule");
    for (let i = 0; i < 3; i++) publish(NAME, () => ({ name: "orders" }));
    expect(lookUp).toHaveBeenCalledExactlyOnceWith("node:diagnostics_channel");
  });

  test("creates the message at once, and delivers it after the call", async () => {
    const names: string[] = [];
    listen(NAME, ({ name }) => names.push(name));
    let name = "orders";
    publish(NAME, () => ({ name }));
    name = "payments";
    expect(names).toEqual([]);
    await delivered();
    expect(names).toEqual(["orders"]);
  });

  test("leaves out events that a subscriber causes before it returns", async () => {
    const names: string[] = [];
    listen(NAME, ({ name }) => {
      names.push(name);
      // Bounded, so that a failure ends.
      if (names.length < 5) publish(NAME, () => ({ name: `${name} again` }));
      void Promise.resolve().then(() => {
        if (name === "orders") publish(NAME, () => ({ name: "later" }));
      });
    });
    publish(NAME, () => ({ name: "orders" }));
    await delivered();
    await new Promise((wake) => setImmediate(wake));
    expect(names).toEqual(["orders", "later"]);
  });

  test("an error of a subscriber is an uncaught exception, after the call and the other subscribers", async () => {
    const ofVitest = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    try {
      const uncaught = new Promise((resolve) => process.once("uncaughtException", resolve));
      const names: string[] = [];
      listen(NAME, ({ name }) => {
        if (name === "orders") throw new Error("subscriber");
      });
      listen(NAME, ({ name }) => names.push(name));
      publish(NAME, () => ({ name: "orders" }));
      publish(NAME, () => ({ name: "payments" }));
      expect(await uncaught).toEqual(new Error("subscriber"));
      expect(names).toEqual(["orders", "payments"]);
    } finally {
      for (const listener of ofVitest) process.on("uncaughtException", listener);
    }
  });
});

describe("without node:diagnostics_channel", () => {
  const unreadable = () => {
    throw new Error("unreadable");
  };

  test.each<[string, PropertyDescriptor]>([
    ["without process", { value: undefined }],
    ["with a process that is null", { value: null }],
    ["with a process that cannot be read", { get: unreadable }],
    ["without getBuiltinModule", { value: {} }],
    ["without the module", { value: { getBuiltinModule: () => undefined } }],
    ["with a module that cannot be loaded", { value: { getBuiltinModule: unreadable } }],
  ])("%s nothing is published, and nothing fails", async (_how, descriptor) => {
    const listener = vi.fn<(message: IdempotencyOutcome) => void>();
    listen(NAME, listener);
    const createMessage = vi.fn(() => ({ name: "orders" }));
    const real = Object.getOwnPropertyDescriptor(globalThis, "process") as PropertyDescriptor;
    Object.defineProperty(globalThis, "process", { ...descriptor, configurable: true });
    try {
      publish(NAME, createMessage);
    } finally {
      Object.defineProperty(globalThis, "process", real);
    }
    await delivered();
    expect(createMessage).not.toHaveBeenCalled();
    expect(listener).not.toHaveBeenCalled();
  });
});
