// Metrics of the process, by the names that the clients of Prometheus have agreed on, and the build. A runtime without
// `process` has the build alone.

import { VERSION } from "../version.ts";
import type { Family } from "./exposition.ts";
import { runtimeName } from "./runtimeName.ts";

/** The part of the globals that is used here. */
interface Runtime {
  readonly process?: {
    cpuUsage?(): { readonly user: number; readonly system: number };
    memoryUsage?(): { readonly rss: number; readonly heapUsed: number };
    uptime?(): number;
  };
}

/** Returns the value of a function of the runtime; `undefined` if it is missing or refuses, as in a sandbox. */
function tryRead<T>(read: (() => T) | undefined): T | undefined {
  try {
    return read?.();
  } catch {
    return undefined;
  }
}

function single(name: string, type: Family["type"], help: string, value: number | undefined): Family[] {
  return value === undefined ? [] : [{ name, type, help, samples: [{ value }] }];
}

/** Reads the metrics of this process. */
export function processFamilies(): Family[] {
  const { process } = globalThis as unknown as Runtime;
  const cpu = tryRead(() => process?.cpuUsage?.());
  const memory = tryRead(() => process?.memoryUsage?.());
  const uptime = tryRead(() => process?.uptime?.());
  return [
    ...single(
      "process_cpu_seconds_total",
      "counter",
      "CPU time of the process.",
      cpu && (cpu.user + cpu.system) / 1e6,
    ),
    ...single("process_resident_memory_bytes", "gauge", "Memory of the process.", memory?.rss),
    ...single("process_heap_bytes", "gauge", "Memory of JavaScript objects.", memory?.heapUsed),
    ...single(
      "process_start_time_seconds",
      "gauge",
      "When the process started, in seconds since 1970.",
      uptime && Math.round(Date.now() - uptime * 1000) / 1000,
    ),
    {
      name: "bitflake_build_info",
      type: "gauge",
      help: "The version of bitflake and the runtime. The value is always 1.",
      samples: [{ labels: { version: VERSION, runtime: runtimeName() }, value: 1 }],
    },
  ];
}
