// docs/events.md: the table and the OpenTelemetry example have each channel, and the table has the fields of each message.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { NAMES } from "./recordEvents.ts";

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
const guide = read("docs/events.md");
const messages = read("src/events/messages.ts");

/** Returns the names of the fields of a message. */
function fieldsOf(type: string): string[] {
  const [, base, body = ""] = new RegExp(`interface ${type} (?:extends (\\w+) )?\\{(.*?)\\n\\}`, "s").exec(
    messages,
  ) as RegExpExecArray;
  const own = [...body.matchAll(/^ {2}readonly (\w+):/gm)].map(([, field]) => field as string);
  return base ? [...fieldsOf(base), ...own] : own;
}

test("the table has each channel with the fields of its message", () => {
  const rows = [...guide.matchAll(/^\| `(bitflake:[\w:]+)` \| .*? \| (.+) \|$/gm)].map(
    ([, name, fields = ""]) => [name, fields.replaceAll("`", "").split(", ").sort()],
  );
  const typeOf = (name: string) => new RegExp(`"${name}": (\\w+);`).exec(messages)?.[1] as string;
  expect(rows).toEqual(NAMES.map((name) => [name, fieldsOf(typeOf(name)).sort()]));
});

test("the OpenTelemetry example counts each channel", () => {
  const counted = [...guide.matchAll(/^count\("([\w:]+)"/gm)].map(([, name]) => name);
  expect(counted).toEqual(NAMES);
});
