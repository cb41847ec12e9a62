// Draws a status: verdict, facts, traffic, node, stores, holders of nodes, pools.

import { element, put, showText } from "../../../../docs/playground/components/drawing.mjs";
import { figures, moment } from "../../../../docs/playground/components/figures.mjs";
import { createChart } from "./charts.mjs";
import { count, duration, list, milliseconds, plural, rate } from "./format.mjs";
import { nodeMap } from "./nodeMap.mjs";
import { findProblems, STORE_NAMES } from "./verdict.mjs";

/** The most nodes in the list, until the user wants all. */
const FEW_NODES = 12;

const HEADLINES = {
  ok: "Everything works",
  degraded: "Some pools fail",
  failing: "Something fails",
  starting: "Starting",
  stopping: "Stopping",
};

const LEVELS = { ok: "good", degraded: "bad", failing: "bad", starting: "warn", stopping: "warn" };

const place = (id) => document.getElementById(id);

const charts = [
  createChart("Requests", [{ name: "requests", label: "per second", look: "plain" }], rate, " per second"),
  createChart(
    "Errors",
    [
      { name: "serverErrors", label: "5xx per second", look: "bad" },
      { name: "clientErrors", label: "4xx per second", look: "warn" },
    ],
    rate,
    " per second",
  ),
  createChart("IDs", [{ name: "ids", label: "per second", look: "good" }], rate, " per second"),
  createChart(
    "Time to answer",
    [
      { name: "median", label: "median", look: "plain" },
      { name: "slowest", label: "99th percentile", look: "violet" },
    ],
    milliseconds,
    "",
  ),
];

/** Draws the parts that exist once. */
export function prepare() {
  place("charts").append(...charts.map(({ root }) => root));
  // No <table>, because its rows have another form in a narrow window, where browsers drop the roles of its elements.
  place("by-route").role = "table";
  place("by-route").setAttribute("aria-labelledby", "by-route-title");
  place("more-nodes").addEventListener("click", ({ currentTarget }) => {
    currentTarget.dataset.all = "true";
    currentTarget.hidden = true;
  });
}

/** Returns the rows of a list of facts. */
function facts(entries) {
  return entries
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => element("div", "", element("dt", "", name), element("dd", "", value)));
}

/** Returns a word with a mark in the color of its level: the color alone says nothing. */
function tag(level, text) {
  return element("span", `tag ${level}`, text);
}

/** Sets the attributes of an element that a bar is. */
function meter(className, share, label, text) {
  const bar = element("div", `meter ${className}`, element("span"));
  bar.firstChild.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  bar.role = "meter";
  bar.ariaLabel = label;
  bar.ariaValueMin = "0";
  bar.ariaValueMax = "100";
  bar.ariaValueNow = String(Math.round(share * 100));
  bar.ariaValueText = text;
  return bar;
}

/** Draws the verdict. */
function showVerdict(level, headline, problems) {
  const title = `${headline}.`;
  place("verdict").className = `verdict ${level}`;
  showText(place("headline"), title);
  put(
    place("problems"),
    ...problems.map(({ level: each, title: problem, detail }) =>
      element("li", each, element("strong", "", problem), " ", element("span", "", detail)),
    ),
  );
  const name = level === "good" ? "ok" : headline.toLowerCase();
  document.title = `${name} – bitflake console`;
}

/** Shows that the service does not answer. */
export function showSilence(forMs, error) {
  const detail =
    error.status === undefined
      ? "It is down, or this browser cannot reach it. The figures below are the last ones that it sent."
      : error.message;
  const title =
    error.status === undefined
      ? `No answer for ${duration(forMs)}.`
      : `${error.status} for ${duration(forMs)}.`;
  showVerdict("bad", "The service does not answer", [{ level: "bad", title, detail }]);
  place("live").classList.add("stale");
}

function showFacts(status) {
  const { name, version, uptimeMs, node, lease, layout, apiKeys, requests } = status;
  const machines = 2 ** layout.machineBits;
  put(
    place("facts"),
    ...facts([
      ["Service", name],
      ["Version", version],
      ["Up for", duration(uptimeMs)],
      ["Node", node === null ? "none" : String(node.datacenterId * machines + node.machineId)],
      [
        "Lease",
        lease ? (lease.state === "held" ? `${duration(lease.msLeft)} left` : lease.state) : undefined,
      ],
      ["In flight", count(requests.inFlight)],
      ["API keys", apiKeys === 0 ? "not needed" : count(apiKeys)],
    ]),
  );
}

