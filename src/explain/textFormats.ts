// The formats of IDs that are known by their text: UUID, ULID, KSUID, ObjectId, numeric IDs, and this library's text forms.

import { readId } from "../internal.ts";
import { verhoeff } from "../numeric/verhoeff.ts";
import { base32 } from "../text/base32.ts";
import { hex } from "../text/hex.ts";
import { base58, base62 } from "../text/radix.ts";
import { type Guess, type IdFormatName, type Moments, weighTime } from "./guess.ts";
import { guessNumber, numberFormats } from "./numberFormats.ts";

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** The epoch of KSUID: 1,400,000,000 s after 1970. */
const KSUID_EPOCH_MS = 1_400_000_000_000;

/** The first moment that a UUID can have: the Gregorian calendar of 1582, in units of 100 ns before 1970. */
const GREGORIAN = 122_192_928_000_000_000n;

/** When versions of a UUID that have a time began: DCE in 1990, and the drafts of versions 6 and 7 in 2020. */
const UUID_SINCE: Readonly<Record<number, number>> = {
  1: Date.UTC(1990, 0),
  6: Date.UTC(2020, 0),
  7: Date.UTC(2020, 0),
};

/** Reads a text as a number in a base, by its alphabet. */
function readDigits(text: string, alphabet: string): bigint {
  const base = BigInt(alphabet.length);
  let value = 0n;
  for (const character of text) value = value * base + BigInt(alphabet.indexOf(character));
  return value;
}

/** Guesses a format that is named by its text alone. Without a time, only the text speaks. */
function guessText(
  format: IdFormatName,
  name: string,
  form: string,
  time: { readonly timestampMs: number; readonly tickMs: number; readonly sinceMs: number } | undefined,
  bits: number,
  fields: Guess["fields"],
  moments: Moments,
): Guess {
  const base = { format, name, fields, timestampMs: time?.timestampMs };
  const reasons = [`it has the form: ${form}`];
  const logWeight = -bits * Math.LN2;
  if (!time) return { ...base, logWeight, isPossible: true, isNear: false, reasons, against: [] };
  const { timestampMs, tickMs, sinceMs } = time;
  const evidence = weighTime(timestampMs, tickMs, name, sinceMs, moments);
  return {
    ...base,
    logWeight: logWeight + evidence.logDensity,
    isPossible: evidence.isPossible,
    isNear: evidence.isNear,
    reasons: [...reasons, ...evidence.reasons],
    against: evidence.against,
  };
}

/** Returns the time of a UUID: of version 7 in milliseconds, of versions 1 and 6 in units of 100 ns. */
function uuidTime(digits: string, version: number): number | undefined {
  if (version === 7) return Number.parseInt(digits.slice(0, 12), 16);
  if (version !== 1 && version !== 6) return undefined;
  const [low, middle, high] = [digits.slice(0, 8), digits.slice(8, 12), digits.slice(13, 16)];
  const ticks = BigInt(`0x${version === 1 ? high + middle + low : low + middle + high}`);
  return Number((ticks - GREGORIAN) / 10_000n);
}

function guessUuid(text: string, moments: Moments): Guess | undefined {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return undefined;
  const digits = text.replaceAll("-", "").toLowerCase();
  const form = "32 hexadecimal digits in groups of 8, 4, 4, 4 and 12";
  const plain = (name: string, note: string, fields: Guess["fields"]) =>
    guessText("uuid", name, `${form}; ${note}`, undefined, 122, fields, moments);
  if (/^0+$/.test(digits)) return plain("nil UUID", "all digits are 0", {});
  if (/^f+$/.test(digits)) return plain("max UUID", "all digits are f", {});
  const version = Number.parseInt(digits.charAt(12), 16);
  if (!/[89ab]/.test(digits.charAt(16)) || version < 1 || version > 8) {
    return plain("UUID of another kind", "no version and variant of RFC 9562", {});
  }
  const note = `version ${version} and the variant of RFC 9562`;
  const timestampMs = uuidTime(digits, version);
  const fields: Record<string, number | string> = { version };
  if (version === 1 || version === 6) fields["node"] = digits.slice(20);
  const time =
    timestampMs === undefined
      ? undefined
      : { timestampMs, tickMs: 1, sinceMs: UUID_SINCE[version] as number };
  return guessText("uuid", `UUID v${version}`, `${form}; ${note}`, time, 74, fields, moments);
}

function guessUlid(text: string, moments: Moments): Guess | undefined {
  if (!/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/i.test(text)) return undefined;
  const timestampMs = Number(readDigits(text.slice(0, 10).toUpperCase(), CROCKFORD));
  const time = { timestampMs, tickMs: 1, sinceMs: Date.UTC(2016, 0) };
  return guessText("ulid", "ULID", "26 characters of Crockford's base32", time, 80, {}, moments);
}

