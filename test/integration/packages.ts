// Paths of the client packages, for examples that run outside any folder.

import manifest from "./package.json" with { type: "json" };

const { dependencies, devDependencies } = manifest;
const clients = Object.keys({ ...dependencies, ...devDependencies }).filter(
  // Packages of types alone have no path.
  (name) => !/^@types\/|-types$/.test(name),
);

export const packages: Readonly<Record<string, string>> = Object.fromEntries(
  [...clients, "mysql2/promise", "@hookform/resolvers/standard-schema"].map((name) => [
    name,
    import.meta.resolve(name),
  ]),
);
