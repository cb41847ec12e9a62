// Support for `await using` on runtimes and with types that may lack `Symbol.asyncDispose`.

/**
 * The method that `await using` calls at the end of a block: `[Symbol.asyncDispose]()`. Empty in programs whose types
 * lack that symbol. TypeScript 5.2 has it in its library `esnext.disposable`, and `@types/node` declares it too.
 */
export type AsyncDisposal = {
  // `keyof` is `never` if the symbol is unknown. A global declaration would claim that every runtime has the symbol,
  // and JSR refuses global declarations.
  readonly [Key in SymbolConstructor[keyof SymbolConstructor & "asyncDispose"]]: () => Promise<void>;
};

/**
 * Base class of objects for `await using`.
 *
 * The constructor defines the method, because a class body would name it "undefined" if the symbol is missing.
 */
export const AsyncDisposer: new (dispose: () => Promise<void>) => AsyncDisposal = class {
  constructor(dispose: () => Promise<void>) {
    const { asyncDispose } = Symbol as { readonly asyncDispose?: symbol };
    if (asyncDispose) Object.defineProperty(this, asyncDispose, { value: dispose, configurable: true });
  }
} as new (
  dispose: () => Promise<void>,
) => AsyncDisposal;
