// Answers of the service as typed values. An answer that the request cannot have is refused, so that a page of a proxy, or JSON
// that was cut off, is never an ID.

import { type Capacity, type DecodedId, readId, serializable } from "../internal.ts";
import type { Answer } from "./attempt.ts";

/** How a part of a service is. */
export interface ServicePartHealth {
  /** Whether it works. */
  readonly status: "ok" | "failing";
}

/** How the lease of a service's node is. */
export interface ServiceLeaseHealth extends ServicePartHealth {
  /** The node, as a number over both fields. */
  readonly node: number;
  /** When the lease ends unless it is renewed. */
  readonly until: Date;
}

/** How a pool of numeric IDs is. */
export interface ServicePoolHealth extends ServicePartHealth {
  /** How many IDs are available; `null` if that is not known. */
  readonly available: number | null;
}

/** How a service is, as `GET /health` answers. */
export interface ServiceHealth {
  /**
   * `"ok"`: it works; `"degraded"`: everything but some pools works; `"failing"`, `"starting"` and `"stopping"`: send it no
   * requests.
   */
  readonly status: "ok" | "degraded" | "failing" | "starting" | "stopping";
  /** The stores. */
  readonly backend: ServicePartHealth;
  /** The generator of Snowflake IDs. */
  readonly generator: ServicePartHealth;
  /** The lease of its node; `null` if the node was assigned, or is not leased yet. */
  readonly lease: ServiceLeaseHealth | null;
  /** The pools of numeric IDs by type. */
  readonly pools: Readonly<Record<string, ServicePoolHealth>>;
}

/** Says why an answer is refused. It is no Error, because it becomes part of one. */
export class UnexpectedAnswer {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

/** Asserts a rule of an answer. */
function assertAnswer(holds: boolean, rule: string): asserts holds {
  if (!holds) throw new UnexpectedAnswer(rule);
}

/** A JSON object of which nothing is known. */
type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown, name = "the body"): Fields {
  assertAnswer(typeof value === "object" && value !== null && !Array.isArray(value), `${name} is no object`);
  return value as Fields;
}

function parseBody({ text }: Answer): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UnexpectedAnswer("the body is not JSON");
  }
  return fieldsOf(value);
}

/**
 * Asserts that an answer comes from the service, and not from a cache that disregards `cache-control: no-store`: another client
 * may have got the same IDs. A proxy that only passes an answer on may say that its age is 0.
 */
export function assertNotCached({ header }: Answer): void {
  assertAnswer(/^0*$/.test(header("age") ?? ""), "it comes from a cache");
}

/** Parses IDs that increase: exactly as many as the request names. */
export function parseIds(answer: Answer, count: number): bigint[] {
  const { ids } = parseBody(answer);
  assertAnswer(Array.isArray(ids) && ids.length === count, `the body has not ${count} IDs`);
  let last = -1n;
  return (ids as readonly unknown[]).map((text) => {
    const id = typeof text === "string" ? readId(text) : undefined;
    assertAnswer(id !== undefined, "an ID is not decimal text of up to 63 bits");
    assertAnswer(id > last, "the IDs do not increase");
    last = id;
    return id;
  });
}

/** Parses the text of an ID that matches a pattern. */
export function parseText(answer: Answer, pattern: RegExp): string {
  const { id } = parseBody(answer);
  assertAnswer(typeof id === "string" && pattern.test(id), `the ID does not match ${pattern.source}`);
  return id;
}

/** Parses the response in OpenG2P's envelope. */
function parseEnvelope(answer: Answer): Fields {
  return fieldsOf(parseBody(answer)["response"], "the response");
}

function assertNumericId(id: unknown): string {
  assertAnswer(typeof id === "string" && /^\d{1,32}$/.test(id), "the ID has not 1 to 32 digits");
  return id;
}

/** Parses a numeric ID. */
export function parseNumericId(answer: Answer): string {
  return assertNumericId(parseEnvelope(answer)["id"]);
}

