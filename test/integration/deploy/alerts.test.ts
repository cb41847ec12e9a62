// Alerts and dashboard by Prometheus' own tools: promtool reads both, each alert is raised by series that need it and not by healthy
// ones, and Prometheus itself raises the first ones for a service whose Redis is stopped.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { fromIORedis } from "../../../src/backend/index.ts";
import { createService, listen } from "../../../src/service/index.ts";
import { dashboardExpressions, deployFile, readAlerts, readDashboard } from "../../deploy/monitoring.ts";
import { freePort } from "../../freePort.mjs";
import { openService } from "../../service/openService.ts";
import { prometheusHere, startable, startRedis } from "../servers.ts";

const run = promisify(execFile);
const { promtool, prometheus } = prometheusHere;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "bitflake-alerts-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const alerts = readAlerts();

/** Runs promtool. A failure rejects with its output. */
async function check(...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await run(promtool as string, args, { cwd: folder });
  return stdout + stderr;
}

/** Series by name and labels: `values` in promtool's notation, one each 15 s. */
type Series = Readonly<Record<string, string>>;

/** How many values the series have: an hour and a half of them. */
const STEPS = 360;

const steady = (value: number) => `${value}x${STEPS}`;
const rising = (step: number) => `0+${step}x${STEPS}`;

const on = 'job="bitflake", instance="a"';
const call = `${on}, store="backend", operation="counter: reserve"`;
const request = `${on}, route="/generate_snowflake_id"`;

/** The series of a service that works. */
const healthy: Series = {
  [`up{${on}}`]: steady(1),
  [`bitflake_ready{${on}}`]: steady(1),
  [`bitflake_store_up{${on}, store="backend"}`]: steady(1),
  [`bitflake_generator_up{${on}}`]: steady(1),
  [`bitflake_lease_held{${on}, node="3"}`]: steady(1),
  [`bitflake_lease_seconds_left{${on}}`]: Array.from({ length: STEPS }, (_, at) => 20 + (at % 10)).join(" "),
  [`bitflake_lease_clock_skew_seconds{${on}}`]: steady(0.002),
  [`bitflake_lease_renewal_failures_total{${on}}`]: steady(0),
  [`bitflake_lease_losses_total{${on}}`]: steady(0),
  [`bitflake_pool_up{${on}, type="farmer"}`]: steady(1),
  [`bitflake_pool_available{${on}, type="farmer"}`]: steady(4000),
  [`bitflake_pool_taken{${on}, type="farmer"}`]: steady(100),
  [`bitflake_pool_remaining{${on}, type="farmer"}`]: steady(9900),
  [`bitflake_pool_refill_failures_total{${on}, type="farmer"}`]: steady(0),
  [`bitflake_store_call_duration_seconds_bucket{${call}, le="0.5"}`]: rising(100),
  [`bitflake_store_call_duration_seconds_bucket{${call}, le="1"}`]: rising(100),
  [`bitflake_store_call_duration_seconds_bucket{${call}, le="+Inf"}`]: rising(100),
  [`bitflake_store_call_duration_seconds_count{${call}}`]: rising(100),
  [`bitflake_store_call_errors_total{${call}, reason="failed"}`]: steady(0),
  [`bitflake_requests_total{${request}, status="200"}`]: rising(100),
  [`bitflake_requests_total{${on}, route="/health", status="503"}`]: steady(0),
  [`bitflake_request_duration_seconds_bucket{${request}, le="0.5"}`]: rising(100),
  [`bitflake_request_duration_seconds_bucket{${request}, le="1"}`]: rising(100),
  [`bitflake_request_duration_seconds_bucket{${request}, le="+Inf"}`]: rising(100),
  [`bitflake_event_loop_lag_seconds{${on}, quantile="0.99"}`]: steady(0.004),
  [`process_resident_memory_bytes{${on}}`]: steady(90e6),
  [`process_start_time_seconds{${on}}`]: steady(1000),
};

