// The warning of processes that share a node by accident, by the globals that it reads. sharedNode.slow.test.ts has real processes.

import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { makeGenerator, nextId } from "../../src/index.ts";
import { warnOfSharedNode } from "../../src/snowflake/sharedNode.ts";

const state = () => Reflect.get(globalThis, Symbol.for("bitflake.sharedNode.v1")) as { isChecked: boolean };

beforeEach(() => {
  makeGenerator("twitter");
  state().isChecked = false;
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const inCluster = (isWorker: boolean) => ({
  env: {},
  send: () => true,
  getBuiltinModule: (name: string) => (name === "node:cluster" ? { isWorker } : undefined),
});

test.each<[string, object, string]>([
  ["PM2", { env: { NODE_APP_INSTANCE: "0" } }, "a process of PM2"],
  ["PM2 with another name for the instance", { env: { pm_id: "3" } }, "a process of PM2"],
  ["PM2, before getBuiltinModule", { env: { pm_id: "3" }, send: () => true }, "a process of PM2"],
  [
    "PM2, without node:cluster",
    { env: { pm_id: "3" }, send: () => true, getBuiltinModule: () => undefined },
    "a process of PM2",
  ],
  ["Kubernetes", { env: { KUBERNETES_SERVICE_HOST: "10.0.0.1" } }, "in a Kubernetes pod"],
  ["node:cluster", inCluster(true), "a worker of node:cluster"],
])("a process of %s emits one warning", (_where, process, what) => {
  const emitWarning = vi.fn();
  vi.stubGlobal("process", { ...process, emitWarning });
  warnOfSharedNode();
  warnOfSharedNode();
  expect(emitWarning).toHaveBeenCalledExactlyOnceWith(
    `this process is ${what}, and makes IDs with no datacenterId and no machineId: such processes repeat each other's IDs. ` +
      "Give each a node of its own: a machineId, makeGeneratorFromEnv with required: true, or a lease",
    {
      type: "BitflakeWarning",
      code: "BITFLAKE_SHARED_NODE_ID",
      detail: "See README.md#node-ids in the package bitflake",
    },
  );
});

test.each<[string, object | undefined]>([
  ["without a sign of other processes", { env: {} }],
  ["with a channel to a parent that is no primary", inCluster(false)],
  ["with a channel, without node:cluster", { env: {}, send: () => true, getBuiltinModule: () => undefined }],
  ["with a channel, before getBuiltinModule", { env: {}, send: () => true }],
  ["without a channel", { ...inCluster(true), send: undefined }],
  ["with an environment that cannot be read", {}],
])("emits no warning %s", (_how, process) => {
  const emitWarning = vi.fn();
  vi.stubGlobal("process", { ...process, emitWarning });
  warnOfSharedNode();
  expect(emitWarning).not.toHaveBeenCalled();
});

test("nextId of the package looks for other processes once, when it builds its generator", () => {
  nextId();
  state().isChecked = false;
  const emitWarning = vi.fn();
  vi.stubGlobal("process", { env: { KUBERNETES_SERVICE_HOST: "10.0.0.1" }, emitWarning });
  for (let call = 0; call < 3; call++) nextId();
  expect(emitWarning).not.toHaveBeenCalled();
});

test("a generator warns if its node was not chosen, and only then", () => {
  const emitWarning = vi.fn();
  vi.stubGlobal("process", { env: { pm_id: "3" }, emitWarning });
  makeGenerator("twitter", { machineId: 0 });
  makeGenerator("twitter", { datacenterId: 0 });
  expect(emitWarning).not.toHaveBeenCalled();
  makeGenerator("twitter");
  expect(emitWarning).toHaveBeenCalledOnce();
});

test.each<[string, Record<string, unknown>]>([
  ["Deno", { Deno: {} }],
  ["Bun", { Bun: {} }],
])("emits no warning on %s", (_runtime, globals) => {
  const emitWarning = vi.fn();
  const env = { pm_id: "0" };
  for (const [name, value] of Object.entries({ ...globals, process: { env, emitWarning } })) {
    vi.stubGlobal(name, value);
  }
  warnOfSharedNode();
  expect(emitWarning).not.toHaveBeenCalled();
});

test.each([
  ["a process", undefined],
  ["process.emitWarning", { env: { pm_id: "0" } }],
])("does nothing without %s", (_what, process) => {
  vi.stubGlobal("process", process);
  expect(warnOfSharedNode).not.toThrow();
});

test("the warning names a section of the README with the remedy", () => {
  // npm packs the README whether package.json lists it or not.
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  expect(readme).toMatch(/^## Node IDs$[^#]*required: true[^#]*BITFLAKE_SHARED_NODE_ID/m);
});
