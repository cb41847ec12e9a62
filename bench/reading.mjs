// Decoding an ID, parsing its text, and creating a generator, beside @sapphire/snowflake and BigInt.

import { Snowflake as Sapphire } from "@sapphire/snowflake";
import { decode, makeGenerator, parseId } from "../dist/index.js";
import { keep, race } from "./measure.mjs";

const EPOCH = 1577836800000;
const DAYS = 730;

const sapphire = new Sapphire(EPOCH);
const generator = makeGenerator("twitter", { machineId: 3 });
const ids = generator.nextIds(4096);
const texts = ids.map(String);
/** IDs of two years, in no order. */
const spread = ids.map((_, at) =>
  generator.encode({ timestampMs: EPOCH + ((at * 7_919_317) % DAYS) * 86_400_000 + at * 20_011 }),
);

/** Nanoseconds per call. */
export function reading() {
  return {
    ...race(
      {
        "@sapphire/snowflake, deconstruct": (n) => {
          for (let i = 0; i < n; i++) keep(sapphire.deconstruct(ids[i & 4095]));
        },
        "the same, with the time as ISO text": (n) => {
          for (let i = 0; i < n; i++) {
            const fields = sapphire.deconstruct(ids[i & 4095]);
            keep({ ...fields, generatedAt: new Date(Number(fields.timestamp)).toISOString() });
          }
        },
        "generator.decode": (n) => {
          for (let i = 0; i < n; i++) keep(generator.decode(ids[i & 4095]));
        },
        "generator.decode, IDs of two years": (n) => {
          for (let i = 0; i < n; i++) keep(generator.decode(spread[i & 4095]));
        },
        'decode(id, "twitter")': (n) => {
          for (let i = 0; i < n; i++) keep(decode(ids[i & 4095], "twitter"));
        },
        "BigInt(text)": (n) => {
          for (let i = 0; i < n; i++) keep(BigInt(texts[i & 4095]));
        },
        "parseId(text)": (n) => {
          for (let i = 0; i < n; i++) keep(parseId(texts[i & 4095]));
        },
      },
      { count: 20_000 },
    ),
    ...race(
      {
        'makeGenerator("twitter", { machineId })': (n) => {
          for (let i = 0; i < n; i++) keep(makeGenerator("twitter", { machineId: i & 31 }));
        },
      },
      { count: 5000 },
    ),
  };
}
