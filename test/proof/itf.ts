// Reads traces in the Informal Trace Format, which `quint run --out-itf` writes.

/** A value of the spec: records and variants are maps by name, maps are maps by key. */
export type Value = number | boolean | string | readonly Value[] | ReadonlyMap<string | number, Value>;

type Json = number | boolean | string | readonly Json[] | { readonly [name: string]: Json };

function parseValue(json: Json): Value {
  if (typeof json !== "object") return json;
  if (Array.isArray(json)) return json.map(parseValue);
  const fields = json as { readonly [name: string]: Json };
  if ("#bigint" in fields) return Number(fields["#bigint"]);
  if ("#set" in fields) return (fields["#set"] as readonly Json[]).map(parseValue);
  if ("#tup" in fields) return (fields["#tup"] as readonly Json[]).map(parseValue);
  if ("#map" in fields) {
    const entries = (fields["#map"] as readonly (readonly [Json, Json])[]).map(
      ([key, value]) => [parseValue(key) as string | number, parseValue(value)] as const,
    );
    return new Map(entries);
  }
  return new Map(Object.entries(fields).map(([name, value]) => [name, parseValue(value)]));
}

/** Returns a field of a record. */
export function field(record: Value | undefined, name: string): Value | undefined {
  return record instanceof Map ? record.get(name) : undefined;
}

/** Returns the name and the content of a variant. */
export function variantOf(value: Value | undefined): readonly [tag: string, content: Value | undefined] {
  return [String(field(value, "tag")), field(value, "value")];
}

/** Returns the variables of each state of a trace, by the last part of their names. */
export function readTrace(text: string): ReadonlyMap<string, Value>[] {
  const { states } = JSON.parse(text) as { readonly states: readonly { readonly [name: string]: Json }[] };
  return states.map(
    (state) =>
      new Map(
        Object.entries(state)
          .filter(([name]) => !name.startsWith("#"))
          .map(([name, value]) => [name.slice(name.lastIndexOf(":") + 1), parseValue(value)]),
      ),
  );
}
