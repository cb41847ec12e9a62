// The chart, rendered, and the manifests that are its result with the values that it has.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { SERVE_SETTINGS } from "../../src/cli/serve/settings.ts";
import { VERSION } from "../../src/version.ts";
import { renderChart, renderTemplate } from "./chart.ts";
import { deployFile } from "./monitoring.ts";

// biome-ignore lint/suspicious/noExplicitAny: objects of many kinds, whose types test/integration has.
type KubernetesObject = any;

function objectsOf(text: string): Record<string, KubernetesObject> {
  const objects = parseAllDocuments(text, { version: "1.1" }).map((document) => document.toJS());
  return Object.fromEntries(objects.map((object) => [object.kind, object]));
}

const HEADER = `# The chart of docs/deploy/chart, rendered with its values: for kubectl, without Helm. Set the image, and create the namespace
# and the Secret first: see docs/deploy.md.
`;

test("kubernetes.yaml is the rendered chart", async () => {
  await expect(HEADER + renderChart()).toMatchFileSnapshot(deployFile("kubernetes.yaml"));
});

test("the chart, its app, the dependency of the image and the program for Deno have the version of the package", () => {
  const { version, appVersion } = parse(readFileSync(deployFile("chart/Chart.yaml"), "utf8"));
  expect([version, appVersion]).toEqual([VERSION, VERSION]);
  const { dependencies } = JSON.parse(readFileSync(deployFile("package.json"), "utf8"));
  expect(dependencies.bitflake).toBe(`^${VERSION}`);
  const program = readFileSync(deployFile("deno/main.js"), "utf8");
  expect([...program.matchAll(/npm:bitflake@([^/]+)\//g)].map(([, range]) => range)).toEqual([
    `^${VERSION}`,
    `^${VERSION}`,
  ]);
});

test("it has one object of each kind", () => {
  expect(Object.keys(objectsOf(renderChart())).sort()).toEqual([
    "ConfigMap",
    "Deployment",
    "HorizontalPodAutoscaler",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "Service",
    "ServiceAccount",
  ]);
});

test("parts that are switched off are left out", () => {
  const objects = objectsOf(
    renderChart({
      autoscaling: { enabled: false },
      networkPolicy: { enabled: false },
      setup: { enabled: false },
      replicas: 3,
    }),
  );
  expect(objects["HorizontalPodAutoscaler"]).toBe(undefined);
  expect(objects["NetworkPolicy"]).toBe(undefined);
  expect(objects["Deployment"].spec.replicas).toBe(3);
  expect(objects["Deployment"].spec.template.spec.initContainers).toBe(undefined);
});

test.each([
  [{}, "store"],
  [{ poolStore: true }, "pool-store"],
  [{ setup: { ownStore: true } }, "setup-store"],
  [{ poolStore: true, setup: { ownStore: true } }, "setup-store"],
])("with %j the tables are created in the %s", (values, key) => {
  const { spec } = objectsOf(renderChart(values))["Deployment"].spec.template;
  expect(spec.initContainers[0].env[0].valueFrom.secretKeyRef).toEqual({ name: "bitflake", key });
  const names = spec.containers[0].env.map(({ name }: { name: string }) => name);
  expect(names.includes("BITFLAKE_POOL_STORE")).toBe("poolStore" in values);
});

test("every variable is a setting of bitflake serve", () => {
  const known = Object.values(SERVE_SETTINGS).flatMap((setting) => ("env" in setting ? [setting.env] : []));
  const { containers } = objectsOf(renderChart({ poolStore: true }))["Deployment"].spec.template.spec;
  for (const { name } of containers[0].env) expect(known).toContain(name);
});

test("a pod has time to stop: it is out of the endpoints before it refuses requests, and is not killed while it answers", () => {
  const { Deployment } = objectsOf(renderChart());
  const { containers, terminationGracePeriodSeconds } = Deployment.spec.template.spec;
  const [{ readinessProbe, env }] = containers;
  const lameDuckMs = Number(env.find(({ name }: { name: string }) => name === "BITFLAKE_LAME_DUCK_MS").value);
  expect(lameDuckMs).toBeGreaterThan(readinessProbe.periodSeconds * readinessProbe.failureThreshold * 1000);
  // close() cuts a client off after 15 s, and stop() waits 15 s for requests.
  expect(terminationGracePeriodSeconds * 1000).toBeGreaterThanOrEqual(lameDuckMs + 30_000);
});

test("pods run without rights, and do not write to their disk", () => {
  const { spec } = objectsOf(renderChart())["Deployment"].spec.template;
  expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
  for (const { securityContext, resources } of [...spec.containers, ...spec.initContainers]) {
    expect(securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(resources.limits.memory).toBe("256Mi");
  }
  expect(spec.enableServiceLinks).toBe(false);
});

const root = { Values: { on: true, off: false, list: { b: 2, a: 1 }, empty: "" } };

test.each([
  ["a {{ .Values.on }} b", "a true b"],
  ["{{ if .Values.on }}yes{{ else }}no{{ end }}", "yes"],
  ["{{ if not .Values.on }}yes{{ else }}no{{ end }}", "no"],
  ["{{ if .Values.off }}{{ if .Values.on }}a{{ end }}b{{ end }}c", "c"],
  ["a\n  {{- if .Values.on }}\n  b\n  {{- end }}\nc", "a\n  b\nc"],
  ["{{ range $k, $v := .Values.list }}{{ $k }}={{ $v | quote }};{{ end }}", 'a="1";b="2";'],
  ["{{ toYaml .Values.list | nindent 2 }}", "\n  a: 1\n  b: 2"],
  ["{{ .Values.empty | default .Values.on }}", "true"],
])("the renderer of the tests renders %s", (template, text) => {
  expect(renderTemplate("test", template, root)).toBe(text);
});

test.each([
  ["{{ .Values.missing }}", "the field .Values.missing does not exist"],
  ["{{ include `x` . }}", "unknown"],
  ["{{ .Values.on | upper }}", "unknown function"],
  ["{{ with .Values.on }}x{{ end }}", "unknown"],
  ["{{ if .Values.on }}x", "without an end"],
  ["x{{ end }}", "without a beginning"],
  ["{{ .Values.list }}", "is not a text"],
])("the renderer of the tests refuses %s", (template, rule) => {
  expect(() => renderTemplate("test", template, root)).toThrow(rule);
});

test("a value that the chart does not have is refused", () => {
  expect(() => renderChart({ replica: 3 })).toThrow("the chart has no value replica");
});
