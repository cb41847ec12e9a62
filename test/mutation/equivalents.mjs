// Mutants that change nothing a caller can see: each was read, and the reason is given. score.mjs leaves them out, counts them,
// and fails if one of them is killed or no longer there. `source` is the mutated line, `replacement` the mutated part of it.

const SPEED = "It only decides between a fast and a slow path, which return the same.";
const CACHE = "It only decides whether a result is kept or made again.";
const GROWS = "An array grows as it is filled.";
const MODULO_32 = "Shifts and masks of 32 bits take their operands modulo 2^32, and shift counts modulo 32.";
const BIG_ENDIAN = "lowAt is 0 on a little-endian machine, and none other runs the tests.";

export const equivalents = [
  {
    file: "src/snowflake/batch.ts",
    source: "for (let i = 1; i < count; i++) {",
    replacement: "i <= count",
    reason: "The element after the last is written outside of the array, which a typed array ignores.",
  },
  {
    file: "src/snowflake/batch.ts",
    source: "halves[2 * (at + i) + lowAt] = low + i;",
    replacement: "2 * (at + i) - lowAt",
    reason: BIG_ENDIAN,
  },
  {
    file: "src/snowflake/batch.ts",
    source: "halves[2 * (at + i) + 1 - lowAt] = high;",
    replacement: "2 * (at + i) + 1 + lowAt",
    reason: BIG_ENDIAN,
  },
  {
    file: "src/snowflake/clock.ts",
    source: "const highestReadingMs = backwardMs > 0 ? state.highestReadingMs : nowMs;",
    replacement: "backwardMs >= 0",
    reason: "At 0 both are the same reading.",
  },
  {
    file: "src/snowflake/decode.ts",
    source: "return bits < 31 ? (1 << bits) - 1 : 0x7fff_ffff;",
    replacement: "bits <= 31",
    reason: MODULO_32,
  },
  {
    file: "src/snowflake/decode.ts",
    source: "if (shift >= 32) {",
    replacement: "shift > 32",
    reason: "At 32 the lower half has no bit of the field, and both return the same place.",
  },
  {
    file: "src/snowflake/decode.ts",
    source:
      "return { lowShift: 0, lowMask: 0, highShift: shift - 32, highMask: maskOf(bits), highScale: 1 };",
    replacement: "shift + 32",
    reason: MODULO_32,
  },
  {
    file: "src/snowflake/decode.ts",
    source: "lowMask: lowBits === 32 ? -1 : 2 ** lowBits - 1,",
    replacement: "false",
    reason: MODULO_32,
  },
  {
    file: "src/snowflake/decode.ts",
    source: "if (known) return known;",
    replacement: "false",
    reason: CACHE,
  },
  ...["false", 'typeof preset === "string" && Object.values(PRESETS).includes(preset as Preset)', '""'].map(
    (replacement) => ({
      file: "src/snowflake/decode.ts",
      source:
        'const isPreset = typeof preset === "string" || Object.values(PRESETS).includes(preset as Preset);',
      replacement,
      reason: CACHE,
    }),
  ),
  {
    file: "src/snowflake/decode.ts",
    source: "if (isPreset) decoders.set(preset, decoder);",
    replacement: "false",
    reason: CACHE,
  },
  {
    file: "src/snowflake/isoText.ts",
    source:
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a line
      'const yearText = isPlain ? padded(year, 4) : `${year < 0 ? "-" : "+"}${padded(Math.abs(year), 6)}`;',
    replacement: "year <= 0",
    reason: "Year 0 is plain, and has no sign.",
  },
  {
    file: "src/snowflake/isoText.ts",
    source: "const slot = day & (DAYS - 1);",
    replacement: "DAYS + 1",
    reason: CACHE,
  },
  {
    file: "src/snowflake/isoText.ts",
    source: "if (days[slot] !== day) {",
    replacement: "true",
    reason: CACHE,
  },
  ...[
    "const days: number[] = /* @__PURE__ */ new Array(DAYS);",
    "const dayTexts: string[] = /* @__PURE__ */ new Array(DAYS);",
    "const minuteTexts: string[] = /* @__PURE__ */ new Array(1440);",
    "const secondTexts: string[] = /* @__PURE__ */ new Array(60);",
    "const milliTexts: string[] = /* @__PURE__ */ new Array(1000);",
  ].map((source) => ({
    file: "src/snowflake/isoText.ts",
    source,
    replacement: "new Array()",
    reason: GROWS,
  })),
  {
    file: "src/snowflake/generator.ts",
    source: "const iteratorPrototype: object = Object.getPrototypeOf(Object.getPrototypeOf([].values()));",
    replacement: '["Stryker was here"]',
    reason: "The prototype of an iterator does not depend on the elements.",
  },
  ...["this.leftInRun(draft) > count", "this.leftInRun(draft) < count", "true"].map((replacement) => ({
    file: "src/snowflake/localSource.ts",
    source: "const hasRoom = nowMs === highestReadingMs && this.leftInRun(draft) >= count;",
    replacement,
    reason: SPEED,
  })),
  {
    file: "src/snowflake/localSource.ts",
    source: "if (nowMs === entry.highestReadingMs && (low & lowMask) !== lowMask) entry.low[0] = low + 1;",
    replacement: "false",
    reason: SPEED,
  },
];
