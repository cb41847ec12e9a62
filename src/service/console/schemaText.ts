// A JSON Schema as readable text: the shape of the JSON, with a description behind each field.

import { type Json, resolveRef } from "./operations.ts";

/** How deep references are followed: a schema may refer to itself. */
const MAX_DEPTH = 8;

function rangeText({ minimum, maximum, minItems, maxItems, pattern, format }: Json): string {
  const limits = [
    minimum !== undefined && `from ${minimum}`,
    maximum !== undefined && `to ${maximum}`,
    minItems !== undefined && `at least ${minItems}`,
    maxItems !== undefined && `at most ${maxItems}`,
    typeof format === "string" && format,
    typeof pattern === "string" && `like ${pattern}`,
  ].filter((limit) => limit !== false);
  return limits.length > 0 ? ` (${limits.join(", ")})` : "";
}

function objectLines(document: Json, schema: Json, indent: string, depth: number): string {
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const lines = Object.entries((schema["properties"] ?? {}) as Json).map(([name, property]) => {
    const mark = required.includes(name) ? "" : "?";
    const { description } = resolveRef(document, property);
    const text = schemaText(document, property, `${indent}  `, depth + 1);
    // A description stands in the first line of its field.
    const note = typeof description === "string" ? `  // ${description}` : "";
    const [first, ...rest] = text.split("\n");
    return `${indent}  ${name}${mark}: ${first}${note}${rest.map((line) => `\n${line}`).join("")}`;
  });
  const { additionalProperties } = schema;
  if (typeof additionalProperties === "object" && additionalProperties !== null) {
    lines.push(`${indent}  […]: ${schemaText(document, additionalProperties, `${indent}  `, depth + 1)}`);
  }
  return lines.length > 0 ? `{\n${lines.join("\n")}\n${indent}}` : "object";
}

/** Returns the text of a schema. */
export function schemaText(document: Json, given: unknown, indent = "", depth = 0): string {
  const schema = resolveRef(document, given);
  if (depth > MAX_DEPTH) return "…";
  if ("const" in schema) return JSON.stringify(schema["const"]);
  if (Array.isArray(schema["enum"])) return schema["enum"].map((value) => JSON.stringify(value)).join(" | ");
  for (const word of ["oneOf", "anyOf"]) {
    const choices = schema[word];
    if (Array.isArray(choices)) {
      return choices.map((choice) => schemaText(document, choice, indent, depth + 1)).join(" | ");
    }
  }
  const { type } = schema;
  if (type === "array") {
    return `list of ${schemaText(document, schema["items"], indent, depth + 1)}${rangeText(schema)}`;
  }
  if (type === "object" || "properties" in schema) return objectLines(document, schema, indent, depth);
  const name = Array.isArray(type) ? type.join(" | ") : typeof type === "string" ? type : "any value";
  return `${name}${rangeText(schema)}`;
}
