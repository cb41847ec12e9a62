// Bun's clients as bun-types has them: each adapter takes its own. Compiled by types.test.ts with a configuration of its own,
// because the types of Bun and those of Node declare the same globals.

import { RedisClient, redis, SQL, sql } from "bun";
import {
  fromBunRedis,
  fromBunSql,
  fromIORedis,
  fromPg,
  type RedisPort,
  type SqlPort,
} from "../../../src/backend/index.ts";

const settings = { prefix: "app", timeoutMs: 1000 };

export const ports: readonly (SqlPort | RedisPort)[] = [
  fromBunSql(sql),
  fromBunSql(new SQL("postgres://127.0.0.1/app")),
  fromBunSql(await sql.reserve(), { ...settings, schema: "ids" }),
  fromBunRedis(redis),
  fromBunRedis(new RedisClient("redis://127.0.0.1:6379"), settings),
];

// @ts-expect-error
fromBunSql(redis);
// @ts-expect-error
fromBunRedis(sql);
// @ts-expect-error
fromIORedis(redis);
// @ts-expect-error
fromPg(sql);
// @ts-expect-error
fromBunSql("postgres://127.0.0.1/app");
