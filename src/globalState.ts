// State that every copy of the package in one realm shares, if ESM and CJS or two bundles are loaded together.

import { UnsupportedError } from "./errors.ts";

/**
 * Returns a value that is kept under a registered symbol, and creates it on first use. It is on `globalThis`, or on `WeakMap`
 * if `globalThis` cannot be extended. A change to its shape needs a new name, because copies of different versions share it
 * too.
 *
 * @param name the name of the value, with a version
 * @param make creates the value
 * @throws {@link UnsupportedError} if neither can be extended. A second copy with state of its own would repeat the IDs of
 *   the first
 */
export function globalState<T extends object>(name: string, make: () => T): T {
  const key = Symbol.for(name);
  // A frozen globalThis cannot be extended. A built-in class is the other object that all copies in a realm can reach.
  const canUseGlobal = Object.isExtensible(globalThis) || Object.hasOwn(globalThis, key);
  const home = (canUseGlobal ? globalThis : WeakMap) as unknown as Record<symbol, T | undefined>;
  const found = home[key];
  if (found !== undefined) return found;
  const value = make();
  try {
    // Not enumerable, so that test runners which compare the globals do not report a leak. Without a prototype, because
    // a polluted Object.prototype would add to the descriptor.
    Object.defineProperty(home, key, { __proto__: null, value } as PropertyDescriptor);
  } catch (cause) {
    throw new UnsupportedError("globalThis that can be extended", { cause });
  }
  return value;
}

/** Returns the value that {@link globalState} has created under a name; `undefined` if it has not. */
export function findGlobalState<T extends object>(name: string): T | undefined {
  const key = Symbol.for(name);
  return ((globalThis as Record<symbol, unknown>)[key] ??
    (WeakMap as unknown as Record<symbol, unknown>)[key]) as T | undefined;
}
