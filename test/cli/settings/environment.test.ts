// The environment check: every command refuses unknown variables.

import { describe, expect, test } from "vitest";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { cli } from "../cliIo.ts";

describe("a variable that begins with BITFLAKE_ or FLAKEID_", () => {
  test.each([
    ["FLAKEID_MACHINEID", "; did you mean FLAKEID_MACHINE_ID?"],
    ["FLAKEID_DATACENTRE_ID", "; did you mean FLAKEID_DATACENTER_ID?"],
    ["FLAKEID_EPOCH", "; did you mean FLAKEID_EPOCH_MS?"],
    ["FLAKEID_WORKER_POOL_OF_SOMETHING", ""],
    ["BITFLAKE_API_KEY", "; did you mean BITFLAKE_API_KEYS?"],
    ["BITFLAKE_APIKEYS", "; did you mean BITFLAKE_API_KEYS?"],
    ["BITFLAKE_HOSTS", "; did you mean BITFLAKE_HOST?"],
    ["BITFLAKE_STATE", "; did you mean BITFLAKE_STORE?"],
    ["BITFLAKE_SOMETHING_ELSE_ALTOGETHER", ""],
    ["BITFLAKE_constructor", ""],
  ])("and belongs to no command is refused: %s", async (name, hint) => {
    for (const line of ["decode 1", "serve", "new"]) {
      const { code, out, err } = await cli(line, { env: { [name]: "" } });
      expect([code, out]).toEqual([2, ""]);
      expect(err).toContain(`error: unknown environment variable "${name}"${hint}\n`);
    }
  });

  test("and belongs to another command is accepted", async () => {
    const names = COMMANDS.flatMap(({ flags }) => Object.values(flags).flatMap(({ env }) => env ?? []));
    expect(names).toContain("BITFLAKE_STORE_TIMEOUT_MS");
    names.push("FLAKEID_MACHINE_ID", "FLAKEID_DATACENTER_ID", "BITFLAKE_ON_RATE_FAILURE");
    const env = Object.fromEntries(names.map((name) => [name, ""]));
    expect(await cli("decode 1", { env })).toMatchObject({ code: 0, err: "" });
  });

  test("does not prevent help", async () => {
    expect(await cli("--help", { env: { BITFLAKE_X: "" } })).toMatchObject({ code: 0 });
    expect(await cli("--version", { env: { BITFLAKE_X: "" } })).toMatchObject({ code: 0 });
  });

  test("and is set by Kubernetes for a Service named bitflake is ignored", async () => {
    const env = {
      BITFLAKE_SERVICE_HOST: "10.0.0.7",
      BITFLAKE_SERVICE_PORT: "80",
      BITFLAKE_SERVICE_PORT_HTTP: "80",
      BITFLAKE_PORT: "tcp://10.0.0.7:80",
      BITFLAKE_PORT_80_TCP: "tcp://10.0.0.7:80",
      BITFLAKE_PORT_80_TCP_ADDR: "10.0.0.7",
      BITFLAKE_PORT_80_TCP_PORT: "80",
      BITFLAKE_PORT_80_TCP_PROTO: "tcp",
    };
    const line = "serve --store memory: --log none --machine-id 1";
    const { code, err } = await cli(line, { env, signal: AbortSignal.abort() });
    expect([code, err]).toEqual([0, ""]);
    expect((await cli("decode 1", { env: { BITFLAKE_SERVICES_HOST: "" } })).code).toBe(2);
  });
});
