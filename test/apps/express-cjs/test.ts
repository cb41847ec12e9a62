import assert from "node:assert/strict";
import { decode } from "bitflake";
import { post } from "../request.js";
import "./main.js";

async function test(): Promise<void> {
  const pay = (key: string, cents: number) => post("/payments", { cents }, { "idempotency-key": key });
  const first = await pay("a1", 1250);
  assert.equal(first.status, 201);
  const payment = JSON.parse(first.body) as { id: string; cents: number };
  assert.equal(payment.cents, 1250);
  assert.equal(decode(payment.id, "twitter").machineId, 3);

  const again = await pay("a1", 1250);
  assert.deepEqual([again.status, again.body], [201, first.body]);
  assert.equal(again.headers.get("idempotent-replayed"), "true");
  assert.equal((await pay("a1", 9999)).status, 422);

  const second = await pay("a2", 1250);
  assert.notEqual((JSON.parse(second.body) as { id: string }).id, payment.id);
  assert.match((await pay("a3", 1250)).headers.get("ratelimit") ?? "", /^"api";r=0;t=\d+$/);
  const denied = await pay("a4", 1250);
  assert.equal(denied.status, 429);
  // An hour for five, less the time since the first one.
  assert.ok(Number(denied.headers.get("retry-after")) <= 720);
}

test().then(
  () => process.exit(),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
