// Captures the response that a handler writes to a Node response, as a Response of the fetch standard. Nothing is sent
// until it is known whether the response counts.

import { startTimer } from "../backend/call.ts";
import type { NodeHeader, NodeResponse } from "./nodeTypes.ts";

/** The methods that send, with the arguments that Node has for them. */
interface Sender {
  writeHead(status: number, ...rest: unknown[]): unknown;
  write(...parameters: unknown[]): boolean;
  end(...parameters: unknown[]): unknown;
  flushHeaders(): void;
}

const METHODS = ["writeHead", "write", "end", "flushHeaders"] as const;

/** Statuses without a body. */
const BODILESS = [204, 205, 304];

/** How many bytes may wait before `write` asks its caller to pause. */
const HIGH_WATER_MARK = 65_536;

/** How long a handler has, after the client went away, before its key is free again. */
const ABANDONED_MS = 600_000;

/** The headers of a response at a moment, by names in lower case. */
export type HeaderSnapshot = Readonly<Record<string, NodeHeader | undefined>>;

/** Whether two values of a header are sent as the same. */
export function isSameHeader(one: NodeHeader | undefined, other: NodeHeader | undefined): boolean {
  return String(one) === String(other) && Array.isArray(one) === Array.isArray(other);
}

/** Returns the bytes of a chunk. A copy, because the caller may use the memory again. */
function toBytes(chunk: unknown, encoding: unknown): Uint8Array<ArrayBuffer> {
  if (chunk instanceof Uint8Array) return new Uint8Array(chunk);
  if (typeof chunk !== "string") throw new TypeError("a chunk must be a string or a Uint8Array");
  if (!encoding || /^utf-?8$/i.test(String(encoding))) return new TextEncoder().encode(chunk);
  const { Buffer } = globalThis as unknown as {
    Buffer: { from(text: string, encoding: unknown): Uint8Array };
  };
  return new Uint8Array(Buffer.from(chunk, encoding));
}

/** Reads the arguments of `write` and `end`, which may leave out the encoding, and `end` all of them. */
function parseArguments(given: readonly unknown[]): {
  readonly chunk: unknown;
  readonly encoding: unknown;
  readonly callback: (() => void) | undefined;
} {
  const callback = given.find((value) => typeof value === "function") as (() => void) | undefined;
  const [chunk, encoding] = given.map((value) => (typeof value === "function" ? undefined : value));
  return { chunk: chunk ?? undefined, encoding: encoding ?? undefined, callback };
}

/** The response of one handler. */
export class Capture {
  /** Resolves when the handler sends its first bytes or ends the response. Rejects if the response breaks off before. */
  readonly response: Promise<Response>;
  /** The headers that were set before the handler. They belong to the middleware outside, and to no stored response. */
  readonly outer: HeaderSnapshot;
  readonly #res: NodeResponse & Sender;
  readonly #hasBody: boolean;
  readonly #own = new Map<string, PropertyDescriptor | undefined>();
  readonly #originals = new Map<(typeof METHODS)[number], (...parameters: unknown[]) => unknown>();
  #resolve!: (response: Response) => void;
  #reject!: (error: unknown) => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #isHeadWritten = false;
  #isEnded = false;
  #isFailed = false;
  #needsDrain = false;
  #isSending = false;
  #stopTimer = () => {};

  /** Begins to capture. */
  constructor(res: NodeResponse, outer: HeaderSnapshot, method: string | undefined) {
    this.#res = res as NodeResponse & Sender;
    this.outer = outer;
    this.#hasBody = method !== "HEAD";
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const captured: Sender = {
      writeHead: (status, ...rest) => this.#writeHead(status, rest),
      write: (...given) => this.#write(given),
      end: (...given) => this.#end(given),
      flushHeaders: () => void this.#start(),
    };
    for (const name of METHODS) {
      const original = Reflect.get(res, name) as (...parameters: unknown[]) => unknown;
      this.#originals.set(name, original);
      const call = captured[name] as (...parameters: unknown[]) => unknown;
      this.#define(name, {
        writable: true,
        value: (...given: unknown[]) => (this.#isSending ? original.apply(res, given) : call(...given)),
      });
    }
    // Frameworks ask these before they send an error, or send at all.
    this.#define("headersSent", { get: () => this.#isHeadWritten });
    this.#define("writableEnded", { get: () => this.#isEnded });
    res.once("close", this.#onClose);
    // The client may have gone away while the request waited.
    if (res.destroyed) this.#onClose();
  }

