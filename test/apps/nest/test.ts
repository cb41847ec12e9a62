import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { decode } from "bitflake";
import { fromIORedis } from "bitflake/backend";
import { inspect, leaseNode } from "bitflake/lease";
import { Redis } from "ioredis";
import { post, type Reply, request } from "../request.js";

const client = new Redis(process.env.REDIS_URL ?? "");
const backend = fromIORedis(client);
const holders = async () => (await inspect(backend, "orders")).held.map(({ holder }) => holder);

// A Redis that has just started grants nothing for 40 seconds in a namespace that it does not know.
await (await leaseNode({ backend, name: "orders", fence: false })).release();
assert.deepEqual(await holders(), []);

const start = (): ChildProcess =>
  spawn(process.execPath, [fileURLToPath(new URL("main.js", import.meta.url))], { stdio: "inherit" });
const customerId = "911780371413233664";
const order = (body: object, key: string): Promise<Reply> =>
  post("/orders", body, { "idempotency-key": key });

const server = start();
try {
  const first = await order({ customerId, cents: 1250 }, "a1");
  assert.equal(first.status, 201);
  const { id, ...rest } = JSON.parse(first.body) as { id: string };
  assert.deepEqual(rest, { customerId, cents: 1250 });

  const [held] = (await inspect(backend, "orders")).held;
  assert.ok(held?.holder.endsWith(` ${server.pid}`), "the server holds a node");
  assert.equal(decode(id, "twitter").machineId, held.machineId);

  const again = await order({ customerId, cents: 1250 }, "a1");
  assert.deepEqual([again.body, again.headers.get("idempotent-replayed")], [first.body, "true"]);
  assert.equal((await order({ customerId, cents: 1 }, "a1")).status, 422);
  const withoutCustomer = await order({ customerId: "007", cents: 1250 }, "a2");
  assert.equal(withoutCustomer.status, 400);
  assert.match(withoutCustomer.body, /id must be a decimal string without leading zeros/);

  const read = await request(`/orders/${id}`);
  assert.deepEqual([read.status, read.body], [200, `{"id":"${id}"}`]);
  assert.match(read.headers.get("ratelimit") ?? "", /^"api";r=\d+;t=1$/);
  const refused = await request("/orders/0x10");
  assert.equal(refused.status, 400);
  assert.match(refused.body, /"message":"id: id must be a bigint, decimal string or safe integer/);

  const many = await Promise.all(Array.from({ length: 150 }, () => request(`/orders/${id}`)));
  const denied = many.filter(({ status }) => status === 429);
  assert.ok(denied.length > 0);
  assert.ok(denied.every(({ headers }) => headers.get("retry-after") === "1"));
} finally {
  server.kill("SIGTERM");
}
const [code, signal] = await once(server, "exit");
assert.deepEqual([code, signal], [null, "SIGTERM"]);
assert.deepEqual(await holders(), [], "the server has released its node");
client.disconnect();
