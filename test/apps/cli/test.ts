// The program that the package installs, as a script of package.json finds it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { isId } from "bitflake";

const bitflake = (...args: string[]): string => execFileSync("bitflake", args, { encoding: "utf8" }).trim();

const id = bitflake("new", "--preset", "twitter", "--machine-id", "7");
assert.ok(isId(id));
const decoded = JSON.parse(bitflake("decode", id, "--preset", "twitter", "--json")) as Record<
  string,
  unknown
>;
assert.equal(decoded.id, id);
assert.equal(decoded.machineId, 7);
