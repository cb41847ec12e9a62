// Reading an OpenAPI document, also one with parts that the service's own does not have.

import { describe, expect, test } from "vitest";
import {
  buildTarget,
  describeValues,
  groupByTag,
  readOperations,
} from "../../../src/service/console/operations.ts";
import { escapeHtml, renderReference } from "../../../src/service/console/reference.ts";
import { schemaText } from "../../../src/service/console/schemaText.ts";

const document = {
  openapi: "3.1.0",
  info: { title: "ids", version: "2", summary: "IDs & <more>.", description: "One.\n\nTwo `code`." },
  servers: [{ url: "https://ids.example/api/" }],
  security: [{ bearer: [] }],
  paths: {
    "/things/{thing}": {
      parameters: [{ $ref: "#/components/parameters/Thing" }],
      get: {
        operationId: "getThing",
        tags: ["Things", "Other"],
        summary: "A `thing`.",
        description: "Long.",
        parameters: [
          {
            in: "query",
            name: "count",
            description: "How many.",
            schema: { type: "integer", minimum: 1, maximum: 9, default: 1 },
          },
          { in: "header", name: "X-Trace", schema: { type: "string", examples: ["abc"] } },
        ],
        responses: {
          200: {
            description: "A thing.",
            content: {
              "application/json": {
                schema: { $ref: "#/components/schemas/Thing" },
                examples: { first: { $ref: "#/components/examples/First" } },
              },
            },
          },
          204: { description: "None." },
          "4XX": { $ref: "#/components/responses/Bad" },
        },
      },
      post: {
        security: [],
        requestBody: { content: { "application/json": { schema: { type: "object" } } } },
        responses: {},
      },
    },
    "/open": { get: { security: [{}, { bearer: [] }], tags: ["Things"] } },
  },
  components: {
    parameters: {
      Thing: { in: "path", name: "thing", required: true, schema: { type: "string" }, example: "a/b" },
    },
    schemas: {
      Thing: {
        type: "object",
        required: ["id"],
        properties: {
          id: { type: "string", description: "The ID." },
          parent: { $ref: "#/components/schemas/Thing" },
          kind: { enum: ["a", "b"] },
          sizes: { type: "array", items: { type: "integer", minimum: 0 }, maxItems: 3 },
        },
        additionalProperties: { type: ["string", "null"] },
      },
    },
    examples: { First: { value: { id: "7" } } },
    responses: { Bad: { description: "Bad.", content: { "application/problem+json": {} } } },
  },
};

const operations = readOperations(document);

describe("operations", () => {
  test("have the parameters of their path and their own, with references resolved", () => {
    const [get] = operations;
    expect(get).toMatchObject({
      method: "GET",
      id: "getThing",
      tag: "Things",
      needsKey: true,
      bodyType: undefined,
      parameters: [
        { location: "path", name: "thing", isRequired: true, example: "a/b" },
        { location: "query", name: "count", isRequired: false, example: undefined },
        { location: "header", name: "X-Trace", example: "abc" },
      ],
      responses: [
        { status: "200", contentType: "application/json", example: { id: "7" } },
        { status: "204", contentType: "", schema: undefined },
        { status: "4XX", description: "Bad.", contentType: "application/problem+json" },
      ],
    });
  });

  test("need a key unless a requirement is empty, and have an ID and a body if the document says so", () => {
    expect(operations.map(({ needsKey }) => needsKey)).toEqual([true, false, false]);
    expect(operations.map(({ id }) => id)).toEqual(["getThing", "post-things-thing", "get-open"]);
    expect(operations[1].bodyType).toBe("application/json");
    expect([...groupByTag(operations).keys()]).toEqual(["Things", ""]);
  });

  test.each([{}, { paths: null }, { paths: { "/a": { get: null } } }, { paths: { "/a": "b" } }])(
    "of the document %j are read without an error",
    (broken) => {
      expect(readOperations(broken).length).toBeLessThan(2);
      expect(renderReference(broken)).toContain("<main");
    },
  );

  test("describe the values of a parameter", () => {
    expect(operations[0].parameters.map(describeValues)).toEqual(["string", "integer from 1 to 9", "string"]);
    const described = (schema: object) => describeValues({ ...operations[0].parameters[0], schema } as never);
    expect(described({ enum: [4, 7] })).toBe("one of 4, 7");
    expect(described({ type: "string", minLength: 1, maxLength: 9 })).toBe("string of 1 to 9 characters");
    expect(described({ type: "integer", minimum: 1 })).toBe("integer of at least 1");
    expect(described({ type: "string", maxLength: 3 })).toBe("string of at most 3 characters");
    expect(described({})).toBe("text");
  });

  test("make a target of values", () => {
    const values = new Map([
      ["path thing", "a/b ?é"],
      ["query count", "3"],
      ["header X-Trace", "x"],
    ]);
    expect(buildTarget(operations[0], values)).toBe("/things/a%2Fb%20%3F%C3%A9?count=3");
    expect(buildTarget(operations[0], new Map([["query count", ""]]))).toBe("/things/");
  });
});

test("a schema is text, also one that refers to itself", () => {
  expect(schemaText(document, document.components.schemas.Thing).split("\n").slice(0, 2)).toEqual([
    "{",
    "  id: string  // The ID.",
  ]);
  const text = schemaText(document, { $ref: "#/components/schemas/Thing" });
  expect(text).toContain('kind?: "a" | "b"');
  expect(text).toContain("sizes?: list of integer (from 0) (at most 3)");
  expect(text).toContain("[…]: string | null");
  expect(text).toContain("parent?: …");
  expect(schemaText(document, { oneOf: [{ type: "null" }, { const: 1 }] })).toBe("null | 1");
  expect(schemaText(document, {})).toBe("any value");
});

test("the reference escapes the text of the document, and uses its server", () => {
  const html = renderReference(document);
  expect(html).toContain("IDs &#38; &#60;more&#62;.");
  expect(html).toContain("Two <code>code</code>.");
  expect(html).toContain("https://ids.example/api/things/a%2Fb -H");
  expect(html).toContain("&#34;id&#34;: &#34;7&#34;");
  expect(html).toContain('<a href="#getThing">');
  const hostile = { paths: { '/"><script>': { get: { summary: "<img onerror=x>", tags: ["</h2>"] } } } };
  expect(renderReference(hostile)).not.toMatch(/<script|<img|<\/h2><\/h2>/);
  expect(escapeHtml(`&<>"'`)).toBe("&#38;&#60;&#62;&#34;&#39;");
});
