// `npm run prove`: simulates the spec of the lease protocol and its mutants, and replays its traces through the rule.
//
//   --samples N     samples of each module of the spec (default 200), of 25 steps each
//   --only PART     spec, mutants or replay
//   --stores        also records traffic on real stores and searches it for strays (Node 22 or later, and the servers)
//   --calls N       calls of that traffic in all (default 1,000,000)
//   --report FILE   also runs the chaos tests, and writes a report on them

import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import * as rule from "../../src/lease/rule.ts";
import { explore } from "../lease/model/explorer.ts";
import { correctHolder } from "../lease/model/holder.ts";
import { Model } from "../lease/model/model.ts";
import { harmfulMutants } from "../lease/model/mutants.ts";
import type { LeaseRule } from "../lease/model/store.ts";
import { readTrace } from "./itf.ts";
import { mutate, specMutants } from "./mutants.ts";
import { INVARIANTS, Quint } from "./quint.ts";
import { constantsOf, replay, stateOf, termsOf } from "./replay.ts";
import { type ChaosResult, chaosReport } from "./report.ts";

const SEED = 1;
const STEPS = 25;

/** The largest number of samples of a mutant. A run ends at the first violation. */
const MUTANT_SAMPLES = 1000;

/** The traces that are replayed, of each module. */
const TRACES = 100;

/** The modules in which no invariant may fail, and the witnesses that their simulation must reach. */
const MODULES: Readonly<Record<string, readonly string[]>> = {
  clocks: ["nodeChangedHands", "repeatsGrant"],
  pair: ["nodeChangedHands", "repeatsGrant"],
  skewed: ["nodeChangedHands", "repeatsGrant"],
  copied: ["copyIsSure", "repeatsGrant"],
  rolledBack: ["grantsAfterRollback"],
  rolledBackSoon: ["grantsAfterRollback"],
  copiedAndRolledBack: ["copyIsSure"],
  stopped: ["grantsAfterRollback"],
};

/** The checks that `--only` selects. */
const CHECKS = ["spec", "mutants", "replay"];

/** The module in which an invariant must fail, because bitflake promises nothing there. */
const NOT_PROMISED = "untold";

export interface Call {
  /** The folder of the spec. */
  readonly here: string;
  /** A folder for files. */
  readonly folder: string;
  readonly args: readonly string[];
}

/** Runs two at a time: the machine may have no more processors. */
async function each<T>(all: readonly T[], run: (one: T) => Promise<void>): Promise<void> {
  const left = [...all];
  const work = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await run(one);
  };
  await Promise.all([work(), work()]);
}

