// Numeric IDs, beside drawing all digits and testing them; and how far from fair the draw for long ones is.

import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { NumericIdType } from "../dist/numeric.js";
import { keep, race } from "./measure.mjs";

const SETS = ["openg2p", "mosip"];

const DIGITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
/** Verhoeff's tables: what each place does to a digit, the multiplication, and the inverses. */
const MOVED = [DIGITS];
while (MOVED.length < 8) MOVED.push(MOVED.at(-1).map((digit) => [1, 5, 7, 6, 2, 8, 3, 0, 9, 4][digit]));
const PRODUCT = DIGITS.map((a) =>
  DIGITS.map((b) => {
    const turns = (a < 5 ? a + b : a - b + 10) % 5;
    return a < 5 === b < 5 ? turns : 5 + turns;
  }),
);
const INVERSE = [0, 4, 3, 2, 1, 5, 6, 7, 8, 9];

/** What no ID matches by openg2p's rules, that which refuses most first. */
const REFUSED = [
  /[02468]{3}/,
  /(\d)\1/,
  /^[01]/,
  /012|123|234|345|456|567|678|789|987|876|765|654|543|432|321|210/,
  /(\d\d)\d*\1/,
  /^(\d{5})\d*\1$/,
  /^(\d)(\d)(\d)(\d)(\d)\d*\5\4\3\2\1$/,
  /142857|0588235294117647|052631578947368421|0434782608695652173913|0344827586206896551724137931/,
];

const bytes = new Uint8Array(8192);
let used = bytes.length;

/** A random digit of the runtime's CSPRNG, in batches as bitflake draws them. */
function randomDigit() {
  for (;;) {
    if (used === bytes.length) {
      crypto.getRandomValues(bytes);
      used = 0;
    }
    const byte = bytes[used++];
    if (byte < 250) return byte % 10;
  }
}

function isRefused(id) {
  for (const expression of REFUSED) if (expression.test(id)) return true;
  return false;
}

/** Draws all digits, puts the check digit behind them, tests what came out, and begins anew if it is none. */
function drawAndTest(length) {
  for (;;) {
    let id = "";
    let check = 0;
    for (let place = length - 1; place > 0; place--) {
      const digit = randomDigit();
      id += digit;
      check = PRODUCT[MOVED[place & 7][digit]][check];
    }
    id += INVERSE[check];
    if (!isRefused(id)) return id;
  }
}

/** Nanoseconds per ID. How many draws one takes is chance, so each round is of many. */
export function numericIds() {
  const ns = {};
  for (const [length, count] of [
    [10, 10_000],
    [16, 2_000],
    [20, 1_000],
    [32, 10_000],
  ]) {
    const [openg2p, mosip] = SETS.map((rules) => new NumericIdType({ name: "bench", length, rules }));
    const loops = {
      [`NumericIdType, ${length} digits`]: (n) => {
        for (let i = 0; i < n; i++) keep(openg2p.generate());
      },
      [`NumericIdType, ${length} digits, mosip`]: (n) => {
        for (let i = 0; i < n; i++) keep(mosip.generate());
      },
    };
    // 32 digits would take some forty milliseconds each.
    if (length < 32) {
      loops[`draw and test, ${length} digits`] = (n) => {
        for (let i = 0; i < n; i++) keep(drawAndTest(length));
      };
      // It is only a race if both make the same IDs.
      for (let i = 0; i < 100; i++) {
        const id = drawAndTest(length);
        if (!openg2p.validate(id).valid || isRefused(openg2p.generate()))
          throw new Error(`not the same: ${id}`);
      }
    }
    Object.assign(ns, race(loops, { count, rounds: 10 }));
  }
  return ns;
}

/** The fast path's own rules, which the package does not give out. */
async function walks() {
  const { outputFiles } = await build({
    stdin: {
      contents: 'export * from "./src/numeric/digitBuilder.ts"; export * from "./src/numeric/rules.ts";',
      resolveDir: fileURLToPath(new URL("..", import.meta.url)),
    },
    bundle: true,
    format: "esm",
    write: false,
  });
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
}

/** Between how many digits the draw chose on its way to an ID, as a product over all places. */
function waysTo(id, walk) {
  let ways = 1;
  walk.clear();
  for (const digit of id.slice(0, -1)) {
    let fits = 0;
    for (const other of DIGITS) {
      if (!walk.push(other)) continue;
      walk.pop();
      fits++;
    }
    ways *= fits;
    walk.push(Number(digit));
  }
  return ways;
}

/**
 * How far from fair the draw from 25 digits on is. An ID comes up once in as many attempts as there are ways; so of a
 * sample of IDs, the mean of the ways, by the ways to one of them, is how much likelier that one is than if all were
 * alike.
 *
 * @returns for each set and length: `likeliest` and `unlikeliest`, of those in the sample, by the fair probability;
 *   `deviation`, the coefficient of variation of the probabilities over all IDs; and `effective`, how many IDs of equal
 *   probability would collide as often, as a share of all there are
 */
export async function fairness(sample = 30_000) {
  const { Walk, rulesOf } = await walks();
  const rows = [];
  for (const rules of SETS) {
    for (const length of [25, 28, 32]) {
      const type = new NumericIdType({ name: "bench", length, rules });
      const walk = new Walk(length, rulesOf("rules", rules));
      const ways = Float64Array.from({ length: sample }, () => waysTo(type.generate(), walk));
      const mean = ways.reduce((sum, each) => sum + each) / sample;
      const likelier = ways.map((each) => mean / each).sort();
      const collisions = likelier.reduce((sum, each) => sum + each) / sample;
      rows.push({
        rules,
        length,
        sample,
        likeliest: likelier.at(-1),
        unlikeliest: likelier[0],
        deviation: Math.sqrt(collisions - 1),
        effective: 1 / collisions,
      });
    }
  }
  return rows;
}
