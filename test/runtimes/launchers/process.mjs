// What Node, Deno and Bun have in common: a command plays a scene and prints the outcome.

import { run } from "../program.mjs";

/** The variables that they are given. */
const VARIABLES = { FLAKEID_DATACENTER_ID: "2", FLAKEID_MACHINE_ID: "9" };

/** @param command the program, with its own arguments */
export async function playInProcess([program, ...args], scene, { folder }) {
  const printed = await run(program, [...args, "hosts/process.mjs", scene, JSON.stringify(VARIABLES)], {
    cwd: folder,
    env: VARIABLES,
  });
  return JSON.parse(printed);
}
