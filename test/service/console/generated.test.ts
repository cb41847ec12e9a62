// The generated file of the console is up to date with its sources.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const script = new URL("../../../.build/console.mjs", import.meta.url).href;
const { GENERATED, generate } = (await import(script)) as { GENERATED: string; generate(): Promise<string> };

test("page.generated.ts is up to date: npm run console", async () => {
  expect(readFileSync(GENERATED, "utf8") === (await generate())).toBe(true);
});
