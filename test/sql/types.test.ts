// The public types of bitflake/sql.

import { type SqlDialect, type SqlFunctions, type SqlOptions, sqlFunctions } from "bitflake/sql";
import { expectTypeOf, test } from "vitest";

test("the types of sqlFunctions", () => {
  expectTypeOf(sqlFunctions).returns.toEqualTypeOf<SqlFunctions>();
  expectTypeOf<SqlDialect>().toEqualTypeOf<"postgres" | "mysql" | "sqlite">();
  expectTypeOf<SqlFunctions["columnDefault"]>().toEqualTypeOf<(table: string, column?: string) => string>();
  expectTypeOf<{ dialect: "mysql"; name: string; preset: "single_dc" }>().toExtend<SqlOptions>();

  // @ts-expect-error the dialect is required
  () => sqlFunctions({ name: "orders" });
  // @ts-expect-error MariaDB has the dialect of MySQL
  () => sqlFunctions({ dialect: "mariadb", name: "orders" });
  // @ts-expect-error a node has two fields
  () => sqlFunctions({ dialect: "sqlite", node: 5 });
});
