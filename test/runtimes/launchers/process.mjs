// Launcher of a command that runs a suite and prints the outcome, for Node, Deno and Bun.

import { run } from "../program.mjs";

/** The environment of the command. */
const VARIABLES = { FLAKEID_DATACENTER_ID: "2", FLAKEID_MACHINE_ID: "9" };

/** Runs a suite by a program with its own arguments. */
export async function runInProcess([program, ...args], suite, { folder }) {
  const printed = await run(program, [...args, "hosts/process.mjs", suite, JSON.stringify(VARIABLES)], {
    cwd: folder,
    env: VARIABLES,
  });
  return JSON.parse(printed);
}
