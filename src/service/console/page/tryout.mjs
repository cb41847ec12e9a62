// A form for each operation of the service: its parameters, the curl command, and the response.

import { element, showText } from "../../../../docs/playground/components/drawing.mjs";
import { curlCommand } from "../curl.ts";
import { buildTarget, describeValues, groupByTag, readOperations } from "../operations.ts";
import { base, send } from "./client.mjs";
import { count, milliseconds } from "./format.mjs";
import { showId } from "./ids.mjs";

/** How long a tried request may take, in milliseconds. An issue waits some seconds for a refill. */
const TIMEOUT_MS = 30_000;

/** The most characters of a body that are shown. */
const MAX_SHOWN = 20_000;

/** Returns the content of an element for a text with code between backquotes. */
function inline(text) {
  return text.split("`").map((part, index) => (index % 2 === 1 ? element("code", "", part) : part));
}

/** Returns an input for a parameter. */
function createInput(id, { schema, example, isRequired }) {
  const values = schema.enum ?? (schema.type === "boolean" ? [true, false] : undefined);
  if (values !== undefined) {
    const select = element("select");
    if (!isRequired) select.append(new Option("", ""));
    select.append(...values.map((value) => new Option(String(value), String(value))));
    select.id = id;
    return select;
  }
  const input = element("input");
  input.id = id;
  input.spellcheck = false;
  if (schema.type === "integer" || schema.type === "number") input.inputMode = "numeric";
  if (isRequired && example !== undefined) input.value = example;
  else if (example !== undefined) input.placeholder = example;
  else if (schema.default !== undefined) input.placeholder = String(schema.default);
  return input;
}

function createField(prefix, parameter) {
  const { location, name, description, isRequired } = parameter;
  const id = `${prefix}-${location}-${name}`;
  const input = createInput(id, parameter);
  input.name = `${location} ${name}`;
  input.required = isRequired;
  const label = element("label", "", name);
  if (isRequired) {
    const mark = element("span", "required", "required");
    // The input says so itself.
    mark.ariaHidden = "true";
    label.append(mark);
  }
  label.htmlFor = id;
  const hint = element("p", "hint", ...inline(`${location}, ${describeValues(parameter)}. ${description}`));
  hint.id = `${id}-hint`;
  input.setAttribute("aria-describedby", hint.id);
  return element("div", "", label, input, hint);
}

/** Returns a body as text for people: JSON with line breaks. */
function readable(text, type) {
  let shown = text;
  if (/json/.test(type)) {
    try {
      shown = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      // Shown as it came.
    }
  }
  if (shown.length <= MAX_SHOWN) return shown;
  return `${shown.slice(0, MAX_SHOWN)}\n… ${count(shown.length - MAX_SHOWN)} more characters`;
}

