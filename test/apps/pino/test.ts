import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { decode } from "bitflake";

const main = fileURLToPath(new URL("main.js", import.meta.url));
const lines = execFileSync(process.execPath, [main], { encoding: "utf8" }).trim().split("\n");
const [order = {}, refusal = {}] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);

assert.ok(typeof order.orderId === "string" && typeof refusal.requestId === "string");
assert.equal(decode(order.orderId, "twitter").machineId, 3);
assert.equal(decode(refusal.requestId, "twitter").machineId, 3);
assert.deepEqual([order.cents, order.msg, refusal.orderId], [1250, "order", order.orderId]);
assert.match(JSON.stringify(refusal.err), /"message":"no stock"/);
