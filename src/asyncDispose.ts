// Support for `await using`, on runtimes and with types that may lack `Symbol.asyncDispose`.

/**
 * What `await using` calls at the end of a block: `[Symbol.asyncDispose]()`. Empty in programs whose types lack that
 * symbol; TypeScript 5.2 has it in its library `esnext.disposable`, and `@types/node` declares it too.
 */
export type AsyncDisposal = {
  // `keyof` leaves `never` where the symbol is unknown. A global declaration would say that every runtime has it, and
  // JSR refuses one.
  readonly [Key in SymbolConstructor[keyof SymbolConstructor & "asyncDispose"]]: () => Promise<void>;
};

/**
 * Base class of what `await using` can end.
 *
 * The method is defined by the constructor because a class body would name it "undefined" where the symbol is missing.
 */
export const AsyncDisposer: new (dispose: () => Promise<void>) => AsyncDisposal = class {
  constructor(dispose: () => Promise<void>) {
    const { asyncDispose } = Symbol as { readonly asyncDispose?: symbol };
    if (asyncDispose) Object.defineProperty(this, asyncDispose, { value: dispose, configurable: true });
  }
} as new (
  dispose: () => Promise<void>,
) => AsyncDisposal;
