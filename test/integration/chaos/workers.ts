// The processes of a run, and what is done to them and to their store while they make IDs.

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

/** The build whose IDs are made: another one, such as one that is broken on purpose, where FIRE_DIST says so. */
const dist = process.env.FIRE_DIST ?? fileURLToPath(new URL("../../../dist", import.meta.url));

/** So short that who is stopped for longer does not hold the run up. */
export const TTL_MS = 1500;

/** Eight nodes, fewer than there are processes, and a sequence that no process uses up within a tick. */
export const LAYOUT = { timestampBits: 41, datacenterBits: 0, machineBits: 3, sequenceBits: 19 };
export const NODES = 2 ** LAYOUT.machineBits;
const PROCESSES = 12;

/** How many processes with a clock that is an hour ahead there are in all: each keeps a node from all others. */
const AHEAD = 2;

/** How long the last processes are left in peace: long enough for all that is past to expire, and as long again. */
const CALM_MS = 3 * TTL_MS;

/**
 * What a process's clock is like. `"near"` ones are off by a second or so, as clocks are; `"ahead"` and `"behind"` are an
 * hour off, and allowed to be; `"jumping"` ones leap by an hour now and then, and are not.
 */
type Role = "true" | "near" | "jumping" | "ahead" | "behind";

/** What was done, by kind. */
type Troubles = Record<"killed" | "stopped" | "asked to end" | "restarts" | "crashes" | "freezes", number>;

export interface Campaign {
  readonly store: "redis" | "postgres";
  readonly server: Server;
  readonly namespace: string;
  readonly threads: boolean;
  readonly tickMs: number;
  /** How long all of it lasts at least; longer, to three times that, where the machine is too slow for so many IDs. */
  readonly seconds: number;
  readonly ids: number;
  readonly chance: Chance;
  /** Where the files of the processes go. */
  readonly folder: string;
}

export interface Outcome {
  readonly troubles: Troubles;
  readonly processes: number;
  /** What went wrong with processes: how they ended that should not, and what they said. */
  readonly failures: readonly string[];
  /** The moments between which all was calm. */
  readonly calm: { readonly from: number; readonly to: number };
  /** The processes that lived through all of the calm. */
  readonly survivors: readonly string[];
}

interface Member {
  readonly name: string;
  /** What the names of its files begin with. */
  readonly path: string;
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  isStopped: boolean;
  /** The signals that may have ended it. */
  readonly sent: Set<NodeJS.Signals>;
}

