// Line charts of the last minutes, as SVG with a text for screen readers.

import { element, showText } from "../../../../docs/playground/components/drawing.mjs";
import { duration } from "./format.mjs";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 300;
const HEIGHT = 64;

function svgElement(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** Returns the next round number: 1, 2 or 5 times a power of ten. So the scale changes rarely. */
function roundUp(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value * 0.999_999);
}

/** Returns the path of a line, and of the area below it. */
function paths(points, name, { now, windowMs, top }) {
  let line = "";
  let area = "";
  let run = [];
  const end = () => {
    if (run.length > 0) {
      const [first, last] = [run[0], run.at(-1)];
      // A single point is a dot.
      const drawn = run.length === 1 ? `M${first}h0.01` : `M${run.join("L")}`;
      line += drawn;
      area += `${drawn}L${last.split(",")[0]},${HEIGHT}L${first.split(",")[0]},${HEIGHT}Z`;
    }
    run = [];
  };
  for (const point of points) {
    const value = point[name];
    if (value === undefined) {
      end();
      continue;
    }
    const x = WIDTH * (1 - (now - point.atMs) / windowMs);
    run.push(`${x.toFixed(1)},${(HEIGHT - 1 - (value / top) * (HEIGHT - 4)).toFixed(1)}`);
  }
  end();
  return { line, area };
}

/**
 * Creates a chart.
 *
 * @param {string} title
 * @param {readonly { name: string, label: string, look: string }[]} lines the values of a point that it shows
 * @param {(value: number | undefined) => string} format
 * @param {string} unit follows each value, such as ` per second`
 */
export function createChart(title, lines, format, unit) {
  const svg = svgElement("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    role: "img",
  });
  const drawn = lines.map(({ look }) => {
    const area = svgElement("path", { class: `area ${look}` });
    const line = svgElement("path", { class: `line ${look}` });
    svg.append(area, line);
    return { area, line };
  });
  const values = lines.map(({ label, look }) => {
    const value = element("span", "value");
    return { value, item: element("span", `legend ${look}`, value, " ", element("span", "label", label)) };
  });
  const scale = element("span", "scale");
  scale.ariaHidden = "true";
  const root = element(
    "figure",
    "chart",
    element("figcaption", "", element("span", "title", title), ...values.map(({ item }) => item)),
    element("div", "plot", svg, scale),
  );
  return {
    root,
    /** Draws the points. */
    update(points, now, windowMs) {
      const highest = (name) => points.reduce((most, point) => Math.max(most, point[name] ?? 0), 0);
      const top = roundUp(Math.max(...lines.map(({ name }) => highest(name))));
      const texts = lines.map(({ name, label }, index) => {
        const { line, area } = paths(points, name, { now, windowMs, top });
        drawn[index].line.setAttribute("d", line);
        drawn[index].area.setAttribute("d", area);
        const last = format(points.at(-1)?.[name]);
        showText(values[index].value, last);
        return `${label} ${last}, at most ${format(highest(name))}`;
      });
      showText(scale, format(top));
      svg.setAttribute("aria-label", `${title}${unit}, the last ${duration(windowMs)}: ${texts.join("; ")}`);
    },
  };
}
