// The processes of a chaos run, and the faults of them and of their store while they make IDs.

import { type ChildProcess, spawn } from "node:child_process";
import {
  closeSync,
  cpSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Server } from "../servers.ts";
import type { Chance } from "./chance.ts";

/** The build under test: `dist`, or that of CHAOS_DIST, such as one that is broken on purpose. */
const dist = process.env.CHAOS_DIST ?? fileURLToPath(new URL("../../../dist", import.meta.url));

/** Short, so that a process that is stopped for longer does not delay the run. */
export const TTL_MS = 1500;

/** Eight nodes, fewer than there are processes, and a sequence that no process uses up within a tick. */
export const LAYOUT = { timestampBits: 41, datacenterBits: 0, machineBits: 3, sequenceBits: 19 };
export const NODES = 2 ** LAYOUT.machineBits;
const PROCESSES = 12;

/** How many processes with a clock an hour ahead are started in all. Each one keeps a node from all others. */
const AHEAD = 2;

/** How long the last processes run without faults: long enough for all earlier leases to expire, and as long again. */
const CALM_MS = 3 * TTL_MS;

/** How much longer they may run, on a busy machine, until each one has done something and the nodes are in use. */
const MAX_CALM_MS = 60_000;

/**
 * The clock of a process. `"near"` is off by about a second, as real clocks are; `"ahead"` and `"behind"` are off by an
 * hour, within the process's `maxSkewMs`; `"jumping"` leaps by an hour now and then, beyond it.
 */
type Role = "true" | "near" | "jumping" | "ahead" | "behind";

/** The number of faults, by kind. */
type FaultCounts = Record<"killed" | "stopped" | "asked to end" | "restarts" | "crashes" | "freezes", number>;

export interface ChaosRun {
  readonly store: "redis" | "postgres" | "mariadb" | "nats" | "etcd";
  readonly server: Server;
  readonly namespace: string;
  readonly threads: boolean;
  readonly tickMs: number;
  /** The shortest duration. Up to three times as long if the machine makes fewer than `ids` in that time. */
  readonly seconds: number;
  readonly ids: number;
  readonly chance: Chance;
  /** The folder for the files of the processes. */
  readonly folder: string;
}

export interface Outcome {
  readonly faults: FaultCounts;
  readonly processes: number;
  /** The processes that failed: how each one ended, and its output. */
  readonly failures: readonly string[];
  /** The time span without faults. */
  readonly calm: { readonly from: number; readonly to: number };
  /** The processes that neither made an ID nor asked for a node in that time span. */
  readonly idle: readonly string[];
}

interface Member {
  readonly name: string;
  /** The beginning of the names of its files. */
  readonly path: string;
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  isStopped: boolean;
  /** The signals that may have ended it. */
  readonly sent: Set<NodeJS.Signals>;
}

