// The Kubernetes objects, by kubernetes-models: the manifests, and the chart with other values. Its schemas know types, formats and
// required fields, but pass unknown fields; its TypeScript types refuse those.

import { execFile } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { renderChart } from "../../deploy/chart.ts";
import { deployFile } from "../../deploy/monitoring.ts";
import { makeProject } from "../programs.ts";

interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

const require = createRequire(import.meta.url);

/** Validates an object by the model of its version and kind. It throws for a missing field or a wrong type. */
function validate(object: KubernetesObject): void {
  const models = require(`kubernetes-models/${object.apiVersion}`) as Record<
    string,
    new (
      object: unknown,
    ) => { validate(): void }
  >;
  const Model = models[object.kind];
  if (!Model) throw new Error(`no model of ${object.apiVersion} ${object.kind}`);
  new Model(object).validate();
}

function objectsOf(text: string): KubernetesObject[] {
  // Kubernetes reads YAML 1.1, where `on` is true.
  return parseAllDocuments(text, { version: "1.1" }).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS() as KubernetesObject;
  });
}

/** Compiles objects as literals of their types. It rejects with the compiler's errors. */
async function compile(objects: readonly KubernetesObject[]): Promise<void> {
  const lines = objects.map(
    (object, index) =>
      `import type { I${object.kind} as Type${index} } from "kubernetes-models/${object.apiVersion}/${object.kind}";\n` +
      `export const object${index}: Type${index} = ${JSON.stringify(object)};`,
  );
  const folder = makeProject({ "objects.ts": lines.join("\n") }, "kubernetes-models");
  const tsc = require.resolve("typescript/bin/tsc");
  const options = [
    "--noEmit",
    "--strict",
    "--skipLibCheck",
    "--module",
    "nodenext",
    "--preserveSymlinks",
    "false",
  ];
  try {
    await promisify(execFile)(process.execPath, [tsc, ...options, join(folder, "objects.ts")], {
      cwd: folder,
    });
  } catch (error) {
    throw new Error(String((error as { stdout?: unknown }).stdout));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const variants: Readonly<Record<string, () => string>> = {
  "kubernetes.yaml": () => readFileSync(deployFile("kubernetes.yaml"), "utf8"),
  "the chart with a store of its own for pools": () =>
    renderChart({ poolStore: true, setup: { ownStore: true } }),
  "the chart without autoscaling, network policy and setup": () =>
    renderChart({
      autoscaling: { enabled: false },
      networkPolicy: { enabled: false },
      setup: { enabled: false },
    }),
};

describe.each(Object.entries(variants))("%s", (_title, read) => {
  test.each(objectsOf(read()).map((object) => [object.kind, object] as const))("%s", (_kind, object) => {
    validate(object);
  });
});

test("no object has an unknown field", async () => {
  await compile(Object.values(variants).flatMap((read) => objectsOf(read())));
}, 600_000);

test("the validation refuses an unknown field, a wrong type and a missing field", async () => {
  const [deployment] = objectsOf(renderChart()).filter(({ kind }) => kind === "Deployment");
  const change = (edit: (object: { spec: Record<string, unknown> }) => void) => {
    const copy = structuredClone(deployment) as unknown as { spec: Record<string, unknown> };
    edit(copy);
    return copy as unknown as KubernetesObject;
  };
  expect(() => validate(change(() => {}))).not.toThrow();
  expect(() => validate(change(({ spec }) => Object.assign(spec, { replicas: "two" })))).toThrow("replicas");
  expect(() => validate(change(({ spec }) => delete spec["selector"]))).toThrow("selector");
  await expect(compile([change(({ spec }) => Object.assign(spec, { replica: 2 }))])).rejects.toThrow(
    '"replica"',
  );
}, 600_000);
