// State that every copy of the package in one realm shares, when ESM and CJS or two bundles are loaded together.

/**
 * The value that hangs on `globalThis` under a registered symbol, made on first use. A change to its shape needs a
 * new name, for copies of different versions meet here too.
 *
 * @param name what it is, with a version
 * @param make makes it where it does not exist yet
 */
export function realmWide<T extends object>(name: string, make: () => T): T {
  const key = Symbol.for(name);
  const home = globalThis as unknown as Record<symbol, T | undefined>;
  const found = home[key];
  if (found !== undefined) return found;
  const value = make();
  // Not enumerable, so that test runners which compare the globals do not report a leak.
  Object.defineProperty(home, key, { value });
  return value;
}
