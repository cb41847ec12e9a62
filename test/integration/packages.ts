// Paths of the client packages, for examples that run outside any folder.

import manifest from "./package.json" with { type: "json" };

const { dependencies, devDependencies } = manifest;
const clients = Object.keys({ ...dependencies, ...devDependencies }).filter(
  // Packages of types alone have no path.
  (name) => !/^@types\/|-types$/.test(name),
);

/** Further paths of the packages. */
const paths = [
  "@hookform/resolvers/standard-schema",
  "drizzle-orm/mysql-core",
  "drizzle-orm/node-postgres",
  "drizzle-orm/pg-core",
  "drizzle-orm/sqlite-core",
  "kysely/helpers/postgres",
  "mysql2/promise",
];

export const packages: Readonly<Record<string, string>> = Object.fromEntries(
  [...clients, ...paths].map((name) => [name, import.meta.resolve(name)]),
);
