// Bodies of Node requests: read once, and given back to parsers that come later; or, after a parser, its result.

import { ArgumentError } from "../internal.ts";
import { canonicalBytes } from "./canonical.ts";
import type { NodeRequest } from "./nodeTypes.ts";

/** The places in which parsers leave a body. */
export interface ParsedBody {
  readonly body?: unknown;
  /** The bytes, if an option such as `verify` of `express.json` has kept them. */
  readonly rawBody?: unknown;
  /** The files of a multipart body. */
  readonly file?: unknown;
  readonly files?: unknown;
  /** Set by the parsers of Express 4, which also leave `{}` as the body of requests that they do not parse. */
  readonly _body?: unknown;
}

/** The bodies that were read and given back, because a second middleware finds the stream used. */
const readBodies = /* @__PURE__ */ new WeakMap<NodeRequest, readonly Uint8Array[]>();

/** The largest JSON of an empty object, with white space. A longer body was not parsed. */
const MAX_EMPTY = 64;

/** Returns the error of a body that was used up. */
export class UnseenBodyError extends ArgumentError {
  constructor(given: unknown) {
    super(
      "the request's body",
      "unread, or parsed into req.body or req.rawBody with its files in memory: register idempotency before the middleware that reads it",
      given,
    );
  }
}

/** Whether nothing has read a request, and nothing is about to. */
function isUnread(raw: NodeRequest): boolean {
  const { readableDidRead, readableEnded, readableFlowing, destroyed } = raw;
  const isUsed = readableDidRead || readableEnded || readableFlowing || destroyed;
  return (
    !isUsed && raw.read !== undefined && !raw.listenerCount?.("data") && !raw.listenerCount?.("readable")
  );
}

/** Whether all of a body has arrived. In HTTP/2, and in requests that are not Node's, only the stream's state has it. */
function hasArrived(raw: NodeRequest): boolean {
  const { _readableState: state } = raw as { _readableState?: { ended?: boolean } };
  return state?.ended ?? raw.complete ?? false;
}

/** Returns the bytes of a chunk, which is a string if the stream has an encoding. */
function bytesOf(chunk: unknown): Uint8Array {
  return typeof chunk === "string" ? new TextEncoder().encode(chunk) : (chunk as Uint8Array);
}

/**
 * Reads a stream, and puts its chunks back before it ends, so that later readers find it as it was.
 *
 * @param ifEmpty returns the bytes of a body whose stream has none, because a host has parsed it
 */
function readAndGiveBack(raw: NodeRequest, ifEmpty: () => Uint8Array): ReadableStream<Uint8Array> {
  let stop = () => {};
  const start = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    const chunks: Uint8Array[] = [];
    const onReadable = () => {
      // Not read() without a length before it, because that would end an empty stream.
      while (Number(raw.readableLength) > 0) {
        const chunk = raw.read?.();
        if (chunk === null || chunk === undefined) break;
        chunks.push(chunk as Uint8Array);
        controller.enqueue(bytesOf(chunk));
      }
      if (!hasArrived(raw)) return;
      stop();
      // At once, because the end of a stream without bytes is emitted in the next tick.
      for (const chunk of [...chunks].reverse()) raw.unshift?.(chunk);
      readBodies.set(raw, chunks.map(bytesOf));
      if (chunks.length === 0) controller.enqueue(ifEmpty());
      controller.close();
    };
    const onGone = () => {
      stop();
      controller.error(
        Object.assign(new Error("the client closed the connection"), { code: "ECONNABORTED", status: 400 }),
      );
    };
    stop = () => {
      raw.removeListener?.("readable", onReadable);
      raw.removeListener?.("error", onGone);
      raw.removeListener?.("close", onGone);
    };
    // Not with a listener, because adding one ends a stream without bytes.
    if (hasArrived(raw)) return onReadable();
    raw.on?.("error", onGone);
    raw.on?.("close", onGone);
    raw.on?.("readable", onReadable);
  };
  let isStarted = false;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (isStarted) return;
        isStarted = true;
        start(controller);
      },
      cancel() {
        stop();
        // The response is decided, so the rest is discarded.
        raw.resume?.();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Returns a stream of bytes that are computed, or fail, when it is read. */
function lateStream(bytes: () => Uint8Array): ReadableStream<Uint8Array> {
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    controller.enqueue(bytes());
    controller.close();
  };
  return new ReadableStream<Uint8Array>({ pull }, { highWaterMark: 0 });
}

