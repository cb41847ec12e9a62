// The playground: passes the input to the library, shows the results, and keeps the input in the address.

import { BitflakeError } from "bitflake";
import { linkTo, remember, restore } from "./address.mjs";
import { drawBits, idLine, showText } from "./components/drawing.mjs";
import { figures, moment } from "./components/figures.mjs";
import { showOrigins } from "./components/origins.mjs";
import { showOutside } from "./components/outside.mjs";
import { computeResults } from "./results.mjs";
import { moveBit, widthsOf } from "./widths.mjs";

/** How many IDs the button makes: enough to see the sequence count up. */
const BURST = 5;
/** How many IDs the list keeps. */
const KEPT = 10;

const form = document.querySelector("form");
const input = (name) => form.elements.namedItem(name);
const place = (id) => document.getElementById(id);
const presets = [...form.querySelectorAll("[data-preset]")].map((button) => ({
  button,
  widths: widthsOf(button.dataset.preset),
}));
const steps = [...form.querySelectorAll("[data-step]")];
const widthInputs = [...form.querySelectorAll("[role=spinbutton]")];

let results;

/** Returns whether an ID is known to be of the layout: the one at first, or one that was generated here. */
function isOwn({ value, defaultValue }) {
  const made = [...place("made").querySelectorAll("a")].map(({ textContent }) => textContent);
  return [defaultValue, ...made].includes(value.trim());
}

function show() {
  results = computeResults(Object.fromEntries(new FormData(form)));
  const { faults, format, layoutCapacity, decoded } = results;
  for (const region of form.querySelectorAll(".fault")) showText(region, faults.get(region.dataset.of));
  for (const control of form.querySelectorAll("input")) control.ariaInvalid = `${faults.has(control.name)}`;
  for (const control of widthInputs) {
    if (faults.has(control.name)) control.removeAttribute("aria-valuenow");
    else control.ariaValueNow = control.value.trim();
  }
  for (const { button, widths } of presets)
    button.ariaPressed = `${Object.entries(widths).every(([name, bits]) => format?.[name] === bits)}`;
  // A field of 0 bits has no value.
  place("datacenter-of-node").hidden = format?.datacenterBits === 0;
  place("machine-of-node").hidden = format?.machineBits === 0;
  place("node").hidden = layoutCapacity?.nodes === 1;
  drawBits(place("bits"), format, decoded);
  showOrigins(place("origins"), isOwn(input("id")) ? "" : input("id").value.trim(), decoded);
  const texts = layoutCapacity && figures(layoutCapacity);
  for (const region of document.querySelectorAll("[data-figure]"))
    showText(region, texts?.[region.dataset.figure]);
  showOutside(place("outside"), format, decoded);
  const epochMs = faults.has("epochMs") ? undefined : Number(input("epochMs").value);
  showText(place("epoch-note"), epochMs === undefined ? "" : moment(new Date(epochMs).toISOString()));
  showText(place("made-note"));
  showText(place("link-note"));
}

/** Sets some inputs, shows the results, and writes the address. */
function set(values, control) {
  for (const [name, value] of Object.entries(values)) input(name).value = value;
  show();
  remember(form, control);
}

function step(control, by) {
  const { faults, format } = results;
  if (faults.has(control.name)) return;
  // If the widths are no valid layout, one width changes alone, so the user can correct the sum.
  const alone = { [control.name]: Number(control.value) + by };
  set(format ? moveBit(format, control.name, by) : alone, control);
}

function generate(button) {
  const { generator, format, faults } = results;
  if (generator === undefined) {
    showText(place("made-note"), [...faults.values()][0]);
    return;
  }
  const made = [];
  let end = "";
  try {
    while (made.length < BURST) made.push(generator.nextId());
  } catch (error) {
    if (!(error instanceof BitflakeError)) throw error;
    end = error.message;
  }
  const list = place("made");
  for (const id of made) list.prepend(idLine(format, generator.decode(id), linkTo(form, { id })));
  list.replaceChildren(...[...list.children].slice(0, KEPT));
  list.parentElement.hidden = list.children.length === 0;
  if (made.length > 0) set({ id: made.at(-1) }, button);
  showText(place("made-note"), end || `${made.length} generated; the newest is above.`);
}

async function copyLink(button) {
  remember(form, button);
  try {
    await navigator.clipboard.writeText(location.href);
    showText(place("link-note"), "Copied.");
  } catch {
    // The clipboard is not available on plain http or without permission.
    showText(place("link-note"), "Copy it from the address bar.");
  }
}

for (const { button, widths } of presets) {
  const small = document.createElement("small");
  small.append(Object.values(widths).join("·"));
  button.append(" ", small);
  button.addEventListener("click", () => set(widths, button));
}
for (const button of steps)
  button.addEventListener("click", () => step(input(button.value), Number(button.dataset.step)));
for (const control of widthInputs)
  control.addEventListener("keydown", (event) => {
    const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (by === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    step(control, by);
  });
place("generate").addEventListener("click", ({ currentTarget }) => generate(currentTarget));
place("copy").addEventListener("click", ({ currentTarget }) => copyLink(currentTarget));
// A button that is held down must not add many history entries: browsers refuse that, Safari with an exception.
form.addEventListener("keydown", (event) => {
  if (event.repeat && event.target.matches("button")) event.preventDefault();
});
form.addEventListener("input", show);
form.addEventListener("change", ({ target }) => remember(form, target));
addEventListener("hashchange", () => {
  restore(form);
  show();
});

restore(form);
show();
