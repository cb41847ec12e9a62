// A strict parser of the text format of Prometheus. It also refuses mistakes that a scraper might tolerate: a family that comes twice or has no
// help, a counter that does not end in _total, a histogram that does not count up.

interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ParsedSample[];
}

const TYPES = ["counter", "gauge", "histogram", "summary"];

/** The suffixes of the samples of each type. */
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: [""],
  gauge: [""],
  histogram: ["_bucket", "_sum", "_count"],
  summary: ["", "_sum", "_count"],
};

function fail(rule: string, line: string): never {
  throw new Error(`${rule}: ${line}`);
}

function parseValue(text: string, line: string): number {
  if (text === "+Inf") return Infinity;
  if (text === "-Inf") return -Infinity;
  if (!/^-?\d+(\.\d+)?(e[+-]\d+)?$/.test(text)) fail("not a number", line);
  return Number(text);
}

function parseLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let rest = text;
  while (rest !== "") {
    const [pair, name = "", value = ""] =
      /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,(?=.)|$)/.exec(rest) ??
      fail("wrong labels", line);
    if (name.startsWith("__")) fail("a reserved label", line);
    if (name in labels) fail("a label twice", line);
    labels[name] = value.replace(/\\(.)/g, (_, escaped) => (escaped === "n" ? "\n" : escaped));
    rest = rest.slice(pair.length);
  }
  return labels;
}

function parseSample(line: string): ParsedSample {
  const [, name = "", labels = "", value = ""] =
    /^([a-z_][a-z0-9_]*)(?:\{(.+)\})? (\S+)$/.exec(line) ?? fail("not a sample", line);
  return { name, labels: parseLabels(labels, line), value: parseValue(value, line) };
}

/** Returns the samples by their labels without one. */
function groupBy(samples: readonly ParsedSample[], label: string): ParsedSample[][] {
  const groups = new Map<string, ParsedSample[]>();
  for (const sample of samples) {
    const { [label]: _, ...labels } = sample.labels;
    const key = JSON.stringify(labels);
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  return [...groups.values()];
}

function checkHistogram({ name, samples }: ParsedFamily): void {
  for (const series of groupBy(samples, "le")) {
    const buckets = series.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels: { le = "" } }) => parseValue(le, `${name} le="${le}"`));
    const counts = buckets.map(({ value }) => value);
    const isRising = (values: readonly number[], step: (before: number, value: number) => boolean) =>
      values.every((value, index) => index === 0 || step(values[index - 1] as number, value));
    if (!isRising(bounds, (before, bound) => before < bound)) fail("bounds do not rise", name);
    if (!isRising(counts, (before, count) => before <= count)) fail("buckets do not count up", name);
    if (bounds.at(-1) !== Infinity) fail("no bucket +Inf", name);
    const [count, ...others] = series.filter((sample) => sample.name === `${name}_count`);
    if (others.length > 0 || count?.value !== counts.at(-1)) fail("_count is not the last bucket", name);
    if (series.filter((sample) => sample.name === `${name}_sum`).length !== 1) fail("not one _sum", name);
  }
}

/**
 * Parses metrics.
 *
 * @throws an error that names the rule and the line
 */
export function parseExposition(text: string): ParsedFamily[] {
  if (!text.endsWith("\n")) fail("no line feed at the end", text.slice(-40));
  const families: { name: string; type: string; help: string; samples: ParsedSample[] }[] = [];
  const names = new Set<string>();
  const series = new Set<string>();
  let help: { readonly name: string; readonly text: string } | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    const [, keyword, name = "", rest = ""] = /^# (HELP|TYPE) ([a-z_][a-z0-9_]*) (.+)$/.exec(line) ?? [];
    if (keyword === "HELP") {
      if (names.has(name)) fail("a family twice", line);
      if (help) fail("help without a type", line);
      if (rest !== rest.trim()) fail("spaces around the help", line);
      names.add(name);
      help = { name, text: rest };
    } else if (keyword === "TYPE") {
      if (help?.name !== name) fail("a type that does not follow its help", line);
      if (!TYPES.includes(rest)) fail("an unknown type", line);
      if ((rest === "counter") !== name.endsWith("_total")) fail("a counter ends in _total", line);
      families.push({ name, type: rest, help: help.text, samples: [] });
      help = undefined;
    } else {
      const sample = parseSample(line);
      const family = families.at(-1);
      if (!family || help) fail("a sample before its type", line);
      const { type, samples } = family;
      const suffix = SUFFIXES[type]?.find((suffix) => sample.name === family.name + suffix);
      if (suffix === undefined) fail("a sample of another family", line);
      const special = type === "histogram" ? "le" : "quantile";
      const needsSpecial = suffix === "_bucket" || (type === "summary" && suffix === "");
      if (needsSpecial !== special in sample.labels) fail(`the label ${special}`, line);
      const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
      if (series.has(key)) fail("a series twice", line);
      series.add(key);
      samples.push(sample);
    }
  }
  for (const family of families) if (family.type === "histogram") checkHistogram(family);
  return families;
}

/** Returns the value of a sample; `undefined` if there is none. */
export function sampleOf(
  families: readonly ParsedFamily[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const wanted = JSON.stringify(Object.entries(labels).sort());
  const samples = families.flatMap((family) => family.samples);
  return samples.find(
    (sample) => sample.name === name && JSON.stringify(Object.entries(sample.labels).sort()) === wanted,
  )?.value;
}
