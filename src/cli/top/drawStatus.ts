// The status of a service as text: a screen, a line, or JSON.

import type { History, Rates } from "../../service/console/history.ts";
import { type Colors, printable } from "../terminal/color.ts";
import { formatDuration } from "../terminal/formatDuration.ts";
import { tableLines } from "../terminal/table.ts";
import type { ServiceStatus } from "./fetchStatus.ts";

/** The most routes, stores and pools on a screen. */
const MAX_ROWS = 8;

/** The width of the bar of a pool. */
const BAR_WIDTH = 20;

const MINUTE_MS = 60_000;

/** Returns a number with thousands separators. */
const formatCount = (value: number): string => Math.round(value).toLocaleString("en-US");

/** Returns a rate: with one decimal below 10. */
function formatRate(perSecond: number): string {
  return perSecond >= 10 || perSecond === 0 ? formatCount(perSecond) : perSecond.toFixed(1);
}

const formatMs = (ms: number | undefined): string =>
  ms === undefined ? "-" : `${Number(ms.toPrecision(2))} ms`;

/** Returns the rates of the last interval; `undefined` before the second status, and after a restart. */
function lastRates({ points }: History): Rates | undefined {
  const last = points.at(-1);
  return last?.requests === undefined ? undefined : last;
}

/** Returns a status and its rates as a line of JSON. */
export function jsonStatus(status: ServiceStatus, history: History, nowMs: number): string {
  const rates = lastRates(history);
  return `${JSON.stringify({
    time: new Date(nowMs).toISOString(),
    name: status.name,
    status: status.status,
    uptimeMs: status.uptimeMs,
    processes: status.processes,
    requestsPerSecond: rates?.requests ?? null,
    idsPerSecond: rates?.ids ?? null,
    clientErrorsPerSecond: rates?.clientErrors ?? null,
    serverErrorsPerSecond: rates?.serverErrors ?? null,
    medianMs: rates?.median ?? null,
    p99Ms: rates?.slowest ?? null,
    node: status.node,
    leaseMsLeft: status.lease?.msLeft ?? null,
    stores: status.stores.map(({ kind, state }) => ({ kind, state })),
    pools: status.pools.map(({ type, state, available, remaining }) => ({
      type,
      state,
      available,
      remaining,
    })),
  })}\n`;
}

/** Returns a status and its rates as a line of text. */
export function lineStatus(status: ServiceStatus, history: History, nowMs: number): string {
  const rates = lastRates(history);
  const traffic = rates
    ? `${formatRate(rates.requests)} requests/s  ${formatRate(rates.ids)} IDs/s  ${formatRate(rates.clientErrors)} 4xx/s  ${formatRate(rates.serverErrors)} 5xx/s  median ${formatMs(rates.median)}  99% ${formatMs(rates.slowest)}`
    : "rates follow";
  return `${new Date(nowMs).toISOString()}  ${printable(status.status)}  ${traffic}\n`;
}

function nodeText({ node, lease, nodes, layout }: ServiceStatus): string {
  if (!node) return "not leased";
  const place = `datacenter ${node.datacenterId}, machine ${node.machineId}`;
  if (!lease) return `${place}, as given`;
  const left =
    lease.state === "held"
      ? `lease held, ${formatDuration(Math.round(lease.msLeft / 1000) * 1000)} left`
      : `lease ${printable(lease.state)}`;
  const used = nodes
    ? `; ${formatCount(nodes.held)} of ${formatCount(layout.capacity.nodes)} nodes held`
    : "";
  return `${place}, ${left}${used}`;
}

/** Returns rows, and how many more there are. */
function cut(rows: readonly string[][]): string[][] {
  if (rows.length <= MAX_ROWS) return [...rows];
  const [first] = rows as [string[]];
  const more = [`${rows.length - MAX_ROWS + 1} more`, ...first.slice(1).map(() => "")];
  return [...rows.slice(0, MAX_ROWS - 1), more];
}

function trafficTable(history: History): string {
  const rates = lastRates(history);
  const row = (label: string, name: "requests" | "ids" | "clientErrors" | "serverErrors") => [
    label,
    rates ? formatRate(rates[name]) : "-",
    formatCount(history.growth(name, MINUTE_MS)),
  ];
  return tableLines(
    ["", "per second", "last minute"],
    [
      row("requests", "requests"),
      row("IDs", "ids"),
      row("errors 4xx", "clientErrors"),
      row("errors 5xx", "serverErrors"),
    ],
  );
}

function routeTable({ requests: { routes } }: ServiceStatus): string {
  const rows = [...routes]
    .sort((one, other) => other.count - one.count)
    .map(({ route, count, classes }) => [
      route === "" ? "no route" : printable(route),
      formatCount(count),
      formatCount(classes["4xx"] ?? 0),
      formatCount(classes["5xx"] ?? 0),
    ]);
  return rows.length === 0 ? "" : tableLines(["route", "requests", "4xx", "5xx"], cut(rows));
}

function storeTable({ stores }: ServiceStatus): string {
  const rows = stores.map(({ kind, uses, state, errorCode }) => [
    printable(kind),
    printable(state) + (errorCode === null ? "" : `, ${printable(errorCode)}`),
    printable(uses.join(", ")),
  ]);
  return tableLines(["store", "state", "uses"], cut(rows));
}

/** Returns how full a pool is, as a bar up to its high mark. */
function poolBar(available: number | null, highMark: number): string {
  if (available === null) return "?".repeat(BAR_WIDTH);
  const filled = Math.round(BAR_WIDTH * Math.min(1, available / highMark));
  return "#".repeat(filled) + "-".repeat(BAR_WIDTH - filled);
}

function poolTable({ pools }: ServiceStatus): string {
  if (pools.length === 0) return "";
  const rows = pools.map(({ type, state, available, highMark, remaining }) => [
    printable(type),
    printable(state),
    poolBar(available, highMark),
    available === null
      ? "unknown"
      : `${available > highMark ? "over " : ""}${formatCount(Math.min(available, highMark))}`,
    remaining === null ? "unknown" : printable(remaining),
  ]);
  return tableLines(["pool", "state", "", "available", "remaining"], cut(rows));
}

/**
 * Returns a status as a screen.
 *
 * @param failure why the service does not answer now; the status is its last one then
 */
export function drawStatus(
  status: ServiceStatus,
  history: History,
  url: URL,
  { red, green, bold }: Colors,
  failure?: string,
): string {
  const rates = lastRates(history);
  const isFine = failure === undefined && status.status === "ok";
  const state = failure === undefined ? printable(status.status) : "no answer";
  const processes = status.processes === 1 ? "" : `, ${status.processes} processes`;
  const title = `${bold(`bitflake ${printable(status.name)}`)} ${printable(status.version)} at ${url.href}`;
  const sections = [
    `${title}\n${(isFine ? green : red)(state)}, up ${formatDuration(Math.floor(status.uptimeMs / 1000) * 1000)}${processes}\n${failure === undefined ? "" : `${red(failure)}\n`}node: ${nodeText(status)}\n`,
    `${trafficTable(history)}time to answer: median ${formatMs(rates?.median)}, 99% within ${formatMs(rates?.slowest)}\n`,
    storeTable(status),
    poolTable(status),
    routeTable(status),
  ];
  return sections.filter((section) => section !== "").join("\n");
}
