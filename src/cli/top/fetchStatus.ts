// Reads the status of a service: GET /status.

import type { CountedStatus } from "../../service/console/history.ts";
import { CommandError, describeError } from "../errors.ts";
import { printable } from "../terminal/color.ts";

/** How long a service may take to answer, in milliseconds. Its own probes end after one second. */
const TIMEOUT_MS = 5000;

/** The part of a status that is shown. */
export interface ServiceStatus extends CountedStatus {
  readonly name: string;
  readonly version: string;
  readonly status: string;
  readonly node: { readonly datacenterId: number; readonly machineId: number } | null;
  readonly lease: { readonly state: string; readonly msLeft: number } | null;
  readonly nodes: { readonly held: number } | null;
  readonly layout: { readonly capacity: { readonly nodes: number } };
  readonly stores: readonly {
    readonly kind: string;
    readonly uses: readonly string[];
    readonly state: string;
    readonly errorCode: string | null;
  }[];
  readonly pools: readonly {
    readonly type: string;
    readonly state: string;
    readonly available: number | null;
    readonly highMark: number;
    readonly remaining: string | null;
  }[];
}

/** Where a status is read. */
export interface StatusSource {
  /** The address of the service, with a slash at its end. */
  readonly url: URL;
  readonly apiKey: string | undefined;
}

function assertStatus(value: unknown, url: URL): ServiceStatus {
  const { name, status, uptimeMs, requests, pools } = Object(value) as Partial<ServiceStatus>;
  const isStatus =
    typeof name === "string" &&
    typeof status === "string" &&
    typeof uptimeMs === "number" &&
    Array.isArray(requests?.routes) &&
    Array.isArray(pools);
  if (isStatus) return value as ServiceStatus;
  throw new CommandError("ERR_SERVICE", `${url.href} did not answer with the status of a bitflake service`);
}

/**
 * Reads the status of a service.
 *
 * @throws {@link CommandError} with the code `ERR_SERVICE` if it does not answer with one
 */
export async function fetchStatus(
  { url, apiKey }: StatusSource,
  signal: AbortSignal,
): Promise<ServiceStatus> {
  const target = new URL("status", url);
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(target, {
      headers: { accept: "application/json", ...(apiKey !== undefined && { "x-api-key": apiKey }) },
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    body = await response.json().catch(() => undefined);
  } catch (cause) {
    // The message of fetch itself is always the same. Its cause has the reason.
    const { message } = describeError((Object(cause) as { cause?: unknown }).cause ?? cause);
    throw new CommandError("ERR_SERVICE", `${target.href} does not answer: ${message}`, { cause });
  }
  if (response.status === 401 || response.status === 403) {
    throw new CommandError(
      "ERR_SERVICE",
      `${target.href} requires an API key with the scope watch: set BITFLAKE_WATCH_KEY`,
    );
  }
  if (response.status !== 200) {
    const { code } = Object(body) as { code?: unknown };
    const reason = typeof code === "string" ? `${response.status}, ${printable(code)}` : `${response.status}`;
    throw new CommandError("ERR_SERVICE", `${target.href} answered ${reason}`);
  }
  return assertStatus(body, target);
}
