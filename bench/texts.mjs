// The text forms, beside the conversions of BigInt itself.

import { makeGenerator } from "../dist/index.js";
import { base32, base58, base62, hex } from "../dist/text.js";
import { keep, race } from "./measure.mjs";

const ids = makeGenerator("twitter", { machineId: 3 }).nextIds(4096);

/** Nanoseconds per ID; each candidate has a loop of its own, as `race` wants it. */
export function texts() {
  const written = {
    base32: ids.map(base32.encode),
    base62: ids.map(base62.encode),
    decimal: ids.map((id) => id.toString()),
  };
  return race(
    {
      "BigInt, toString(32)": (n) => {
        for (let i = 0; i < n; i++) keep(ids[i & 4095].toString(32));
      },
      "base32.encode": (n) => {
        for (let i = 0; i < n; i++) keep(base32.encode(ids[i & 4095]));
      },
      "BigInt, toString(36)": (n) => {
        for (let i = 0; i < n; i++) keep(ids[i & 4095].toString(36));
      },
      "base58.encode": (n) => {
        for (let i = 0; i < n; i++) keep(base58.encode(ids[i & 4095]));
      },
      "base62.encode": (n) => {
        for (let i = 0; i < n; i++) keep(base62.encode(ids[i & 4095]));
      },
      "BigInt, toString(16)": (n) => {
        for (let i = 0; i < n; i++) keep(ids[i & 4095].toString(16));
      },
      "hex.encode": (n) => {
        for (let i = 0; i < n; i++) keep(hex.encode(ids[i & 4095]));
      },
      "BigInt(text) of the decimal text": (n) => {
        for (let i = 0; i < n; i++) keep(BigInt(written.decimal[i & 4095]));
      },
      "base32.decode": (n) => {
        for (let i = 0; i < n; i++) keep(base32.decode(written.base32[i & 4095]));
      },
      "base62.decode": (n) => {
        for (let i = 0; i < n; i++) keep(base62.decode(written.base62[i & 4095]));
      },
    },
    { count: 100_000 },
  );
}
