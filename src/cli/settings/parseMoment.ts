// Moments on the command line: dates and times in ISO 8601, also as databases print them.

/** A date, or a time with its zone. A space in place of the T, and an offset without minutes, are PostgreSQL's. */
const FORM = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d(?::?\d\d)?))?$/;

/** Returns the milliseconds that a zone is ahead of UTC; NaN if there is no such zone. */
function offsetMs(zone: string): number {
  if (zone === "Z") return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3).replace(":", ""))];
  const ms = hours < 24 && minutes < 60 ? (hours * 60 + minutes) * 60_000 : Number.NaN;
  return zone.startsWith("-") ? -ms : ms;
}

/**
 * Parses a moment. A date without a time is its beginning in UTC. A time without a zone is refused, because its meaning would
 * depend on the machine.
 *
 * @returns milliseconds since 1970; `undefined` if it is no moment, or no day of the calendar
 */
export function parseMoment(text: string): number | undefined {
  const [, date = "", time = "00:00", zone = "Z"] = FORM.exec(text) ?? [];
  const ms = Date.parse(`${date}T${time}Z`);
  // Date.parse reads February 30 as March 2, and 24:00 as the next day.
  if (Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(date)) return undefined;
  const moment = ms - offsetMs(zone);
  return Number.isNaN(moment) ? undefined : moment;
}