/** What still runs when this process ends: who is stopped then would stay so. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Runs the processes for a while, does to them and to the store what may happen to any, and ends them in good order. */
export async function churn(campaign: Campaign): Promise<Outcome> {
  const { store, server, namespace, threads, tickMs, seconds, ids, chance, folder } = campaign;
  const troubles: Troubles = {
    killed: 0,
    stopped: 0,
    "asked to end": 0,
    restarts: 0,
    crashes: 0,
    freezes: 0,
  };
  const failures: string[] = [];
  const crew: (Member | undefined)[] = Array.from({ length: PROCESSES }, () => undefined);
  const started = Date.now();
  // Those that were stopped last go on a while later.
  const troubleEnds = started + seconds * 1000 - CALM_MS - 2 * TTL_MS;
  // A copy, so that who builds meanwhile does not take it away from the processes that start then.
  const build = join(folder, "build");
  cpSync(dist, build, { recursive: true });
  writeFileSync(join(build, "package.json"), '{ "type": "module" }');
  let processes = 0;
  let ahead = 0;
  let isOver = false;

  /** Those with wrong clocks come first, while there are nodes that nobody has used: the one that is behind gets no others. */
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
    const said = openSync(`${path}.said`, "w");
    const child = spawn(process.execPath, [seed, script, JSON.stringify(plan)], {
      stdio: ["pipe", said, said],
    });
    closeSync(said);
    running.add(child);
    // One that is killed hears nothing more, and that is no error.
    child.stdin?.on("error", () => {});
    const ended = new Promise<void>((resolve) => {
      child.once("exit", (code, signal) => {
        // Who is asked to end before it listens ends by the signal itself.
        if (code !== 0 && !(signal && member.sent.has(signal))) {
          failures.push(`${name} ended by ${signal ?? code}: ${readFileSync(`${path}.said`, "utf8")}`);
        }
        crew[slot] = undefined;
        running.delete(child);
        resolve();
        if (!isOver) again(slot);
      });
    });
    const member: Member = { name, path, child, ended, isStopped: false, sent: new Set() };
    crew[slot] = member;
  }

  async function again(slot: number): Promise<void> {
    await setTimeout(chance.between(20, 300));
    if (!isOver && !crew[slot]) start(slot);
  }

  const alive = () => crew.filter((member) => member !== undefined);
  const awake = () => alive().filter((member) => !member.isStopped);

  /** Whether there was anyone to hear it. */
  function send(member: Member | undefined, signal: "SIGKILL" | "SIGTERM"): boolean {
    member?.sent.add(signal);
    return member?.child.kill(signal) ?? false;
  }

  /** Stops a process for longer than its lease lasts, and lets it go on as if nothing had been. */
  async function stop(member: Member | undefined): Promise<void> {
    if (!member?.child.kill("SIGSTOP")) return;
    member.isStopped = true;
    troubles.stopped++;
    await setTimeout(TTL_MS * (1.1 + chance.next()));
    member.isStopped = false;
    member.child.kill("SIGCONT");
  }

  /** How many IDs are on record. */
  function made(): number {
    const files = readdirSync(folder).filter((file) => file.endsWith(".ids"));
    return files.reduce((bytes, file) => bytes + statSync(join(folder, file)).size, 0) / 8;
  }

  async function troubleProcesses(): Promise<void> {
    const stops: Promise<void>[] = [];
    const latest = started + 3 * seconds * 1000;
    while (Date.now() < troubleEnds || (made() <= ids && Date.now() < latest)) {
      await setTimeout(chance.between(100, 400));
      const way = chance.next();
      // Those that are stopped may be killed as well.
      if (way < 0.25) troubles.killed += Number(send(chance.oneOf(alive()), "SIGKILL"));
      else if (way < 0.65 && awake().length > PROCESSES / 2) stops.push(stop(chance.oneOf(awake())));
      else if (way < 0.8) troubles["asked to end"] += Number(send(chance.oneOf(awake()), "SIGTERM"));
    }
    await Promise.all(stops);
  }

  async function troubleStore(): Promise<void> {
    const at = (share: number) =>
      setTimeout(Math.max(0, started + share * (troubleEnds - started) - Date.now()));
    const freeze = async () => {
      server.pause();
      troubles.freezes++;
      await setTimeout(TTL_MS * (1.1 + chance.next()));
      server.resume();
    };
    await at(0.2);
    await freeze();
    await at(0.4);
    await server.restart();
    troubles.restarts++;
    await at(0.6);
    await freeze();
    await at(0.8);
    await server.kill();
    troubles.crashes++;
    await setTimeout(chance.between(100, 1000));
    await server.restart();
  }

  // So that wrong clocks have their nodes before others have had them all.
  const early = [0, 1, 2];
  for (const slot of early) start(slot);
  while (early.some((slot) => !existsSync(`${crew[slot]?.path}.1.0.ids`))) {
    await setTimeout(50);
    if (Date.now() > started + 5000) break;
  }
  for (let slot = 3; slot < PROCESSES; slot++) start(slot);
  await Promise.all([troubleProcesses(), troubleStore()]);

  const from = Date.now();
  const witnesses = alive();
  await setTimeout(CALM_MS);
  const to = Date.now();
  isOver = true;
  const survivors = alive();
  for (const member of survivors) send(member, "SIGTERM");
  const late = new AbortController();
  const leash = setTimeout(10_000, undefined, { signal: late.signal }).then(
    () => {
      for (const { name, child } of alive()) {
        failures.push(`${name} does not end although it is asked to`);
        child.kill("SIGKILL");
      }
    },
    () => {},
  );
  await Promise.all(survivors.map(({ ended }) => ended));
  late.abort();
  await leash;
  const lasting = witnesses.filter((member) => survivors.includes(member)).map(({ name }) => name);
  return { troubles, processes, failures, calm: { from, to }, survivors: lasting };
}