  /** Ends the response as broken. */
  readonly fail = (error: unknown): void => {
    if (this.#isEnded || this.#isFailed) return;
    this.#isFailed = true;
    this.#stopTimer();
    this.#controller?.error(error);
    this.#reject(error);
  };

  readonly #onClose = (): void => {
    if (this.#isEnded) return;
    const error = new Error("the client closed the connection before the response ended");
    // Its source stops when the connection is closed. A handler that has not begun goes on, and its result counts.
    if (this.#controller) this.fail(error);
    else this.#stopTimer = startTimer(() => this.fail(error), ABANDONED_MS, { background: true });
  };

  /**
   * Calls the response's own methods. Those of the middleware outside may call others of them meanwhile.
   *
   * @param send gets a function that calls one of them
   */
  send<T>(name: "write" | "end", ...given: unknown[]): T {
    this.#isSending = true;
    try {
      return this.#originals.get(name)?.apply(this.#res, given) as T;
    } finally {
      this.#isSending = false;
    }
  }

  /** Gives the response its own properties back; of one that has not ended, only `headersSent`. */
  release(): void {
    const isOver = this.#isEnded || this.#isFailed || !this.#controller;
    for (const [name, property] of this.#own) {
      if (isOver || name === "headersSent") this.#restore(name, property);
    }
    if (isOver) this.#res.removeListener("close", this.#onClose);
  }

  #define(name: string, property: PropertyDescriptor): void {
    this.#own.set(name, Object.getOwnPropertyDescriptor(this.#res, name));
    Object.defineProperty(this.#res, name, { configurable: true, ...property });
  }

  #restore(name: string, property: PropertyDescriptor | undefined): void {
    if (property) Object.defineProperty(this.#res, name, property);
    else Reflect.deleteProperty(this.#res, name);
  }

  #writeHead(status: number, rest: readonly unknown[]): unknown {
    const res = this.#res;
    if (this.#isHeadWritten) return res;
    if (!(status >= 100 && status <= 999)) throw new RangeError(`Invalid status code: ${status}`);
    res.statusCode = status;
    if (typeof rest[0] === "string") res.statusMessage = rest[0];
    const headers = rest.find((value) => typeof value === "object" && value !== null);
    for (const [name, value] of headerEntries(headers as object | undefined)) res.setHeader(name, value);
    this.#isHeadWritten = true;
    return res;
  }

  /** Decides the head. Returns whether the body can still be written. */
  #start(bytes?: Uint8Array<ArrayBuffer>): boolean {
    if (this.#isFailed) return false;
    if (this.#controller) return true;
    const res = this.#res as NodeResponse & Sender;
    // Through the object, because middleware such as compression changes the headers in its own writeHead.
    if (!this.#isHeadWritten) res.writeHead(res.statusCode);
    const { statusCode: status, statusMessage } = res;
    const headers = new Headers();
    for (const [name, value = []] of Object.entries(res.getHeaders())) {
      if (isSameHeader(value, this.outer[name])) continue;
      for (const item of [value].flat()) headers.append(name, String(item));
    }
    const start = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      this.#controller = controller;
    };
    const pull = () => {
      if (!this.#needsDrain) return;
      this.#needsDrain = false;
      res.emit("drain");
    };
    const size = (chunk: Uint8Array) => chunk.length;
    const stream = new ReadableStream<Uint8Array>({ start, pull }, { highWaterMark: HIGH_WATER_MARK, size });
    const hasBody = this.#hasBody && !BODILESS.includes(status);
    const body = bytes ? (bytes.length > 0 ? bytes : null) : stream;
    try {
      this.#resolve(
        new Response(hasBody ? body : null, { status, statusText: statusMessage ?? "", headers }),
      );
    } catch (error) {
      this.fail(error);
      return false;
    }
    return true;
  }

  #write(given: readonly unknown[]): boolean {
    const { chunk, encoding, callback } = parseArguments(given);
    const bytes = toBytes(chunk, encoding);
    if (this.#isEnded) return false;
    const isOpen = this.#start();
    if (callback) queueMicrotask(callback);
    if (!isOpen || bytes.length === 0) return isOpen;
    this.#controller?.enqueue(bytes);
    this.#needsDrain = Number(this.#controller?.desiredSize) <= 0;
    return !this.#needsDrain;
  }

  #end(given: readonly unknown[]): unknown {
    const { chunk, encoding, callback } = parseArguments(given);
    if (this.#isEnded) return this.#res;
    const bytes = chunk === undefined ? new Uint8Array(0) : toBytes(chunk, encoding);
    // As in Node, it is called when all of the response has been sent.
    if (callback) this.#res.once("finish", callback);
    const wasStarted = this.#controller !== undefined;
    if (!this.#start(bytes)) return this.#res;
    this.#isEnded = true;
    this.#stopTimer();
    if (wasStarted && bytes.length > 0) this.#controller?.enqueue(bytes);
    this.#controller?.close();
    return this.#res;
  }
}

/** Returns the headers of `writeHead`: an object, or an array of names and values. */
function headerEntries(headers: object = {}): [string, string | string[]][] {
  const isFlat = Array.isArray(headers) && !Array.isArray(headers[0]);
  const pairs: readonly (readonly [string, unknown])[] = isFlat
    ? headers.flatMap((name, index) => (index % 2 === 0 ? [[name, headers[index + 1]] as const] : []))
    : Array.isArray(headers)
      ? headers
      : Object.entries(headers);
  const values = new Map<string, [string, string[]]>();
  for (const [name, value] of pairs) {
    if (value === undefined) throw new TypeError(`Invalid value "undefined" for header "${name}"`);
    const key = String(name).toLowerCase();
    const [first, before] = values.get(key) ?? [String(name), []];
    values.set(key, [first, [...before, ...[value].flat().map(String)]]);
  }
  return [...values.values()].map(([name, items]) => [name, items.length > 1 ? items : (items[0] ?? [])]);
}