/** Returns the first Snowflake ID of a body, if it has one. */
function firstId(text) {
  return /"ids?":\s*\[?\s*"(\d{1,19})"/.exec(text)?.[1];
}

/** Creates the part of the page for an operation. */
function createOperation(operation) {
  const { method, path, id, summary, description, parameters, bodyType, needsKey } = operation;
  const form = element("form", "try");
  form.autocomplete = "off";
  form.noValidate = true;
  const fields = parameters.map((parameter) => createField(id, parameter));
  const body = element("textarea");
  if (bodyType !== undefined) {
    const label = element("label", "", `body, ${bodyType}`);
    body.id = `${id}-body`;
    body.rows = 3;
    body.spellcheck = false;
    label.htmlFor = body.id;
    fields.push(element("div", "", label, body));
  }
  const command = element("pre", "command");
  const copy = element("button", "", "Copy");
  copy.type = "button";
  copy.ariaLabel = `Copy the command of ${method} ${path}`;
  const sendButton = element("button", "main", "Send");
  sendButton.ariaLabel = `Send ${method} ${path}`;
  const note = element("p", "note");
  note.role = "status";
  const result = element("div", "result");
  const headers = element("pre", "headers");
  const shownHeaders = element("details", "", element("summary", "", "Headers"), headers);
  const text = element("pre", "body");
  const apart = element("button", "", "Take this ID apart");
  apart.type = "button";
  result.append(text, apart, shownHeaders);
  result.hidden = true;

  const values = () => new Map([...new FormData(form)].map(([name, value]) => [name, value.trim()]));
  const headersOf = (given) =>
    parameters
      .filter(({ location, name }) => location === "header" && given.get(`header ${name}`))
      .map(({ name }) => [name, given.get(`header ${name}`)]);
  const bodyOf = () => (bodyType === undefined || body.value === "" ? undefined : body.value);
  const requestHeaders = (given) => [
    ...headersOf(given),
    ...(bodyOf() === undefined ? [] : [["content-type", bodyType]]),
  ];
  /** Returns path and query; a path without a value keeps its name. */
  const targetOf = (given) => {
    const named = new Map(given);
    for (const { location, name } of parameters) {
      if (location === "path" && !named.get(`path ${name}`)) named.set(`path ${name}`, name.toUpperCase());
    }
    return buildTarget(operation, named);
  };
  const showCommand = () => {
    const given = values();
    const url = new URL(targetOf(given).replace(/^\//, ""), base).href;
    const request = { method, url, headers: requestHeaders(given), body: bodyOf(), needsKey };
    command.textContent = curlCommand(request);
  };
  const showFault = (message) => {
    result.hidden = true;
    note.className = "note fault";
    showText(note, message);
  };
  const run = async () => {
    const missing = [...form.elements].find((input) => input.required && input.value.trim() === "");
    for (const input of form.elements) {
      if (input.required) input.ariaInvalid = String(input === missing);
    }
    if (missing) {
      showFault(`Fill in ${missing.name.split(" ")[1]}.`);
      missing.focus();
      return;
    }
    sendButton.disabled = true;
    const startedAt = performance.now();
    try {
      const given = values();
      const response = await send(buildTarget(operation, given), {
        method,
        headers: requestHeaders(given),
        body: bodyOf(),
        timeoutMs: TIMEOUT_MS,
      });
      const received = await response.text();
      const took = milliseconds(performance.now() - startedAt);
      note.className = `note ${response.ok ? "good" : "bad"}`;
      showText(note, `${response.status} ${response.statusText} in ${took}`);
      headers.textContent = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
      text.textContent = readable(received, response.headers.get("content-type") ?? "");
      const found = response.ok && path.includes("snowflake") ? firstId(received) : undefined;
      apart.hidden = found === undefined;
      apart.onclick = () => {
        document.getElementById("ids").scrollIntoView();
        document.getElementById("id").focus({ preventScroll: true });
        void showId(found);
      };
      result.hidden = false;
    } catch (error) {
      showFault(error.name === "TimeoutError" ? "No answer within 30 s." : `No answer: ${error.message}.`);
    } finally {
      sendButton.disabled = false;
    }
  };

  form.append(
    ...(fields.length > 0 ? [element("div", "try-fields", ...fields)] : []),
    element("div", "command-row", command, copy),
    element("div", "send-row", sendButton, note),
    result,
  );
  form.addEventListener("input", showCommand);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void run();
  });
  copy.addEventListener("click", async () => {
    note.className = "note";
    try {
      await navigator.clipboard.writeText(command.textContent);
      showText(note, "Copied.");
    } catch {
      // The clipboard is not available on plain http or without permission.
      getSelection()?.selectAllChildren(command);
      showText(note, "Selected: copy it by the keyboard.");
    }
  });
  const details = element(
    "details",
    "operation",
    element(
      "summary",
      "",
      element("span", `method ${method.toLowerCase()}`, method),
      element("code", "", path),
      element("span", "hint", ...inline(summary)),
    ),
    ...(description === "" ? [] : [element("p", "description", ...inline(description))]),
    form,
  );
  // The command depends on nothing that changes while the form is closed.
  details.addEventListener("toggle", showCommand);
  details.id = `try-${id}`;
  return details;
}

/** Creates the forms of a document's operations. */
export function createOperations(document) {
  const groups = groupByTag(readOperations(document));
  return [...groups].flatMap(([tag, operations]) => [
    ...(tag === "" ? [] : [element("h3", "", tag)]),
    element("div", "operations", ...operations.map(createOperation)),
  ]);
}

/** Returns whether the service has API keys. */
export function needsKey(document) {
  return Object.keys(document.components?.securitySchemes ?? {}).length > 0;
}

/** Returns the presets that /decode has. */
export function presetNames(document) {
  const operation = readOperations(document).find(({ path }) => path === "/decode/{id}");
  return operation?.parameters.find(({ name }) => name === "preset")?.schema.enum ?? [];
}
