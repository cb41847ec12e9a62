// /metrics, in the text format of Prometheus.

import { expect, test } from "vitest";
import { openService } from "../openService.ts";

test("/metrics counts requests by route and status, durations and IDs", async () => {
  const { send, service } = await openService({ types: { farmer: { length: 10 } } });
  await send("/generate_uuid?count=5");
  await send("/generate_uuid");
  await send("/generate_uuid?count=0");
  await send("/decode/1");
  await send("/nowhere/at/all");
  await send("/v1/idgenerator/farmer/id", { method: "POST" });
  const response = await send("/metrics");
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const text = await response.text();
  for (const line of [
    'bitflake_requests_total{route="/generate_uuid",status="200"} 2',
    'bitflake_requests_total{route="/generate_uuid",status="400"} 1',
    'bitflake_requests_total{route="/decode/{id}",status="200"} 1',
    'bitflake_requests_total{route="",status="404"} 1',
    'bitflake_request_duration_seconds_bucket{route="/generate_uuid",le="+Inf"} 3',
    'bitflake_request_duration_seconds_count{route="/generate_uuid"} 3',
    'bitflake_ids_total{kind="uuid"} 6',
    'bitflake_ids_total{kind="numeric"} 1',
    "bitflake_requests_in_flight 1",
    'bitflake_lease_held{node="0"} 1',
    'bitflake_pool_taken{type="farmer"} 1',
  ]) {
    expect(text.split("\n")).toContain(line);
  }
  // Each line is a comment or a sample, each family has a type, and no sample comes twice.
  const samples = text
    .trimEnd()
    .split("\n")
    .filter((line) => !line.startsWith("#"));
  for (const line of samples)
    expect(line).toMatch(/^[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [\d.e+-]+$/);
  const names = samples.map((line) => line.split(" ")[0]);
  expect(new Set(names).size).toBe(names.length);
  // Buckets count up.
  const buckets = samples.filter((line) =>
    line.startsWith('bitflake_request_duration_seconds_bucket{route="/generate_uuid"'),
  );
  const counts = buckets.map((line) => Number(line.split(" ")[1]));
  expect(counts).toEqual([...counts].sort((one, other) => one - other));
  await service.stop();
});
