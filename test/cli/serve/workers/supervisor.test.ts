// The supervisor of workers, on processes that the test plays.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { FromWorker, ToWorker } from "../../../../src/cli/serve/workers/messages.ts";
import {
  type Exit,
  Supervisor,
  type WorkerEvent,
  type WorkerProcess,
} from "../../../../src/cli/serve/workers/supervisor.ts";
import type { PeerReports, ProcessReport } from "../../../../src/service/peers.ts";

/** A process that the test plays. */
class FakeProcess implements WorkerProcess {
  readonly sent: ToWorker[] = [];
  isKilled = false;
  #onMessage: (message: FromWorker) => void = () => {};
  #onExit: (exit: Exit) => void = () => {};

  send(message: ToWorker): void {
    this.sent.push(message);
  }
  onMessage(listener: (message: FromWorker) => void): void {
    this.#onMessage = listener;
  }
  onExit(listener: (exit: Exit) => void): void {
    this.#onExit = listener;
  }
  kill(): void {
    this.isKilled = true;
    this.exit(null, "SIGKILL");
  }
  says(message: FromWorker): void {
    this.#onMessage(message);
  }
  listens(): void {
    this.says({ kind: "listening", startReport: "it listens" });
  }
  exit(code: number | null, signal: string | null = null, error?: string): void {
    this.#onExit({ code, signal, ...(error !== undefined && { error }) });
  }
  get kinds(): string[] {
    return this.sent.map(({ kind }) => kind);
  }
}

/** Runs the reactions of promises. */
const flush = () => vi.advanceTimersByTimeAsync(0);

function supervise(count: number) {
  const processes: FakeProcess[] = [];
  const events: WorkerEvent[] = [];
  const reports: string[] = [];
  const stop = new AbortController();
  const supervisor = new Supervisor({
    count,
    stopTimeoutMs: 50_000,
    fork() {
      const process = new FakeProcess();
      processes.push(process);
      return process;
    },
    onListening: (report) => reports.push(report),
    onEvent: (event) => events.push(event),
    nowMs: () => Date.now(),
  });
  const ended = supervisor.run(stop.signal);
  const at = (index: number) => processes[index] as FakeProcess;
  return { supervisor, processes, at, events, reports, stop: () => stop.abort(), ended };
}

/** Supervises workers that listen. */
async function superviseListening(count: number) {
  const run = supervise(count);
  run.at(0).listens();
  await flush();
  for (const process of run.processes.slice(1)) process.listens();
  await flush();
  return run;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the start", () => {
  test("starts the others when the first listens, and reports the start once", async () => {
    const { processes, at, reports } = supervise(3);
    expect(processes.length).toBe(1);
    at(0).listens();
    await flush();
    expect(processes.length).toBe(3);
    at(1).listens();
    at(2).listens();
    expect(reports).toEqual(["it listens"]);
  });

  test.for([
    [2, 2],
    [1, 1],
    [null, 1],
  ] as const)("ends as the first worker does that cannot start: code %s gives %s", async ([code, exit]) => {
    const { at, events, processes, ended } = supervise(2);
    at(0).exit(code, code === null ? "SIGSEGV" : null);
    expect(await ended).toBe(exit);
    expect(processes.length).toBe(1);
    // A process that was killed could not report it itself.
    expect(events.map(({ message }) => message)).toEqual(
      code === null ? ["Worker 1 ended with signal SIGSEGV before it served."] : [],
    );
  });

  test("a stop before the first listens ends it", async () => {
    const { at, stop, ended, processes } = supervise(2);
    stop();
    expect(at(0).kinds).toEqual(["stop"]);
    // It was started before it could hear the message.
    at(0).listens();
    expect(at(0).kinds).toEqual(["stop", "stop"]);
    at(0).exit(0);
    expect(await ended).toBe(0);
    expect(processes.length).toBe(1);
  });
});

