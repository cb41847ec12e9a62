// Assertions of the contract, in plain JavaScript, because only Node is sure to have an assertion module.

const show = (value) =>
  JSON.stringify(value, (_key, inner) => (typeof inner === "bigint" ? `${inner}n` : inner)) ?? String(value);

export function truth(value, claim) {
  if (!value) throw new Error(`not true: ${claim}`);
}

export function equal(actual, expected, what = "value") {
  if (show(actual) !== show(expected)) {
    throw new Error(`${what} is ${show(actual)} and should be ${show(expected)}`);
  }
}

/** Asserts that each ID is larger than the one before it, so that none is repeated. */
export function increasing(ids, count) {
  equal(ids.length, count, "count");
  for (let i = 1; i < ids.length; i++) {
    if (!(ids[i] > ids[i - 1])) throw new Error(`${ids[i]} follows ${ids[i - 1]} at ${i}`);
  }
}

/** Asserts that a call throws, or its promise rejects with, the library's error of this name with these facts. */
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
  throw new Error(`no ${name}: the call returned ${show(value)}`);
}
