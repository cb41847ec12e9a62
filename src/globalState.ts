// State that every copy of the package in one realm shares, when ESM and CJS or two bundles are loaded together.

import { UnsupportedError } from "./errors.ts";

/**
 * The value that hangs on `globalThis` under a registered symbol, made on first use. A change to its shape needs a
 * new name, because copies of different versions meet here too.
 *
 * @param name what it is, with a version
 * @param make makes it where it does not exist yet
 * @throws {@link UnsupportedError} if no object that the copies have in common can be extended. State of one copy alone
 *   would let a second one repeat its IDs
 */
export function globalState<T extends object>(name: string, make: () => T): T {
  const key = Symbol.for(name);
  // A frozen globalThis cannot be extended. A built-in class is the other object that all copies in a realm can reach.
  const isHome = Object.isExtensible(globalThis) || Object.hasOwn(globalThis, key);
  const home = (isHome ? globalThis : WeakMap) as unknown as Record<symbol, T | undefined>;
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
