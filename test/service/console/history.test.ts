// History: rates and percentiles between statuses, and interruptions of the charts.

import { describe, expect, test } from "vitest";
import { type CountedStatus, History } from "../../../src/service/console/history.ts";

/** A status after some seconds, with requests of which one in ten fails, and the buckets of their durations. */
const statusAt = (seconds: number, requests: number, more: Partial<CountedStatus> = {}): CountedStatus => ({
  uptimeMs: seconds * 1000,
  processes: 1,
  ids: { snowflake: requests * 2 },
  requests: {
    bucketBoundsMs: [10, 20],
    routes: [
      {
        route: "/generate_snowflake_id",
        count: requests,
        classes: { "2xx": requests * 0.9, "5xx": requests / 10 },
        buckets: [requests / 2, requests / 2, 0],
      },
      { route: "/status", count: 1000 * seconds, classes: { "4xx": 1 }, buckets: [1000 * seconds] },
    ],
  },
  ...more,
});

describe("rates", () => {
  test("are those between two statuses, without the reader's own requests", () => {
    const history = new History();
    history.add(statusAt(1, 0), 1000);
    expect(history.points).toEqual([]);
    history.add(statusAt(3, 100), 3000);
    expect(history.points).toEqual([
      { atMs: 3000, requests: 50, clientErrors: 0, serverErrors: 5, ids: 100, median: 10, slowest: 19.8 },
    ]);
    expect(history.growth("requests", 2000)).toBe(100);
    expect(history.growth("requests", 1000)).toBe(0);
    expect(history.growth("ids", 60_000)).toBe(200);
  });

  test("have no durations without a request, and the last bound for those beyond it", () => {
    const history = new History();
    history.add(statusAt(1, 0), 1000);
    history.add(statusAt(2, 0), 2000);
    expect(history.points[0]).toMatchObject({ requests: 0, median: undefined, slowest: undefined });
    const beyond = statusAt(3, 10);
    const [route, own] = beyond.requests.routes;
    const slow = { ...route, buckets: [0, 0, 10] } as typeof own;
    history.add({ ...beyond, requests: { bucketBoundsMs: [10, 20], routes: [slow, own] as never } }, 3000);
    expect(history.points[1]).toMatchObject({ median: 20, slowest: 20 });
  });

  test("are left out if the status is that of before", () => {
    const history = new History();
    history.add(statusAt(1, 0), 1000);
    history.add(statusAt(1, 0), 1000);
    expect(history.points).toEqual([]);
  });
});

describe("the lines are interrupted", () => {
  const interrupted = (history: History) => history.points.map((point) => point.requests === undefined);

  test("if a process was started again, or another one reports too", () => {
    const history = new History();
    history.add(statusAt(10, 100), 10_000);
    history.add(statusAt(11, 110), 11_000);
    history.add(statusAt(1, 5), 12_000);
    history.add(statusAt(2, 10), 13_000);
    history.add(statusAt(3, 30, { processes: 2 }), 14_000);
    expect(interrupted(history)).toEqual([false, true, false, true]);
    expect(history.growth("requests", 60_000)).toBe(0);
  });

  test("if no status came for a while, and if the uptime has fallen behind", () => {
    const history = new History();
    history.add(statusAt(1, 0), 1000);
    history.add(statusAt(9, 80), 9000);
    expect(interrupted(history)).toEqual([true, false]);
    history.add(statusAt(10, 90), 20_000);
    expect(interrupted(history)).toEqual([true, false, true]);
  });
});

test("the window grows by halves of a minute, from one minute to five, and older points are dropped", () => {
  const history = new History();
  expect([history.windowMs(0), history.growth("ids", 1000)]).toEqual([60_000, 0]);
  for (let second = 1; second <= 400; second += 3) history.add(statusAt(second, second), second * 1000);
  expect(history.points.length).toBeLessThanOrEqual(101);
  expect(history.windowMs(400_000)).toBe(300_000);
  const early = new History();
  for (const second of [1, 2]) early.add(statusAt(second, second), second * 1000);
  expect(early.windowMs(63_000)).toBe(90_000);
});
