// IDs through the client of the service, beside the same requests by bare fetch: one process that serves, and this one that
// uses. Runs alone too: `node bench/client.mjs`, with `--short` for a trial run, `--json` for machines.

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { memory } from "../dist/backend.js";
import { BitflakeClient } from "../dist/client.js";
import { createService, listen } from "../dist/service.js";
import { isShort, median } from "./measure.mjs";

const BLOCK = 1000;

const file = fileURLToPath(import.meta.url);
/** Serves, in a process of its own. */
async function serve() {
  const service = createService({ backend: memory() });
  await service.start();
  const { url } = await listen(service, { port: 0 });
  process.once("disconnect", () => process.exit(0));
  process.send({ url });
}

/** The least work for the same IDs: a request at a time, its JSON, and a BigInt of each text. */
async function bare(url, untilMs) {
  let last = 0n;
  let count = 0;
  while (performance.now() < untilMs) {
    const response = await fetch(`${url}/generate_snowflake_id?count=${BLOCK}`);
    for (const text of (await response.json()).ids) {
      last = BigInt(text);
      count++;
    }
  }
  if (last === 0n) throw new Error("no ID");
  return count;
}

/** Ways to use a client. Each returns how many IDs it got, and throws if one does not follow the one before it. */
const ways = {
  "await nextId(), one after the other": async (ids, untilMs) => {
    let last = 0n;
    let count = 0;
    for (; performance.now() < untilMs; count++) {
      const id = await ids.nextId();
      if (id <= last) throw new Error(`${id} after ${last}`);
      last = id;
    }
    return count;
  },
  "await nextId(), 100 callers": async (ids, untilMs) => {
    let last = 0n;
    let count = 0;
    const caller = async () => {
      for (; performance.now() < untilMs; count++) {
        const id = await ids.nextId();
        if (id <= last) throw new Error(`${id} after ${last}`);
        last = id;
      }
    };
    await Promise.all(Array.from({ length: 100 }, caller));
    return count;
  },
  [`await nextIds(${BLOCK})`]: async (ids, untilMs) => {
    let last = 0n;
    let count = 0;
    while (performance.now() < untilMs) {
      for (const id of await ids.nextIds(BLOCK)) {
        if (id <= last) throw new Error(`${id} after ${last}`);
        last = id;
        count++;
      }
    }
    return count;
  },
};

/** Returns the IDs a second of `use`. */
async function rate(use, seconds) {
  const start = performance.now();
  const count = await use(start + seconds * 1000);
  return (count / (performance.now() - start)) * 1000;
}

/** Measures IDs a second of each way to use a client and of bare fetch, as medians of alternating rounds. */
export async function clients() {
  const [rounds, seconds] = isShort ? [1, 0.5] : [7, 3];
  const child = fork(file, ["serve"]);
  const [{ url }] = await once(child, "message");
  const ids = new BitflakeClient({ url });
  const uses = { bare: (untilMs) => bare(url, untilMs) };
  for (const [name, use] of Object.entries(ways)) uses[name] = (untilMs) => use(ids, untilMs);
  const found = Object.fromEntries(Object.keys(uses).map((name) => [name, []]));
  for (const use of Object.values(uses)) await rate(use, seconds / 2);
  for (let round = 0; round < rounds; round++) {
    for (const [name, use] of Object.entries(uses)) found[name].push(await rate(use, seconds));
  }
  await ids.close();
  child.disconnect();
  await once(child, "exit");
  const perSecond = Object.fromEntries(Object.entries(found).map(([name, rates]) => [name, median(rates)]));
  // Of neighbouring rounds, because the speed of the machine drifts.
  const ratios = Object.fromEntries(
    Object.keys(ways).map((name) => [name, median(found[name].map((each, at) => each / found.bare[at]))]),
  );
  return { perSecond, ratios };
}

if (process.argv[1] === file) {
  if (process.argv[2] === "serve") await serve();
  else {
    const report = await clients();
    if (process.argv.includes("--json")) console.log(JSON.stringify(report, null, 2));
    else console.dir(report, { depth: 3 });
  }
}
