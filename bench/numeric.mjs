// Benchmark of NumericIdType against drawing all digits and testing them, and the bias of long IDs.

import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { NumericIdType } from "../dist/numeric.js";
import { keep, race } from "./measure.mjs";

const SETS = ["openg2p", "mosip"];

const DIGITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
/** Verhoeff's tables: the permutation of each place, the multiplication, and the inverses. */
const PERMUTED = [DIGITS];
while (PERMUTED.length < 8)
  PERMUTED.push(PERMUTED.at(-1).map((digit) => [1, 5, 7, 6, 2, 8, 3, 0, 9, 4][digit]));
const PRODUCT = DIGITS.map((a) =>
  DIGITS.map((b) => {
    const turns = (a < 5 ? a + b : a - b + 10) % 5;
    return a < 5 === b < 5 ? turns : 5 + turns;
  }),
);
const INVERSE = [0, 4, 3, 2, 1, 5, 6, 7, 8, 9];

/** Expressions that no ID matches by openg2p's rules. The one that refuses most is first. */
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

/** Returns a random digit from the runtime's CSPRNG, drawn in batches as in bitflake. */
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

/** Draws all digits, appends the check digit, tests the result, and repeats until it is an ID. */
function drawAndTest(length) {
  for (;;) {
    let id = "";
    let check = 0;
    for (let place = length - 1; place > 0; place--) {
      const digit = randomDigit();
      id += digit;
      check = PRODUCT[PERMUTED[place & 7][digit]][check];
    }
    id += INVERSE[check];
    if (!isRefused(id)) return id;
  }
}

/** Returns nanoseconds per ID. The number of draws per ID is random, so each round generates many. */
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
    // 32 digits would take about 40 ms each.
    if (length < 32) {
      loops[`draw and test, ${length} digits`] = (n) => {
        for (let i = 0; i < n; i++) keep(drawAndTest(length));
      };
      // The comparison is fair only if both generate the same IDs.
      for (let i = 0; i < 100; i++) {
        const id = drawAndTest(length);
        if (!openg2p.validate(id).valid || isRefused(openg2p.generate()))
          throw new Error(`the rules differ: ${id}`);
      }
    }
    Object.assign(ns, race(loops, { count, rounds: 10 }));
  }
  return ns;
}

/** Bundles the internal DigitBuilder, which the package does not export. */
async function loadBuilder() {
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

/** Returns the product, over all places, of how many digits were allowed on the path to an ID. */
function pathWeight(id, builder) {
  let weight = 1;
  builder.clear();
  for (const digit of id.slice(0, -1)) {
    let allowed = 0;
    for (const other of DIGITS) {
      if (!builder.push(other)) continue;
      builder.pop();
      allowed++;
    }
    weight *= allowed;
    builder.push(Number(digit));
  }
  return weight;
}

/**
 * Measures the bias of the draw from 25 digits on. The probability of an ID is one divided by its path weight, so in a
 * sample of IDs the mean weight divided by the weight of one ID is its probability relative to a fair draw.
 *
 * @returns for each set and length: `likeliest` and `unlikeliest`, the extreme relative probabilities in the sample;
 *   `deviation`, the coefficient of variation of the probabilities over all IDs; and `effective`, how many equally
 *   likely IDs would collide as often, as a share of all IDs
 */
export async function fairness(sample = 30_000) {
  const { DigitBuilder, resolveRules } = await loadBuilder();
  const rows = [];
  for (const rules of SETS) {
    for (const length of [25, 28, 32]) {
      const type = new NumericIdType({ name: "bench", length, rules });
      const builder = new DigitBuilder(length, resolveRules("rules", rules));
      const weights = Float64Array.from({ length: sample }, () => pathWeight(type.generate(), builder));
      const mean = weights.reduce((sum, each) => sum + each) / sample;
      const likelier = weights.map((weight) => mean / weight).sort();
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
