// The sums of the counts of processes.

import fc from "fast-check";
import { expect, test } from "vitest";
import { memory } from "../../src/backend/index.ts";
import { type ProcessCounts, readCounts, sumCounts } from "../../src/service/counts.ts";
import { BUCKET_BOUNDS } from "../../src/service/histogram.ts";
import type { Lifecycle } from "../../src/service/lifecycle.ts";
import { Metrics } from "../../src/service/metrics.ts";
import { resolveServiceSettings } from "../../src/service/settings.ts";

/** An event in one of the processes. */
type Happening =
  | { readonly process: number; readonly kind: string; readonly count: number }
  | { readonly process: number; readonly route: string; readonly status: number; readonly seconds: number };

const process = fc.nat(3);
const anyHappening: fc.Arbitrary<Happening> = fc.oneof(
  // Names that a plain object has from its prototype, too.
  fc.record({ process, kind: fc.constantFrom("snowflake", "uuid", "toString"), count: fc.nat(9) }),
  fc.record({
    process,
    route: fc.constantFrom("/a", "/b/{id}", ""),
    status: fc.constantFrom(200, 201, 404, 503),
    // Binary fractions, so that sums do not depend on their order.
    seconds: fc.constantFrom(0, 0.25, 1, 16, ...BUCKET_BOUNDS.filter((bound) => bound >= 0.5)),
  }),
);

function countIn(metrics: Metrics, happening: Happening): void {
  if ("kind" in happening) metrics.countIds(happening.kind, happening.count);
  else metrics.countRequest(happening.route, happening.status, happening.seconds);
}

const sorted = ({ ids, inFlight, routes }: Omit<ProcessCounts, "uptimeMs">) => ({
  ids: Object.fromEntries(Object.entries(ids).sort()),
  inFlight,
  routes: routes.toSorted((one, other) => (one.route < other.route ? -1 : 1)),
});

test("the sums over processes are the counts of one process that does everything", () => {
  const settings = resolveServiceSettings({ backend: memory() });
  const lifecycle = (requestsInFlight: number) => ({ requestsInFlight }) as Lifecycle;
  fc.assert(
    fc.property(fc.array(anyHappening), (happenings) => {
      const one = new Metrics(settings);
      const several = Array.from({ length: 4 }, () => new Metrics(settings));
      for (const happening of happenings) {
        countIn(one, happening);
        countIn(several[happening.process] as Metrics, happening);
      }
      const counts = several.map((metrics, index) => readCounts(metrics, lifecycle(index)));
      const sum = sumCounts(counts as [ProcessCounts, ...ProcessCounts[]]);
      expect(sorted(sum)).toEqual(sorted(readCounts(one, lifecycle(6))));
      expect(sum.uptimeMs).toBe(Math.min(...counts.map(({ uptimeMs }) => uptimeMs)));
      for (const metrics of [one, ...several]) metrics.stop();
    }),
  );
});
