// bitflake sql: prints the SQL of the library.

import { sqlFunctions } from "bitflake/sql";
import { describe, expect, test } from "vitest";
import { cli } from "../cliIo.ts";

describe("sql", () => {
  test("prints the script of the library", async () => {
    const { install, uninstall } = sqlFunctions({
      dialect: "postgres",
      preset: "twitter",
      node: { machineId: 5 },
    });
    expect(await cli("sql --dialect postgres --machine-id 5")).toMatchObject({ code: 0, out: install });
    expect(await cli("sql --dialect postgres --machine-id 5 --uninstall")).toMatchObject({
      code: 0,
      out: uninstall,
    });
    const { out } = await cli("sql --dialect postgres --machine-id 5 --json");
    expect(JSON.parse(out)).toEqual({ sql: install });
  });

  test("sets the delimiter for the client of MySQL", async () => {
    const sql = sqlFunctions({ dialect: "mysql", name: "orders", node: { datacenterId: 3 }, prefix: "ids" });
    const { out } = await cli("sql --dialect mysql --name orders --datacenter-id 3 --store-prefix ids");
    expect(out).toBe(`DELIMITER //\n${sql.install}//\nDELIMITER ;\n`);
  });

  test("prints SQL without the commands of a client as JSON, and refuses --uninstall with --column", async () => {
    const { out } = await cli("sql --dialect mysql --machine-id 5 --json");
    expect(out).not.toContain("DELIMITER");
    expect((await cli("sql --dialect mysql --machine-id 5")).out).toContain("DELIMITER");
    const both = await cli("sql --dialect mysql --machine-id 5 --column orders --uninstall");
    expect(both).toMatchObject({ code: 2, out: "" });
    expect(both.err).toContain("--uninstall and --column exclude each other");
  });

  test("prints the SQL of a column, whose name is id by default", async () => {
    const { columnDefault } = sqlFunctions({ dialect: "sqlite", node: { machineId: 5 } });
    expect((await cli("sql --dialect sqlite --machine-id 5 --column orders")).out).toBe(
      columnDefault("orders"),
    );
    expect((await cli("sql --dialect sqlite --machine-id 5 --column orders.key")).out).toBe(
      columnDefault("orders", "key"),
    );
  });

  test("refuses a schema before the table", async () => {
    for (const column of ["ids.orders.id", "other.ids.orders.id", "orders.id."]) {
      const { code, out, err } = await cli(`sql --dialect postgres --machine-id 5 --column ${column}`);
      expect([code, out]).toEqual([2, ""]);
      expect(err).toContain(`--column must be a table and a column, as orders.id, got "${column}"`);
    }
  });

  test("refuses a missing node", async () => {
    const { code, err } = await cli("sql --dialect postgres");
    expect([code, err]).toEqual([2, expect.stringContaining("node must be given, or a name")]);
  });
});
