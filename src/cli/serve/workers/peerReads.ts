// The reports of workers for one of them: requests them from the others, and answers when they have come, or when one takes too long.

import { startTimer } from "../../../backend/call.ts";
import type { PeerReports, ProcessReport } from "../../../service/peers.ts";
import type { ToWorker } from "./messages.ts";

/** How long the answer waits for a worker, in milliseconds. It is left out then. */
const MAX_WAIT_MS = 1000;

/** A worker that can report. */
export interface Peer {
  readonly number: number;
  send(message: ToWorker): void;
}

/** Requests reports of workers. */
export class PeerReads {
  readonly #pending = new Map<number, (report: ProcessReport) => void>();
  #lastId = 0;

  /** Answers a worker's question with the reports of the others. */
  async answer(asker: Peer, id: number, others: readonly Peer[]): Promise<void> {
    const reports: PeerReports = {
      number: asker.number,
      others: (await Promise.all(others.map((other) => this.#request(other)))).flat(),
    };
    asker.send({ kind: "peerReports", id, reports });
  }

  /** Takes a worker's report. One that comes too late is dropped. */
  take(id: number, report: ProcessReport): void {
    this.#pending.get(id)?.(report);
  }

  #request(peer: Peer): Promise<PeerReports["others"]> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const end = (reports: PeerReports["others"]) => {
        this.#pending.delete(id);
        stopTimer();
        resolve(reports);
      };
      const stopTimer = startTimer(() => end([]), MAX_WAIT_MS);
      this.#pending.set(id, (report) => end([{ number: peer.number, report }]));
      peer.send({ kind: "report", id });
    });
  }
}
