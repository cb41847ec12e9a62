// The page's face of docs/diagram.mjs: fields in their colours, with their bits and what these say.

import { fields } from "../diagram.mjs";

/** What each field of an ID says, by the name that the diagram gives it. */
const said = ({ generatedAt, datacenterId, machineId, sequence }) => ({
  timestamp: generatedAt,
  datacenter: datacenterId,
  machine: machineId,
  sequence,
});

/** An element with a class and content. */
function element(tag, className = "", ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

/** Puts other content into a live region, unless it is the same: that would be read out again. */
function put(region, ...content) {
  const fresh = region.cloneNode();
  fresh.append(...content);
  if (!fresh.isEqualNode(region)) region.replaceChildren(...content);
}

/** Shows a text, or nothing, in a live region. A long number may break after a comma. */
export function say(region, text = "") {
  const [first, ...rest] = text.split(/(?<=,)/);
  put(region, ...(text === "" ? [] : [first]), ...rest.flatMap((part) => [element("wbr"), part]));
}

/**
 * Draws a layout, and if there is an ID, its bits and what they say.
 *
 * @param {Element} list where
 * @param {import("bitflake").Widths} [widths] nothing, if what was typed makes no layout
 * @param {import("bitflake").DecodedId} [decoded] an ID of it
 */
export function drawBits(list, widths, decoded) {
  if (widths === undefined) {
    put(list, element("li", "none", "No layout yet: what is marked below stands in the way."));
    return;
  }
  const columns = fields(widths, decoded?.id).map(({ name, bits, range, digits = "·".repeat(bits) }) => {
    const shown = element("span", "digits", digits);
    // Dozens of digits help nobody who hears them; what they say comes next.
    shown.ariaHidden = "true";
    const column = element("li", name, element("span", "name", name), element("span", "range", range), shown);
    if (decoded) column.append(element("span", "value", `${said(decoded)[name]}`));
    column.style.flexGrow = bits;
    return column;
  });
  put(list, ...columns);
}

/**
 * One ID in a line: a link to it, and what its fields say.
 *
 * @param {import("bitflake").Widths} widths
 * @param {import("bitflake").DecodedId} decoded
 * @param {string} href
 */
export function idLine(widths, decoded, href) {
  const link = element("a", "", `${decoded.id}`);
  link.href = href;
  const parts = fields(widths).map(({ name }) =>
    element("span", name, `${name} `, element("b", "", `${said(decoded)[name]}`)),
  );
  return element("li", "", link, " ", ...parts.flatMap((part) => [part, " "]));
}
