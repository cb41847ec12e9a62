// BitflakeClient: the calls of the HTTP service, with IDs fetched ahead.

import { AsyncDisposer } from "../asyncDispose.ts";
import { assertName } from "../backend/names.ts";
import type { FetchAbortSignal } from "../http/fetchTypes.ts";
import { KEY_HEADER_NAMES, MAX_KEY_LENGTH } from "../idempotency/key.ts";
import { REPLAYED_HEADER } from "../idempotency/replay.ts";
import {
  ArgumentError,
  assertFunction,
  assertKnownOptions,
  assertOneOf,
  assertWhole,
  type Capacity,
  type DecodedId,
  PRESETS,
  type PresetName,
  parseId,
  uuid,
} from "../internal.ts";
import {
  parseCapacity,
  parseDecodedId,
  parseHealth,
  parseIds,
  parseNumericId,
  parseNumericIds,
  parseText,
  parseValidity,
  type ServiceHealth,
  UnexpectedAnswer,
} from "./answers.ts";
import type { Answer } from "./attempt.ts";
import { type FetchLimits, type IdBlock, IdBuffer } from "./idBuffer.ts";
import { type ClientOptions, type ClientSettings, MAX_COUNT, resolveClientSettings } from "./options.ts";
import { RepeatGuard } from "./repeatGuard.ts";
import { closedError, Sender, type ServiceCall } from "./sender.ts";

/** The most IDs of one call. */
const MAX_IDS = 10_000;

/** The longest random string of the service. */
const MAX_STRING_LENGTH = 4096;

const UUIDS = {
  4: /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
  7: /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
} as const;

/** Options of all calls of a {@link BitflakeClient}. An unknown name is refused. */
export interface ClientCallOptions {
  /** Ends the call when it is aborted. The call then rejects with the signal's reason. Other calls continue. */
  readonly signal?: FetchAbortSignal | undefined;
}

/** Options of {@link BitflakeClient.uuid}. An unknown name is refused. */
export interface ClientUuidOptions extends ClientCallOptions {
  /** 4, the default: random; 7: in the order of time. */
  readonly version?: 4 | 7 | undefined;
}

/** Options of {@link BitflakeClient.issueNumericId} and {@link BitflakeClient.issueNumericIds}. An unknown name is refused. */
export interface IssueNumericIdOptions extends ClientCallOptions {
  /**
   * The key of the request: 1 to 255 characters of printable ASCII. The same key of the same client gets the same ID, also a
   * year later. Default: a random UUID.
   */
  readonly requestKey?: string | undefined;
}

/** The facts of an issue. */
interface Issue {
  /** The key of the request. Keep it if the call may have to be repeated. */
  readonly requestKey: string;
  /** Whether all was issued for the key before. That may have been by an attempt of this call, whose answer was lost. */
  readonly isReplay: boolean;
}

/** An ID of {@link BitflakeClient.issueNumericId}. */
export interface IssuedNumericId extends Issue {
  /** The ID. */
  readonly id: string;
}

/** The IDs of {@link BitflakeClient.issueNumericIds}. */
export interface IssuedNumericIds extends Issue {
  /** The IDs, in the order of the key. */
  readonly ids: readonly string[];
}