/** Runs the parts that the arguments name. Returns whether all of them hold. */
export async function prove({ here, folder, args }: Call): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      samples: { type: "string", default: "200" },
      only: { type: "string" },
      stores: { type: "boolean", default: false },
      calls: { type: "string", default: "1000000" },
      report: { type: "string" },
    },
  });
  const samples = Number(values.samples);
  if (!Number.isSafeInteger(samples) || samples < 1)
    throw new Error(`--samples must be a number of samples, got ${values.samples}`);
  const known = [...CHECKS, "none"];
  if (values.only !== undefined && !known.includes(values.only))
    throw new Error(`--only must be one of ${known.join(", ")}, got ${values.only}`);
  const failures: string[] = [];
  const check = (isTrue: boolean, failure: string) => {
    if (!isTrue) {
      failures.push(failure);
      console.log(`  FAILED: ${failure}`);
    }
  };
  const quint = new Quint(here);
  const spec = join(here, "lease.qnt");
  const runs = (part: string) => values.only === undefined || values.only === part;

  await quint.typecheck(spec);
  console.log("the spec typechecks");

  if (runs("spec")) {
    console.log(`\n${samples} samples of ${STEPS} steps each, seed ${SEED}: ${INVARIANTS.join(", ")}`);
    await each([...Object.keys(MODULES), NOT_PROMISED], async (module) => {
      const witnesses = MODULES[module] ?? [];
      const { violated, seconds, witnessed } = await quint.simulate({
        ...{ spec, module, steps: STEPS, seed: SEED, witnesses },
        samples: module === NOT_PROMISED ? Math.max(samples, MUTANT_SAMPLES) : samples,
      });
      const seen = [...witnessed].map(([name, count]) => `${name} in ${count}`).join(", ");
      const result = violated.length > 0 ? `violates ${violated}` : "no violation";
      console.log(`  ${module}: ${result}${seen && `; ${seen}`} (${seconds.toFixed(0)} s)`);
      if (module === NOT_PROMISED)
        check(violated.length > 0, `${module} violates nothing, though nothing is promised there`);
      else check(violated.length === 0, `${module} violates ${violated}`);
      for (const [name, count] of witnessed) check(count > 0, `${module} never reaches ${name}`);
    });
  }

  if (runs("mutants")) {
    const ours = specMutants.map(({ title }) => title);
    const theirs = harmfulMutants.map(({ title }) => title);
    check(ours.join() === theirs.join(), "the mutants of the spec are those of the model checker");
    console.log(`\n${ours.length} mutants, each up to ${MUTANT_SAMPLES} samples, seed ${SEED}`);
    await each([...specMutants.entries()], async ([index, mutant]) => {
      const own = join(folder, `mutant-${index}`);
      mkdirSync(own);
      for (const file of ["rule", "lease"] as const) {
        const text = readFileSync(join(here, `${file}.qnt`), "utf8");
        if (file === mutant.file) writeFileSync(join(own, `${file}.qnt`), mutate(text, mutant));
        else copyFileSync(join(here, `${file}.qnt`), join(own, `${file}.qnt`));
      }
      const { violated, seconds } = await quint.simulate({
        ...{ spec: join(own, "lease.qnt"), module: mutant.module },
        ...{ samples: MUTANT_SAMPLES, steps: STEPS, seed: SEED },
      });
      console.log(`  ${mutant.title}: ${violated.join(", ") || "NOT FOUND"} (${seconds.toFixed(0)} s)`);
      check(violated.length > 0, `the spec does not find that ${mutant.title}`);
    });
  }

  if (runs("replay")) {
    console.log(`\n${TRACES} traces of ${STEPS} steps of each module, replayed through src/lease/rule.ts`);
    const constants = constantsOf(readFileSync(spec, "utf8"));
    let steps = 0;
    let differences = 0;
    const reached = new Set<string>();
    const unseen = new Map(
      harmfulMutants.filter((one) => !isRule(one.rule)).map(({ title, rule: mutated }) => [title, mutated]),
    );
    const faults = unseen.size;
    await each(Object.keys(MODULES), async (module) => {
      const file = join(folder, `${module}-{seq}.itf.json`);
      await quint.simulate({
        ...{ spec, module, samples: TRACES, steps: STEPS, seed: SEED + 1 },
        itf: { file, traces: TRACES },
      });
      const terms = termsOf(constants.get(module) ?? {});
      let own = 0;
      let traces = 0;
      for (; existsSync(file.replace("{seq}", `${traces}`)); traces++) {
        const trace = readTrace(readFileSync(file.replace("{seq}", `${traces}`), "utf8"));
        const { steps: replayed, difference } = replay(trace, terms);
        check(difference === undefined, `${module}, trace ${traces}: ${difference}`);
        differences += Number(difference !== undefined);
        own += replayed;
        for (const [title, mutated] of unseen)
          if (replay(trace, terms, mutated).difference !== undefined) unseen.delete(title);
        if (module === COMPARED)
          for (const one of trace) reached.add(projectionOf(stateOf(one.get("state"))));
      }
      check(own > 0, `${module} has no steps to replay`);
      console.log(`  ${module}: ${own} steps of the store in ${traces} traces`);
      steps += own;
    });
    console.log(`  ${steps} steps in all, ${differences === 0 ? "each one" : "not all"} as in the rule`);
    for (const title of unseen.keys()) check(false, `the replay does not notice that ${title}`);
    console.log(`  ${faults - unseen.size} of ${faults} faults of the rule noticed by the same replay`);
    const known = knownStates();
    const unknown = [...reached].filter((state) => !known.has(state));
    check(unknown.length === 0, `the model checker does not reach ${unknown[0]}`);
    console.log(
      `  ${reached.size} states of a node in these traces of ${COMPARED}, of ${known.size} of the model checker`,
    );
  }

  if (values.stores) {
    console.log(`\n${values.calls} calls to real stores`);
    const env = { ...process.env, TRACE_CALLS: values.calls };
    check(integration(here, "test/integration/lease-traces.test.ts", env), "the traces of real stores");
  }

  if (values.report) {
    const results = join(folder, "chaos.jsonl");
    const passed = integration(here, "test/integration/chaos.test.ts", {
      ...process.env,
      CHAOS_RESULTS: results,
    });
    check(passed, "the chaos tests");
    const lines = existsSync(results) ? readFileSync(results, "utf8").trim().split("\n") : [];
    const version = JSON.parse(readFileSync(join(here, "../../package.json"), "utf8")).version as string;
    const text = chaosReport(
      version,
      lines.map((line) => JSON.parse(line) as ChaosResult),
      passed,
    );
    writeFileSync(values.report, text);
    console.log(`the report is in ${values.report}`);
  }

  const ran = [
    "the types of the spec",
    ...CHECKS.filter(runs),
    ...(values.stores ? ["the traces of stores"] : []),
    ...(values.report ? ["the chaos tests"] : []),
  ];
  console.log(failures.length === 0 ? `\nall of it holds: ${ran.join(", ")}` : `\n${failures.length} FAILED`);
  return failures.length === 0;
}

/** The module whose states are compared with those of the model checker: both have these constants. */
const COMPARED = "clocks";
const COMPARED_BOUNDS = { holders: 3, nodes: 1, ticks: 3, renewals: 1 };

/** Describes the node of a state, except names. Of a released node only the end matters. */
function projectionOf(state: rule.NamespaceState | undefined): string {
  const node = state?.nodes.get(0);
  if (!node) return "never granted";
  const { owner, from, until, generation } = node;
  return owner === null
    ? `released, until ${until}`
    : `from ${from} until ${until}, generation ${generation}`;
}

/** Returns the states of the node that the model checker reaches, within the constants of the compared module. */
function knownStates(): Set<string> {
  const known = new Set<string>();
  explore(new Model(rule, correctHolder, COMPARED_BOUNDS), ({ store }) => {
    known.add(projectionOf(store.state));
    return false;
  });
  return known.add("never granted");
}

/** Whether these are the steps of the rule itself: then the mutant is one of holders. */
function isRule({ acquire, renew, release }: LeaseRule): boolean {
  return acquire === rule.acquire && renew === rule.renew && release === rule.release;
}

/** Runs a file of the integration tests. Returns whether it passes. */
function integration(here: string, file: string, env: NodeJS.ProcessEnv): boolean {
  const root = join(here, "../..");
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const args = [vitest, "run", "--config", "test/integration/vitest.config.ts", file];
  return spawnSync(process.execPath, args, { cwd: root, env, stdio: "inherit" }).status === 0;
}
