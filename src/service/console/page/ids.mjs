// Takes an ID apart: a Snowflake ID by /decode, a numeric ID by its route, an ID of another format here.

import { explain } from "bitflake/explain";
import { drawBits, element, showText } from "../../../../docs/playground/components/drawing.mjs";
import { moment } from "../../../../docs/playground/components/figures.mjs";
import { showOrigins } from "../../../../docs/playground/components/origins.mjs";
import { showOutside } from "../../../../docs/playground/components/outside.mjs";
import { PRESETS } from "../../../snowflake/presets.ts";
import { getJson } from "./client.mjs";
import { duration, list } from "./format.mjs";

/** How long typing pauses before an ID is taken apart, in milliseconds. */
const PAUSE_MS = 250;

const place = (id) => document.getElementById(id);

/** The layout that IDs are taken apart by: a preset, or that of the service if empty. */
let preset = "";
let layout;
let pools = [];
let timer;
/** Counts the IDs, so that a late answer for an earlier one is dropped. */
let turn = 0;

/** Returns the widths of the chosen layout. */
function widths() {
  return preset === "" ? layout : PRESETS[preset];
}

/**
 * Returns a text from a log, a URL or JSON as an ID: without quotes, commas, spaces and the `n` of a BigInt.
 *
 * @returns {{ kind: "none" | "digits" | "other", text: string }}
 */
function readPasted(pasted) {
  const text = pasted.trim().replace(/^["'`([{<\s]+|["'`)\]}>,;.\s]+$/g, "");
  if (text === "") return { kind: "none", text };
  const digits = text.replace(/n$/, "").replace(/(?<=\d)[ ,_'](?=\d)/g, "");
  if (/^\d+$/.test(digits)) return { kind: "digits", text: digits };
  return { kind: "other", text };
}

/** Describes an ID by a format that explain() found. */
function describeFormat({ name, generatedAt }) {
  return generatedAt ? `${name}, made ${moment(generatedAt)}.` : `${name}, without a time.`;
}

/** Describes how long ago a moment was. */
function describeAge(timestampMs) {
  const age = Date.now() - timestampMs;
  return age >= 0
    ? `${duration(age)} ago`
    : `in ${duration(-age)}, so the layout or the clock is another one`;
}

/** Returns the types of the service whose rules an ID keeps. */
async function checkTypes(text) {
  const types = pools.filter(({ length }) => length === text.length);
  const valid = [];
  for (const { type } of types) {
    const path = `v1/idgenerator/${encodeURIComponent(type)}/id/validate/${text}`;
    if ((await getJson(path)).response.valid) valid.push(type);
  }
  return valid;
}

/**
 * Shows an ID.
 *
 * @param {string} text the ID if it may have other formats than the one of the note, or empty
 * @param {{ timestampMs?: number }} [known] the ID in the format of the note
 * @param {import("bitflake").DecodedId} [decoded] an ID of the chosen layout
 */
function show(fault, note, text = "", known = undefined, decoded = undefined) {
  place("id").ariaInvalid = String(fault !== "");
  showText(place("id-fault"), fault);
  showText(place("id-note"), note);
  drawBits(place("bits"), widths(), decoded);
  showOrigins(place("origins"), text, known);
  showOutside(place("outside"), widths(), decoded);
}

/** Takes the ID of the input apart. One of this service, which is known to be of its layout, is shown without other formats. */
async function takeApart(isOwn = false) {
  const mine = ++turn;
  const { kind, text } = readPasted(place("id").value);
  if (kind === "none") return show("", "");
  if (kind === "other") {
    const [first] = explain(text);
    if (first === undefined)
      return show("This is neither a whole number nor an ID in a known text form.", "");
    return show("", describeFormat(first), text, first);
  }
  const { timestampBits, datacenterBits, machineBits, sequenceBits } = widths();
  const bits = timestampBits + datacenterBits + machineBits + sequenceBits;
  const notes = [];
  let fault = "";
  let decoded;
  try {
    const valid = await checkTypes(text);
    if (valid.length > 0) notes.push(`It keeps the rules of the type ${list(valid)}.`);
    if (BigInt(text) >= 2n ** BigInt(bits)) {
      fault = valid.length > 0 ? "" : `An ID of this layout has at most ${bits} bits.`;
    } else {
      // Without the zeros that some numeric IDs begin with.
      const body = await getJson(`decode/${BigInt(text)}${preset === "" ? "" : `?preset=${preset}`}`);
      decoded = { ...body, id: BigInt(body.id) };
      notes.push(`Made ${moment(body.generatedAt)}, ${describeAge(body.timestampMs)}.`);
    }
  } catch (error) {
    fault = error.message;
  }
  if (mine === turn) show(fault, notes.join(" "), isOwn ? "" : text, decoded, decoded);
}

/** Shows an ID that this service has made. */
export function showId(text) {
  clearTimeout(timer);
  choose("");
  place("id").value = text;
  return takeApart(true);
}

async function generate() {
  try {
    const { id } = await getJson("generate_snowflake_id");
    await showId(id);
  } catch (error) {
    turn++;
    show(error.message, "");
  }
}

function choose(name) {
  preset = name;
  for (const button of place("layouts").children) button.ariaPressed = String(button.dataset.preset === name);
}

/**
 * Creates the controls.
 *
 * @param {readonly string[]} names the presets that /decode has
 */
export function prepareIds(names) {
  const buttons = ["", ...names.filter((name) => name in PRESETS)].map((name) => {
    const small = element("small", "");
    const button = element("button", "", name === "" ? "this service" : name, " ", small);
    button.type = "button";
    button.dataset.preset = name;
    if (name !== "") showWidths(small, PRESETS[name]);
    button.addEventListener("click", () => {
      choose(name);
      void takeApart();
    });
    return button;
  });
  place("layouts").replaceChildren(...buttons);
  choose("");
  place("id").addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => void takeApart(), PAUSE_MS);
  });
  place("id-form").addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    void takeApart();
  });
  place("generate").addEventListener("click", generate);
}

function showWidths(small, { timestampBits, datacenterBits, machineBits, sequenceBits }) {
  small.textContent = [timestampBits, datacenterBits, machineBits, sequenceBits].join("·");
}

/** Sets the layout and the types of the service. */
export function setLayout(status) {
  const isFirst = layout === undefined;
  layout = status.layout;
  pools = status.pools;
  if (!isFirst) return;
  showWidths(place("layouts").querySelector("small"), layout);
  drawBits(place("bits"), layout);
  showOutside(place("outside"), layout);
}
