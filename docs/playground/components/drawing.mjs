// Drawing of a layout and its IDs as elements: the fields of docs/diagram.mjs with their bits and values.

import { fields } from "../../diagram.mjs";

/** Returns the value of each field of an ID, by the field's name in the diagram. */
const valuesOf = ({ generatedAt, datacenterId, machineId, sequence }) => ({
  timestamp: generatedAt,
  datacenter: datacenterId,
  machine: machineId,
  sequence,
});

/** Creates an element with a class and content. */
export function element(tag, className = "", ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

/** Replaces the content of a live region, unless it is equal, because a screen reader reads replaced content again. */
export function put(region, ...content) {
  const fresh = region.cloneNode();
  fresh.append(...content);
  if (!fresh.isEqualNode(region)) region.replaceChildren(...content);
}

/** Shows a text, or nothing, in a live region. A long number may wrap after a comma. */
export function showText(region, text = "") {
  const [first, ...rest] = text.split(/(?<=,)/);
  put(region, ...(text === "" ? [] : [first]), ...rest.flatMap((part) => [element("wbr"), part]));
}

/**
 * Draws a layout and, if an ID is given, its bits and values.
 *
 * @param {Element} list the list that shows the drawing
 * @param {import("bitflake").Widths} [widths] left out if the input is no valid layout
 * @param {import("bitflake").DecodedId} [decoded] an ID of the layout
 */
export function drawBits(list, widths, decoded) {
  if (widths === undefined) {
    put(list, element("li", "none", "No layout: correct the marked fields."));
    return;
  }
  const columns = fields(widths, decoded?.id).map(({ name, bits, range, digits = "·".repeat(bits) }) => {
    const shown = element("span", "digits", digits);
    // A screen reader skips the digits; the value follows.
    shown.ariaHidden = "true";
    const column = element("li", name, element("span", "name", name), element("span", "range", range), shown);
    if (decoded) column.append(element("span", "value", `${valuesOf(decoded)[name]}`));
    column.style.flexGrow = bits;
    return column;
  });
  put(list, ...columns);
}

/**
 * Creates a list item for an ID: a link to it and the values of its fields.
 *
 * @param {import("bitflake").Widths} widths
 * @param {import("bitflake").DecodedId} decoded
 * @param {string} href
 */
export function idLine(widths, decoded, href) {
  const link = element("a", "", `${decoded.id}`);
  link.href = href;
  const values = fields(widths).map(({ name }) =>
    element("span", name, `${name} `, element("b", "", `${valuesOf(decoded)[name]}`)),
  );
  return element("li", "", link, " ", ...values.flatMap((value) => [value, " "]));
}
