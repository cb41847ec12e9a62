// The other formats that an ID may have: a list of names with the time of each.

import { explain } from "bitflake/explain";
import { element, put } from "./drawing.mjs";
import { moment } from "./figures.mjs";

/** How many formats are shown. */
const SHOWN = 4;

/** The least part of the weight of a format that is shown. */
const LEAST = 0.01;

/**
 * Shows the formats that a text may have besides the one that is shown elsewhere, or hides the section if there is none.
 *
 * @param {HTMLElement} section contains a list
 * @param {string} text
 * @param {{ timestampMs?: number }} [known] the ID in the format that is shown elsewhere, whose time is not listed again
 */
export function showOrigins(section, text, known) {
  const others = explain(text)
    .filter(({ share, timestampMs }) => share >= LEAST && (!known || timestampMs !== known.timestampMs))
    .slice(0, SHOWN);
  section.hidden = others.length === 0;
  const lines = others.map(({ name, generatedAt }) =>
    element(
      "li",
      "",
      element("b", "", name),
      generatedAt ? `, made ${moment(generatedAt)}` : ", without a time",
    ),
  );
  put(section.querySelector("ul"), ...lines);
}
