// Content negotiation: whether the Accept header of a request admits the media type of a response.

const REFUSED = 0;
const ACCEPTED = 1;
const NO_MATCH = -1;

/** Returns what one range of an `Accept` header says of a media type. */
function matchRange(range: string, type: string): number {
  const [name = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
  const [family] = type.split("/");
  if (name !== "*/*" && name !== `${family}/*` && name !== type) return NO_MATCH;
  const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  // A weight that is not a number is ignored.
  return weight !== undefined && /^0(\.0*)?$/.test(weight) ? REFUSED : ACCEPTED;
}

/** Returns whether an `Accept` header admits a media type. A missing header admits any. */
export function accepts(header: string | undefined, type: string): boolean {
  if (header === undefined || header.trim() === "" || header === "*/*") return true;
  const ranges = header.split(",").filter((range) => matchRange(range, type) !== NO_MATCH);
  // The most specific range decides: `application/json;q=0, */*` refuses JSON.
  const specificity = (range: string) => (range.includes("*/*") ? 0 : range.includes("/*") ? 1 : 2);
  ranges.sort((one, other) => specificity(other) - specificity(one));
  const [mostSpecific] = ranges;
  return mostSpecific !== undefined && matchRange(mostSpecific, type) === ACCEPTED;
}
