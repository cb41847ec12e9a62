// Paths of the client packages, for examples that run outside any folder.

import manifest from "./package.json" with { type: "json" };

const clients = Object.keys(manifest.dependencies).filter((name) => !name.startsWith("@types/"));

export const packages: Readonly<Record<string, string>> = Object.fromEntries(
  clients.map((name) => [name, import.meta.resolve(name)]),
);
