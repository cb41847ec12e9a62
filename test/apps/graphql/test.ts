import assert from "node:assert/strict";
import { decode } from "bitflake";
import { post } from "../request.js";
import "./server.js";

interface Result {
  readonly data?: {
    readonly order?: { readonly id: string };
    readonly createOrder?: { readonly id: string };
  };
  readonly errors?: readonly { readonly message: string }[];
}

const run = async (query: string, variables?: object): Promise<Result> =>
  JSON.parse((await post("/", { query, variables })).body);

const { data, errors } = await run("mutation { createOrder { id } }");
assert.equal(errors, undefined);
const id = data?.createOrder?.id ?? "";
assert.equal(decode(id, "twitter").machineId, 3);

const byVariable = "query ($id: SnowflakeID!) { order(id: $id) { id } }";
assert.deepEqual(await run(byVariable, { id }), { data: { order: { id } } });
assert.deepEqual(await run(`{ order(id: "${id}") { id } }`), { data: { order: { id } } });
assert.deepEqual(await run(`{ order(id: ${id}) { id } }`), { data: { order: { id } } });

const rule = /id must be a bigint, decimal string or safe integer/;
assert.match((await run(byVariable, { id: "0x10" })).errors?.[0]?.message ?? "", rule);
assert.match((await run('{ order(id: "0x10") { id } }')).errors?.[0]?.message ?? "", rule);
assert.match((await run("{ order(id: 1.5) { id } }")).errors?.[0]?.message ?? "", /must be text/);
process.exit();
