import assert from "node:assert/strict";
import { TRPCClientError } from "@trpc/client";
import { decode } from "bitflake";
import { client } from "./client.js";
import "./server.js";

const order = await client.createOrder.mutate();
const id: bigint = order.id;
assert.equal(decode(id, "twitter").machineId, 3);
assert.deepEqual(await client.order.query(String(id)), { id, next: id + 1n });

await assert.rejects(client.order.query("0x10"), (error) => {
  assert.ok(error instanceof TRPCClientError);
  assert.equal(error.data.code, "BAD_REQUEST");
  assert.match(error.message, /id must be a decimal string without leading zeros/);
  return true;
});
process.exit();
