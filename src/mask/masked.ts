// masked: IDs for the outside, by a keyed permutation that hides their time, node and sequence.

import { assertKey, isBytes, lengthOf } from "../cipher/key.ts";
import {
  ArgumentError,
  assertKnownOptions,
  assertName,
  assertOneOf,
  assertWhole,
  InvalidIdError,
  joinHalves,
  readField,
  splitId,
} from "../internal.ts";
import { BinaryFf1 } from "./binaryFf1.ts";
import { bindMethods } from "./bindMethods.ts";

/** An AES key: 16, 24 or 32 random bytes, or the same in hexadecimal. */
export type MaskKey = Uint8Array | string;

/** The keys of a mask by their versions, so that a key can be replaced. An unknown option is refused. */
export interface MaskKeys {
  /** The keys by their versions: whole numbers from 0 to 2^`versionBits` - 1. All of them decode. */
  readonly keys: Readonly<Record<number, MaskKey>>;
  /** The version of the key that encodes. */
  readonly current: number;
  /**
   * How many of the upper bits of a masked ID are its key version: from 1 to 8. An ID can have only the other bits, so its
   * upper ones must be 0: with 2 bits those of the preset `twitter` are until June 2037. It has no default, because it is part
   * of every masked ID: masked IDs with another number of bits decode to other IDs.
   */
  readonly versionBits: number;
}

/** Options of {@link masked}. An unknown option is refused. */
export interface MaskOptions {
  /**
   * What the IDs are, such as `"orders"`: 1 to 100 characters in one line, without braces, control or invisible format
   * characters and spaces at its ends, in Unicode normalization form C. Another name is another, unrelated permutation of the
   * same key, also if only its case differs.
   */
  readonly name: string;
  /**
   * The number of bits of an ID and of a masked ID: 63, or 53 for the preset `safe_integer`, whose masked IDs are then exact
   * JavaScript numbers as well. By default 63.
   */
  readonly bits?: 63 | 53 | undefined;
}

/** Masks IDs and reads masked IDs: see {@link masked}. Neither a print nor JSON of it has the key. */
export interface MaskedCodec {
  /**
   * Masks an ID.
   *
   * @param id a bigint, a canonical decimal string or a safe integer
   * @throws {@link InvalidIdError} if it is not an ID, or is larger than {@link MaskedCodec.largestId}
   */
  encode(id: bigint | string | number): bigint;
  /**
   * Returns the ID of a masked ID. Every number in range is the masked form of an ID, if its key version is known: a
   * result does not prove that the ID exists.
   *
   * @param id a bigint, a canonical decimal string or a safe integer
   * @throws {@link InvalidIdError} if it is not an ID, has too many bits, or has a key version that is not among the keys
   */
  decode(id: bigint | string | number): bigint;
  /** The option `name`. */
  readonly name: string;
  /** The largest ID that can be masked: 2^63 - 1 or 2^53 - 1, and 2^61 - 1 or 2^51 - 1 with key versions of two bits. */
  readonly largestId: bigint;
}

/** The longest text that an error shows: a longer one may be a key in the wrong place. Keys have 32 characters at least. */
const MAX_SHOWN = 20;

/** Calls a function whose errors may show a text. One that is long is left out of the error. */
function withoutLongTexts<T>(resolve: () => T): T {
  try {
    return resolve();
  } catch (error) {
    // The value is in quotes.
    if (!(error instanceof ArgumentError) || error.value.length <= MAX_SHOWN + 2) throw error;
    throw new ArgumentError(error.field, error.rule, "a long text");
  }
}

/** Asserts that a value is an object. No error has the value, because it may be a key in the wrong place. */
function assertSecretObject(field: string, value: unknown, rule: string): void {
  if ({}.toString.call(value) !== "[object Object]") throw new ArgumentError(field, rule, typeof value);
}

/** Asserts that a key is one, and no buffer that was never filled or has hexadecimal text; returns its bytes. */
function assertMaskKey(field: string, key: MaskKey): Uint8Array {
  const bytes = assertKey(field, key);
  if (bytes.every((byte) => byte === bytes[0])) {
    throw new ArgumentError(field, "random bytes, not all the same", lengthOf(key));
  }
  if (/^[0-9a-f]+$/i.test(String.fromCharCode(...bytes))) {
    throw new ArgumentError(
      field,
      'random bytes, not those of a hexadecimal text: Buffer.from(text, "hex")',
      lengthOf(key),
    );
  }
  return bytes;
}

/** Asserts that an object has keys by their versions, all different; returns their bytes. */
function assertKeys(keys: Readonly<Record<number, MaskKey>>, last: number): Map<number, Uint8Array> {
  assertSecretObject("keys", keys, "an object of keys by their versions");
  const found = new Map<number, Uint8Array>();
  for (const [text, key] of Object.entries(keys)) {
    const version = Number(text);
    // Only a canonical text, so that "1" and "01" are not two keys of one version. A long one may be a key.
    const shown = text.length > 4 ? lengthOf(text) : text;
    assertWhole("version of keys", String(version) === text ? version : shown, 0, last);
    const field = `keys[${version}]`;
    const bytes = assertMaskKey(field, key);
    if ([...found.values()].some((other) => String(other) === String(bytes))) {
      throw new ArgumentError(field, "unlike the keys of other versions", lengthOf(key));
    }
    found.set(version, bytes);
  }
  if (found.size === 0) throw new ArgumentError("keys", "an object with at least one key", "none");
  return found;
}

/** The settings of a codec, valid. */
interface MaskSettings {
  readonly name: string;
  /** The number of bits of a masked ID. */
  readonly bits: number;
  readonly versionBits: number;
  readonly current: number;
  readonly keys: ReadonlyMap<number, Uint8Array>;
}

