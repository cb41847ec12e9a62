// Runs the adapter for Deno KV in Deno, for tests in Node: a call is a line of JSON, and so is its result.

import { fromDenoKv } from "../../../dist/backend.js";

const { path, settings } = JSON.parse(Deno.args[0]);
const kv = await Deno.openKv(path);
const port = fromDenoKv(kv, settings);

async function answer({ id, method, args }) {
  try {
    // JSON has no `undefined`.
    console.log(JSON.stringify({ id, result: await port[method](...args.map((arg) => arg ?? undefined)) }));
  } catch (error) {
    console.log(JSON.stringify({ id, error: String(error) }));
  }
}

let rest = "";
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + text).split("\n");
  rest = lines.pop();
  for (const line of lines) answer(JSON.parse(line));
}
kv.close();
