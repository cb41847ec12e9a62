// bitflake setup: creates the tables of a store, or prints their SQL.

import { type Feature, type MysqlTarget, type SqlTarget, setup, setupSql } from "../../backend/index.ts";
import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { UsageError } from "../errors.ts";
import { STORE_FLAG, STORE_SETTINGS } from "../flags/storeFlags.ts";
import { type StoreKind, schemeOf, storeKindOf } from "../stores/address.ts";
import { openStore } from "../stores/openStore.ts";

const flags = {
  store: STORE_FLAG,
  ...STORE_SETTINGS,
  feature: {
    kind: "list",
    placeholder: "NAME",
    description:
      "a feature that gets tables, several times for several: lease, counter, numeric, idempotency or ratelimit",
    defaultText: "all",
  },
  printSql: {
    kind: "switch",
    description: "print the SQL for a migration, and connect to no store",
  },
} as const;

/** Returns the database that SQL is written for; `undefined` if the kind of store has no tables. */
function sqlTarget(kind: StoreKind, prefix: string): SqlTarget | MysqlTarget | undefined {
  return kind === "postgres" || kind === "mysql" || kind === "sqlite" ? { dialect: kind, prefix } : undefined;
}

export const setupCommand: Command = defineCommand({
  name: "setup",
  summary: "Creates the tables of a store, or prints their SQL.",
  notes: [
    "It creates tables that are missing, and adds columns that tables of an earlier version lack. If nothing is missing, it changes nothing and needs no right to create tables. In NATS it creates the bucket. Other stores need nothing.",
    "`bitflake serve` and `bitflake pool fill` do the same for themselves. Run this command first if their role may not create tables.",
  ],
  flags,
  examples: [
    { run: "bitflake setup --store sqlite:ids.db" },
    { run: "bitflake setup --store $DATABASE_URL --print-sql" },
    {
      run: "bitflake setup --store mysql://127.0.0.1/app --store-prefix ids --print-sql",
    },
  ],
  async run(call) {
    const { values, sources, isJson, io } = call;
    const features = values.feature as readonly Feature[] | undefined;
    if (values.printSql) {
      const target = sqlTarget(storeKindOf(values.store, sources["store"]), values.storePrefix);
      if (!target) {
        const reason = `because ${schemeOf(values.store)}: has no tables`;
        throw new UsageError(
          `${sources["printSql"]} requires postgres://..., mysql://... or sqlite:PATH, ${reason}`,
        );
      }
      const sql = setupSql(target, features);
      await io.stdout.write(isJson ? `${JSON.stringify({ sql })}\n` : sql);
      return 0;
    }
    const store = await openStore(values.store, call);
    try {
      const sql = await setup(store.backend, features);
      const outcome = sql === "" ? "Nothing is missing" : "Created or extended tables";
      const text = isJson
        ? JSON.stringify({ store: store.description, sql })
        : `${outcome} in ${store.description}`;
      await io.stdout.write(`${text}\n`);
      return 0;
    } finally {
      await store.close();
    }
  },
});
