// PermutedIds: issues the IDs of a type in a secret order, a permutation of a counter by FF1.

import { startTimer } from "../backend/call.ts";
import { assertBackend } from "../backend/portSettings.ts";
import { assertKey } from "../cipher/key.ts";
import type { Counter } from "../counter/index.ts";
import { ArgumentError, assertKnownOptions, IdPoolExhaustedError, InvalidIdError } from "../internal.ts";
import { blockCipher } from "./blockCipher.ts";
import type { DigitBuilder } from "./digitBuilder.ts";
import { Ff1, LANES } from "./ff1.ts";
import { isRegistered, register } from "./registry.ts";
import { assertType, createDigitBuilder, type NumericIdType } from "./type.ts";

/** After how many counter values `issue` lets other tasks run. */
const YIELD_EVERY = 1000;

/** Options of {@link PermutedIds}. An unknown option is refused. */
export interface PermutedIdsOptions {
  /** The type of the IDs. Its name and length determine the order, together with the key. */
  readonly type: NumericIdType;
  /** The AES key: 16, 24 or 32 random bytes, or the same in hexadecimal. */
  readonly key: Uint8Array | string;
  /** Gives the position of the next ID: a counter of `bitflake/counter` that starts at 1, on any store. */
  readonly counter: Counter;
}

/** Returns a fingerprint of a key that does not reveal it: 48 bits of a block that is encrypted for nothing else. */
function fingerprintOf(key: Uint8Array): string {
  // FF1's first block begins with the byte 1, so this one differs from all of them.
  const block = Int32Array.of(0x62697466, 0x6c616b65, 0, 0);
  blockCipher(key)()(block);
  const [first = 0, second = 0] = Uint32Array.from(block);
  return first.toString(16).padStart(8, "0") + (second >>> 16).toString(16).padStart(4, "0");
}

