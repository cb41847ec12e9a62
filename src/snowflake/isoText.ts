// A moment as an ISO 8601 string in UTC: what Date.prototype.toISOString returns, from tables in a tenth of its time.

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** How many days keep their string: enough for IDs of the last 2.8 years. */
const DAYS = 1024;

// Filled as entries are needed, so that an import costs nothing.
const days: number[] = /* @__PURE__ */ new Array(DAYS);
const dayTexts: string[] = /* @__PURE__ */ new Array(DAYS);
const minuteTexts: string[] = /* @__PURE__ */ new Array(1440);
const secondTexts: string[] = /* @__PURE__ */ new Array(60);
const milliTexts: string[] = /* @__PURE__ */ new Array(1000);

const padded = (value: number, digits: number): string => String(value).padStart(digits, "0");

/**
 * Returns a day as a string, up to and with the `T`.
 *
 * @param day days since 1970. The date follows Howard Hinnant's `civil_from_days`: years begin in March, and 400 of them
 *   are one era of 146,097 days
 */
function dayText(day: number): string {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const leapDays =
    Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const yearStart = 365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  const dayOfYear = dayOfEra - yearStart;
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const isPlain = year >= 0 && year <= 9999;
  const yearText = isPlain ? padded(year, 4) : `${year < 0 ? "-" : "+"}${padded(Math.abs(year), 6)}`;
  return `${yearText}-${padded(month, 2)}-${padded(dayOfMonth, 2)}T`;
}

/**
 * Returns a moment as an ISO 8601 string in UTC.
 *
 * @param ms whole milliseconds since 1970 that a Date can hold
 */
export function isoText(ms: number): string {
  const day = Math.floor(ms / DAY_MS);
  const slot = day & (DAYS - 1);
  if (days[slot] !== day) {
    days[slot] = day;
    dayTexts[slot] = dayText(day);
  }
  const msOfDay = ms - day * DAY_MS;
  const minute = Math.floor(msOfDay / MINUTE_MS);
  const msOfMinute = msOfDay - minute * MINUTE_MS;
  const second = Math.floor(msOfMinute / 1000);
  const milli = msOfMinute - second * 1000;
  minuteTexts[minute] ??= `${padded(Math.floor(minute / 60), 2)}:${padded(minute % 60, 2)}:`;
  secondTexts[second] ??= `${padded(second, 2)}.`;
  milliTexts[milli] ??= `${padded(milli, 3)}Z`;
  const time = `${minuteTexts[minute]}${secondTexts[second]}`;
  return `${dayTexts[slot]}${time}${milliTexts[milli]}`;
}