/** Asserts that a value is a name. A space at its end, as of a variable, would make other masked IDs, unnoticed. */
function assertMaskName(value: unknown): string {
  const name = assertName("name", value);
  if (/^\p{Z}|\p{Z}$/u.test(name)) throw new ArgumentError("name", "without spaces at its ends", name);
  return name;
}

function resolveSettings(key: MaskKey | MaskKeys, options: MaskOptions): MaskSettings {
  assertSecretObject("options", options, "an object");
  assertKnownOptions(options, ["name", "bits"]);
  const name = assertMaskName(readField(options, "name"));
  const bits = assertOneOf("bits", readField(options, "bits") ?? 63, [63, 53]);
  if (typeof key === "string" || isBytes(key)) {
    return { name, bits, versionBits: 0, current: 0, keys: new Map([[0, assertMaskKey("key", key)]]) };
  }
  assertSecretObject("key", key, "bytes, a string in hexadecimal, or an object with keys and current");
  assertKnownOptions(key, ["keys", "current", "versionBits"]);
  const versionBits = assertWhole("versionBits", readField(key, "versionBits"), 1, 8);
  const keys = assertKeys(readField(key, "keys") as MaskKeys["keys"], 2 ** versionBits - 1);
  const current = assertOneOf("current", readField(key, "current"), [...keys.keys()]);
  return { name, bits, versionBits, current, keys };
}

class Mask implements MaskedCodec {
  readonly name: string;
  /** Not an own property, because JSON.stringify throws on a bigint. */
  readonly #largestId: bigint;
  readonly #current: number;
  readonly #ciphers: ReadonlyMap<number, BinaryFf1>;
  /** How many bits of the upper half come after the version. */
  readonly #upperBits: number;
  /** How many bits the upper half has with the version. */
  readonly #allUpperBits: number;

  constructor({ name, bits, versionBits, current, keys }: MaskSettings) {
    const width = bits - versionBits;
    const tweak = new TextEncoder().encode(name);
    this.name = name;
    this.#largestId = 2n ** BigInt(width) - 1n;
    this.#current = current;
    this.#ciphers = new Map([...keys].map(([version, key]) => [version, new BinaryFf1(key, width, tweak)]));
    this.#upperBits = width - 32;
    this.#allUpperBits = bits - 32;
    bindMethods<MaskedCodec>(this, "encode", "decode");
  }

  get largestId(): bigint {
    return this.#largestId;
  }

  encode(id: bigint | string | number): bigint {
    const halves = splitId(id);
    if (halves.high >>> this.#upperBits !== 0) {
      throw new InvalidIdError("id", `an ID from 0 to ${this.#largestId}, the largestId of the mask`, id);
    }
    const { high, low } = (this.#ciphers.get(this.#current) as BinaryFf1).encrypt(halves);
    return joinHalves(high + this.#current * 2 ** this.#upperBits, low) as bigint;
  }

  decode(id: bigint | string | number): bigint {
    const { high, low } = splitId(id);
    if (high >>> this.#allUpperBits !== 0) {
      throw new InvalidIdError("id", `a masked ID of at most ${this.#allUpperBits + 32} bits`, id);
    }
    const version = high >>> this.#upperBits;
    const cipher = this.#ciphers.get(version);
    if (cipher === undefined) {
      const versions = [...this.#ciphers.keys()].join(", ");
      throw new InvalidIdError("id", `masked with a key of version ${versions}`, id);
    }
    const halves = cipher.decrypt({ high: high - version * 2 ** this.#upperBits, low });
    return joinHalves(halves.high, halves.low) as bigint;
  }
}

/**
 * Creates a codec that masks IDs: `encode` makes of an ID another number in the same range, which reveals nothing of the ID
 * without the key, and `decode` reverses it. It is deterministic and stores nothing.
 *
 * It is FF1 of NIST SP 800-38G with AES, on the bits of the ID (radix 2), with the UTF-8 bytes of the name as its tweak.
 *
 * - **It hides** the time, the node and the sequence of an ID, so also how many IDs are made and which of two is older.
 * - **It does not authorize.** A number that was guessed decodes to an ID as well, so look up each ID and check who
 *   may see it. It does not hide that two masked IDs of one name are equal.
 * - **The key**: a person with the key can decode all masked IDs, so keep it like a password. Without versions, another key makes
 *   all masked IDs decode to other IDs. With versions ({@link MaskKeys}) both keys decode, and a masked ID of a version
 *   whose key was removed is refused.
 * - **0**: an ID may mask to 0, as 0 is an ID. For each key and name one ID does, without versions.
 *
 * @param key a key, or keys by their versions
 * @param options `name` and, for IDs of 53 bits, `bits`
 * @throws {@link ArgumentError} if an option or the key is missing, wrong or unknown, if all bytes of the key are equal or those
 *   of a hexadecimal text, or if two versions have the same key. Its message never contains a key
 *
 * @example
 * ```ts
 * import { masked } from "bitflake/mask";
 *
 * const key = "2b7e151628aed2a6abf7158809cf4f3c"; // from a secret store in your program
 * const orders = masked(key, { name: "orders" });
 * const users = masked(key, { name: "users" });
 *
 * orders.encode(911780371413233664n); // => 7284816827242867165n
 * users.encode(911780371413233664n); // => 8397812748129474365n
 * orders.decode(orders.encode(911780371413233664n)); // => 911780371413233664n
 * ```
 */
export function masked(key: MaskKey | MaskKeys, options: MaskOptions): MaskedCodec {
  return new Mask(withoutLongTexts(() => resolveSettings(key, options)));
}