/** The running processes. They are killed when this process ends, because a stopped one would stay. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Runs the processes for a while with faults of them and of the store, and then ends them with SIGTERM. */
export async function runProcesses(run: ChaosRun): Promise<Outcome> {
  const { store, server, namespace, threads, tickMs, seconds, ids, chance, folder } = run;
  const faults: FaultCounts = {
    killed: 0,
    stopped: 0,
    "asked to end": 0,
    restarts: 0,
    crashes: 0,
    freezes: 0,
  };
  const failures: string[] = [];
  const members: (Member | undefined)[] = Array.from({ length: PROCESSES }, () => undefined);
  const started = Date.now();
  // The processes that are stopped last continue after up to two more `TTL_MS`.
  const faultsEnd = started + seconds * 1000 - CALM_MS - 2 * TTL_MS;
  // A copy, so that a build during the run does not remove the files.
  const build = join(folder, "build");
  cpSync(dist, build, { recursive: true });
  writeFileSync(join(build, "package.json"), '{ "type": "module" }');
  let processes = 0;
  let ahead = 0;
  let isOver = false;

  /** Processes with wrong clocks start first, while there are unused nodes, because a clock that is behind gets no others. */
  function roleOf(slot: number): Role {
    if (slot === 0 && ahead++ < AHEAD) return "ahead";
    if (slot === 1 || slot === 2) return "behind";
    return slot < 5 ? "jumping" : slot < 8 ? "near" : "true";
  }

  function start(slot: number): void {
    const role = roleOf(slot);
    const name = `${++processes}-${role}`;
    const path = join(folder, name);
    const plan = {
      ...{
        dist: pathToFileURL(`${build}/`).href,
        store,
        url: server.url,
        namespace,
        path,
        name,
        role,
        threads,
      },
      ...{ ttlMs: TTL_MS, tickMs, layout: LAYOUT },
    };
    const script = fileURLToPath(new URL("holder.mjs", import.meta.url));
    const seed = `--random-seed=${chance.between(1, 2 ** 30)}`;
    const output = openSync(`${path}.output`, "w");
    const child = spawn(process.execPath, [seed, script, JSON.stringify(plan)], {
      stdio: ["pipe", output, output],
    });
    closeSync(output);
    running.add(child);
    // Writing to a killed process fails, which is no error here.
    child.stdin?.on("error", () => {});
    const ended = new Promise<void>((resolve) => {
      child.once("exit", (code, signal) => {
        // A process that gets SIGTERM before it handles it ends by the signal itself.
        if (code !== 0 && !(signal && member.sent.has(signal))) {
          failures.push(`${name} ended by ${signal ?? code}: ${readFileSync(`${path}.output`, "utf8")}`);
        }
        members[slot] = undefined;
        running.delete(child);
        resolve();
        if (!isOver) again(slot);
      });
    });
    const member: Member = { name, path, child, ended, isStopped: false, sent: new Set() };
    members[slot] = member;
  }

  async function again(slot: number): Promise<void> {
    await setTimeout(chance.between(20, 300));
    if (!isOver && !members[slot]) start(slot);
  }

  const alive = () => members.filter((member) => member !== undefined);
  const awake = () => alive().filter((member) => !member.isStopped);

  /** Sends a signal. Returns whether there was a process to receive it. */
  function send(member: Member | undefined, signal: "SIGKILL" | "SIGTERM"): boolean {
    member?.sent.add(signal);
    return member?.child.kill(signal) ?? false;
  }

  /** Stops a process for longer than its lease lasts, and then continues it. */
  async function stop(member: Member | undefined): Promise<void> {
    if (!member?.child.kill("SIGSTOP")) return;
    member.isStopped = true;
    faults.stopped++;
    await setTimeout(TTL_MS * (1.1 + chance.next()));
    member.isStopped = false;
    member.child.kill("SIGCONT");
  }

  /** Returns how many IDs are in the files. */
  function countIds(): number {
    const files = readdirSync(folder).filter((file) => file.endsWith(".ids"));
    return files.reduce((bytes, file) => bytes + statSync(join(folder, file)).size, 0) / 8;
  }

  async function disturbProcesses(): Promise<void> {
    const stops: Promise<void>[] = [];
    const latest = started + 3 * seconds * 1000;
    while (Date.now() < faultsEnd || (countIds() <= ids && Date.now() < latest)) {
      await setTimeout(chance.between(100, 400));
      const way = chance.next();
      // Stopped processes may be killed as well.
      if (way < 0.25) faults.killed += Number(send(chance.oneOf(alive()), "SIGKILL"));
      else if (way < 0.65 && awake().length > PROCESSES / 2) stops.push(stop(chance.oneOf(awake())));
      else if (way < 0.8) faults["asked to end"] += Number(send(chance.oneOf(awake()), "SIGTERM"));
    }
    await Promise.all(stops);
  }

  async function disturbStore(): Promise<void> {
    const at = (share: number) =>
      setTimeout(Math.max(0, started + share * (faultsEnd - started) - Date.now()));
    const freeze = async () => {
      server.pause();
      faults.freezes++;
      await setTimeout(TTL_MS * (1.1 + chance.next()));
      server.resume();
    };
    await at(0.2);
    await freeze();
    await at(0.4);
    await server.restart();
    faults.restarts++;
    await at(0.6);
    await freeze();
    await at(0.8);
    await server.kill();
    faults.crashes++;
    await setTimeout(chance.between(100, 1000));
    await server.restart();
  }

  // Wait until wrong clocks have their nodes, before other processes have used them all.
  const early = [0, 1, 2];
  for (const slot of early) start(slot);
  while (early.some((slot) => !existsSync(`${members[slot]?.path}.1.0.ids`))) {
    await setTimeout(50);
    if (Date.now() > started + 5000) break;
  }
  for (let slot = 3; slot < PROCESSES; slot++) start(slot);
  await Promise.all([disturbProcesses(), disturbStore()]);

  const from = Date.now();
  const witnesses = alive();
  /** Returns the files with IDs or a log that have grown since then. */
  const grown = () =>
    readdirSync(folder).filter(
      (file) => /\.(ids|log)$/.test(file) && statSync(join(folder, file)).mtimeMs >= from,
    );
  const isIdle = ({ name }: Member) => !grown().some((file) => file.startsWith(`${name}.`));
  /** Returns how many leases have made IDs: a file's name is that of the process, the number of its lease, and its thread. */
  const leasesInUse = () =>
    new Set(grown().flatMap((file) => /^(.*\.\d+)\.\d+\.ids$/.exec(file)?.[1] ?? [])).size;
  await setTimeout(CALM_MS);
  while (witnesses.some(isIdle) || leasesInUse() < NODES - AHEAD) {
    if (Date.now() > from + MAX_CALM_MS) break;
    await setTimeout(200);
  }
  const to = Date.now();
  isOver = true;
  const survivors = alive();
  const idle = survivors
    .filter((member) => witnesses.includes(member) && isIdle(member))
    .map(({ name }) => name);
  for (const member of survivors) send(member, "SIGTERM");
  const late = new AbortController();
  const killer = setTimeout(60_000, undefined, { signal: late.signal }).then(
    () => {
      for (const { name, child } of alive()) {
        failures.push(`${name} does not end after SIGTERM`);
        child.kill("SIGKILL");
      }
    },
    () => {},
  );
  await Promise.all(survivors.map(({ ended }) => ended));
  late.abort();
  await killer;
  return { faults, processes, failures, calm: { from, to }, idle };
}