/**
 * A client of the HTTP service, on Node, Deno, Bun, browsers and workers.
 *
 * - **IDs come from memory.** {@link BitflakeClient.nextId} takes them from a block that was fetched ahead. While one half of
 *   a block is in use, the next one is fetched, with one request at a time. Callers are served in their order.
 * - **No ID twice.** An ID goes to one caller. IDs that were fetched and not used are lost: one and a half blocks, so at most
 *   1,500, when the client ends, and a block of at most 1,000 for each request whose answer is lost.
 * - **IDs are young.** The size of a block follows the demand, and an ID that has waited for longer than `maxAgeMs` is
 *   discarded. So IDs of several clients sort by time, give or take `maxAgeMs`. A client that makes less than a call in a
 *   quarter of it fetches nothing ahead.
 * - **Failures** that may pass are repeated, at the other services too, until `timeoutMs` is over. Every other failure is a
 *   {@link ServiceError}, and so is an answer that is not the service's. Redirects are not followed.
 *
 * A copy of a running process (a snapshot of a virtual machine, CRIU) has a copy of the block, and repeats its IDs if it
 * continues within `maxAgeMs`. Create the client after the copy, or set `prefetch: 0`.
 *
 * @example
 * ```ts
 * import { memory } from "bitflake/backend";
 * import { BitflakeClient } from "bitflake/client";
 * import { createService } from "bitflake/service";
 *
 * const service = createService({ backend: memory() });
 * const ids = new BitflakeClient({
 *   url: "http://ids.internal:3000",
 *   fetch: (url, init) => service(new Request(url, init)), // only here, where there is no server
 * });
 * const id = await ids.nextId();
 * (await ids.nextId()) > id; // => true
 * await ids.close();
 * await service.stop();
 * ```
 */
export class BitflakeClient extends AsyncDisposer {
  readonly #settings: ClientSettings;
  readonly #sender: Sender;
  readonly #ids: IdBuffer;
  readonly #repeats: RepeatGuard = new RepeatGuard();

  /**
   * Creates a client. It sends nothing yet.
   *
   * @param options see {@link ClientOptions}; only `url` is required
   * @throws {@link ArgumentError} if an option is missing, wrong or unknown
   */
  constructor(options: ClientOptions) {
    const settings = resolveClientSettings(options);
    super(() => this.close());
    this.#settings = settings;
    this.#sender = new Sender(settings, Math.random);
    this.#ids = new IdBuffer((count, limits) => this.#fetchIds(count, limits), settings);
  }

  /**
   * Returns a new Snowflake ID: from memory, or as soon as the next block has come. IDs of one service increase.
   *
   * @param options `signal`, default none
   * @throws {@link ServiceError} if no ID came in time, the service refuses the request, or the client is closed
   * @throws {@link ArgumentError} if an option is wrong or unknown
   * @throws the reason of the signal
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { BitflakeClient } from "bitflake/client";
   * import { createService } from "bitflake/service";
   *
   * const service = createService({ backend: memory() });
   * const fetch = (url: string, init: RequestInit) => service(new Request(url, init));
   * const ids = new BitflakeClient({ url: "http://ids.internal:3000", fetch });
   * const made = await Promise.all([ids.nextId(), ids.nextId(), ids.nextId()]);
   * new Set(made).size; // => 3
   * await ids.close();
   * await service.stop();
   * ```
   */
  nextId(options?: ClientCallOptions): Promise<bigint> {
    if (options !== undefined) return this.#nextIdWith(options);
    const id = this.#ids.take();
    return id === undefined ? this.#nextIdWith({}) : Promise.resolve(id);
  }

