// One of the processes of counter.test.ts, on the built package: takes values by the block, several calls
// at once, and prints them.

import { Counter } from "../../../dist/counter.js";
import { open } from "../client.mjs";

const { name, block, count, ...plan } = JSON.parse(process.argv[2]);
const [backend, close] = open(plan);
const counter = new Counter({ backend, name, block });
const values = [];
while (values.length < count) {
  const calls = Array.from({ length: Math.min(50, count - values.length) }, () => counter.next());
  values.push(...(await Promise.all(calls)));
}
await close();
console.log(JSON.stringify(values.map(String)));
