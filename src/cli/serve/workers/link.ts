// The link of a worker to its supervisor.

import type { PeerReports, ProcessReport } from "../../../service/peers.ts";
import { type Io, nodeModule } from "../../io.ts";
import type { FromWorker, ToWorker } from "./messages.ts";

/** The link of a worker to its supervisor. */
export interface SupervisorLink {
  /** Aborted when the worker must end. */
  readonly signal: AbortSignal;
  /** Whether it must end because another worker has taken its place. */
  readonly isReplaced: () => boolean;
  /** Reports that the worker listens. */
  reportListening(startReport: string): Promise<void>;
  /** Requests the reports of the other workers. */
  readPeers(): Promise<PeerReports>;
  /** Answers the supervisor's questions from now on. */
  answerWith(report: () => Promise<ProcessReport>): void;
  /** Lets the process end although the supervisor could still send messages. */
  release(): void;
}

/** Links this process, which is a worker, to its supervisor. */
export async function linkToSupervisor(io: Io): Promise<SupervisorLink> {
  const process = (await nodeModule(io, "node:process")).default;
  const controller = new AbortController();
  let isReplaced = false;
  let readReport: (() => Promise<ProcessReport>) | undefined;
  let lastId = 0;
  const reads = new Map<number, (reports: PeerReports) => void>();
  const send = (message: FromWorker) =>
    new Promise<void>((sent) => {
      // Without a channel the supervisor is gone, and node:cluster ends this process.
      if (process.send) process.send(message, undefined, undefined, () => sent());
      else sent();
    });
  process.on("message", (received) => {
    // Other code in this process may have messages of its own.
    const message = Object(received) as ToWorker;
    if (message.kind === "stop") controller.abort();
    else if (message.kind === "retire") {
      isReplaced = true;
      controller.abort();
    } else if (message.kind === "report") {
      // A report that fails is left out, as that of a worker that takes too long.
      readReport?.().then(
        (report) => send({ kind: "report", id: message.id, report }),
        () => {},
      );
    } else if (message.kind === "peerReports") {
      reads.get(message.id)?.(message.reports);
      reads.delete(message.id);
    }
  });
  // A terminal sends its signals to the workers too. A hangup restarts or stops them through the supervisor.
  const signal = io.stopSignal(() => {});
  signal.addEventListener("abort", () => controller.abort(), { once: true });
  return {
    signal: controller.signal,
    isReplaced: () => isReplaced,
    reportListening: (startReport) => send({ kind: "listening", startReport }),
    readPeers: () =>
      new Promise((resolve) => {
        const id = ++lastId;
        reads.set(id, resolve);
        void send({ kind: "readPeers", id });
      }),
    answerWith(report) {
      readReport = report;
    },
    release: () => process.channel?.unref(),
  };
}
