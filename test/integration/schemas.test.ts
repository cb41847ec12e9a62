// Schemas in the tools that accept Standard Schema, with the tools' own types and checks. docs/text.md has the recipes for zod
// and valibot, which accept no other schemas; here they run with what the recipes leave out.

import { sValidator } from "@hono/standard-validator";
import { standardSchemaResolver } from "@hookform/resolvers/standard-schema";
import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec";
import { createEnv } from "@t3-oss/env-core";
import { type inferRouterInputs, type inferRouterOutputs, initTRPC, TRPCError } from "@trpc/server";
import { type } from "arktype";
import fastify from "fastify";
import { Hono } from "hono";
import { hc } from "hono/client";
import * as v from "valibot";
import { describe, expect, expectTypeOf, test } from "vitest";
import * as z from "zod";
import * as z3 from "zod/v3";
import { NumericIdType } from "../../src/numeric/index.ts";
import {
  base32,
  idSchema,
  type PrefixedId,
  prefixed,
  type TextSchema,
  uuidSchema,
} from "../../src/text/index.ts";

const ID = 911780371413233664n;
const USER = "user_0S9TBDAZM4W00";
const UUID = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
const FARMER = "8349257232";

const ids = idSchema("twitter");
const users = prefixed("user", base32);
const farmers = new NumericIdType({ name: "farmer", length: 10 });
const uuids = uuidSchema(7);

/** The message of each schema for the text "x". */
const REFUSALS = {
  id: 'id must be a decimal string without leading zeros, from 0 to 9223372036854775807, got "x"',
  user: 'text must be user_ and 13 characters, got "x"',
  uuid: 'uuid must be a UUID of version 7 as 36 characters, got "x"',
  farmer: "digits: it has characters other than the digits 0 to 9; length: it has 1 characters instead of 10",
};

const GOOD = { id: String(ID), user: USER, uuid: UUID.toUpperCase(), farmer: FARMER };
const BAD = { id: "x", user: "x", uuid: "x", farmer: "x" };
const VALIDATED = { id: ID, user: USER, uuid: UUID, farmer: FARMER };

interface Validated {
  id: bigint;
  user: PrefixedId<"user">;
  uuid: string;
  farmer: string;
}

describe("the specification", () => {
  test("its types take each schema, with the types of input and output", () => {
    const all: (StandardSchemaV1 & StandardJSONSchemaV1)[] = [ids, users, farmers, uuids];
    const typed: StandardSchemaV1<string, bigint> & StandardJSONSchemaV1<string, bigint> = ids;
    expect(all).toContain(typed);
    expectTypeOf<StandardSchemaV1.InferInput<typeof ids>>().toEqualTypeOf<string>();
    expectTypeOf<StandardSchemaV1.InferOutput<typeof ids>>().toEqualTypeOf<bigint>();
    expectTypeOf<StandardSchemaV1.InferOutput<typeof users>>().toEqualTypeOf<PrefixedId<"user">>();
    expectTypeOf<StandardSchemaV1.InferInput<typeof farmers>>().toEqualTypeOf<string>();
    expectTypeOf<StandardJSONSchemaV1.InferOutput<typeof uuids>>().toEqualTypeOf<string>();
  });
});

describe("tRPC", () => {
  const t = initTRPC.create();
  const router = t.router({
    id: t.procedure.input(ids).query(({ input }) => ({ next: String(input + 1n) })),
    user: t.procedure.input(users).query(({ input }): PrefixedId<"user"> => input),
    uuid: t.procedure.input(uuids).query(({ input }) => input),
    farmer: t.procedure.input(farmers).query(({ input }) => input),
    output: t.procedure.output(ids).query(() => String(ID)),
  });
  const caller = t.createCallerFactory(router)({});

  test("takes each schema as an input, and its types with it", async () => {
    expectTypeOf<inferRouterInputs<typeof router>["id"]>().toEqualTypeOf<string>();
    expectTypeOf<inferRouterOutputs<typeof router>["id"]>().toEqualTypeOf<{ next: string }>();
    expect(await caller.id(String(ID))).toEqual({ next: String(ID + 1n) });
    expect(await caller.user(USER as PrefixedId<"user">)).toBe(USER);
    expect(await caller.uuid(UUID.toUpperCase())).toBe(UUID);
    expect(await caller.farmer(FARMER)).toBe(FARMER);
    expect(await caller.output()).toBe(ID);
  });

  test.each(["id", "user", "uuid", "farmer"] as const)(
    "answers BAD_REQUEST with the rule: %s",
    async (name) => {
      const error: TRPCError = await (caller[name] as (text: string) => Promise<unknown>)("x").then(
        () => expect.fail("no error"),
        (thrown) => thrown,
      );
      expect(error).toBeInstanceOf(TRPCError);
      expect(error.code).toBe("BAD_REQUEST");
      expect(error.message).toContain(REFUSALS[name]);
    },
  );
});

