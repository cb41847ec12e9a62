// The checks of the apps that make an order and read it by its ID, on any framework.

import assert from "node:assert/strict";
import { decode } from "bitflake";
import { type Reply, request } from "./request.js";

/** Checks `POST /orders` and `GET /orders/:id`. */
export async function checkOrders(
  send: (path: string, init?: RequestInit) => Promise<Reply> = request,
): Promise<void> {
  const created = await send("/orders", { method: "POST" });
  assert.equal(created.status, 201);
  const { id } = JSON.parse(created.body) as { id: unknown };
  assert.ok(typeof id === "string", `the ID is not text: ${created.body}`);
  // The runner sets these numbers.
  const { datacenterId, machineId, timestampMs } = decode(id, "twitter");
  assert.deepEqual({ datacenterId, machineId }, { datacenterId: 1, machineId: 3 });
  assert.ok(Math.abs(Date.now() - timestampMs) < 60_000, `the time of the ID is ${timestampMs}`);

  const read = await send(`/orders/${id}`);
  assert.deepEqual([read.status, read.body], [200, `{"id":"${id}"}`]);

  const refused = await send("/orders/0x10");
  assert.equal(refused.status, 400);
  assert.match(refused.body, /id must be a bigint, decimal string or safe integer/);
}
