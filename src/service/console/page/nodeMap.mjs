// A map of the nodes: a cell for each, in the color of its state.

import { element } from "../../../../docs/playground/components/drawing.mjs";
import { count } from "./format.mjs";

const SVG = "http://www.w3.org/2000/svg";

/** The most nodes that have a cell of their own. */
const MAX_CELLS = 1024;
const CELL = 10;

function svgElement(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** Returns the squares of some cells as one path. */
function squares(cells, columns) {
  return cells
    .map((node) => `M${(node % columns) * CELL + 1},${Math.floor(node / columns) * CELL + 1}h8v8h-8z`)
    .join("");
}

/**
 * Returns the map, or nothing for a layout with too many nodes.
 *
 * @param {readonly { node: number, isCurrent: boolean, isOwn: boolean }[]} nodes those with a holder
 */
export function nodeMap(nodes, { capacity, machineBits, datacenterBits }) {
  const total = capacity.nodes;
  if (total > MAX_CELLS || total < 2) return [];
  // A row is a datacenter, if there are several of a fitting size.
  const columns =
    datacenterBits > 0 && machineBits > 2 && machineBits < 7 ? 2 ** machineBits : Math.min(32, total);
  const rows = Math.ceil(total / columns);
  const svg = svgElement("svg", {
    viewBox: `0 0 ${columns * CELL} ${rows * CELL}`,
    role: "img",
    class: "node-map",
  });
  const of = (wanted) => nodes.filter(wanted).map(({ node }) => node);
  const own = of(({ isOwn }) => isOwn);
  const held = of(({ isCurrent, isOwn }) => isCurrent && !isOwn);
  const expired = of(({ isCurrent }) => !isCurrent);
  const busy = new Set([...own, ...held, ...expired]);
  const free = Array.from({ length: total }, (_, node) => node).filter((node) => !busy.has(node));
  for (const [look, cells] of Object.entries({ free, expired, held, own })) {
    if (cells.length > 0) svg.append(svgElement("path", { class: look, d: squares(cells, columns) }));
  }
  svg.setAttribute(
    "aria-label",
    `Map of ${count(total)} nodes: ${count(held.length + own.length)} held, ${count(expired.length)} expired, ${count(free.length)} free`,
  );
  const key = [
    ["own", "this process"],
    ["held", "held"],
    ["expired", "expired"],
    ["free", "free"],
  ].map(([look, text]) => element("span", `key ${look}`, text));
  return [svg, element("p", "hint keys", ...key)];
}
