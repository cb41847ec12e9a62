// Random numbers from the runtime's CSPRNG: tokens drawn at each call, and bytes from a batch that is dropped at the
// end of the current event-loop turn.

import { UnsupportedError } from "../errors.ts";

/** The bytes of a turn's first batch. A call of `crypto` costs 1 to 2 µs, for 256 bytes hardly more than for 16. */
const FIRST_BATCH = 256;

/** The factor by which each further batch of a turn is larger, up to {@link LARGEST_BATCH}. */
const GROWTH = 4;

/** The largest batch. `crypto` allows 65,536 bytes a call. */
const LARGEST_BATCH = 16_384;

/** How many bytes are compared. Sound random bytes repeat one value 16 times once in 2^120. */
const SPAN = 16;

/** The batch, as bytes and as numbers of 16 bits. */
let bytes: Uint8Array | undefined;
let numbers: Uint16Array | undefined;
/** The number of 16-bit numbers of the batch that are used, and of all. */
let used = 0;
let size = 0;

/** The number of event-loop turns so far that used a batch. It identifies the current one. */
export let turnCount = 0;

/** Whether all bytes of a span are equal. */
function isOneValue(drawn: Uint8Array, from: number): boolean {
  const value = drawn[from];
  for (let at = from + 1; at < from + SPAN; at++) if (drawn[at] !== value) return false;
  return true;
}

/**
 * Draws random bytes from `crypto.getRandomValues`.
 *
 * It requests bytes and uses the returned array, because a stub may fill only one byte of a larger element or return an
 * array of its own. It refuses 16 equal bytes, which most stubs return.
 *
 * @param count a multiple of 16, at most 65,536
 * @throws {@link UnsupportedError} if there is no `crypto`, or if it throws or does not return random bytes
 */
function randomBytes(count: number): Uint8Array {
  const { crypto } = globalThis as { crypto?: Crypto };
  if (!crypto) throw new UnsupportedError("crypto");
  let drawn: unknown;
  try {
    drawn = crypto.getRandomValues(new Uint8Array(count));
  } catch (cause) {
    // Some runtimes refuse random numbers while they load modules.
    throw new UnsupportedError("randomness here", { cause });
  }
  // By its tag and not by instanceof, because test environments have classes of their own.
  if ({}.toString.call(drawn) !== "[object Uint8Array]" || (drawn as Uint8Array).length !== count) {
    throw new UnsupportedError("crypto.getRandomValues that returns its array");
  }
  for (let at = 0; at < count; at += SPAN) {
    if (isOneValue(drawn as Uint8Array, at)) throw new UnsupportedError("fair randomness");
  }
  return drawn as Uint8Array;
}

/**
 * Returns a unique token: 128 random bits as 32 characters of `0-9a-f`. They are drawn at the call, so two copies of
 * one process never get the same token.
 *
 * @throws {@link UnsupportedError} if the runtime has no `crypto`, or one that does not return random bytes
 */
export function freshToken(): string {
  let text = "";
  for (const byte of randomBytes(16)) text += byte.toString(16).padStart(2, "0");
  return text;
}

function dropBatch(): void {
  bytes = undefined;
  numbers = undefined;
  used = 0;
  size = 0;
  turnCount++;
}

function refillBatch(): void {
  const fresh = randomBytes(size === 0 ? FIRST_BATCH : Math.min(2 * size * GROWTH, LARGEST_BATCH));
  // The array of a stub may begin at an odd offset, where a Uint16Array cannot.
  bytes = fresh.byteOffset % 2 === 0 ? fresh : fresh.slice();
  numbers = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  // A microtask runs when the calling code returns to the event loop. Every runtime has microtasks, and fake timers do
  // not replace promises.
  if (size === 0) Promise.resolve().then(dropBatch);
  used = 0;
  size = numbers.length;
}

/**
 * Calls a function with 16 random bytes of a batch.
 *
 * A batch is dropped when the calling code returns to the event loop, so no copy of the process repeats it: neither one
 * that starts from a V8 snapshot, nor one that AWS SnapStart, Firecracker or CRIU clone while it waits.
 *
 * @param use gets the batch, and the index of the first of the 16 bytes
 * @throws {@link UnsupportedError} as {@link freshToken}
 */
export function useRandomBytes16<T>(use: (bytes: Uint8Array, from: number) => T): T {
  if (used + 8 > size) refillBatch();
  const from = 2 * used;
  used += 8;
  return use(bytes as Uint8Array, from);
}

/**
 * Returns a random whole number from 0 to 65,535 from the same batch.
 *
 * @throws {@link UnsupportedError} as {@link freshToken}
 */
export function randomUint16(): number {
  if (used === size) refillBatch();
  return (numbers as Uint16Array)[used++] as number;
}
