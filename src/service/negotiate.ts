// Whether a client takes what there is.

/** The types that a header of `Accept` names for a reply, which is `application/json` or text of its own type. */
function weigh(range: string, type: string): number {
  const [name = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
  const [family] = type.split("/");
  if (name !== "*/*" && name !== `${family}/*` && name !== type) return -1;
  const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  // What is no number excludes nothing.
  return weight !== undefined && /^0(\.0*)?$/.test(weight) ? 0 : 1;
}

/** Whether the header lets the type through; without a header anything is taken. */
export function accepts(header: string | undefined, type: string): boolean {
  if (header === undefined || header.trim() === "" || header === "*/*") return true;
  const ranges = header.split(",");
  // The most exact range decides: `application/json;q=0, */*` is a no.
  const exactness = (range: string) => (range.includes("*/*") ? 0 : range.includes("/*") ? 1 : 2);
  const fitting = ranges.filter((range) => weigh(range, type) >= 0);
  fitting.sort((one, other) => exactness(other) - exactness(one));
  const [best] = fitting;
  return best !== undefined && weigh(best, type) > 0;
}
