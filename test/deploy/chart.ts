// Renders the Helm chart of docs/deploy/chart. It knows the part of Helm's templates that the chart uses, and refuses everything
// else: a field that does not exist, a function, a block.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { deployFile } from "./monitoring.ts";

type Value = unknown;
type Fields = Readonly<Record<string, Value>>;

const chartFile = (name: string) => readFileSync(join(deployFile("chart"), name), "utf8");

/** A piece of a template: text, or an action without its braces. */
type Token = { readonly text: string } | { readonly action: string };

/** Splits a template. As in Go, `{{-` removes the white space before it, and `-}}` that after it. */
function tokenize(template: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let trimsNext = false;
  const addText = (text: string, trimsEnd: boolean) => {
    const begun = trimsNext ? text.trimStart() : text;
    tokens.push({ text: trimsEnd ? begun.trimEnd() : begun });
  };
  for (const match of template.matchAll(/\{\{(-(?=\s))?\s*(.*?)\s*((?<=\s)-)?\}\}/g)) {
    addText(template.slice(at, match.index), match[1] !== undefined);
    tokens.push({ action: match[2] as string });
    trimsNext = match[3] !== undefined;
    at = match.index + match[0].length;
  }
  addText(template.slice(at), false);
  return tokens;
}

function isTrue(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

class Renderer {
  readonly #tokens: readonly Token[];
  readonly #file: string;
  readonly #root: Fields;
  readonly #variables = new Map<string, Value>();
  #at = 0;

  constructor(file: string, template: string, root: Fields) {
    this.#file = file;
    this.#tokens = tokenize(template);
    this.#root = root;
  }

  render(): string {
    const text = this.#block(true, []);
    if (this.#at < this.#tokens.length) this.#refuse("an end without a beginning");
    return text;
  }

  #refuse(what: string): never {
    throw new Error(`${this.#file}: ${what}`);
  }

  /** Renders until one of these actions, which it leaves. Without `isOn` it only skips. */
  #block(isOn: boolean, ends: readonly string[]): string {
    let text = "";
    for (; this.#at < this.#tokens.length; this.#at++) {
      const token = this.#tokens[this.#at] as Token;
      if ("text" in token) {
        if (isOn) text += token.text;
        continue;
      }
      const { action } = token;
      if (ends.includes(action)) return text;
      if (action === "else" || action === "end") this.#refuse(`{{ ${action} }} without a beginning`);
      this.#at++;
      const condition = /^if (not )?(\S+)$/.exec(action);
      const range = /^range (\$\w+), (\$\w+) := (\S+)$/.exec(action);
      if (condition) {
        const isMet = isOn && isTrue(this.#read(condition[2] as string)) === (condition[1] === undefined);
        text += this.#block(isMet, ["else", "end"]);
        if (this.#isAt("else")) {
          this.#at++;
          text += this.#block(isOn && !isMet, ["end"]);
        }
      } else if (range) {
        text += this.#range(isOn, range[1] as string, range[2] as string, range[3] as string);
      } else {
        if (isOn) text += this.#output(action);
        this.#at--;
        continue;
      }
      if (!this.#isAt("end")) this.#refuse(`{{ ${action} }} without an end`);
    }
    if (ends.length > 0) this.#refuse("a block without an end");
    return text;
  }

  #isAt(action: string): boolean {
    const token = this.#tokens[this.#at];
    return token !== undefined && "action" in token && token.action === action;
  }

  #range(isOn: boolean, key: string, value: string, path: string): string {
    const start = this.#at;
    // Go visits the keys in their order.
    const entries = isOn ? Object.entries(this.#read(path) as Fields).sort() : [];
    let text = "";
    for (const [name, item] of entries) {
      this.#at = start;
      this.#variables.set(key, name).set(value, item);
      text += this.#block(true, ["end"]);
    }
    this.#variables.delete(key);
    this.#variables.delete(value);
    this.#at = start;
    this.#block(false, ["end"]);
    return text;
  }

  #read(path: string): Value {
    if (this.#variables.has(path)) return this.#variables.get(path);
    if (!/^(\.\w+)+$/.test(path)) this.#refuse(`not a field: ${path}`);
    let value: Value = this.#root;
    for (const name of path.slice(1).split(".")) {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) {
        this.#refuse(`the field ${path} does not exist`);
      }
      value = (value as Fields)[name];
    }
    return value;
  }

  #output(action: string): string {
    const [first = "", ...calls] = action.split(/\s*\|\s*/);
    const [, isYaml, path = ""] = /^(toYaml )?(\S+)$/.exec(first) ?? this.#refuse(`unknown: {{ ${action} }}`);
    let value = this.#read(path);
    if (isYaml) value = stringify(value, { sortMapEntries: true }).trimEnd();
    for (const call of calls) {
      const [, name, argument = ""] = /^(\w+)(?: (\S+))?$/.exec(call) ?? [];
      if (name === "quote" && argument === "") value = JSON.stringify(String(value));
      else if (name === "default") value = isTrue(value) ? value : this.#read(argument);
      else if (name === "nindent" && /^\d+$/.test(argument))
        value = `\n${String(value).replace(/^/gm, " ".repeat(Number(argument)))}`;
      else this.#refuse(`unknown function: ${call}`);
    }
    if (typeof value === "object") this.#refuse(`{{ ${action} }} is not a text`);
    return String(value);
  }
}

/** Replaces values by others of the same names. An unknown name is an error, as a misspelt one would have no effect. */
function merge(values: Fields, changes: Fields): Fields {
  const merged: Record<string, Value> = { ...values };
  for (const [name, change] of Object.entries(changes)) {
    if (!Object.hasOwn(values, name)) throw new Error(`the chart has no value ${name}`);
    const value = values[name];
    const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
    merged[name] = isMap ? merge(value as Fields, change as Fields) : change;
  }
  return merged;
}

/** Renders a template. */
export function renderTemplate(file: string, template: string, root: Fields): string {
  return new Renderer(file, template, root).render();
}

/**
 * Renders the chart as `helm template bitflake . --namespace bitflake`.
 *
 * @param changes values other than the chart's
 */
export function renderChart(changes: Fields = {}): string {
  const values = merge(parse(chartFile("values.yaml")) as Fields, changes);
  const { appVersion: AppVersion, name: Name } = parse(chartFile("Chart.yaml")) as Record<string, string>;
  const root = {
    Values: values,
    Chart: { AppVersion, Name },
    Release: { Name: "bitflake", Namespace: "bitflake" },
  };
  return readdirSync(join(deployFile("chart"), "templates"))
    .sort()
    .map((file) => ({ file, text: renderTemplate(file, chartFile(`templates/${file}`), root).trim() }))
    .filter(({ text }) => text !== "")
    .map(({ text }) => `---\n${text}\n`)
    .join("");
}
