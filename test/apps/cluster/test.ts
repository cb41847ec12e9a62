import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { decode } from "bitflake";
import { request } from "../request.js";

// The preset has no datacenters.
const { FLAKEID_DATACENTER_ID: _, ...env } = process.env;
spawn(process.execPath, [fileURLToPath(new URL("main.js", import.meta.url))], { stdio: "inherit", env });

const ids = new Set<string>();
const machines = new Set<number>();
for (let requests = 1; machines.size < 4; requests++) {
  // A new connection for each request, which the primary gives to the next worker.
  const { body } = await request("/", { headers: { connection: "close" } });
  ids.add(body);
  machines.add(decode(body, "single_dc").machineId);
  assert.equal(ids.size, requests);
  assert.ok(requests < 10_000, `only the machines ${[...machines]} answer`);
}
assert.deepEqual([...machines].sort(), [0, 1, 2, 3]);
// The runner ends all processes of the app.
process.exit();
