// Randomness from the runtime's own CSPRNG: a token drawn at the call, and bytes out of a batch that lives for one turn.

import { UnsupportedError } from "../errors.ts";

/** The bytes of a turn's first batch: a call of `crypto` costs 1 to 2 µs, and for 256 bytes hardly more than for 16. */
const FIRST_BATCH = 256;

/** Each further batch of a turn is so many times larger, up to {@link LARGEST_BATCH}. */
const GROWTH = 4;

/** A call of `crypto` may ask for 65,536 bytes. */
const LARGEST_BATCH = 16_384;

/** Random bytes repeat one value so many times once in 2^120. */
const SPAN = 16;

/** The batch, as bytes and as numbers of 16 bits. */
let bytes: Uint8Array | undefined;
let numbers: Uint16Array | undefined;
/** How many numbers of the batch are used, and how many it has. */
let used = 0;
let size = 0;

/** How many batches have been dropped. What was drawn under another number was drawn in an earlier turn. */
export let turnCount = 0;

/** Whether the bytes of a span are all the same. */
function isOneValue(drawn: Uint8Array, from: number): boolean {
  const value = drawn[from];
  for (let at = from + 1; at < from + SPAN; at++) if (drawn[at] !== value) return false;
  return true;
}

/**
 * Draws random bytes from `crypto.getRandomValues`.
 *
 * It asks for bytes and takes the array that is returned, because a stub may fill one byte of a larger element or
 * return an array of its own. It refuses 16 bytes of one value, which is what most stubs leave. For each 16 bytes of a
 * sound source that happens once in 2^120.
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
    // Some runtimes refuse while they load modules.
    throw new UnsupportedError("randomness here", { cause });
  }
  // By its tag and not its class, because test environments have classes of their own.
  if ({}.toString.call(drawn) !== "[object Uint8Array]" || (drawn as Uint8Array).length !== count) {
    throw new UnsupportedError("crypto.getRandomValues that returns its array");
  }
  for (let at = 0; at < count; at += SPAN) {
    if (isOneValue(drawn as Uint8Array, at)) throw new UnsupportedError("fair randomness");
  }
  return drawn as Uint8Array;
}

/**
 * Draws a name that nothing else has: 128 random bits as 32 characters of `0-9a-f`. They are drawn at the call, so two
 * copies of one process never get the same.
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
  // An array that a stub returned may begin anywhere, where no number of 16 bits can.
  bytes = fresh.byteOffset % 2 === 0 ? fresh : fresh.slice();
  numbers = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  // A microtask runs when the code that draws returns. Every runtime has them, and fake timers leave promises alone.
  if (size === 0) Promise.resolve().then(dropBatch);
  used = 0;
  size = numbers.length;
}

/**
 * Hands 16 random bytes out of a batch to a function.
 *
 * A batch is dropped when the code that draws returns to the event loop. So no copy of the process repeats it: neither
 * one that starts from a V8 snapshot nor one that is cloned while it waits, as AWS SnapStart, Firecracker and CRIU do.
 *
 * @param use gets the batch, and where in it the bytes begin
 * @throws {@link UnsupportedError} as {@link freshToken}
 */
export function useRandomBytes16<T>(use: (bytes: Uint8Array, from: number) => T): T {
  if (used + 8 > size) refillBatch();
  const from = 2 * used;
  used += 8;
  return use(bytes as Uint8Array, from);
}

/**
 * Returns a random whole number from 0 to 65,535, out of the same batch.
 *
 * @throws {@link UnsupportedError} as {@link freshToken}
 */
export function randomUint16(): number {
  if (used === size) refillBatch();
  return (numbers as Uint16Array)[used++] as number;
}
