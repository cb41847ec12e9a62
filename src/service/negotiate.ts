// Content negotiation: which media types the Accept header of a request admits, and which it prefers.

const NO_MATCH = -1;

/** Returns the weight that one range of an `Accept` header gives a media type: 0 refuses it. */
function matchRange(range: string, type: string): number {
  const [name = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
  const [family] = type.split("/");
  if (name !== "*/*" && name !== `${family}/*` && name !== type) return NO_MATCH;
  const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? "";
  // A weight that is not a number is ignored.
  return /^(0(\.\d*)?|1(\.0*)?)$/.test(weight) ? Number(weight) : 1;
}

/** Returns the weight that an `Accept` header gives a media type, from 0 to 1. A missing header admits any. */
function weightOf(header: string | undefined, type: string): number {
  if (header === undefined || header.trim() === "" || header === "*/*") return 1;
  const ranges = header.split(",").filter((range) => matchRange(range, type) !== NO_MATCH);
  // The most specific range decides: `application/json;q=0, */*` refuses JSON.
  const specificity = (range: string) => (range.includes("*/*") ? 0 : range.includes("/*") ? 1 : 2);
  ranges.sort((one, other) => specificity(other) - specificity(one));
  const [mostSpecific] = ranges;
  return mostSpecific === undefined ? 0 : matchRange(mostSpecific, type);
}

/** Returns whether an `Accept` header admits a media type. A missing header admits any. */
export function accepts(header: string | undefined, type: string): boolean {
  return weightOf(header, type) > 0;
}

/** Returns whether an `Accept` header gives a media type more weight than another one. */
export function prefers(header: string | undefined, type: string, other: string): boolean {
  return weightOf(header, type) > weightOf(header, other);
}
