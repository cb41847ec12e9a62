// Examples of servers: each gets its node from required variables, a number or a lease, so that a missing node is an error.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { pages, root } from "./snippet.ts";

const blocks = pages.flatMap((file) =>
  [...readFileSync(join(root, file), "utf8").matchAll(/^```(?:ts|js).*?\n(.*?)^```/gms)].map(
    ([, code = ""]) => ({ file, code }),
  ),
);

test("every example of makeGeneratorFromEnv passes required: true", () => {
  const calls = blocks.flatMap(({ file, code }) =>
    [...code.matchAll(/makeGeneratorFromEnv\([^)]*\)/g)].map(([call]) => `${file}: ${call}`),
  );
  expect(calls.length).toBeGreaterThan(5);
  expect(calls.filter((call) => !call.includes("required: true"))).toEqual([]);
});

test("no server of an example makes IDs without a node", () => {
  const servers = blocks.filter(({ code }) =>
    /\.listen\(|createServer|new Hono\(|export async function POST/.test(code),
  );
  expect(servers.length).toBeGreaterThan(4);
  const withoutNode = servers.filter(({ code }) =>
    /makeGenerator\("\w+"\)|import \{[^}]*\bnextId\b/.test(code),
  );
  expect(withoutNode).toEqual([]);
});
