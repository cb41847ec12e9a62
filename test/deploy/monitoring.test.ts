// The dashboard and the alerts name metrics that the service has, all of them, and each alert has its section in the runbook.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { root } from "../docs/snippet.ts";
import { type ParsedFamily, parseExposition } from "../service/exposition.ts";
import { openService } from "../service/openService.ts";
import { dashboardExpressions, metricsIn, readAlerts, readDashboard } from "./monitoring.ts";

let families: readonly ParsedFamily[] = [];
beforeAll(async () => {
  const { send, service } = await openService({ types: { farmer: { length: 10 } } });
  await send("/v1/idgenerator/farmer/id", { method: "POST" });
  families = parseExposition(await (await send("/metrics")).text());
  await service.stop();
});

const alerts = readAlerts();
const dashboard = readDashboard();
const expressions = [...dashboardExpressions(dashboard), ...alerts.map(({ expr }) => expr)];

test("each metric that they name exists, and each that exists is in the dashboard", () => {
  const names = families.map(({ name }) => name).sort();
  const used = new Set(expressions.flatMap(metricsIn));
  expect([...used].filter((name) => !names.includes(name))).toEqual([]);
  const shown = new Set(dashboardExpressions(dashboard).flatMap(metricsIn));
  expect(names.filter((name) => !shown.has(name))).toEqual([]);
});

test("each label that they select by or group by exists on that metric", () => {
  const scraped = ["job", "instance", "le", "quantile"];
  for (const expression of expressions) {
    const metrics = metricsIn(expression);
    const labels = new Set(
      families
        .filter(({ name }) => metrics.includes(name))
        .flatMap(({ samples }) => samples.flatMap((sample) => Object.keys(sample.labels))),
    );
    const named = [
      ...[...expression.matchAll(/\{([^}]*)\}/g)].flatMap(([, inside = ""]) =>
        [...inside.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)/g)].map(([, label = ""]) => label),
      ),
      ...[...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = ""]) => list.split(/,\s*/)),
    ];
    const unknown = named.filter((label) => !scraped.includes(label) && !labels.has(label));
    expect([expression, unknown]).toEqual([expression, []]);
  }
});

describe("the dashboard", () => {
  const { panels, templating } = dashboard;

  test("has panels with a title, a description and expressions, each with its own ID", () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { type, title, description, targets = [] } of panels) {
      expect(title).not.toBe("");
      if (type === "row") continue;
      expect([title, description]).not.toEqual([title, undefined]);
      expect([title, targets.length]).not.toEqual([title, 0]);
    }
  });

  test("has panels that do not overlap", () => {
    for (const [index, { title, gridPos: one }] of panels.entries()) {
      expect(one.x + one.w).toBeLessThanOrEqual(24);
      for (const { title: otherTitle, gridPos: other } of panels.slice(index + 1)) {
        const isApart =
          one.x + one.w <= other.x ||
          other.x + other.w <= one.x ||
          one.y + one.h <= other.y ||
          other.y + other.h <= one.y;
        expect([title, otherTitle, isApart]).toEqual([title, otherTitle, true]);
      }
    }
  });

  test("uses only variables that it defines", () => {
    const known = [...templating.list.map(({ name }) => name), "__rate_interval", "__all"];
    const used = [...JSON.stringify(dashboard).matchAll(/\$\{?([a-z_]+)\}?/g)].map(([, name = ""]) => name);
    expect(used.filter((name) => !known.includes(name))).toEqual([]);
  });
});

describe("the alerts", () => {
  test("have names that differ, a severity, a time, and a summary", () => {
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
    for (const { alert, for: time, labels, annotations } of alerts) {
      expect(alert).toMatch(/^Bitflake[A-Z]/);
      expect(["critical", "warning"]).toContain(labels.severity);
      expect(time).toMatch(/^\d+[sm]$/);
      expect(annotations.summary).toMatch(/\.$/);
    }
  });

  test("each link to a section of the runbook, and the runbook has a section for each", () => {
    const runbook = readFileSync(join(root, "docs/runbook.md"), "utf8");
    const sections = [...runbook.matchAll(/^#+ (Bitflake\w+)$/gm)].map(([, title = ""]) => title);
    expect(sections.sort()).toEqual(alerts.map(({ alert }) => alert).sort());
    for (const { alert, annotations } of alerts) {
      const anchor = `/docs/runbook.md#${alert.toLowerCase()}`;
      expect(annotations.runbook_url.endsWith(anchor)).toBe(true);
    }
  });
});