/** A fault, and the alert that it raises. */
interface Case {
  /** Series in place of the healthy ones, from a time on at which the others are as before. */
  readonly series: Series;
  /** The labels of the alert besides its name and severity. */
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: string;
  /** Further alerts that the same series raise. Default none. */
  readonly also?: readonly string[];
}

const where = { job: "bitflake", instance: "a" };
const inPool = { job: "bitflake", type: "farmer" };

const cases: Readonly<Record<string, Case>> = {
  BitflakeDown: {
    series: { [`up{${on}}`]: steady(0) },
    labels: where,
    summary: "a cannot be scraped.",
  },
  BitflakeNotReady: {
    series: { [`bitflake_ready{${on}}`]: steady(0) },
    labels: where,
    summary: "a answers 503 on /health.",
  },
  BitflakeStoreDown: {
    series: { [`bitflake_store_up{${on}, store="backend"}`]: steady(0) },
    labels: { ...where, store: "backend" },
    summary: "a cannot write its store (backend).",
  },
  BitflakeStoreErrors: {
    series: { [`bitflake_store_call_errors_total{${call}, reason="failed"}`]: rising(2) },
    labels: { ...where, store: "backend" },
    summary: "2% of the calls of a to its store (backend) fail.",
  },
  BitflakeStoreSlow: {
    series: { [`bitflake_store_call_duration_seconds_bucket{${call}, le="0.5"}`]: rising(98) },
    labels: { ...where, store: "backend" },
    summary: "1 % of the calls of a to its store (backend) take more than 750ms.",
  },
  BitflakeLeaseNotRenewed: {
    series: { [`bitflake_lease_renewal_failures_total{${on}}`]: rising(1) },
    labels: where,
    summary: "a cannot renew the lease of its node, and makes IDs only until it ends.",
  },
  BitflakeLeaseLost: {
    series: { [`bitflake_lease_held{${on}, node="3"}`]: steady(0) },
    labels: where,
    summary: "a has no node, and makes no Snowflake IDs.",
  },
  BitflakeLeaseLostOften: {
    series: { [`bitflake_lease_losses_total{${on}}`]: `0x239 1x39 2x39 3x${STEPS}` },
    labels: where,
    summary: "a lost its node 3 times in an hour.",
  },
  BitflakeGeneratorFailing: {
    series: { [`bitflake_generator_up{${on}}`]: steady(0) },
    labels: where,
    summary: "The clock of a was set back: it makes no Snowflake IDs.",
  },
  BitflakeClockSkew: {
    series: { [`bitflake_lease_clock_skew_seconds{${on}}`]: steady(-3) },
    labels: where,
    summary: "The clock of a and that of its store differ by 3s.",
  },
  BitflakePoolFailing: {
    series: { [`bitflake_pool_up{${on}, type="farmer"}`]: steady(0) },
    labels: { ...where, type: "farmer" },
    summary: "The pool farmer issues no IDs.",
  },
  BitflakePoolEmpty: {
    series: { [`bitflake_pool_available{${on}, type="farmer"}`]: steady(0) },
    labels: inPool,
    summary: "The pool farmer has no ID available.",
  },
  BitflakePoolNotRefilled: {
    series: { [`bitflake_pool_refill_failures_total{${on}, type="farmer"}`]: rising(1) },
    labels: { ...where, type: "farmer" },
    summary: "Refills of the pool farmer fail on a.",
  },
  BitflakePoolNearlyUsedUp: {
    series: { [`bitflake_pool_taken{${on}, type="farmer"}`]: steady(118_800) },
    labels: inPool,
    summary: "The type farmer has 7.692% of its IDs left. There are no more of that length.",
  },
  BitflakeErrors: {
    series: { [`bitflake_requests_total{${request}, status="503"}`]: rising(25) },
    labels: where,
    summary: "20% of the requests to a fail.",
  },
  BitflakeSlow: {
    series: { [`bitflake_request_duration_seconds_bucket{${request}, le="0.5"}`]: rising(98) },
    labels: where,
    summary: "1 % of the requests to a take more than 750ms.",
  },
  BitflakeRateLimited: {
    series: { [`bitflake_requests_total{${request}, status="429"}`]: rising(25) },
    labels: { job: "bitflake" },
    summary: "20% of the requests are refused by the rate limit.",
  },
  BitflakeKeysRefused: {
    series: { [`bitflake_requests_total{${on}, route="/metrics", status="401"}`]: rising(25) },
    labels: { job: "bitflake" },
    summary: "20% of the requests have no valid API key, or not the scope of the route.",
  },
  BitflakeEventLoopBlocked: {
    series: { [`bitflake_event_loop_lag_seconds{${on}, quantile="0.99"}`]: steady(0.25) },
    labels: { ...where, quantile: "0.99" },
    summary: "The event loop of a is late by 250ms: the process has too much to do.",
  },
  BitflakeMemory: {
    series: { [`process_resident_memory_bytes{${on}}`]: steady(256 * 2 ** 20) },
    labels: where,
    summary: "a uses 256MiB of memory.",
  },
  BitflakeRestarting: {
    series: { [`process_start_time_seconds{${on}}`]: `1000x339 2000x4 3000x4 4000x${STEPS}` },
    labels: where,
    summary: "a restarted 3 times in 15 minutes.",
  },
};

