// A fetch whose answers a test gives by hand.

import { vi } from "vitest";
import type { ClientFetch, ClientResponse } from "../../src/client/index.ts";

/** A request that waits for its answer. */
export interface PendingRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** How many IDs it wants; 1 without a `count`. */
  readonly count: number;
  /** Answers with JSON, or with a text as it is. */
  answer(body: unknown, status?: number, headers?: Readonly<Record<string, string>>): void;
  /** Breaks the connection. */
  fail(error?: unknown): void;
}

/** Creates a response whose body is there in one turn of the event loop; that of a real Response takes several. */
function responseOf(text: string, status: number, headers: Readonly<Record<string, string>>): ClientResponse {
  const chunks = [new TextEncoder().encode(text)];
  const read = async () => ({ done: chunks.length === 0, value: chunks.shift() });
  const body = { getReader: () => ({ read, cancel: async () => {} }) };
  return { status, headers: new Headers(headers), body };
}

/** Requests, and their answers by hand. */
export class ManualFetch {
  /** The requests that have neither an answer nor been aborted, in their order. */
  readonly pending: PendingRequest[] = [];
  /** All requests. */
  readonly sent: PendingRequest[] = [];
  /** The last ID of each service. */
  readonly #last = new Map<string, bigint>();

  /** @param heedsAbort whether a request that is aborted rejects, as a real one does */
  constructor(readonly heedsAbort = true) {}

  readonly fetch: ClientFetch = (url, { method, headers, signal }) =>
    new Promise((resolve, reject) => {
      const end = () => {
        const at = this.pending.indexOf(request);
        if (at >= 0) this.pending.splice(at, 1);
      };
      const request: PendingRequest = {
        url,
        method,
        headers,
        signal: signal as AbortSignal,
        count: Number(new URL(url).searchParams.get("count") ?? 1),
        answer: (body, status = 200, headers = {}) => {
          end();
          resolve(responseOf(typeof body === "string" ? body : JSON.stringify(body), status, headers));
        },
        fail: (error = new TypeError("fetch failed", { cause: { code: "ECONNRESET" } })) => {
          end();
          reject(error);
        },
      };
      this.pending.push(request);
      this.sent.push(request);
      request.signal.addEventListener("abort", () => {
        if (this.heedsAbort) request.fail(request.signal.reason);
      });
    });

  /** Returns the only pending request. */
  only(): PendingRequest {
    const [request] = this.pending;
    if (request === undefined || this.pending.length > 1) {
      throw new Error(`${this.pending.length} requests are pending, not one`);
    }
    return request;
  }

  /** Answers a request for IDs with the next ones of its service, which has its own range. */
  answerIds(request: PendingRequest = this.only()): void {
    const { origin } = new URL(request.url);
    const first = (this.#last.get(origin) ?? BigInt(this.#last.size) * 2n ** 40n) + 1n;
    this.#last.set(origin, first + BigInt(request.count) - 1n);
    request.answer({ ids: Array.from({ length: request.count }, (_, at) => String(first + BigInt(at))) });
  }
}

/** Runs all callbacks that are due. */
export async function flushEvents(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** Moves the clocks of a test with fake timers, and runs all callbacks that are due. */
export async function advance(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await flushEvents();
}

/** The fakes of the tests of the client: timers and clocks, but not the turns of the event loop. */
export const FAKES: { readonly toFake: ("setTimeout" | "clearTimeout" | "Date" | "performance")[] } = {
  toFake: ["setTimeout", "clearTimeout", "Date", "performance"],
};

/** Follows a call: its result, the code or reason of its error, or "waits". */
export function observe<T>(call: Promise<T>): { outcome: unknown } {
  const observed: { outcome: unknown } = { outcome: "waits" };
  call.then(
    (value) => {
      observed.outcome = value;
    },
    (error) => {
      observed.outcome = error?.reason ?? error;
    },
  );
  return observed;
}
