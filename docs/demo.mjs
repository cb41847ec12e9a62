// Demo: an ID of each preset, one ID decoded, and the capacity of each preset. `npm run demo` runs it.

import { capacity, decode, makeGenerator } from "../dist/index.js";
import { diagram } from "./diagram.mjs";

const PRESETS = ["twitter", "minimal", "single_dc", "large_cluster", "high_throughput", "safe_integer"];
const number = (value) => value.toLocaleString("en-US");

console.log("An ID from each preset\n");
for (const name of PRESETS) console.log(`  ${name.padEnd(16)} ${makeGenerator(name).nextId()}`);

const generator = makeGenerator("twitter", { datacenterId: 1, machineId: 7 });
const id = generator.nextId();
console.log(`\nOne ID decoded: ${id}, from makeGenerator("twitter", { datacenterId: 1, machineId: 7 })\n`);
console.log(diagram(generator.layout, id).replace(/^/gm, "  "));
const { generatedAt, datacenterId, machineId, sequence } = decode(id, "twitter");
console.log(
  `\n  made at ${generatedAt} by machine ${machineId} of datacenter ${datacenterId}, with sequence ${sequence} in its millisecond`,
);

console.log("\nCapacity of each preset\n");
console.log(`  ${"preset".padEnd(16)} ${"nodes".padStart(7)} ${"IDs a second each".padStart(18)}   until`);
for (const name of PRESETS) {
  const { nodes, idsPerSecond, expiresAt } = capacity(name);
  console.log(
    `  ${name.padEnd(16)} ${number(nodes).padStart(7)} ${number(idsPerSecond).padStart(18)}   ${expiresAt.slice(0, -14)}`,
  );
}