const inputs = (series: Series) => Object.entries(series).map(([name, values]) => ({ series: name, values }));

/** A test of promtool: at this time, this alert is firing with these labels and annotations, or not. */
function expectation(alert: string, time: string, raised?: Case) {
  const { labels, annotations } = alerts.find((rule) => rule.alert === alert) ?? {};
  const expected = raised && {
    exp_labels: { ...raised.labels, ...labels },
    exp_annotations: { summary: raised.summary, runbook_url: annotations?.runbook_url },
  };
  return { eval_time: time, alertname: alert, exp_alerts: expected ? [expected] : [] };
}

describe.runIf(promtool)("by promtool", () => {
  test("the rules are valid, and so are the dashboard's expressions", async () => {
    expect(await check("check", "rules", deployFile("alerts.yaml"))).toContain(
      `${alerts.length} rules found`,
    );
    const rules = dashboardExpressions(readDashboard()).map((expr, index) => ({
      record: `dashboard:${index}`,
      expr: expr
        .replaceAll("$__rate_interval", "1m")
        .replaceAll("$job", "bitflake")
        .replaceAll("$instance", ".*"),
    }));
    const file = join(folder, "dashboard.yaml");
    writeFileSync(file, stringify({ groups: [{ name: "dashboard", rules }] }));
    expect(await check("check", "rules", file)).toContain("SUCCESS");
  });

  test("the metrics are valid and keep the conventions", async () => {
    const { send, service } = await openService({ types: { farmer: { length: 10 } } });
    await send("/v1/idgenerator/farmer/id", { method: "POST" });
    const text = await (await send("/metrics")).text();
    await service.stop();
    const checking = run(promtool as string, ["check", "metrics"]);
    checking.child.stdin?.end(text);
    const { stdout, stderr } = await checking;
    expect(stdout + stderr).toBe("");
  });

  test("every alert has a case here", () => {
    expect(Object.keys(cases).sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  });

  test("a service that works raises no alert", async () => {
    const tests = [
      {
        interval: "15s",
        input_series: inputs(healthy),
        alert_rule_test: alerts.flatMap(({ alert }) =>
          ["5m", "30m", "85m"].map((time) => expectation(alert, time)),
        ),
      },
    ];
    const file = join(folder, "healthy.yaml");
    writeFileSync(file, stringify({ rule_files: [deployFile("alerts.yaml")], tests }));
    expect(await check("test", "rules", file)).toContain("SUCCESS");
  });

  test.each(Object.entries(cases))(
    "%s is raised by series that need it, and no other alert is",
    async (name, one) => {
      const isHere = (alert: string) => alert === name;
      const tests = [
        {
          interval: "15s",
          input_series: inputs({ ...healthy, ...one.series }),
          alert_rule_test: alerts
            .filter(({ alert }) => isHere(alert) || !one.also?.includes(alert))
            .map(({ alert }) => expectation(alert, "88m", isHere(alert) ? one : undefined)),
        },
      ];
      const file = join(folder, `${name}.yaml`);
      writeFileSync(file, stringify({ rule_files: [deployFile("alerts.yaml")], tests }));
      expect(await check("test", "rules", file)).toContain("SUCCESS");
    },
  );

  test("a service that is not scraped at all is down", async () => {
    const raised = {
      series: {},
      labels: { job: "bitflake" },
      summary: "No instance of bitflake is scraped.",
    };
    const tests = [
      {
        interval: "15s",
        input_series: inputs({ 'up{job="other"}': steady(1) }),
        alert_rule_test: [expectation("BitflakeDown", "30s"), expectation("BitflakeDown", "5m", raised)],
      },
    ];
    const file = join(folder, "absent.yaml");
    writeFileSync(file, stringify({ rule_files: [deployFile("alerts.yaml")], tests }));
    expect(await check("test", "rules", file)).toContain("SUCCESS");
  });
});

describe.runIf(prometheus && startable.redis)("by Prometheus, with a service whose Redis is stopped", () => {
  let server: ChildProcess | undefined;
  afterAll(() => server?.kill());

  test("the store and the lease raise their alerts, and stop when the Redis is back", async () => {
    const redis = await startRedis();
    const client = new Redis(redis.url, { maxRetriesPerRequest: 0, lazyConnect: true });
    client.on("error", () => {});
    const service = createService({ backend: fromIORedis(client, { timeoutMs: 5000 }), fence: false });
    await service.start();
    const http = await listen(service, { port: 0 });
    const port = await freePort();
    // The times and windows of the alerts are shortened: nothing else is changed.
    const rules = readFileSync(deployFile("alerts.yaml"), "utf8")
      .replace(/for: \d+[sm]/g, "for: 1s")
      .replace(/\[\d+[mh]\]/g, "[10s]");
    writeFileSync(join(folder, "short.yaml"), rules);
    writeFileSync(
      join(folder, "prometheus.yaml"),
      stringify({
        global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
        rule_files: ["short.yaml"],
        scrape_configs: [{ job_name: "bitflake", static_configs: [{ targets: [`127.0.0.1:${http.port}`] }] }],
      }),
    );
    server = spawn(
      prometheus as string,
      [
        `--config.file=${join(folder, "prometheus.yaml")}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--log.level=error",
      ],
      { stdio: "ignore" },
    );
    const firing = async (): Promise<string[]> => {
      const response = await fetch(`http://127.0.0.1:${port}/api/v1/alerts`);
      const { data } = (await response.json()) as {
        data: { alerts: { state: string; labels: { alertname: string } }[] };
      };
      return data.alerts.filter(({ state }) => state === "firing").map(({ labels }) => labels.alertname);
    };
    /** Waits until the firing alerts are as wanted. */
    const until = async (isWanted: (names: readonly string[]) => boolean): Promise<void> => {
      let names: readonly string[] = ["Prometheus does not answer yet"];
      for (const end = Date.now() + 600_000; Date.now() < end; await sleep(250)) {
        names = await firing().catch(() => names);
        if (isWanted(names)) return;
      }
      throw new Error(`firing: ${names.join(", ") || "nothing"}`);
    };
    const targets = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=bitflake_ready`);
      return ((await response.json()) as { data: { result: unknown[] } }).data.result.length;
    };
    for (const end = Date.now() + 600_000; ; await sleep(250)) {
      if ((await targets().catch(() => 0)) > 0) break;
      expect(Date.now()).toBeLessThan(end);
    }
    await until((names) => names.length === 0);
    await redis.kill();
    const wanted = [
      "BitflakeStoreDown",
      "BitflakeStoreErrors",
      "BitflakeNotReady",
      "BitflakeLeaseNotRenewed",
    ];
    await until((names) => wanted.every((name) => names.includes(name)));
    await until((names) => names.includes("BitflakeLeaseLost"));
    await redis.restart();
    await until((names) => names.length === 0);
    await http.close();
    await service.stop();
    client.disconnect();
    await redis.stop();
  }, 600_000);
});
