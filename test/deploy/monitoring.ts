// The dashboard and the alerts of docs/deploy, and the expressions in them.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { root } from "../docs/snippet.ts";

/** The path of a file of docs/deploy. */
export function deployFile(name: string): string {
  return join(root, "docs/deploy", name);
}

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook_url: string };
}

/** The alerts, and the groups that they are in. */
export function readAlerts(): readonly Alert[] {
  const { groups } = parse(readFileSync(deployFile("alerts.yaml"), "utf8")) as {
    readonly groups: readonly { readonly rules: readonly Alert[] }[];
  };
  return groups.flatMap(({ rules }) => rules);
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly legendFormat: string;
  }[];
}

export interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
  readonly templating: { readonly list: readonly { readonly name: string }[] };
}

export function readDashboard(): Dashboard {
  return JSON.parse(readFileSync(deployFile("grafana.json"), "utf8"));
}

/** The expressions of the dashboard. */
export function dashboardExpressions({ panels, annotations }: Dashboard): readonly string[] {
  return [
    ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...annotations.list.map(({ expr }) => expr),
  ];
}

/** Returns the names of the metrics in an expression, without the suffixes of histograms and summaries. */
export function metricsIn(expression: string): readonly string[] {
  // Labels and their values are left out: `store` is a label, and a route may look like a name.
  const outside = expression.replace(/\{[^}]*\}/g, "{}").replace(/\b(by|without) \([^)]*\)/g, "");
  return [...outside.matchAll(/\b(?:bitflake|process)_[a-z_]+/g)].map(([name]) =>
    name.replace(/(?<=_seconds)_(bucket|sum|count)$/, ""),
  );
}
