// PermutedIds: the IDs of a type in an order that only a key knows, walked by a counter.

import { startTimer } from "../backend/call.ts";
import { assertBackend } from "../backend/portSettings.ts";
import type { Counter } from "../counter/index.ts";
import { ArgumentError, assertKnownOptions, IdPoolExhaustedError, InvalidIdError } from "../internal.ts";
import { blockCipher } from "./blockCipher.ts";
import type { DigitBuilder } from "./digitBuilder.ts";
import { Ff1, LANES } from "./ff1.ts";
import { recall, register } from "./registry.ts";
import { aType, type NumericIdType, walkOf } from "./type.ts";

/** After how many numbers others get a turn. */
const TURN = 1000;

/** What {@link PermutedIds} are made of. An unknown name is refused. */
export interface PermutedIdsOptions {
  /** What the IDs are. Its name and length are part of the order: under another name it is another order. */
  readonly type: NumericIdType;
  /** The key of AES: 16, 24 or 32 random bytes, or as many in hexadecimal. */
  readonly key: Uint8Array | string;
  /** Where in the order the next ID is: a counter of `bitflake/counter`, from 1 on, on any store. */
  readonly counter: Counter;
}

/** The bytes of a key. They are copied: whoever changes theirs changes nothing here. */
function bytesOf(key: Uint8Array | string): Uint8Array {
  const isHex = typeof key === "string" && /^(?:[0-9a-f]{32}|[0-9a-f]{48}|[0-9a-f]{64})$/i.test(key);
  if (isHex) return Uint8Array.from(key.match(/../g) as string[], (byte) => Number.parseInt(byte, 16));
  if (key instanceof Uint8Array && [16, 24, 32].includes(key.length)) return Uint8Array.from(key);
  // The value of a key belongs in no message.
  const given = typeof key === "string" ? `${key.length} characters` : `${key?.length} bytes`;
  throw new ArgumentError("key", "16, 24 or 32 bytes, or as many in hexadecimal", given);
}

/** A sign of a key that does not tell it: 48 bits of a block that is enciphered nowhere else. */
function signOf(key: Uint8Array): string {
  // FF1 begins its own blocks with 1.
  const block = Int32Array.of(0x62697466, 0x6c616b65, 0, 0);
  blockCipher(key)()(block);
  const [first = 0, second = 0] = Uint32Array.from(block);
  return first.toString(16).padStart(8, "0") + (second >>> 16).toString(16).padStart(4, "0");
}

/**
 * The IDs of a type, each once, in an order that looks random to all who lack the key, and without a row for each: all
 * that is kept is a counter.
 *
 * The number that a counter gives is enciphered with FF1 (NIST SP 800-38G) to another number of as many digits, which
 * with its check digit is the ID. Where that breaks a rule, the next number is tried.
 *
 * - **What it protects**: from IDs alone, nobody can tell the next one, or how many there are, or which of two is older.
 * - **What it does not**: whoever has the key knows all IDs, past and to come, so it is kept like a password. There is no
 *   changing it, for another key is another order, and would repeat IDs: the store remembers a sign of the key, and
 *   refuses another. The shorter the ID, the weaker the cipher: below 7 digits FF1 has fewer values than the draft of its revision
 *   asks for, and who sees a good part of them can learn more. Some valid IDs are not issued yet; which ones, any cipher leaves
 *   open, but with most of them issued a guess is a good guess.
 * - **How fast**: at 10 digits one number in ten is an ID, at 16 one in 70, at 20 one in 330, and beyond that it gets
 *   slow: take an {@link IdPool} there. With a counter of `block: 1` each number is a step of the store, and no ID is
 *   ever skipped; by the block it is many times faster, and what a process has not used when it ends is lost.
 * - **The end**: when the counter has passed every number it is an {@link IdPoolExhaustedError}, and by then each ID was
 *   issued. IDs of 20 digits and more outlast the counter.
 *
 * @example
 * ```ts
 * import { memory } from "bitflake/backend";
 * import { Counter } from "bitflake/counter";
 * import { NumericIdType, PermutedIds } from "bitflake/numeric";
 *
 * const type = new NumericIdType({ name: "farmer", length: 10 });
 * const counter = new Counter({ backend: memory(), name: "farmers", block: 100 });
 * const ids = new PermutedIds({ type, key: "2b7e151628aed2a6abf7158809cf4f3c", counter });
 * const id = await ids.issue();
 * type.validate(id).valid; // => true
 * (await ids.issue()) === id; // => false
 * ```
 */
export class PermutedIds {
  /** What the IDs are. */
  declare readonly type: NumericIdType;

  readonly #counter: Counter;
  readonly #cipher: Ff1;
  readonly #walk: DigitBuilder;
  readonly #sign: string;
  /** How many numbers there are. */
  readonly #size: bigint;
  /** The numbers at the latest position and those after it. */
  #ahead: { readonly from: bigint; readonly numbers: readonly bigint[] } = { from: 1n, numbers: [] };
  #begun: Promise<void> | undefined;
  #isExhausted = false;

