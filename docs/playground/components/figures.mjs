// Texts for the capacity of a layout.

/** Formats a count with commas. A small fraction is not rounded to 0. */
export function count(number) {
  if (number < 1000) return number.toLocaleString("en-US", { maximumSignificantDigits: 4 });
  // toLocaleString writes 17 digits of a number and then zeros, but every digit of a bigint.
  return BigInt(Math.round(number)).toLocaleString("en-US");
}

/** Formats a moment as `2020-01-01 00:00:00.000 UTC`. */
export function moment(iso) {
  return iso.replace("T", " ").replace("Z", " UTC");
}

/** The last moment of Date, which is the latest end that capacity() returns. */
const DATE_END = new Date(8.64e15).toISOString();

/**
 * Returns the texts for a capacity.
 *
 * @param {import("bitflake").Capacity} capacity
 * @returns {Record<string, string>} each text by the name of its element
 */
export function figures(capacity) {
  const { nodes, datacenters, machinesPerDatacenter, idsPerSecond, idsPerTick, expiresAt, years } = capacity;
  const [day, time] = expiresAt.split("T");
  const end =
    expiresAt === DATE_END ? "end of Date; the bits last longer" : `${time.replace("Z", " UTC")}, after`;
  return {
    nodes: count(nodes),
    "nodes-note": `${count(datacenters)} × ${count(machinesPerDatacenter)}, datacenters × machines`,
    rate: count(idsPerSecond),
    "rate-note": `per node: ${count(idsPerTick)} per tick`,
    end: day,
    "end-note": `${end} ${count(years)} years`,
  };
}
