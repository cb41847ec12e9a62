// AES on whole blocks: by `node:crypto` where the platform has it, otherwise by cipher/aes.ts.

import { Aes } from "../cipher/aes.ts";

/** Encrypts blocks in place, each independently (ECB). A block is four big-endian words. */
export type EncryptBlocks = (blocks: Int32Array) => void;

/** The part of a `node:crypto` cipher that is used here. */
interface NodeCipher {
  setAutoPadding(isPadding: boolean): unknown;
  update(data: Uint8Array): Uint8Array;
}

/** The part of `node:crypto` that is used here. */
interface NodeCrypto {
  createCipheriv(algorithm: string, key: Uint8Array, iv: null): NodeCipher;
}

/**
 * Returns a function that starts encryption with a key.
 *
 * A cipher of the platform stays open until the current task ends, and no longer, because a V8 startup snapshot cannot
 * contain one. `crypto.subtle` is no alternative: its AES is asynchronous, and FF1 needs ten blocks one after the other.
 *
 * @param key 16, 24 or 32 bytes; not checked
 */
export function blockCipher(key: Uint8Array): () => EncryptBlocks {
  const startPlatformCipher = platformCipher(key);
  try {
    // Bun, Deno, Workers and Electron have their own `node:crypto`, not all of them with this mode.
    startPlatformCipher?.()(new Int32Array(4));
    if (startPlatformCipher) return startPlatformCipher;
  } catch {
    // Use aes.ts.
  }
  const aes = new Aes(key);
  return () => (blocks) => {
    for (let at = 0; at < blocks.length; at += 4) aes.encrypt(blocks, at);
  };
}

function platformCipher(key: Uint8Array): (() => EncryptBlocks) | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  const crypto = process?.getBuiltinModule?.("node:crypto") as NodeCrypto | undefined;
  if (crypto === undefined) return undefined;
  // In ECB mode the blocks of one call do not depend on each other.
  const algorithm = `aes-${key.length * 8}-ecb`;
  const ownKey = Uint8Array.from(key);
  let open: EncryptBlocks | undefined;
  return () => {
    if (open === undefined) {
      const cipher = crypto.createCipheriv(algorithm, ownKey, null);
      cipher.setAutoPadding(false);
      open = (blocks) => encryptBlocks(cipher, blocks);
      void Promise.resolve().then(() => {
        open = undefined;
      });
    }
    return open;
  };
}

function encryptBlocks(cipher: NodeCipher, blocks: Int32Array): void {
  const input = new Uint8Array(4 * blocks.length);
  for (let at = 0, byte = 0; at < blocks.length; at++) {
    const word = blocks[at] as number;
    input[byte++] = word >>> 24;
    input[byte++] = word >>> 16;
    input[byte++] = word >>> 8;
    input[byte++] = word;
  }
  const output = cipher.update(input);
  if (output.length !== input.length) throw new Error("the cipher keeps blocks back");
  for (let at = 0, byte = 0; at < blocks.length; at++) {
    blocks[at] =
      ((output[byte++] as number) << 24) |
      ((output[byte++] as number) << 16) |
      ((output[byte++] as number) << 8) |
      (output[byte++] as number);
  }
}
