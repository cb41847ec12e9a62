// Character codes of a string, for loops that read every character.

/** Returns the code of the character at an index; NaN behind the end. */
export const charCode: (text: string, at: number) => number = /* @__PURE__ */ createCharCode();

/**
 * Takes the method from the prototype once. `text.charCodeAt(at)` looks it up at each call when any code has changed the
 * prototype chain of strings, as loading ioredis does: 6 ns a character in place of 0.7. `charCodeAt` is a
 * constant of this function and not of the module, because a bundler turns a module's constants into variables, which V8 does
 * not inline.
 */
function createCharCode(): (text: string, at: number) => number {
  const { charCodeAt } = String.prototype;
  return (text, at) => charCodeAt.call(text, at);
}
