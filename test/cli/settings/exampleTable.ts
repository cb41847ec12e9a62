// A flag table with every kind of setting.

import type { FlagTable } from "../../../src/cli/settings/flagTable.ts";

export const table = {
  count: {
    kind: "integer",
    min: -5,
    max: 100,
    default: 1,
    short: "n",
    description: "how many",
    env: "COUNT",
  },
  machineId: { kind: "integer", min: 0, max: 31, description: "which" },
  size: {
    kind: "integer",
    min: 1,
    max: 9,
    words: { all: 0 },
    description: "the size",
    env: "SIZE",
    defaultText: "one",
  },
  name: { kind: "text", placeholder: "NAME", description: "a name", env: "NAME" },
  form: { kind: "choice", choices: ["plain", "odd"], default: "plain", description: "a form", env: "FORM" },
  tags: { kind: "list", placeholder: "TAG", description: "tags", env: "TAGS" },
  keys: {
    kind: "list",
    placeholder: "KEY",
    description: "keys",
    env: "KEYS",
    defaultText: "anyone may",
    noFlagReason: "others could read them",
  },
  types: { kind: "document", description: "types", env: "TYPES" },
  json: { kind: "switch", description: "JSON", env: "JSON", notInFile: true },
  loud: { kind: "switch", short: "l", description: "louder", env: "LOUD" },
  help: { kind: "switch", short: "h", description: "help", notInFile: true },
  startMs: {
    kind: "integer",
    min: -1_000_000,
    max: 1_000_000,
    description: "a start",
    env: "START_MS",
    otherForm: { name: "start", flag: { kind: "moment", description: "the same as a date" } },
  },
} as const satisfies FlagTable;
