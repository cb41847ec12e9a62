// Texts for durations, rates and counts.

import { count } from "../../../../docs/playground/components/figures.mjs";

export { count };

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
];

/** Formats a duration by its two largest units, such as `3 min 12 s`; below a minute by seconds alone. */
export function duration(ms) {
  const whole = Math.max(0, Math.floor(ms / 1000)) * 1000;
  const first = UNITS.findIndex(([, unit]) => whole >= unit);
  if (first < 0) return "0 s";
  const [[name, unit], next] = UNITS.slice(first);
  const large = `${Math.floor(whole / unit)} ${name}`;
  const rest = next === undefined ? 0 : Math.floor((whole % unit) / next[1]);
  return rest === 0 ? large : `${large} ${rest} ${next[0]}`;
}

/** Formats a rate per second: with one decimal below 10. */
export function rate(perSecond) {
  if (perSecond >= 10 || perSecond === 0) return count(Math.round(perSecond));
  return perSecond < 0.1 ? "< 0.1" : String(Number(perSecond.toFixed(1)));
}

/** Formats milliseconds with two or three significant digits. */
export function milliseconds(ms) {
  if (ms === undefined) return "–";
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms >= 10 ? Math.round(ms) : Number(ms.toPrecision(2))} ms`;
}

/** Joins words as in `a, b and c`. */
export function list(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** Returns a count with its noun, such as `1 renewal` or `3 renewals`. */
export function plural(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}
