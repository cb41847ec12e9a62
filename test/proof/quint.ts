// Runs the simulator of Quint, with the evaluator that needs nothing but npm.

import { spawn } from "node:child_process";
import { join } from "node:path";

/** The invariants of the spec. */
export const INVARIANTS = [
  ...["uniqueness", "noOverlap", "ownership", "releases", "sameGrant", "copies", "rollback", "withinGrant"],
];

export interface Simulation {
  /** The file of the spec, and the module with the constants. */
  readonly spec: string;
  readonly module: string;
  /** The largest number of samples, and the number of steps of each one. */
  readonly samples: number;
  readonly steps: number;
  readonly seed: number;
  readonly witnesses?: readonly string[];
  /** A file for traces, with {seq} for their number, and how many are written. */
  readonly itf?: { readonly file: string; readonly traces: number };
}

export interface SimulationResult {
  /** The invariants that a sample violates. */
  readonly violated: readonly string[];
  readonly seconds: number;
  /** In how many samples each witness was seen. */
  readonly witnessed: ReadonlyMap<string, number>;
}

/** The command line of Quint, installed in a folder. */
export class Quint {
  readonly #cli: string;

  constructor(folder: string) {
    this.#cli = join(folder, "node_modules/@informalsystems/quint/dist/src/cli.js");
  }

  #run(args: readonly string[]): Promise<{ readonly status: number | null; readonly output: string }> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [this.#cli, ...args], { stdio: ["ignore", "pipe", "pipe"] });
      let output = "";
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding("utf8").on("data", (text: string) => {
          output += text;
        });
      child.once("error", reject);
      child.once("close", (status) => resolve({ status, output }));
    });
  }

  /** Asserts that a spec has no error of types or effects. */
  async typecheck(spec: string): Promise<void> {
    const { status, output } = await this.#run(["typecheck", spec]);
    if (status !== 0) throw new Error(`${spec} does not typecheck:\n${output}`);
  }

  /** Simulates a spec. It stops at the first violation. */
  async simulate(simulation: Simulation): Promise<SimulationResult> {
    const { spec, module, samples, steps, seed, witnesses = [], itf } = simulation;
    const started = performance.now();
    const { status, output } = await this.#run([
      ...["run", spec, `--main=${module}`, "--backend=typescript", "--verbosity=1"],
      ...[`--max-samples=${samples}`, `--max-steps=${steps}`, `--seed=${seed}`],
      ...["--invariants", ...INVARIANTS],
      ...(witnesses.length > 0 ? ["--witnesses", ...witnesses] : []),
      ...(itf ? [`--out-itf=${itf.file}`, `--n-traces=${itf.traces}`] : []),
    ]);
    const isViolated = output.includes("[violation]");
    if (isViolated === (status === 0))
      throw new Error(`quint run ${module} ended with ${status}:\n${output}`);
    const violated = INVARIANTS.filter((name) => isViolated && new RegExp(`\\b${name}\\b`).test(output));
    const witnessed = new Map(
      witnesses.map((name) => {
        const [, count = 0] = new RegExp(`${name} was witnessed in (\\d+)`).exec(output) ?? [];
        return [name, Number(count)];
      }),
    );
    return { violated, seconds: (performance.now() - started) / 1000, witnessed };
  }
}