function showLease({ node, lease, layout }) {
  const title = element("h3", "", "Node");
  if (node === null) {
    put(place("lease"), title, element("p", "hint", "The service has no node: it has not started."));
    return;
  }
  const { datacenterId, machineId, isLeased } = node;
  const common = [
    layout.datacenterBits > 0 && ["Datacenter", count(datacenterId)],
    ["Machine", count(machineId)],
  ].filter((row) => row !== false);
  if (!isLeased) {
    put(
      place("lease"),
      title,
      element("dl", "facts", ...facts([...common, ["Lease", "none: the node was given"]])),
      element("p", "hint", "No other process may have this node."),
    );
    return;
  }
  const { state, until, renewedAt, msLeft, clock, skewMs, failures, grants, errorCode } = lease;
  const level = state === "held" ? (failures > 0 ? "warn" : "good") : "bad";
  const text = state === "held" ? `${duration(msLeft)} left` : `${state} at ${moment(until).slice(11)}`;
  put(
    place("lease"),
    element("h3", "", "Node and lease ", tag(level, state)),
    meter(level, msLeft / (Date.parse(until) - Date.parse(renewedAt)), "Time left of the lease", text),
    element("p", "meter-text", text),
    element(
      "dl",
      "facts",
      ...facts([
        ...common,
        ["Renewed", `${moment(renewedAt).slice(11, 19)} UTC`],
        ["Ends unless renewed", `${moment(until).slice(11, 19)} UTC`],
        [
          "Failed renewals",
          failures === 0 ? "none" : `${count(failures)}${errorCode ? `, ${errorCode}` : ""}`,
        ],
        ["Leases so far", count(grants)],
        [
          "Clock",
          clock === "store" ? `the store’s; ${milliseconds(Math.abs(skewMs))} apart` : "this machine’s",
        ],
      ]),
    ),
  );
}

function showStores({ stores, generator }) {
  const row = (name, uses, { state, errorCode }) =>
    element(
      "li",
      "",
      element("span", "name", name),
      element("span", "hint", uses),
      tag(state === "ok" ? "good" : "bad", state === "ok" ? "ok" : state),
      ...(errorCode === null ? [] : [element("code", "", errorCode)]),
    );
  put(
    place("stores"),
    element("h3", "", "Stores"),
    element(
      "ul",
      "rows",
      ...stores.map((store) => row(STORE_NAMES[store.kind], list(store.uses), store)),
      row("Generator", "makes Snowflake IDs", generator),
    ),
  );
}

function showLimits({ rateLimit, apiKeys }) {
  const rows =
    rateLimit === null
      ? [["Rate limit", "none"]]
      : [
          ["Rate limit", `${count(rateLimit.limit)} IDs or requests`],
          ["Window", duration(rateLimit.windowMs)],
          ["Counted by", apiKeys > 0 ? "name of the client" : "address of the client"],
          [
            "While the store is down",
            rateLimit.onStoreError === "fail" ? "requests get 503" : "requests pass",
          ],
        ];
  const keys = apiKeys === 0 ? "not needed: every client is accepted" : `${count(apiKeys)} accepted`;
  put(
    place("limits"),
    element("h3", "", "Limits and access"),
    element("dl", "facts", ...facts([...rows, ["API keys", keys]])),
  );
}

function showNodes({ nodes, layout }) {
  for (const part of document.querySelectorAll("[data-part=nodes]")) part.hidden = nodes === null;
  if (nodes === null) return;
  const { held, used, list: all, storeTime, clock } = nodes;
  const expired = all.filter(({ isCurrent }) => !isCurrent).length;
  const capacity = layout.capacity.nodes;
  showText(
    place("nodes-note"),
    `${count(held)} of ${count(capacity)} nodes held, ${count(expired)} expired, ${count(used)} ever used; by the clock of ${
      clock === "store" ? "the store" : "this machine"
    }.`,
  );
  put(place("node-map"), ...nodeMap(all, layout));
  const more = place("more-nodes");
  const shown = more.dataset.all ? all : all.slice(0, FEW_NODES);
  more.hidden = shown.length === all.length;
  const now = Date.parse(storeTime);
  put(
    place("node-list"),
    ...shown.map(({ node, datacenterId, machineId, holder, from, until, isCurrent, isOwn }) => {
      const left = Date.parse(until) - now;
      const [level, state] = isOwn
        ? ["own", "this process"]
        : isCurrent
          ? ["good", "held"]
          : ["idle", "expired"];
      return element(
        "li",
        level,
        element("span", "name", `Node ${node}`),
        tag(level, state),
        element(
          "span",
          "hint",
          layout.datacenterBits > 0
            ? `datacenter ${datacenterId}, machine ${machineId}`
            : `machine ${machineId}`,
        ),
        ...(holder === "" ? [] : [element("span", "holder", holder)]),
        element(
          "span",
          "hint",
          isCurrent
            ? `for ${duration(now - Date.parse(from))}, ends in ${duration(left)}`
            : `ended ${duration(-left)} ago`,
        ),
      );
    }),
  );
}