describe("a worker that ends by itself", () => {
  test("is replaced at once, and again with pauses that double up to 30 s", async () => {
    const { at, processes, events } = await superviseListening(1);
    const pauses: number[] = [];
    for (let death = 0; death < 9; death++) {
      at(death).exit(null, "SIGKILL");
      const endedAt = Date.now();
      while (processes.length === death + 1) await vi.advanceTimersByTimeAsync(1);
      pauses.push(Date.now() - endedAt);
      // Every second one does not even begin to serve.
      if (death % 2 === 0) at(death + 1).listens();
    }
    const rounded = pauses.map((ms) => Math.floor(ms / 500) * 500);
    expect(rounded).toEqual([0, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    expect(events[1]).toEqual({
      level: "warn",
      event: "worker_exited",
      message:
        "Worker 1 ended with signal SIGKILL. Another starts in 500 ms, with the configuration as it is then.",
      worker: 1,
    });
  });

  test("is replaced at once after it has served for 10 s", async () => {
    const { at, processes, events } = await superviseListening(2);
    at(1).exit(1);
    await vi.advanceTimersByTimeAsync(1);
    at(2).listens();
    await vi.advanceTimersByTimeAsync(10_000);
    at(2).exit(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(processes.length).toBe(4);
    expect(events.map(({ message }) => message)).toEqual(
      Array(2).fill("Worker 2 ended with exit code 1. Another starts, with the configuration as it is then."),
    );
  });

  test("is not replaced after the stop, nor when its pause ends then", async () => {
    const { at, processes, stop, ended, events } = await superviseListening(2);
    at(1).exit(1);
    await vi.advanceTimersByTimeAsync(1);
    at(2).exit(1); // Its successor starts in 500 ms.
    stop();
    await vi.advanceTimersByTimeAsync(40_000);
    at(0).exit(0);
    expect(await ended).toBe(0);
    expect([processes.length, events.length]).toEqual([3, 2]);
  });
});

describe("a restart", () => {
  test("replaces one after another: each ends when its successor listens, and the next waits for its end", async () => {
    const { supervisor, at, processes, events } = await superviseListening(2);
    supervisor.restart();
    expect([processes.length, at(0).kinds]).toEqual([3, []]);
    at(2).listens();
    await flush();
    expect([processes.length, at(0).kinds, at(1).kinds]).toEqual([3, ["retire"], []]);
    at(0).exit(0);
    await flush();
    expect([processes.length, at(1).kinds]).toEqual([4, []]);
    at(3).listens();
    await flush();
    at(1).exit(0);
    await flush();
    expect(at(1).kinds).toEqual(["retire"]);
    expect(events).toEqual([
      { level: "info", event: "workers_restarted", message: "All 2 workers were restarted." },
    ]);
  });

  test("that is requested before the first worker listens is done afterwards, once", async () => {
    const { supervisor, at, processes, events } = supervise(2);
    supervisor.restart();
    supervisor.restart();
    expect(processes.length).toBe(1);
    at(0).listens();
    await flush();
    // The second worker, and the successor of the first, which may have read the former configuration.
    expect(processes.length).toBe(3);
    at(2).listens();
    await flush();
    expect(at(0).kinds).toEqual(["retire"]);
    at(0).exit(0);
    at(1).listens();
    await flush();
    at(3).listens();
    await flush();
    at(1).exit(0);
    await flush();
    expect([processes.length, events.map(({ event }) => event)]).toEqual([4, ["workers_restarted"]]);
  });

  test("ends with the first successor that does not start: the others serve on", async () => {
    const { supervisor, at, processes, events } = await superviseListening(3);
    supervisor.restart();
    at(3).listens();
    await flush();
    at(0).exit(0);
    await flush();
    at(4).exit(2);
    await flush();
    expect(events).toEqual([
      {
        level: "error",
        event: "workers_restart_failed",
        message:
          "The restart ended at worker 2, whose successor ended with exit code 2. This worker and those after it serve on.",
        worker: 2,
      },
    ]);
    expect([processes.length, at(1).kinds, at(2).kinds]).toEqual([5, [], []]);
  });

  test("is repeated once if it was requested again meanwhile", async () => {
    const { supervisor, at, processes, events } = await superviseListening(1);
    supervisor.restart();
    supervisor.restart();
    supervisor.restart();
    for (const next of [1, 2]) {
      expect(processes.length).toBe(next + 1);
      at(next).listens();
      await flush();
      at(next - 1).exit(0);
      await flush();
    }
    expect([processes.length, events.length]).toEqual([3, 2]);
  });

  test("takes the place of a worker that waits for its pause, and of one that dies meanwhile", async () => {
    const { supervisor, at, processes, events } = await superviseListening(1);
    at(0).exit(1);
    await vi.advanceTimersByTimeAsync(1);
    at(1).exit(1); // Its successor would start in 500 ms.
    supervisor.restart();
    at(2).listens();
    await vi.advanceTimersByTimeAsync(5000);
    expect([processes.length, at(2).kinds]).toEqual([3, []]);
    supervisor.restart(); // Process 3 is the successor of 2, which dies: process 4 starts in its place.
    at(2).exit(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(processes.length).toBe(5);
    at(3).listens();
    await flush();
    expect(at(4).kinds).toEqual(["retire"]);
    at(4).exit(0);
    await flush();
    expect(events.filter(({ event }) => event === "workers_restarted").length).toBe(2);
    expect(processes.length).toBe(5);
  });

  test("ends a worker, which could not hear it before, when it listens", async () => {
    const { supervisor, at, processes, events } = await superviseListening(1);
    at(0).exit(1);
    await vi.advanceTimersByTimeAsync(1);
    supervisor.restart(); // Process 1 still starts in the place, and 2 is to succeed it.
    at(2).listens();
    await flush();
    expect(at(1).kinds).toEqual(["retire"]);
    at(1).listens();
    expect(at(1).kinds).toEqual(["retire", "retire"]);
    at(1).exit(0);
    await flush();
    expect([processes.length, events.at(-1)?.event]).toEqual([3, "workers_restarted"]);
  });

  test("reports a successor that could not be started", async () => {
    const { supervisor, at, events } = await superviseListening(1);
    supervisor.restart();
    at(1).exit(null, null, "spawn EAGAIN");
    await flush();
    expect(events[0]?.message).toContain("whose successor ended with the error spawn EAGAIN");
    expect(at(0).kinds).toEqual([]);
  });

  test("a stop that comes when the successor listens does not wait for the former one twice", async () => {
    const { supervisor, at, stop, ended } = await superviseListening(1);
    supervisor.restart();
    at(1).listens();
    stop();
    await flush();
    expect([at(0).kinds, at(1).kinds]).toEqual([["stop"], ["stop"]]);
    at(0).exit(0);
    at(1).exit(0);
    expect(await ended).toBe(0);
  });

  test("is ignored before the start and after the stop, and a stop ends it", async () => {
    const run = supervise(1);
    run.supervisor.restart();
    expect(run.processes.length).toBe(1);
    const { supervisor, at, processes, stop, ended, events } = await superviseListening(2);
    supervisor.restart();
    stop();
    supervisor.restart();
    expect(at(2).kinds).toEqual(["stop"]);
    for (const process of processes) process.exit(0);
    expect(await ended).toBe(0);
    expect([processes.length, events]).toEqual([3, []]);
  });
});

test("a stop tells all workers, and kills those that take too long", async () => {
  const { at, stop, ended } = await superviseListening(2);
  stop();
  at(0).exit(0);
  await vi.advanceTimersByTimeAsync(49_999);
  expect([at(0).isKilled, at(1).isKilled]).toEqual([false, false]);
  await vi.advanceTimersByTimeAsync(1);
  expect([at(0).isKilled, at(1).isKilled]).toEqual([false, true]);
  expect(await ended).toBe(0);
});

describe("reports", () => {
  const report = (name: string): ProcessReport => ({
    families: [],
    counts: { uptimeMs: 1, ids: { [name]: 1 }, inFlight: 0, routes: [] },
  });
  const answersOf = ({ sent }: FakeProcess): PeerReports[] =>
    sent.flatMap((message) => (message.kind === "peerReports" ? [message.reports] : []));
  const questionTo = ({ sent }: FakeProcess): number =>
    sent.flatMap((message) => (message.kind === "report" ? [message.id] : [])).at(-1) as number;

  test("a worker gets those of the others that listen", async () => {
    const { at } = supervise(4);
    at(0).listens();
    await flush();
    for (const index of [1, 2]) at(index).listens();
    at(1).says({ kind: "readPeers", id: 7 });
    expect([at(0).kinds, at(1).kinds, at(2).kinds, at(3).kinds]).toEqual([["report"], [], ["report"], []]);
    // They may answer in any order.
    at(2).says({ kind: "report", id: questionTo(at(2)), report: report("third") });
    at(0).says({ kind: "report", id: questionTo(at(0)), report: report("first") });
    await flush();
    expect(at(1).sent).toEqual([
      {
        kind: "peerReports",
        id: 7,
        reports: {
          number: 2,
          others: [
            { number: 1, report: report("first") },
            { number: 3, report: report("third") },
          ],
        },
      },
    ]);
  });

  test("neither of its own successor nor, while it retires, of itself", async () => {
    const { supervisor, at } = await superviseListening(2);
    supervisor.restart();
    at(2).listens();
    await flush();
    at(0).says({ kind: "readPeers", id: 1 });
    at(1).says({ kind: "readPeers", id: 1 });
    expect([at(0).kinds, at(1).kinds, at(2).kinds]).toEqual([["retire"], ["report"], ["report"]]);
  });

  test("messages of other code are ignored", async () => {
    const { at, reports } = supervise(1);
    for (const message of [null, "text", 5, {}, { kind: "other" }]) at(0).says(message as never);
    expect(reports).toEqual([]);
    at(0).listens();
    expect(reports.length).toBe(1);
  });

  test("without the one that takes longer than a second, whose late answer is dropped", async () => {
    const { at } = await superviseListening(2);
    at(0).says({ kind: "readPeers", id: 1 });
    await vi.advanceTimersByTimeAsync(999);
    expect(answersOf(at(0))).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(answersOf(at(0))).toEqual([{ number: 1, others: [] }]);
    at(1).says({ kind: "report", id: questionTo(at(1)), report: report("late") });
    await flush();
    expect(answersOf(at(0)).length).toBe(1);
  });
});
