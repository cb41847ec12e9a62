// A program in Deno: the adapter for Deno KV on files, in the folder of its argument.

import { strict as assert } from "node:assert";
import { copyFileSync } from "node:fs";
import { fromDenoKv } from "../../../src/backend/index.ts";

const [folder = "."] = Deno.args;
const path = `${folder}/kv`;
const key = "bitflake:lease:orders:7";

// What is no database, and options that there are not.
// @ts-expect-error
assert.throws(() => fromDenoKv({ get: () => 1 }));
// @ts-expect-error
assert.throws(() => fromDenoKv(Deno, { path }));

// Keys have parts, and a write has an entry with its token, of which the last one stays.
let kv = await Deno.openKv(path);
let port = fromDenoKv(kv);
const { version } = await port.swap(key, "", "old");
const kept = await port.swap(key, version, "kept", 60_000);
assert.deepEqual((await kv.get(["bitflake", "lease", "orders", "7"])).key, [
  "bitflake",
  "lease",
  "orders",
  "7",
]);
const keys = await Array.fromAsync(kv.list({ prefix: [] }), ({ key }) => key.length);
assert.deepEqual(keys, [4, 6]);

// A key that was deleted by hand counts as absent.
await kv.delete(["bitflake", "lease", "orders", "7"]);
assert.equal((await port.swap(key, kept.version, "stale")).swapped, false);
const again = await port.swap(key, "", "again");
assert.equal(again.swapped, true);
kv.close();

// A backup is restored, and writes follow until a versionstamp is that of a write that was lost.
// Deno counts in random steps.
copyFileSync(path, `${path}-backup`);
kv = await Deno.openKv(path);
port = fromDenoKv(kv);
const stampOf = ({ version }: { readonly version: string }) => version.slice(0, 20);
const lost = new Map<string, string>();
let last = again;
for (let writes = 0; writes < 500; writes++) {
  last = await port.swap(key, last.version, "lost");
  lost.set(stampOf(last), last.version);
}
kv.close();
kv = await Deno.openKv(`${path}-backup`);
port = fromDenoKv(kv);
let other = await port.swap(key, again.version, "another process");
while (!lost.has(stampOf(other)) && stampOf(other) < stampOf(last))
  other = await port.swap(key, other.version, "another process");
const stale = lost.get(stampOf(other)) ?? "";
assert.notEqual(stale, "");
assert.deepEqual(await port.swap(key, stale, "stale"), { ...other, swapped: false });
assert.equal((await port.swap(key, other.version, "next")).swapped, true);

// Deno KV refuses large values and keys.
await assert.rejects(port.swap("bitflake:large", "", "x".repeat(70_000)), /too large/);
await assert.rejects(port.swap(`bitflake:${"x".repeat(2100)}`, "", "v"), /too large/);

// A value of another program is an error.
await kv.set(["bitflake", "foreign"], 7);
await assert.rejects(port.read("bitflake:foreign"), /has not written/);
kv.close();
console.log("passed");