/** Returns the level of a pool, and a word for it. */
function poolState({ state, isExhausted, available, lowMark }) {
  if (state === "slow") return ["bad", "no answer"];
  if (isExhausted) return ["bad", "all issued"];
  if (state === "failing") return ["bad", "failing"];
  return available < lowMark ? ["warn", "low"] : ["good", "ok"];
}

function poolItem(pool) {
  const { type, length, available, lowMark, highMark, taken, remaining, isExact, isFilling, errorCode } =
    pool;
  const [level, word] = poolState(pool);
  const known = available > highMark ? `more than ${count(highMark)}` : count(available ?? 0);
  const text =
    available === null
      ? "The store does not say how many are available."
      : `${known} available of ${count(highMark)}; a refill starts at ${count(lowMark)}`;
  const bar = meter(
    `pool ${level}${isFilling ? " filling" : ""}`,
    (available ?? 0) / highMark,
    `Available IDs of ${type}`,
    text,
  );
  const mark = element("i", "mark");
  mark.style.left = `${(lowMark / highMark) * 100}%`;
  bar.append(mark);
  return element(
    "li",
    "card",
    element("h3", "", type, " ", tag(level, word), ...(isFilling ? [" ", tag("own", "refilling")] : [])),
    bar,
    element("p", "meter-text", text),
    element(
      "dl",
      "facts",
      ...facts([
        ["Digits", count(length)],
        ["Issued", taken === null ? "unknown" : count(taken)],
        ["Left", remaining === null ? "unknown" : `${isExact ? "" : "about "}${count(Number(remaining))}`],
        ["Error", errorCode ?? undefined],
      ]),
    ),
  );
}

function showPools({ pools }) {
  for (const part of document.querySelectorAll("[data-part=pools]")) part.hidden = pools.length === 0;
  put(place("pool-list"), ...pools.map(poolItem));
}

function cell(role, text, className = "") {
  const made = element("span", className, text);
  made.role = role;
  return made;
}

function row(...cells) {
  const made = element("div", "row", ...cells);
  made.role = "row";
  return made;
}

function showTotals({ requests: { routes }, ids }) {
  const head = row(
    cell("columnheader", "Route", "wide"),
    ...["Requests", "4xx", "5xx", "Mean"].map((name) => cell("columnheader", name)),
  );
  const body = [...routes]
    .sort((one, other) => other.count - one.count)
    .map(({ route, count: total, classes, sumMs }) =>
      row(
        cell("cell", route === "" ? "no route" : route, "wide"),
        cell("cell", count(total)),
        cell("cell", count(classes["4xx"] ?? 0), classes["4xx"] ? "warn" : ""),
        cell("cell", count(classes["5xx"] ?? 0), classes["5xx"] ? "bad" : ""),
        cell("cell", milliseconds(sumMs / total)),
      ),
    );
  put(place("by-route"), head, ...body);
  const kinds = Object.entries(ids).sort(([, one], [, other]) => other - one);
  const most = kinds[0]?.[1] ?? 1;
  put(
    place("by-kind"),
    ...(kinds.length === 0 ? [element("li", "none", "This process has issued no IDs.")] : []),
    ...kinds.map(([kind, issued]) => {
      const fill = element("span", "fill");
      fill.style.width = `${(issued / most) * 100}%`;
      return element("li", "", element("span", "name", kind), element("b", "", count(issued)), fill);
    }),
  );
}

/** Draws a status. */
export function showStatus(status, history, nowMs) {
  place("live").classList.remove("stale");
  const problems = findProblems(status, history.growth("serverErrors", 60_000));
  const level = problems.some((problem) => problem.level === "bad")
    ? "bad"
    : problems.length > 0
      ? "warn"
      : LEVELS[status.status];
  const headline =
    level === "warn" && status.status === "ok"
      ? plural(problems.length, "warning")
      : HEADLINES[status.status];
  showVerdict(level, headline, problems);
  showFacts(status);
  const windowMs = history.windowMs(nowMs);
  showText(place("window"), `the last ${duration(windowMs)}`);
  for (const chart of charts) chart.update(history.points, nowMs, windowMs);
  showTotals(status);
  showLease(status);
  showStores(status);
  showLimits(status);
  showNodes(status);
  showPools(status);
}

/** Draws the capacity of the layout, which does not change while the process runs. */
export function showCapacity({ layout }) {
  const { capacity, epochMs, tickMs } = layout;
  const [day, time] = moment(new Date(epochMs).toISOString()).split(/ (.*)/);
  const texts = {
    ...figures(capacity),
    epoch: day,
    "epoch-note": `${time}; a tick is ${plural(tickMs, "millisecond")}`,
  };
  for (const region of document.querySelectorAll("[data-figure]"))
    showText(region, texts[region.dataset.figure]);
}
