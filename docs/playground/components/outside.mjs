// The masked and the scattered forms of an ID, and of the next one, which show that neighbours are far from each other.

import { masked, scatter } from "bitflake/mask";
import { element, showText } from "./drawing.mjs";

/** The key of NIST's examples of FF1. The page has no field for a key, so that no secret one is typed. */
const KEY = "2b7e151628aed2a6abf7158809cf4f3c";

/**
 * Returns the texts for an ID.
 *
 * @param {import("bitflake").Widths} widths the layout of the ID
 * @param {bigint} id
 * @returns {Record<string, string>} each text by the name of its element
 */
function outsideOf(widths, id) {
  const { timestampBits, datacenterBits, machineBits, sequenceBits } = widths;
  const bits = timestampBits + datacenterBits + machineBits + sequenceBits;
  const codecs = {
    orders: masked(KEY, { name: "orders", bits }),
    users: masked(KEY, { name: "users", bits }),
    scattered: scatter({ shards: 16, bits }),
  };
  const next = id + 1n;
  const hasNext = next < 2n ** BigInt(bits);
  const texts = Object.entries(codecs).flatMap(([name, codec]) => [
    [name, `${codec.encode(id)}`],
    [`${name}-next`, hasNext ? `the next ID: ${codec.encode(next)}` : "It is the last ID."],
  ]);
  return Object.fromEntries(texts);
}

/** The title of each form. */
const TITLES = {
  orders: "Masked, with the name orders",
  users: "Masked, with the name users",
  scattered: "Scattered",
};

/** Creates the element of a text. */
function placeOf(name, className) {
  const place = element("dd", className);
  place.dataset.outside = name;
  return place;
}

/**
 * Shows the masked and the scattered forms of an ID, or their titles alone without one.
 *
 * @param {HTMLElement} list a `dl`, which is filled at the first call
 * @param {import("bitflake").Widths} widths the layout of the ID
 * @param {import("bitflake").DecodedId} [decoded]
 */
export function showOutside(list, widths, decoded) {
  if (list.children.length === 0)
    for (const [name, title] of Object.entries(TITLES))
      list.append(
        element("div", "", element("dt", "", title), placeOf(name), placeOf(`${name}-next`, "hint")),
      );
  const outside = decoded && outsideOf(widths, decoded.id);
  for (const place of list.querySelectorAll("dd")) showText(place, outside?.[place.dataset.outside]);
}
