// bindMethods: codecs whose methods work without their object.

/**
 * Binds methods of a codec to it and freezes it, so that `ids.map(codec.encode)` works. They are not enumerable: a print, JSON
 * and a clone of the codec stay as they are.
 */
export function bindMethods<T extends object>(codec: T, ...names: readonly (keyof T & string)[]): void {
  for (const name of names) {
    const value = (codec[name] as (...args: unknown[]) => unknown).bind(codec);
    // Without a prototype: the properties of a polluted one would be part of the descriptor.
    Object.defineProperty(codec, name, { __proto__: null, value } as PropertyDescriptor);
  }
  Object.freeze(codec);
}
