// A process that freezes its globals before it loads the built package.

import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

test("with frozen globals events are published, and no call fails by them", () => {
  const dist = new URL("../../dist/", import.meta.url);
  const script = `
    import { subscribe } from "node:diagnostics_channel";
    // Node 20 defines them when they are first read, which a frozen globalThis forbids.
    [AbortController, TextEncoder, crypto];
    Object.freeze(WeakMap);
    Object.freeze(globalThis);
    const { Idempotency } = await import("${dist}idempotency.js");
    const { memory } = await import("${dist}backend.js");
    const names = [];
    subscribe("bitflake:idempotency:hit", ({ name }) => names.push(name));
    const orders = new Idempotency({ backend: memory(), name: "orders" });
    for (let tries = 0; tries < 2; tries++) names.push((await orders.once("a", "v1", () => "done")).value);
    await null;
    console.log(names.join());
  `;
  const node = ["--input-type=module", "-e", script];
  expect(execFileSync(process.execPath, node, { encoding: "utf8" })).toBe("done,orders,done\n");
});
