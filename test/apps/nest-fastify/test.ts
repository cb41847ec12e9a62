import assert from "node:assert/strict";
import { decode } from "bitflake";
import { post, request } from "../request.js";
import "./main.js";

const order = (body: object, key: string, account = "ada") =>
  post("/orders", body, { "idempotency-key": key, "x-account": account });

const first = await order({ cents: 1250 }, "a1");
assert.equal(first.status, 201);
const { id, cents } = JSON.parse(first.body) as { id: string; cents: number };
assert.deepEqual([cents, decode(id, "twitter").machineId], [1250, 3]);

const again = await order({ cents: 1250 }, "a1");
assert.deepEqual([again.status, again.body], [201, first.body]);
assert.equal(again.headers.get("idempotent-replayed"), "true");
assert.equal((await order({ cents: 1 }, "a1")).status, 422);
assert.notEqual((await order({ cents: 1250 }, "a1", "grace")).body, first.body);

const startedAt = Date.now();
const many = await Promise.all(Array.from({ length: 150 }, () => request("/orders")));
const denied = many.filter(({ status }) => status === 429);
assert.ok(denied.length > 0);
// One more may pass in each 600 ms, and a busy machine takes some of them.
assert.ok(many.length - denied.length <= 101 + (Date.now() - startedAt) / 600);
assert.ok(denied.every(({ headers }) => Number(headers.get("retry-after")) >= 1));
process.exit();
