// What a layout holds, in words and figures.

/** A count with its thousands apart. A small fraction is not rounded to nothing. */
function count(number) {
  if (number < 1000) return number.toLocaleString("en-US", { maximumSignificantDigits: 4 });
  // A number is shown to 17 digits and filled up with zeros, a bigint to the last.
  return BigInt(Math.round(number)).toLocaleString("en-US");
}

/** A moment as `2020-01-01 00:00:00.000 UTC`. */
export function moment(iso) {
  return iso.replace("T", " ").replace("Z", " UTC");
}

/** The last moment that a Date holds, which is as far as the library reckons. */
const DATE_END = new Date(8.64e15).toISOString();

/**
 * @param {import("bitflake").Capacity} holds
 * @returns {Record<string, string>} text by the name of the place it goes to
 */
export function figures(holds) {
  const { nodes, datacenters, machinesPerDatacenter, idsPerSecond, idsPerTick, expiresAt, years } = holds;
  const [day, time] = expiresAt.split("T");
  const end =
    expiresAt === DATE_END ? "where Date ends; the bits last" : `${time.replace("Z", " UTC")}, after`;
  return {
    nodes: count(nodes),
    "nodes-note": `${count(datacenters)} × ${count(machinesPerDatacenter)}, datacenters × machines`,
    rate: count(idsPerSecond),
    "rate-note": `from each node: ${count(idsPerTick)} a tick`,
    end: day,
    "end-note": `${end} ${count(years)} years`,
  };
}
