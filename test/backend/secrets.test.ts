// A URL that is passed instead of a client or a backend: the error has no password.

import { describe, expect, test } from "vitest";
import { fromEtcd, fromIORedis, fromMysql2, fromPg } from "../../src/backend/index.ts";
import { Counter } from "../../src/counter/index.ts";

const URLS = ["redis://:secret@h", "mysql://ids:sec/secret@h/app", "ids:secret@h", "secret@h"];

describe.each(URLS)("%s", (url) => {
  const given = url as never;
  test.each<[string, () => unknown, string]>([
    ["fromIORedis", () => fromIORedis(given), "client"],
    ["fromPg", () => fromPg(given), "client"],
    ["fromMysql2", () => fromMysql2(given), "client"],
    ["fromEtcd", () => fromEtcd({ endpoints: url }), "endpoints"],
    ["fromEtcd with several", () => fromEtcd({ endpoints: ["http://h", url] }), "endpoints"],
    ["Counter", () => new Counter({ backend: given, name: "n" }), "backend"],
  ])("in %s", (_, create, field) => {
    expect(create).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT", field }));
    expect(create).not.toThrow(/sec/);
  });
});
