// Reads the status of a service: GET /status.

import type { CountedStatus } from "../../service/console/history.ts";
import { CommandError, describeError } from "../errors.ts";

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

const isText = (value: unknown): boolean => typeof value === "string";
const isCount = (value: unknown): boolean => Number.isFinite(value);

const listOf = (test: (item: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.every(test);
const mapOf = (test: (item: unknown) => boolean) => (value: unknown) =>
  typeof value === "object" && value !== null && Object.values(value).every(test);
/** Tests whether a value is an object whose fields pass these tests. */
const objectOf =
  (tests: Readonly<Record<string, (field: unknown) => boolean>>) =>
  (value: unknown): boolean => {
    if (typeof value !== "object" || value === null) return false;
    const fields = value as Readonly<Record<string, unknown>>;
    return Object.entries(tests).every(([name, test]) => test(fields[name]));
  };
const orNull = (test: (value: unknown) => boolean) => (value: unknown) => value === null || test(value);

/** Tests the fields of a status that are shown. */
const isStatus = objectOf({
  name: isText,
  version: isText,
  status: isText,
  uptimeMs: isCount,
  processes: isCount,
  node: orNull(objectOf({ datacenterId: isCount, machineId: isCount })),
  lease: orNull(objectOf({ state: isText, msLeft: isCount })),
  nodes: orNull(objectOf({ held: isCount })),
  layout: objectOf({ capacity: objectOf({ nodes: isCount }) }),
  stores: listOf(objectOf({ kind: isText, uses: listOf(isText), state: isText, errorCode: orNull(isText) })),
  pools: listOf(
    objectOf({
      type: isText,
      state: isText,
      available: orNull(isCount),
      highMark: isCount,
      remaining: orNull(isText),
    }),
  ),
  ids: mapOf(isCount),
  requests: objectOf({
    bucketBoundsMs: listOf(isCount),
    routes: listOf(
      objectOf({ route: isText, count: isCount, classes: mapOf(isCount), buckets: listOf(isCount) }),
    ),
  }),
});

function assertStatus(text: string, url: URL): ServiceStatus {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // No JSON is no status either.
  }
  if (isStatus(value)) return value as ServiceStatus;
  throw new CommandError("ERR_SERVICE", `${url.href} did not answer with the status of a bitflake service`);
}

/** Returns the code in the body of an error, with a comma before it; nothing if there is none. */
function codeIn(text: string): string {
  const [, code] = /"code":"(\w{1,40})"/.exec(text) ?? [];
  return code === undefined ? "" : `, ${code}`;
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
  let body: string;
  try {
    response = await fetch(target, {
      headers: { accept: "application/json", ...(apiKey !== undefined && { "x-api-key": apiKey }) },
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    body = await response.text();
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
    throw new CommandError("ERR_SERVICE", `${target.href} answered ${response.status}${codeIn(body)}`);
  }
  return assertStatus(body, target);
}
