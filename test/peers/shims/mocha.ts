// The parts of Mocha that test files of peers import, made of Vitest's: tests with a callback, and `this.timeout`.

import * as vitest from "vitest";

type Test = (done?: (error?: unknown) => void) => unknown;

export const { beforeEach, afterEach, before, after } = {
  ...vitest,
  before: vitest.beforeAll,
  after: vitest.afterAll,
};

export function describe(title: string, define: (this: { timeout(ms: number): void }) => void): void {
  vitest.describe(title, () => define.call({ timeout: () => {} }));
}

export function it(title: string, test: Test): void {
  const run = () =>
    test.length === 0
      ? test()
      : new Promise<void>((resolve, reject) => {
          test((error) => (error ? reject(error) : resolve()));
        });
  vitest.it(title, async () => {
    await run();
  });
}