/** The schemas in an object of arktype. */
const Fields = type({ id: ids, user: users, uuid: uuids, farmer: farmers });

describe("arktype", () => {
  test("takes the schemas as parts of its own", () => {
    expectTypeOf<typeof Fields.infer>().toEqualTypeOf<Validated>();
    expect(Fields(GOOD)).toEqual(VALIDATED);
    expect(Fields.assert(GOOD).id + 1n).toBe(ID + 1n);
  });

  test("reports the rules by field", () => {
    const errors = Fields(BAD);
    if (!(errors instanceof type.errors)) return expect.fail("no errors");
    for (const [field, message] of Object.entries(REFUSALS)) {
      expect(errors.byPath[field]?.message).toContain(message);
    }
  });
});

/** The recipe of docs/text.md. */
function zodOf<Output>(schema: TextSchema<Output>) {
  return z.string().transform((text, context): Output => {
    const result = schema["~standard"].validate(text);
    if (!result.issues) return result.value;
    for (const { message } of result.issues) context.issues.push({ code: "custom", message, input: text });
    return z.NEVER;
  });
}

/** The same for the major version before. */
function zod3Of<Output>(schema: TextSchema<Output>) {
  return z3.string().transform((text, context): Output => {
    const result = schema["~standard"].validate(text);
    if (!result.issues) return result.value;
    for (const { message } of result.issues) context.addIssue({ code: "custom", message });
    return z3.NEVER;
  });
}

const ZodFields = z.object({
  id: zodOf(ids),
  user: zodOf(users),
  uuid: zodOf(uuids),
  farmer: zodOf(farmers),
});
const Zod3Fields = z3.object({
  id: zod3Of(ids),
  user: zod3Of(users),
  uuid: zod3Of(uuids),
  farmer: zod3Of(farmers),
});

describe.each([
  ["zod 4", ZodFields],
  ["zod 3", Zod3Fields],
])("%s", (_title, schema) => {
  test("validates by the recipe", () => {
    expectTypeOf<z.infer<typeof ZodFields>>().toEqualTypeOf<Validated>();
    expectTypeOf<z3.infer<typeof Zod3Fields>>().toEqualTypeOf<Validated>();
    expect(schema.parse(GOOD)).toEqual(VALIDATED);
  });

  test("safeParse returns the rules by field, and does not throw", () => {
    const { issues } = schema.safeParse(BAD).error ?? expect.fail("no error");
    const found = issues.map(({ path, message }) => [path.join("."), message]);
    for (const entry of Object.entries(REFUSALS)) expect(found).toContainEqual(entry);
    for (const value of [null, 5, {}, { id: 5n }, { id: Symbol("x") }]) {
      expect(schema.safeParse(value).success).toBe(false);
    }
  });
});

describe("valibot", () => {
  /** The recipe of docs/text.md. */
  function valibotOf<Output>(schema: TextSchema<Output>) {
    return v.pipe(
      v.string(),
      v.rawTransform(({ dataset, addIssue, NEVER }): Output => {
        const result = schema["~standard"].validate(dataset.value);
        if (!result.issues) return result.value;
        for (const { message } of result.issues) addIssue({ message });
        return NEVER;
      }),
    );
  }
  const schema = v.object({
    id: valibotOf(ids),
    user: valibotOf(users),
    uuid: valibotOf(uuids),
    farmer: valibotOf(farmers),
  });

  test("validates by the recipe", () => {
    expectTypeOf<v.InferOutput<typeof schema>>().toEqualTypeOf<Validated>();
    expect(v.parse(schema, GOOD)).toEqual(VALIDATED);
  });

  test("safeParse returns the rules by field, and does not throw", () => {
    const { success, issues } = v.safeParse(schema, BAD);
    expect(success).toBe(false);
    const { nested } = v.flatten<typeof schema>(issues ?? expect.fail("no issues"));
    for (const [field, message] of Object.entries(REFUSALS)) {
      expect(nested?.[field as keyof Validated]).toContain(message);
    }
  });
});

describe("Hono's validator", () => {
  test.each([
    ["arktype", Fields],
    ["zod", ZodFields],
  ] as const)("takes an object of %s, for parameters, queries and JSON", async (_title, schema) => {
    const app = new Hono()
      .get("/query", sValidator("query", schema), (c) => {
        const valid = c.req.valid("query");
        expectTypeOf(valid.id).toEqualTypeOf<bigint>();
        return c.json({ ...valid, id: String(valid.id + 1n) });
      })
      .post("/json", sValidator("json", schema), (c) => c.json(String(c.req.valid("json").id)));
    const answer = await app.request(`/query?${new URLSearchParams(GOOD)}`);
    expect(await answer.json()).toEqual({ ...VALIDATED, id: String(ID + 1n) });
    const headers = { "content-type": "application/json" };
    const post = (body: unknown) =>
      app.request("/json", { method: "POST", headers, body: JSON.stringify(body) });
    expect(await (await post(GOOD)).json()).toBe(String(ID));
    const refused = await post(BAD);
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain("a decimal string without leading zeros");
  });

  test("its client has the type of the text", () => {
    const app = new Hono().get("/orders/:id", sValidator("param", type({ id: ids })), (c) =>
      c.json(String(c.req.valid("param").id)),
    );
    const client = hc<typeof app>("http://localhost");
    type Argument = Parameters<(typeof client.orders)[":id"]["$get"]>[0];
    expectTypeOf<Argument["param"]["id"]>().toEqualTypeOf<string>();
  });

  test("takes a schema as the whole body", async () => {
    const app = new Hono().post("/", sValidator("json", ids), (c) =>
      c.json(String(c.req.valid("json") + 1n)),
    );
    const headers = { "content-type": "application/json" };
    const post = (body: string) => app.request("/", { method: "POST", headers, body });
    expect(await (await post(`"${ID}"`)).json()).toBe(String(ID + 1n));
    expect((await post('"x"')).status).toBe(400);
    expect((await post("911780371413233664")).status).toBe(400);
  });
});

