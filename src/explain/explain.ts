// explain: the formats that an ID may have, the likeliest first.

import { ArgumentError, assertMoment, readFields } from "../internal.ts";
import { type Guess, type IdFormatName, timeText } from "./guess.ts";
import { guessFormats } from "./textFormats.ts";

/** The length of the longest text that may be an ID: prefixes are short. */
const MAX_LENGTH = 256;

/** Options of {@link explain}. An unknown option is refused. */
export interface ExplainOptions {
  /** The moment that counts as now: a later time speaks against a format. Milliseconds since 1970 or a Date; default `Date.now()`. */
  readonly nowMs?: number | Date | undefined;
  /**
   * When the ID was made, if that is known from elsewhere, as by a log line. Formats whose time is within a day of it come
   * first, even if their share is lower. Milliseconds since 1970 or a Date; default none.
   */
  readonly aroundMs?: number | Date | undefined;
}

/** One format that an ID may have. */
export interface Explanation {
  /** The format. */
  readonly format: IdFormatName;
  /** The format in words: `"UUID v7"`, `"bitflake, preset twitter"`. */
  readonly name: string;
  /**
   * This format's part of the weight of all explanations, from 0 to 1. It ranks them. It is no probability: how common each
   * format is was guessed, and formats that are not on the list are not counted.
   */
  readonly share: number;
  /** The time that the ID has in this format, in milliseconds since 1970. Missing if the format has none. */
  readonly timestampMs?: number;
  /** The same as an ISO 8601 string in UTC. */
  readonly generatedAt?: string;
  /** The other fields, by the format's own names for them. */
  readonly fields: Readonly<Record<string, number | string>>;
  /** The evidence for the format. */
  readonly reasons: readonly string[];
  /** The evidence against it. */
  readonly against: readonly string[];
}

function toExplanation(guess: Guess, share: number): Explanation {
  const { format, name, timestampMs, fields, reasons, against } = guess;
  const time = timestampMs === undefined ? {} : { timestampMs, generatedAt: timeText(timestampMs) };
  return { format, name, share, ...time, fields, reasons, against };
}

/**
 * Returns the formats that an ID may have, the likeliest first, with the time that it has in each and the evidence for and
 * against it. An ID does not contain its format, so this is a ranking, never an answer.
 *
 * It knows X, Discord, Instagram, Mastodon, Sonyflake, TSID, UUID v1 to v8, ULID, KSUID, ObjectId, numeric IDs with a
 * Verhoeff check digit, and the presets of this library in decimal and in the text forms of `bitflake/text`. The text form decides
 * first. Among numbers, each format is weighed by how likely it makes just this one: its time between the first ID of the format and
 * now, and its other fields as the format fills them. A format whose time is impossible is left out if another one is possible,
 * unless its time is within a day of `aroundMs`.
 *
 * It reads no network and keeps nothing. The same arguments give the same result, if `nowMs` is one of them.
 *
 * @param id the text of an ID, or a bigint, which counts as its decimal text. Spaces are not removed
 * @param options `nowMs` and `aroundMs`
 * @returns the formats, or an empty array if none has such IDs
 * @throws {@link ArgumentError} if the ID is neither a string nor a bigint, or an option is wrong
 *
 * @example
 * ```ts
 * import { explain } from "bitflake/explain";
 *
 * const [first] = explain("175928847299117063", { nowMs: Date.UTC(2026, 10, 28) });
 * first?.name; // => 'Discord'
 * first?.generatedAt; // => '2016-04-30T11:18:25.796Z'
 * ```
 */
export function explain(id: string | bigint, options: ExplainOptions = {}): Explanation[] {
  const given = readFields(options, ["nowMs", "aroundMs"]);
  if (typeof id !== "string" && typeof id !== "bigint")
    throw new ArgumentError("id", "a string or a bigint", id);
  const moments = {
    nowMs: assertMoment("nowMs", given.nowMs ?? Date.now()),
    aroundMs: given.aroundMs === undefined ? undefined : assertMoment("aroundMs", given.aroundMs),
  };
  // A larger number is not written out, because millions of digits take seconds.
  const text = typeof id === "bigint" ? (BigInt.asUintN(128, id) === id ? `${id}` : "") : id;
  const guesses = text.length > MAX_LENGTH ? [] : guessFormats(text, moments);
  const possible = guesses.filter(({ isPossible, isNear }) => isPossible || isNear);
  const kept = possible.length > 0 ? possible : guesses;
  const most = Math.max(...kept.map(({ logWeight }) => logWeight));
  const weights = kept.map(({ logWeight }) => Math.exp(logWeight - most));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return kept
    .map((guess, i) => ({ guess, share: (weights[i] as number) / total }))
    .sort((a, b) => Number(b.guess.isNear) - Number(a.guess.isNear) || b.share - a.share)
    .map(({ guess, share }) => toExplanation(guess, share));
}