/** Parses numeric IDs: exactly as many as the request names, all different. */
export function parseNumericIds(answer: Answer, count: number): string[] {
  const { ids } = parseEnvelope(answer);
  assertAnswer(Array.isArray(ids) && ids.length === count, `the response has not ${count} IDs`);
  const parsed = (ids as readonly unknown[]).map(assertNumericId);
  assertAnswer(new Set(parsed).size === count, "an ID comes twice");
  return parsed;
}

/** Parses whether a numeric ID is valid. */
export function parseValidity(answer: Answer, wantedId: string): boolean {
  const { id, valid } = parseEnvelope(answer);
  assertAnswer(id === wantedId, "it is about another ID");
  assertAnswer(typeof valid === "boolean", "valid is no boolean");
  return valid;
}

function numberIn(fields: Fields, name: string): number {
  const value = fields[name];
  assertAnswer(typeof value === "number", `${name} is no number`);
  return value;
}

function textIn(fields: Fields, name: string): string {
  const value = fields[name];
  assertAnswer(typeof value === "string", `${name} is no text`);
  return value;
}

/** Parses the fields of an ID. */
export function parseDecodedId(answer: Answer, wantedId: bigint): DecodedId {
  const fields = parseBody(answer);
  assertAnswer(fields["id"] === String(wantedId), "it is about another ID");
  return serializable({
    id: wantedId,
    timestampMs: numberIn(fields, "timestampMs"),
    generatedAt: textIn(fields, "generatedAt"),
    datacenterId: numberIn(fields, "datacenterId"),
    machineId: numberIn(fields, "machineId"),
    sequence: numberIn(fields, "sequence"),
  });
}

/** Parses the capacity of a layout. */
export function parseCapacity(answer: Answer): Capacity {
  const fields = parseBody(answer);
  return {
    years: numberIn(fields, "years"),
    expiresAt: textIn(fields, "expiresAt"),
    datacenters: numberIn(fields, "datacenters"),
    machinesPerDatacenter: numberIn(fields, "machinesPerDatacenter"),
    nodes: numberIn(fields, "nodes"),
    idsPerTick: numberIn(fields, "idsPerTick"),
    idsPerSecond: numberIn(fields, "idsPerSecond"),
  };
}

const STATUSES: readonly unknown[] = ["ok", "degraded", "failing", "starting", "stopping"];

function stateIn(fields: Fields): ServicePartHealth["status"] {
  const { status } = fields;
  assertAnswer(status === "ok" || status === "failing", "a status is neither ok nor failing");
  return status;
}

/** Parses the health of a service. Fields that a later version has are left out. */
export function parseHealth(answer: Answer): ServiceHealth {
  const { status, backend, generator, lease, pools } = parseBody(answer);
  assertAnswer(STATUSES.includes(status), `the status is none of ${STATUSES.join(", ")}`);
  return {
    status: status as ServiceHealth["status"],
    backend: { status: stateIn(fieldsOf(backend, "backend")) },
    generator: { status: stateIn(fieldsOf(generator, "generator")) },
    lease: lease === null ? null : parseLease(fieldsOf(lease, "lease")),
    pools: Object.fromEntries(
      Object.entries(fieldsOf(pools, "pools")).map(([type, pool]) => [
        type,
        parsePool(fieldsOf(pool, "a pool")),
      ]),
    ),
  };
}

function parseLease(lease: Fields): ServiceLeaseHealth {
  const until = new Date(textIn(lease, "until"));
  assertAnswer(!Number.isNaN(until.getTime()), "until is no time");
  return { status: stateIn(lease), node: numberIn(lease, "node"), until };
}

function parsePool(pool: Fields): ServicePoolHealth {
  return {
    status: stateIn(pool),
    available: pool["available"] === null ? null : numberIn(pool, "available"),
  };
}
