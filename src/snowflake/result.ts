// Results with bigints that JSON.stringify writes as text. It throws on a bigint, so their prototype has a toJSON.

/** Returns a copy of an object in which each bigint is a decimal string. */
export function withTextIds(result: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(result).map(([name, value]) => [name, typeof value === "bigint" ? String(value) : value]),
  );
}

function createPrototype(): object {
  function toJSON(this: object) {
    return withTextIds(this);
  }
  return Object.create(Object.prototype, { toJSON: { value: toJSON, writable: true, configurable: true } });
}

/**
 * The prototype of results. It has no `constructor`, so that a result is inspected, compared and copied as an object
 * literal. A `toJSON` of the result itself would do the same, but defining it takes several times as long as decoding.
 */
const prototype: object = /* @__PURE__ */ createPrototype();

/** Returns a copy of an object that JSON.stringify can write. */
export function serializable<Result extends object>(result: Result): Result {
  return Object.assign(Object.create(prototype), result);
}
