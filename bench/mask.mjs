// Benchmark of bitflake/mask, beside the floor and beside what docs/decisions/masked-ids.md rejects:
// `npm run build && node bench/mask.mjs`. `--short` is for a test of the bench itself.

import { createCipheriv } from "node:crypto";
import { FF1 } from "@noble/ciphers/ff1.js";
import { makeGenerator } from "../dist/index.js";
import { masked, scatter } from "../dist/mask.js";
import { keep, race } from "./measure.mjs";

const KEY = "2b7e151628aed2a6abf7158809cf4f3c";
const KEY_256 = `${KEY}000102030405060708090a0b0c0d0e0f`;
const ids = makeGenerator("twitter", { machineId: 3 }).nextIds(4096);

// The floor: a BigInt to its halves and back.
const word = new BigUint64Array(1);
const halves = new Uint32Array(word.buffer);
function floor(id) {
  word[0] = id;
  halves[0] ^= halves[1];
  return word[0];
}

/** Speck64/128 by the paper of its designers: 27 rounds on two words. It is what the decision rejects as not standardized for this. */
function speckKeys(words) {
  const keys = new Int32Array(27);
  let [a, ...l] = words;
  for (let round = 0; round < 27; round++) {
    keys[round] = a;
    const next = ((((l[0] >>> 8) | (l[0] << 24)) + a) | 0) ^ round;
    l = [...l.slice(1), next];
    a = ((a << 3) | (a >>> 29)) ^ next;
  }
  return keys;
}
function speck(keys, x, y) {
  for (let round = 0; round < 27; round++) {
    x = ((((x >>> 8) | (x << 24)) + y) | 0) ^ keys[round];
    y = ((y << 3) | (y >>> 29)) ^ x;
  }
  halves[1] = x;
  halves[0] = y;
}
// The example of the paper.
speck(speckKeys([0x03020100, 0x0b0a0908, 0x13121110, 0x1b1a1918]), 0x3b726574, 0x7475432d);
if (word[0] !== 0x8c6fa548454e028bn) throw new Error("Speck64/128 does not match its example");
const round27 = speckKeys([1, 2, 3, 4]);
function walk(id) {
  word[0] = id;
  do speck(round27, halves[1], halves[0]);
  while (halves[1] >>> 31 === 1);
  return word[0];
}

/** Ten blocks of the platform's AES, one after the other, as FF1 needs them: without the rest of FF1. */
const cipher = createCipheriv("aes-128-ecb", Buffer.from(KEY, "hex"), null).setAutoPadding(false);
function platformBlocks() {
  let block = Buffer.alloc(16);
  for (let round = 0; round < 10; round++) block = cipher.update(block);
  return block;
}

const noble = FF1(2, Uint8Array.from(Buffer.from(KEY, "hex")), new TextEncoder().encode("orders"));
const digits = Array.from(ids[0].toString(2).padStart(63, "0"), Number);

const orders = masked(KEY, { name: "orders" });
const strong = masked(KEY_256, { name: "orders" });
const versions = masked({ keys: { 1: KEY, 2: KEY_256 }, current: 1, versionBits: 2 }, { name: "orders" });
const narrow = masked(KEY, { name: "orders", bits: 53 });
const keys = scatter({ shards: 16 });
const safe = ids.map((id) => BigInt.asUintN(53, id));
const of = (codec, list) => list.map((id) => codec.encode(id));
const hidden = {
  orders: of(orders, ids),
  strong: of(strong, ids),
  versions: of(versions, ids),
  narrow: of(narrow, safe),
  keys: of(keys, ids),
};

const fast = race(
  {
    "floor: a BigInt to its halves and back": (n) => {
      for (let i = 0; i < n; i++) keep(floor(ids[i & 4095]));
    },
    "masked, encode": (n) => {
      for (let i = 0; i < n; i++) keep(orders.encode(ids[i & 4095]));
    },
    "masked, decode": (n) => {
      for (let i = 0; i < n; i++) keep(orders.decode(hidden.orders[i & 4095]));
    },
    "masked with a key of 32 bytes, encode": (n) => {
      for (let i = 0; i < n; i++) keep(strong.encode(ids[i & 4095]));
    },
    "masked with a key of 32 bytes, decode": (n) => {
      for (let i = 0; i < n; i++) keep(strong.decode(hidden.strong[i & 4095]));
    },
    "masked with key versions, encode": (n) => {
      for (let i = 0; i < n; i++) keep(versions.encode(ids[i & 4095]));
    },
    "masked with key versions, decode": (n) => {
      for (let i = 0; i < n; i++) keep(versions.decode(hidden.versions[i & 4095]));
    },
    "masked of 53 bits, encode": (n) => {
      for (let i = 0; i < n; i++) keep(narrow.encode(safe[i & 4095]));
    },
    "masked of 53 bits, decode": (n) => {
      for (let i = 0; i < n; i++) keep(narrow.decode(hidden.narrow[i & 4095]));
    },
    "scatter, encode": (n) => {
      for (let i = 0; i < n; i++) keep(keys.encode(ids[i & 4095]));
    },
    "scatter, decode": (n) => {
      for (let i = 0; i < n; i++) keep(keys.decode(hidden.keys[i & 4095]));
    },
    "Speck64/128 with cycle walking": (n) => {
      for (let i = 0; i < n; i++) keep(walk(ids[i & 4095]));
    },
  },
  { count: 10_000, rounds: 100 },
);
const slow = race(
  {
    "ten blocks of node:crypto": (n) => {
      for (let i = 0; i < n; i++) keep(platformBlocks());
    },
    "FF1 of @noble/ciphers": (n) => {
      for (let i = 0; i < n; i++) keep(noble.encrypt(digits));
    },
  },
  { count: 500 },
);

console.log(`Node ${process.version}, nanoseconds per ID`);
const [lowest] = Object.values(fast);
for (const [name, ns] of Object.entries({ ...fast, ...slow })) {
  console.log(
    `${name.padEnd(40)} ${ns.toFixed(1).padStart(9)} ${(ns / lowest).toFixed(1).padStart(7)} x the floor`,
  );
}