  /**
   * Asks nothing of the store yet.
   *
   * @param options `type`, `key` and `counter`
   * @throws {@link ArgumentError} if an option is missing, wrong or unknown. Its message never has the key
   */
  constructor(options: PermutedIdsOptions) {
    assertKnownOptions(options, ["type", "key", "counter"]);
    const { type, key, counter } = options;
    const bytes = bytesOf(key);
    if (typeof counter?.next !== "function") throw new ArgumentError("counter", "a Counter", counter);
    assertBackend(counter.backend);
    this.type = aType(type);
    this.#counter = counter;
    this.#sign = signOf(bytes);
    // Types of one key have orders that have nothing to do with each other.
    const tweak = new TextEncoder().encode(`${type.length} ${type.name}`);
    this.#cipher = new Ff1(bytes, type.length - 1, tweak);
    this.#size = 10n ** BigInt(type.length - 1);
    this.#walk = walkOf(type);
  }

  /**
   * Issues an ID.
   *
   * @throws {@link IdPoolExhaustedError} if all are issued
   * @throws {@link BackendError} if the store is down, too slow, or makes no sense; at worst one ID is lost
   * @throws {@link CounterBackwardsError} if the store's counter is behind what it has given out before
   * @throws {@link CounterExhaustedError} if the counter is used up, which with 20 digits and more comes before the IDs
   * @throws {@link NamespaceError} if the store has IDs of the same name of another kind, key, length or counter, or the
   *   counter is that of another type
   */
  async issue(): Promise<string> {
    this.#begun ??= this.#register().catch((error) => {
      this.#begun = undefined;
      throw error;
    });
    await this.#begun;
    for (let tries = 1; !this.#isExhausted; tries++) {
      const position = await this.#counter.next();
      // A counter with a floor of 0 begins before the first position.
      const id = position > 0n && position <= this.#size ? this.idAt(position) : undefined;
      if (id !== undefined) return id;
      this.#isExhausted = position >= this.#size;
      if (tries % TURN === 0) await new Promise<void>((wake) => startTimer(wake, 0));
    }
    throw new IdPoolExhaustedError(this.type.name, 1, 0);
  }

  /** Has the store remember what the order is, and what the counter is for. */
  async #register(): Promise<void> {
    const { backend, name: counter } = this.#counter;
    const { name, length } = this.type;
    const shape = { kind: "permutation", length, counter, key: this.#sign };
    // What is refused leaves nothing behind.
    const isKnown = await recall(backend, name, shape);
    // Braces are in the name of no type. With two types on one counter each would lack what the other has.
    await register(backend, `{${counter}}`, { type: name }, `the counter ${counter}`);
    if (!isKnown) await register(backend, name, shape);
  }

  /**
   * The ID at a position of the order, whether or not it was issued; it issues nothing.
   *
   * @param position 1 to 10 to the power of the length less one
   * @returns `undefined` if what is there breaks a rule
   * @throws {@link ArgumentError} if there is no such position
   *
   * @example
   * ```ts
   * import { memory } from "bitflake/backend";
   * import { Counter } from "bitflake/counter";
   * import { NumericIdType, PermutedIds } from "bitflake/numeric";
   *
   * const type = new NumericIdType({ name: "farmer", length: 10 });
   * const counter = new Counter({ backend: memory(), name: "farmers" });
   * const ids = new PermutedIds({ type, key: "2b7e151628aed2a6abf7158809cf4f3c", counter });
   * const position = ids.positionOf("8349257232");
   * ids.idAt(position); // => '8349257232'
   * ```
   */
  idAt(position: bigint): string | undefined {
    if (typeof position !== "bigint" || position < 1n || position > this.#size) {
      throw new ArgumentError("position", `a bigint from 1 to ${this.#size}`, position);
    }
    const digits = this.type.length - 1;
    const number = this.#numberAt(position).toString().padStart(digits, "0");
    this.#walk.clear();
    for (let i = 0; i < digits; i++) if (!this.#walk.push(number.charCodeAt(i) - 48)) return undefined;
    return this.#walk.finish() ? this.#walk.toString() : undefined;
  }

  /** The number that a position is enciphered to. Where positions are asked for in a row, many are done at once. */
  #numberAt(position: bigint): bigint {
    const { from, numbers } = this.#ahead;
    const at = position - from;
    const known = at < 0n ? undefined : numbers[Number(at)];
    if (known !== undefined) return known;
    const isOnward = at >= 0n && at < numbers.length + LANES;
    const length = isOnward ? Math.min(LANES, Number(this.#size - position) + 1) : 1;
    const values = Array.from({ length }, (_, i) => position - 1n + BigInt(i));
    const enciphered = this.#cipher.encrypt(values);
    this.#ahead = { from: position, numbers: enciphered };
    return enciphered[0] as bigint;
  }

  /**
   * The position of an ID in the order: the number that the counter had, or will have, for it.
   *
   * @throws {@link InvalidIdError} if it is no ID of the type
   */
  positionOf(id: string): bigint {
    if (typeof id !== "string" || !this.type.validate(id).valid) {
      throw new InvalidIdError("id", `an ID of ${this.type.name}`, id);
    }
    return (this.#cipher.decrypt([BigInt(id.slice(0, -1))])[0] as bigint) + 1n;
  }
}
