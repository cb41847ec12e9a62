// The charts of bench/capacity.mjs as one SVG: IDs made, nodes held and IDs not made, by region and minute.

const WIDTH = 960;
const LEFT = 64;
const RIGHT = 16;
const HEIGHT = 150;
const GAP = 54;
const TOP = 56;

/** Distinct by lightness too, for readers who do not see the colors. */
const COLORS = ["#1b5e9b", "#d9822b", "#3f9c6b"];

const x = (minute, minutes) => LEFT + ((WIDTH - LEFT - RIGHT) * minute) / minutes;

function line(values, y, color) {
  const points = values.map(
    (value, minute) => `${x(minute, values.length).toFixed(1)},${y(value).toFixed(1)}`,
  );
  return `<polyline points="${points.join(" ")}" fill="none" stroke="${color}" stroke-width="1.5"/>`;
}

/** Returns a chart: its title, its axis up to `most`, and a line for each region. */
function chart(regions, row, title, name, most, format, limit) {
  const top = TOP + row * (HEIGHT + GAP);
  const y = (value) => top + HEIGHT - (HEIGHT * Math.min(value, most)) / most;
  const ticks = [0, most / 2, most].map(
    (value) =>
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}" stroke="currentColor" stroke-opacity="0.15"/>` +
      `<text x="${LEFT - 8}" y="${y(value) + 4}" text-anchor="end">${format(value)}</text>`,
  );
  const limitLine =
    limit === undefined
      ? ""
      : `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(limit)}" y2="${y(limit)}" stroke="currentColor" stroke-dasharray="4 4"/>`;
  const lines = regions.map(({ minutes }, index) =>
    line(
      minutes.map((minute) => minute[name]),
      y,
      COLORS[index],
    ),
  );
  return [
    `<text x="${LEFT}" y="${top - 10}" font-weight="bold">${title}</text>`,
    ...ticks,
    limitLine,
    ...lines,
  ].join("\n");
}

/**
 * Returns the charts as an SVG.
 *
 * @param regions those of a simulation
 * @param events its events, each with its hour and region
 * @param nodes how many nodes a region has
 */
export function drawCapacity(regions, events, nodes) {
  const minutes = regions[0].minutes.length;
  const hours = Array.from({ length: 9 }, (_, index) => index * 3).map(
    (hour) =>
      `<text x="${x(hour * 60, minutes)}" y="${TOP + 3 * HEIGHT + 2 * GAP + 20}" text-anchor="middle">${String(hour).padStart(2, "0")}:00</text>`,
  );
  const bottom = TOP + 3 * HEIGHT + 2 * GAP;
  const marks = events.map(
    ({ hour, region }) =>
      `<line x1="${x(hour * 60, minutes)}" x2="${x(hour * 60, minutes)}" y1="${TOP}" y2="${bottom}" stroke="${COLORS[region]}" stroke-dasharray="1 3"/>`,
  );
  const legend = COLORS.map(
    (color, index) =>
      `<rect x="${LEFT + index * 110}" y="10" width="14" height="14" fill="${color}"/><text x="${LEFT + index * 110 + 20}" y="22">region ${index + 1}</text>`,
  );
  const thousands = (value) => (value === 0 ? "0" : `${Math.round(value / 1000)}k`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 36}" font-family="system-ui, sans-serif" font-size="12" fill="currentColor" color="#333" role="img" aria-label="A simulated day of three regions: IDs made, nodes held, IDs not made">
<style>svg { background: #fff } @media (prefers-color-scheme: dark) { svg { background: #16181d; color: #ddd } }</style>
${legend.join("\n")}
${marks.join("\n")}
${chart(regions, 0, "IDs made a second", "made", 600_000, thousands)}
${chart(regions, 1, `nodes held, of ${nodes} in a region (dashed)`, "held", 300, String, nodes)}
${chart(regions, 2, "IDs not made a second", "refused", 400_000, thousands)}
${hours.join("\n")}
</svg>
`;
}