/**
 * Issues the IDs of a type, each once, in an order that looks random without the key. The store keeps only a counter, no
 * row per ID.
 *
 * FF1 (NIST SP 800-38G) encrypts the value of the counter to another number of as many digits. With its check digit that
 * is the ID. If it breaks a rule, the next value is tried.
 *
 * - **What it protects**: without the key, IDs do not reveal the next ID, how many were issued, or which of two is older.
 * - **What it does not protect**: the key reveals all past and future IDs, so keep it like a password. It cannot be changed,
 *   because another key is another order that would repeat IDs; the store keeps a fingerprint of the key and refuses another
 *   one. Short IDs weaken the cipher: below 7 digits FF1 has fewer values than the draft of its revision requires, and an
 *   attacker who sees many of them can learn more. When most IDs are issued, a guessed ID probably exists, whatever the
 *   cipher.
 * - **Speed**: at 10 digits one value in ten is an ID, at 16 one in 70, at 20 one in 330. For longer IDs use an
 *   {@link IdPool}. With a counter of `block: 1` each value is one step of the store, and no ID is ever skipped. A larger
 *   block is many times faster, but the values that a process has not used when it ends are lost.
 * - **The end**: when the counter has passed every number, each ID was issued, and `issue` throws an
 *   {@link IdPoolExhaustedError}. With 20 digits or more the counter ends first.
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
  /** The type of the IDs. */
  readonly type: NumericIdType;

  readonly #counter: Counter;
  readonly #cipher: Ff1;
  readonly #builder: DigitBuilder;
  readonly #fingerprint: string;
  /** How many positions there are. */
  readonly #size: bigint;
  /** Encrypted numbers from the position `from` on. */
  #ahead: { readonly from: bigint; readonly numbers: readonly bigint[] } = { from: 1n, numbers: [] };
  #begun: Promise<void> | undefined;
  #isExhausted = false;

  /**
   * Creates the permutation. It does not query the store before the first call of `issue`.
   *
   * @param options `type`, `key` and `counter`
   * @throws {@link ArgumentError} if an option is missing, wrong or unknown. Its message never contains the key
   */
  constructor(options: PermutedIdsOptions) {
    assertKnownOptions(options, ["type", "key", "counter"]);
    const { type, key, counter } = options;
    const bytes = assertKey("key", key);
    if (typeof counter?.next !== "function") throw new ArgumentError("counter", "a Counter", counter);
    assertBackend(counter.backend);
    this.type = assertType(type);
    this.#counter = counter;
    this.#fingerprint = fingerprintOf(bytes);
    // The tweak gives each type its own, unrelated order.
    const tweak = new TextEncoder().encode(`${type.length} ${type.name}`);
    this.#cipher = new Ff1(bytes, type.length - 1, tweak);
    this.#size = 10n ** BigInt(type.length - 1);
    this.#builder = createDigitBuilder(type);
  }

  /**
   * Issues an ID.
   *
   * @throws {@link IdPoolExhaustedError} if all IDs are issued
   * @throws {@link BackendError} if the store is down, too slow, or gives an unexpected response; at worst one ID is lost
   * @throws {@link CounterBackwardsError} if the store's counter is behind values that it has given before
   * @throws {@link CounterExhaustedError} if the counter is used up, which with 20 digits or more happens before all IDs are
   *   issued
   * @throws {@link NamespaceError} if the store has IDs of the same name and another kind, key, length or counter, or the
   *   counter belongs to another type
   */
  async issue(): Promise<string> {
    this.#begun ??= this.#register().catch((error) => {
      this.#begun = undefined;
      throw error;
    });
    await this.#begun;
    for (let tries = 1; !this.#isExhausted; tries++) {
      const position = await this.#counter.next();
      // A counter whose floor is 0 starts below the first position.
      const id = position > 0n && position <= this.#size ? this.idAt(position) : undefined;
      if (id !== undefined) return id;
      this.#isExhausted = position >= this.#size;
      if (tries % YIELD_EVERY === 0) await new Promise<void>((wake) => startTimer(wake, 0));
    }
    throw new IdPoolExhaustedError(this.type.name, 1, 0);
  }

  /** Registers the type with its key and counter, and the counter with its type. */
  async #register(): Promise<void> {
    const { backend, name: counter } = this.#counter;
    const { name, length } = this.type;
    const shape = { kind: "permutation", length, counter, key: this.#fingerprint };
    // First without writing, so that a refused type leaves nothing in the store.
    const isKnown = await isRegistered(backend, name, shape);
    // No type's name has braces. Two types on one counter would each miss the other's positions.
    await register(backend, `{${counter}}`, { type: name }, `the counter ${counter}`);
    if (!isKnown) await register(backend, name, shape);
  }

  /**
   * Returns the ID at a position of the order, issued or not. It issues nothing.
   *
   * @param position 1 to 10^(length - 1)
   * @returns `undefined` if the number at that position breaks a rule
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
    const isId = this.#builder.pushNumber(this.#numberAt(position)) && this.#builder.pushCheckDigit();
    return isId ? this.#builder.toString() : undefined;
  }

  /** Returns the encrypted number of a position. For consecutive positions it encrypts many at once. */
  #numberAt(position: bigint): bigint {
    const { from, numbers } = this.#ahead;
    const at = position - from;
    const known = at < 0n ? undefined : numbers[Number(at)];
    if (known !== undefined) return known;
    const isSequential = at >= 0n && at < numbers.length + LANES;
    const length = isSequential ? Math.min(LANES, Number(this.#size - position) + 1) : 1;
    const values = Array.from({ length }, (_, i) => position - 1n + BigInt(i));
    const encrypted = this.#cipher.encrypt(values);
    this.#ahead = { from: position, numbers: encrypted };
    return encrypted[0] as bigint;
  }

  /**
   * Returns the position of an ID in the order: the counter's value for it.
   *
   * @throws {@link InvalidIdError} if it is not an ID of the type
   */
  positionOf(id: string): bigint {
    if (typeof id !== "string" || !this.type.validate(id).valid) {
      throw new InvalidIdError("id", `an ID of ${this.type.name}`, id);
    }
    return (this.#cipher.decrypt([BigInt(id.slice(0, -1))])[0] as bigint) + 1n;
  }
}