function guessKsuid(text: string, moments: Moments): Guess | undefined {
  if (!/^[0-9A-Za-z]{27}$/.test(text)) return undefined;
  const seconds = readDigits(text, BASE62) >> 128n;
  // The largest KSUID has 32 bits of time, and 27 characters have a little more.
  if (seconds >= 2n ** 32n) return undefined;
  const timestampMs = KSUID_EPOCH_MS + Number(seconds) * 1000;
  const time = { timestampMs, tickMs: 1000, sinceMs: KSUID_EPOCH_MS };
  return guessText("ksuid", "KSUID", "27 characters of base62", time, 128, {}, moments);
}

function guessObjectId(text: string, moments: Moments): Guess | undefined {
  if (!/^[0-9a-f]{24}$/i.test(text)) return undefined;
  const timestampMs = Number.parseInt(text.slice(0, 8), 16) * 1000;
  const counter = Number.parseInt(text.slice(18), 16);
  const time = { timestampMs, tickMs: 1000, sinceMs: Date.UTC(2009, 0) };
  return guessText("objectid", "MongoDB ObjectId", "24 hexadecimal digits", time, 64, { counter }, moments);
}

/** How common numeric IDs with a check digit are, beside those of the platforms. */
const NUMERIC_WEIGHT = 0.05;

function guessNumeric(text: string): Guess | undefined {
  if (!/^\d{2,32}$/.test(text) || !verhoeff.isValid(text)) return undefined;
  const startsLow = /^[01]/.test(text);
  const logWeight = Math.log(startsLow ? NUMERIC_WEIGHT / 100 : NUMERIC_WEIGHT);
  return {
    format: "numeric",
    name: "numeric ID with check digit",
    timestampMs: undefined,
    fields: { digits: text.length, checkDigit: Number(text.at(-1)) },
    // Of all texts of this length one in ten has the right check digit.
    logWeight: logWeight - (text.length - 1) * Math.LN10,
    isPossible: true,
    isNear: false,
    reasons: [
      "its last digit is the Verhoeff check digit of the others; of random numbers, one in ten has that",
    ],
    against: startsLow ? ["it begins with 0 or 1, which the rule sets of bitflake/numeric refuse"] : [],
  };
}

/** This library's text forms, with the form in words. */
const OWN_FORMS = [
  { form: "13 characters of Crockford's base32", codec: base32 },
  { form: "16 digits of hexadecimal", codec: hex },
  { form: "11 characters of base58", codec: base58 },
  { form: "11 characters of base62", codec: base62 },
] as const;

/** The evidence against an ID of this library in base32 in lower case. */
const LOWER_CASE =
  "it is in lower case, and base32 of bitflake/text is in capitals: base32.lenient reads both";

/** Guesses IDs in a text form, with or without a prefix. TSIDs have the form base32 too, and the lower case of it. */
function guessOwnForms(text: string, moments: Moments): Guess[] {
  const [, prefix, body = text] = /^([a-z][a-z0-9_]*)_([0-9A-Za-z]+)$/.exec(text) ?? [];
  return OWN_FORMS.flatMap(({ form, codec }) => {
    const isBase32 = codec === base32;
    if (!new RegExp(`^(?:${codec.pattern})$`, isBase32 ? "i" : "").test(body)) return [];
    const id = codec.decode(isBase32 ? body.toUpperCase() : body);
    const isLower = isBase32 && /[a-z]/.test(body);
    return numberFormats(true).flatMap((model) => {
      if (model.format === "tsid" && (codec !== base32 || prefix !== undefined)) return [];
      const guess = guessNumber(id, model, moments);
      if (!guess) return [];
      const named = prefix === undefined ? form : `${form} after the prefix ${prefix.slice(0, 64)}`;
      const reasons = [`it has the form: ${named}`, ...guess.reasons];
      const against = isLower && model.format !== "tsid" ? [...guess.against, LOWER_CASE] : guess.against;
      return [{ ...guess, reasons, against }];
    });
  });
}

/** Returns every format that a text may be in, in no order. */
export function guessFormats(text: string, moments: Moments): Guess[] {
  const id = readId(text);
  const numbers =
    id === undefined ? [] : numberFormats(false).map((model) => guessNumber(id, model, moments));
  return [
    ...numbers,
    guessNumeric(text),
    guessUuid(text, moments),
    guessUlid(text, moments),
    guessKsuid(text, moments),
    guessObjectId(text, moments),
    ...guessOwnForms(text, moments),
  ].filter((guess) => guess !== undefined);
}
