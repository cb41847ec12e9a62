import assert from "node:assert/strict";
import { decode } from "bitflake";
import { makeIds } from "./main.js";

const ids = await makeIds(20_000);
assert.equal(ids.length, 100_000);
assert.equal(new Set(ids).size, 100_000);
assert.ok(ids.every((id) => decode(id, "twitter").machineId === 3));