  async #nextIdWith(options: ClientCallOptions): Promise<bigint> {
    const [id] = await this.#ids.takeMany(1, signalOf(options));
    return id as bigint;
  }

  /**
   * Returns several new Snowflake IDs: those that as many calls of {@link BitflakeClient.nextId} would return. A call that
   * rejects loses the IDs that it has got so far.
   *
   * @param count 1 to 10,000
   * @param options `signal`, default none
   * @throws {@link ServiceError} if they did not come in time, the service refuses the request, or the client is closed
   * @throws {@link ArgumentError} if the count or an option is wrong
   * @throws the reason of the signal
   */
  async nextIds(count: number, options: ClientCallOptions = {}): Promise<bigint[]> {
    assertWhole("count", count, 1, MAX_IDS);
    return this.#ids.takeMany(count, signalOf(options));
  }

  /**
   * Returns the next value of the service's counter.
   *
   * @param options `signal`, default none
   * @throws {@link ServiceError} if the service does not answer, or refuses the request
   * @throws {@link ArgumentError} if an option is wrong or unknown
   * @throws the reason of the signal
   */
  async nextCounterValue(options: ClientCallOptions = {}): Promise<bigint> {
    const [value] = await this.nextCounterValues(1, options);
    return value as bigint;
  }

  /**
   * Returns the next values of the service's counter, in order. They are one request, so nothing is fetched ahead. A value is
   * lost if the answer is.
   *
   * @param count 1 to 1000
   * @param options `signal`, default none
   * @throws {@link ServiceError} if the service does not answer, or refuses the request
   * @throws {@link ArgumentError} if the count or an option is wrong
   * @throws the reason of the signal
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { BitflakeClient } from "bitflake/client";
   * import { createService } from "bitflake/service";
   *
   * const service = createService({ backend: memory() });
   * const fetch = (url: string, init: RequestInit) => service(new Request(url, init));
   * const ids = new BitflakeClient({ url: "http://ids.internal:3000", fetch });
   * await ids.nextCounterValues(3); // => [ 1n, 2n, 3n ]
   * await ids.nextCounterValue(); // => 4n
   * await ids.close();
   * await service.stop();
   * ```
   */
  async nextCounterValues(count: number, options: ClientCallOptions = {}): Promise<bigint[]> {
    assertWhole("count", count, 1, MAX_COUNT);
    const path = `/generate_counter_id?count=${count}`;
    return this.#get(path, options, (answer) => parseIds(answer, count));
  }

  /**
   * Returns a UUID that the service made.
   *
   * @param options `version`, 4 or 7, default 4; `signal`, default none
   * @throws {@link ServiceError} if the service does not answer, or refuses the request
   * @throws {@link ArgumentError} if an option is wrong or unknown
   * @throws the reason of the signal
   */
  async uuid(options: ClientUuidOptions = {}): Promise<string> {
    assertKnownOptions(options, ["version", "signal"]);
    const { version = 4, signal } = options;
    assertOneOf("version", version, [4, 7]);
    return this.#get(`/generate_uuid?version=${version}`, { signal }, (answer) =>
      parseText(answer, UUIDS[version]),
    );
  }

  /**
   * Returns a random string of A-Z, a-z, 0-9, _ and - that the service made.
   *
   * @param length 1 to 4096 characters; default 21
   * @param options `signal`, default none
   * @throws {@link ServiceError} if the service does not answer, or refuses the request
   * @throws {@link ArgumentError} if the length or an option is wrong
   * @throws the reason of the signal
   */
  async randomString(length = 21, options: ClientCallOptions = {}): Promise<string> {
    assertWhole("length", length, 1, MAX_STRING_LENGTH);
    const pattern = new RegExp(`^[\\w-]{${length}}$`);
    return this.#get(`/generate_random_string/${length}`, options, (answer) => parseText(answer, pattern));
  }

  /**
   * Issues a numeric ID of a type. All attempts of the call have one request key, so that they get one ID, however many answers
   * are lost. If the call rejects, the ID may have been issued: call again with the key, which the error has as `requestKey`.
   *
   * @param type the name of the type
   * @param options `requestKey`, default a random UUID; `signal`, default none
   * @throws {@link ServiceError} if the service does not answer, or refuses the request: `serviceCode` is `"IDG-002"` if all
   *   IDs of the type are issued, `"IDG-003"` if there is no such type
   * @throws {@link ArgumentError} if the type or an option is wrong
   * @throws the reason of the signal
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { BitflakeClient } from "bitflake/client";
   * import { createService } from "bitflake/service";
   *
   * const service = createService({ backend: memory(), types: { farmer: { length: 10 } } });
   * const fetch = (url: string, init: RequestInit) => service(new Request(url, init));
   * const ids = new BitflakeClient({ url: "http://ids.internal:3000", fetch });
   * const { id } = await ids.issueNumericId("farmer", { requestKey: "form-41" });
   * const again = await ids.issueNumericId("farmer", { requestKey: "form-41" });
   * again.id === id; // => true
   * again.isReplay; // => true
   * await ids.validateNumericId("farmer", id); // => true
   * await ids.close();
   * await service.stop();
   * ```
   */
  async issueNumericId(type: string, options: IssueNumericIdOptions = {}): Promise<IssuedNumericId> {
    const { result, ...facts } = await this.#issue(type, "", options, parseNumericId);
    return { id: result, ...facts };
  }

  /**
   * Issues several numeric IDs of a type, with one request key as {@link BitflakeClient.issueNumericId}: a call that is repeated
   * with the key gets the same IDs, and those that are missing if it failed half-way. With the same key and another count it
   * gets the first of them, or more.
   *
   * @param type the name of the type
   * @param count how many, 1 to 1,000
   * @param options `requestKey`, default a random UUID; `signal`, default none
   * @throws {@link ServiceError} if the service does not answer, or refuses the request, as for `issueNumericId`. If fewer IDs
   *   are left, none is returned, and those that were issued come with the next call for the key
   * @throws {@link ArgumentError} if the type, the count or an option is wrong
   * @throws the reason of the signal
   */
  async issueNumericIds(
    type: string,
    count: number,
    options: IssueNumericIdOptions = {},
  ): Promise<IssuedNumericIds> {
    assertWhole("count", count, 1, MAX_COUNT);
    const parse = (answer: Answer) => parseNumericIds(answer, count);
    const { result, ...facts } = await this.#issue(type, `?count=${count}`, options, parse);
    return { ids: result, ...facts };
  }

  /**
   * Returns whether an ID keeps the rules of its type; not whether it was issued.
   *
   * @param type the name of the type
   * @param id the ID, from outside. Text that is not 1 to 32 digits is not valid, without a request
   * @param options `signal`, default none
   * @throws {@link ServiceError} if the service does not answer, or refuses the request
   * @throws {@link ArgumentError} if the type is wrong, the ID is no string, or an option is wrong
   * @throws the reason of the signal
   */
  async validateNumericId(type: string, id: string, options: ClientCallOptions = {}): Promise<boolean> {
    const path = `/v1/idgenerator/${pathSegment(type)}/id/validate/`;
    if (typeof id !== "string") throw new ArgumentError("id", "a string", id);
    const signal = signalOf(options);
    if (!/^\d{1,32}$/.test(id)) return false;
    return this.#get(`${path}${id}`, { signal }, (answer) => parseValidity(answer, id));
  }

  /**
   * Takes a Snowflake ID apart, by the layout of the service or by a preset.
   *
   * @param id a bigint, a canonical decimal string or a safe integer
   * @param preset the name of a preset, with its own epoch. Default: the layout of the service
   * @param options `signal`, default none
   * @throws {@link ServiceError} if the service does not answer, or refuses the request, as for an ID of another layout
   * @throws {@link InvalidIdError} if it is no ID
   * @throws {@link ArgumentError} if the preset or an option is wrong
   * @throws the reason of the signal
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { BitflakeClient } from "bitflake/client";
   * import { createService } from "bitflake/service";
   *
   * const service = createService({ backend: memory() });
   * const fetch = (url: string, init: RequestInit) => service(new Request(url, init));
   * const ids = new BitflakeClient({ url: "http://ids.internal:3000", fetch });
   * const { generatedAt } = await ids.decode("175928847299117063", "discord");
   * generatedAt; // => '2016-04-30T11:18:25.796Z'
   * await ids.close();
   * await service.stop();
   * ```
   */
  async decode(
    id: bigint | string | number,
    preset?: PresetName,
    options: ClientCallOptions = {},
  ): Promise<DecodedId> {
    const wanted = parseId(id);
    return this.#get(`/decode/${wanted}${presetQuery(preset)}`, options, (answer) =>
      parseDecodedId(answer, wanted),
    );
  }

  /**
   * Returns how much the layout of the service holds, or a preset.
   *
   * @param preset the name of a preset. Default: the layout of the service
   * @param options `signal`, default none
   * @throws {@link ServiceError} if the service does not answer, or refuses the request
   * @throws {@link ArgumentError} if the preset or an option is wrong
   * @throws the reason of the signal
   */
  async capacity(preset?: PresetName, options: ClientCallOptions = {}): Promise<Capacity> {
    return this.#get(`/capacity${presetQuery(preset)}`, options, parseCapacity);
  }

  /**
   * Returns how a service is: the one that answers first, in the order in which other calls try them. A service that is not
   * ready is a result, and no error.
   *
   * @param options `signal`, default none
   * @throws {@link ServiceError} if no service answers
   * @throws {@link ArgumentError} if an option is wrong or unknown
   * @throws the reason of the signal
   */
  async health(options: ClientCallOptions = {}): Promise<ServiceHealth> {
    const signal = signalOf(options);
    return this.#send({ method: "GET", path: "/health", otherStatus: 503, parse: parseHealth }, { signal });
  }

  /** Issues numeric IDs with a request key. */
  async #issue<T>(
    type: string,
    query: string,
    options: IssueNumericIdOptions,
    parse: (answer: Answer) => T,
  ): Promise<{ readonly result: T; readonly requestKey: string; readonly isReplay: boolean }> {
    assertKnownOptions(options, ["requestKey", "signal"]);
    const path = `/v1/idgenerator/${pathSegment(type)}/id${query}`;
    const { requestKey = uuid(), signal } = options;
    if (
      typeof requestKey !== "string" ||
      !/^[ -~]+$/.test(requestKey) ||
      requestKey.length > MAX_KEY_LENGTH
    ) {
      throw new ArgumentError(
        "requestKey",
        `1 to ${MAX_KEY_LENGTH} characters of printable ASCII`,
        requestKey,
      );
    }
    const quoted = `"${requestKey.replace(/["\\]/g, "\\$&")}"`;
    return this.#send(
      {
        method: "POST",
        path,
        headers: { [KEY_HEADER_NAMES[0]]: quoted },
        requestKey,
        parse: (answer) => ({
          result: parse(answer),
          requestKey,
          isReplay: answer.header(REPLAYED_HEADER) === "true",
        }),
      },
      { signal },
    );
  }

  /**
   * Closes the client: cancels the requests in flight and rejects the calls that wait, and all calls to come, with a
   * {@link ServiceError} whose reason is `"closed"`. The IDs that were fetched and not used are lost.
   */
  async close(): Promise<void> {
    this.#ids.close(closedError());
    this.#sender.close();
  }

  #get<T>(path: string, options: ClientCallOptions, parse: ServiceCall<T>["parse"]): Promise<T> {
    return this.#send({ method: "GET", path, parse }, { signal: signalOf(options) });
  }

  #send<T>(call: ServiceCall<T>, { signal }: { readonly signal: FetchAbortSignal | undefined }): Promise<T> {
    const untilMs = performance.now() + this.#settings.timeoutMs;
    return this.#sender.send(call, { untilMs: () => untilMs, signal: signal as AbortSignal | undefined });
  }

  /** Fetches a block of Snowflake IDs. */
  #fetchIds(count: number, limits: FetchLimits): Promise<IdBlock> {
    const call: ServiceCall<IdBlock> = {
      method: "GET",
      path: `/generate_snowflake_id?count=${count}`,
      parse: (answer) => {
        const ids = parseIds(answer, count);
        if (this.#repeats.isRepeat(ids[0] as bigint))
          throw new UnexpectedAnswer("an earlier answer came again");
        return { ids, sentMs: answer.sentMs };
      },
    };
    // The process may end while no call waits for the block. A call that waits keeps it alive.
    return this.#sender.send(call, { ...limits, background: true });
  }
}

/** Asserts options that are a signal alone; returns the signal. */
function signalOf(options: ClientCallOptions): AbortSignal | undefined {
  assertKnownOptions(options, ["signal"]);
  const signal = options.signal as AbortSignal | undefined;
  if (signal !== undefined) assertFunction("signal.throwIfAborted", Object(signal).throwIfAborted);
  return signal;
}

/** Asserts the name of a type; returns it as a segment of a path. */
function pathSegment(type: string): string {
  return encodeURIComponent(assertName("type", type));
}

/** Asserts a preset; returns the query that names it. */
function presetQuery(preset: PresetName | undefined): string {
  return preset === undefined ? "" : `?preset=${assertOneOf("preset", preset, Object.keys(PRESETS))}`;
}
