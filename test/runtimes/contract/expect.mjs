// The few assertions that the contract needs, in plain JavaScript: no runtime but Node is sure to have another's.

const show = (value) =>
  JSON.stringify(value, (_key, inner) => (typeof inner === "bigint" ? `${inner}n` : inner)) ?? String(value);

export function truth(value, claim) {
  if (!value) throw new Error(`not so: ${claim}`);
}

export function equal(actual, expected, what = "value") {
  if (show(actual) !== show(expected)) {
    throw new Error(`${what} is ${show(actual)} and should be ${show(expected)}`);
  }
}

/** Each larger than the one before, which also says that none comes twice. */
export function increasing(ids, count) {
  equal(ids.length, count, "count");
  for (let i = 1; i < ids.length; i++) {
    if (!(ids[i] > ids[i - 1])) throw new Error(`${ids[i]} follows ${ids[i - 1]} at ${i}`);
  }
}

/** The call throws, or its promise rejects with, an error of the library's own, with this name and these facts. */
export async function fails(bitflake, name, call, facts = {}) {
  let value;
  try {
    value = await call();
  } catch (error) {
    truth(error instanceof bitflake[name], `${error} is a ${name}`);
    truth(error instanceof bitflake.BitflakeError && error instanceof Error, `${name} is a BitflakeError`);
    equal(error.name, name, "name");
    equal(error.code, `ERR${name.slice(0, -5).replace(/[A-Z]/g, "_$&").toUpperCase()}`, "code");
    for (const [field, expected] of Object.entries(facts)) {
      const fits = expected instanceof RegExp ? expected.test(error[field]) : error[field] === expected;
      truth(fits, `${name}.${field}, which is ${show(error[field])}, is ${expected}`);
    }
    return error;
  }
  throw new Error(`no ${name}, but ${show(value)}`);
}