describe("T3 Env", () => {
  const server = { ID: ids, USER: users, UUID: uuids, FARMER: farmers };
  const upper = (fields: object) =>
    Object.fromEntries(Object.entries(fields).map(([name, value]) => [name.toUpperCase(), value]));

  test("takes each schema as a variable", () => {
    const env = createEnv({ server, runtimeEnv: upper(GOOD), isServer: true });
    expectTypeOf(env.ID).toEqualTypeOf<bigint>();
    expectTypeOf(env.USER).toEqualTypeOf<PrefixedId<"user">>();
    expect({ ...env }).toEqual(upper(VALIDATED));
  });

  test("reports the rules of each variable, also of one that is missing", () => {
    const found: string[] = [];
    const onValidationError = (issues: readonly StandardSchemaV1.Issue[]): never => {
      found.push(...issues.map(({ message }) => message));
      throw new Error("refused");
    };
    const start = (runtimeEnv: Record<string, string>) =>
      createEnv({ server, runtimeEnv, isServer: true, onValidationError });
    expect(() => start(upper(BAD) as Record<string, string>)).toThrow("refused");
    expect(found).toEqual(expect.arrayContaining(Object.values(REFUSALS)));
    expect(() => start({})).toThrow("refused");
    expect(found).toContainEqual(expect.stringContaining("got undefined"));
  });
});

describe("React Hook Form's resolver", () => {
  const options = { fields: {}, shouldUseNativeValidation: false };

  test.each([
    ["arktype", standardSchemaResolver(Fields)],
    ["zod", standardSchemaResolver(ZodFields)],
  ])("takes an object of %s", async (_title, resolver) => {
    const good = await resolver(GOOD as never, undefined, options);
    expect(good).toEqual({ values: VALIDATED, errors: {} });
    const { values, errors } = await resolver(BAD as never, undefined, options);
    expect(values).toEqual({});
    for (const [field, message] of Object.entries(REFUSALS)) {
      expect(errors[field as keyof Validated]?.message).toContain(message);
    }
  });
});

describe("Fastify", () => {
  const properties = {
    id: ids.jsonSchema,
    user: users.jsonSchema,
    uuid: uuids.jsonSchema,
    farmer: farmers.jsonSchema,
  };
  const schema = { type: "object", required: Object.keys(properties), properties };

  test("takes the JSON Schemas for parameters, bodies and replies", async () => {
    const app = fastify();
    app.get("/:id", { schema: { params: { type: "object", properties } } }, async ({ params }) => params);
    app.post("/", { schema: { body: schema, response: { 200: schema } } }, async ({ body }) => body);
    expect((await app.inject(`/${ID}`)).json()).toEqual({ id: String(ID) });
    for (const id of ["x", "05", "9223372036854775808", "-1"]) {
      expect((await app.inject(`/${id}`)).statusCode).toBe(400);
    }
    const post = (payload: object) => app.inject({ method: "POST", url: "/", payload });
    expect((await post(GOOD)).json()).toEqual(GOOD);
    for (const [field, text] of Object.entries(BAD)) {
      expect((await post({ ...GOOD, [field]: text })).statusCode).toBe(400);
    }
    // The pattern of a numeric type is the number of digits: the handler validates.
    expect((await post({ ...GOOD, farmer: "8349257223" })).statusCode).toBe(200);
  });

  test("by default converts a number that has lost digits to text, and refuses it without coercion", async () => {
    const payload = `{"id":911780371413233665}`;
    const headers = { "content-type": "application/json" };
    const answers = [fastify(), fastify({ ajv: { customOptions: { coerceTypes: false } } })].map((app) => {
      app.post("/", { schema: { body: { type: "object", properties } } }, async ({ body }) => body);
      return app.inject({ method: "POST", url: "/", payload, headers });
    });
    const [coerced, strict] = await Promise.all(answers);
    expect(coerced?.json()).toEqual({ id: "911780371413233700" });
    expect(strict?.statusCode).toBe(400);
  });
});
