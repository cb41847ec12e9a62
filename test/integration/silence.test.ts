// The settings of docs/stores.md for connections that go silent: real servers behind a proxy that loses all packets and
// closes no connection. The examples themselves run in examples.slow.test.ts.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Backend } from "bitflake/backend";
import { describe, expect, test } from "vitest";
import { root, run } from "../docs/snippet.ts";
import { packages } from "./packages.ts";
import { networkTo } from "./silent-proxy.ts";

const { REDIS_URL = "", DATABASE_URL = "" } = process.env;
const guide = readFileSync(join(root, "docs/stores.md"), "utf8");
const section = /^## Connections that go silent\n(.*?)^## /ms.exec(guide)?.[1] ?? "";
const examples = [...section.matchAll(/^```ts (\w+)\n(.*?)^```/gms)].map(([, client = "", code = ""]) => ({
  client,
  // The lines that create the client and the adapter, with shorter times than the guide's to detect an outage.
  code: code
    .slice(0, code.search(/^(await backend|const \[row\])/m))
    .replaceAll("4_000", "1500")
    .replaceAll("connect_timeout: 4", "connect_timeout: 1.5")
    .replaceAll("1_000", "300")
    .replaceAll("console.error", "() => {}"),
}));

test("the guide has settings for four clients", () => {
  expect(examples.map(({ client }) => client)).toEqual(["ioredis", "redis", "pg", "postgres"]);
});

describe.skipIf(!REDIS_URL || !DATABASE_URL)("with the guide's settings", () => {
  test.each(examples)(
    "$client gives up a silent connection, and answers soon after",
    async ({ client, code }) => {
      const variable = /redis/.test(client) ? "REDIS_URL" : "DATABASE_URL";
      const url = process.env[variable] as string;
      const network = await networkTo(url);
      const given = globalThis as { opened?: { backend: Backend; end(): unknown } };
      process.env[variable] = network.url;
      try {
        const end = client.startsWith("p")
          ? client === "pg"
            ? "client.end()"
            : "client.end({ timeout: 0 })"
          : "(client.destroy ?? client.disconnect).call(client)";
        await run(`${code}\nglobalThis.opened = { backend, end: () => ${end} };`, packages);
        const { backend, end: close } = given.opened as NonNullable<typeof given.opened>;
        const echo = async () =>
          "eval" in backend
            ? backend.eval("return ARGV[1]", [], ["hello"])
            : "query" in backend &&
              (await backend.query("SELECT CAST($1 AS TEXT) AS echo", ["hello"]))[0]?.["echo"];
        expect(await Promise.all([echo(), echo(), echo()])).toEqual(["hello", "hello", "hello"]);
        network.silence();
        await expect(echo()).rejects.toThrow();
        await expect(echo()).rejects.toThrow();
        network.restore();
        const restored = performance.now();
        while ((await echo().catch(() => "")) !== "hello") {
          expect(performance.now() - restored).toBeLessThan(60_000);
          await new Promise((wake) => setTimeout(wake, 50));
        }
        void Promise.resolve(close()).catch(() => {});
      } finally {
        process.env[variable] = url;
        network.close();
      }
    },
  );
});