/** Whether an object without keys is the result of a parser, and not the one that Express 4 leaves without parsing. */
function isCredible(body: unknown, { headers }: NodeRequest, { _body: isParsed }: ParsedBody): boolean {
  if (typeof body !== "object" || body === null || Array.isArray(body) || Object.keys(body).length > 0)
    return true;
  if (body instanceof Uint8Array || {}.toString.call(body) !== "[object Object]") return true;
  const isObjectType = /^application\/(?:[\w.+-]*json|x-www-form-urlencoded)\b/i.test(
    String(headers["content-type"]),
  );
  return isParsed === true || (isObjectType && !(Number(headers["content-length"]) > MAX_EMPTY));
}

/** Returns the files of a multipart body, each with its bytes. Returns `undefined` if one has none in memory. */
function filesOf({ file, files }: ParsedBody): unknown[] | undefined {
  // @fastify/multipart gives each request functions of these names.
  const isFiles = (value: unknown) => Boolean(value) && typeof value !== "function";
  const lists = [file, ...Object.values(Object(files) as object)].filter(isFiles).flat() as Readonly<
    Record<string, unknown>
  >[];
  const seen = lists.map(({ fieldname, originalname, name, mimetype, size, buffer, data }) => {
    const bytes = buffer ?? data;
    const isWhole = bytes instanceof Uint8Array && (size === undefined || size === bytes.length);
    return isWhole ? [fieldname, originalname ?? name, mimetype, bytes] : undefined;
  });
  return seen.includes(undefined) ? undefined : seen;
}

/**
 * Returns the result of a parser, as bytes.
 *
 * @throws {@link UnseenBodyError} if the body is in no place that is known
 */
function parsedBytes(raw: NodeRequest, parsed: ParsedBody): Uint8Array {
  const { body, rawBody } = parsed;
  if (rawBody instanceof Uint8Array || typeof rawBody === "string") return bytesOf(rawBody);
  if (headerIsZero(raw)) return new Uint8Array(0);
  const files = filesOf(parsed);
  if (files && files.length > 0) {
    const bytes = canonicalBytes([body, files]);
    if (bytes) return bytes;
  } else if (files && body !== undefined && isCredible(body, raw, parsed)) {
    const bytes = canonicalBytes(body);
    if (bytes) return bytes;
  }
  throw new UnseenBodyError(body);
}

/** Whether a request says that its body is empty. */
function headerIsZero({ headers }: NodeRequest): boolean {
  return headers["content-length"] === "0";
}

/** Returns the bytes of a body that a host has parsed before there was a stream; no bytes if there is none. */
function hostBytes(raw: NodeRequest, parsed: ParsedBody): Uint8Array {
  const { body, rawBody } = parsed;
  const isEmpty = typeof body === "object" ? Object.keys(Object(body)).length === 0 : !body;
  return isEmpty && !rawBody ? new Uint8Array(0) : parsedBytes(raw, parsed);
}

/** Returns the body of a request, to be read for its fingerprint. Its parsers still find it unread. */
export function requestBody(raw: NodeRequest, parsed: ParsedBody): ReadableStream<Uint8Array> {
  const known = readBodies.get(raw);
  if (known) {
    const chunks = [...known];
    return new ReadableStream<Uint8Array>({
      pull(controller) {
        const chunk = chunks.shift();
        if (chunk) controller.enqueue(chunk);
        else controller.close();
      },
    });
  }
  if (isUnread(raw)) return readAndGiveBack(raw, () => hostBytes(raw, parsed));
  return lateStream(() => parsedBytes(raw, parsed));
}
