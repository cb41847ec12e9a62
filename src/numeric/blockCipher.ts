// AES on whole blocks: by `node:crypto` where the platform has it, otherwise by aes.ts.

import { Aes } from "./aes.ts";

/** Encrypts blocks in place, each independently (ECB). A block is four big-endian words. */
export type EncryptBlocks = (blocks: Int32Array) => void;

/** The part of `node:crypto` that is used here. */
interface NodeCrypto {
  createCipheriv(
    algorithm: string,
    key: Uint8Array,
    iv: null,
  ): {
    setAutoPadding(isPadding: boolean): unknown;
    update(data: Uint8Array): Uint8Array;
  };
}

/**
 * Returns what starts to encrypt with a key. Each start makes a cipher of its own, so that none is held for long: a
 * cipher of the platform cannot be in a V8 startup snapshot.
 *
 * `crypto.subtle` is no choice: it has AES only behind promises, and FF1 takes ten blocks one after the other.
 *
 * @param key 16, 24 or 32 bytes; not checked
 */
export function blockCipher(key: Uint8Array): () => EncryptBlocks {
  const byPlatform = platformCipher(key);
  try {
    // Bun, Deno, Workers and Electron have their own `node:crypto`, not all of them with this mode.
    byPlatform?.()(new Int32Array(4));
    if (byPlatform) return byPlatform;
  } catch {
    // Then it is as if there were none.
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
  // In this mode the blocks of one call do not depend on each other.
  const algorithm = `aes-${key.length * 8}-ecb`;
  const ownKey = Uint8Array.from(key);
  return () => {
    const cipher = crypto.createCipheriv(algorithm, ownKey, null);
    cipher.setAutoPadding(false);
    return (blocks) => {
      const bytes = new Uint8Array(4 * blocks.length);
      const view = new DataView(bytes.buffer);
      for (let at = 0; at < blocks.length; at++) view.setInt32(4 * at, blocks[at] as number);
      const { buffer, byteOffset, length } = cipher.update(bytes);
      if (length !== bytes.length) throw new Error("the cipher keeps blocks back");
      const result = new DataView(buffer, byteOffset, length);
      for (let at = 0; at < blocks.length; at++) blocks[at] = result.getInt32(4 * at);
    };
  };
}
