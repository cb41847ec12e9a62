// Peers: the other processes that answer on the same port. A request reaches only one of them, which reports for all.

import type { ProcessCounts } from "./counts.ts";
import type { Family } from "./exposition.ts";
import { withTimeout } from "./withTimeout.ts";

/** How long a request waits for the reports of the peers, in milliseconds. */
const MAX_WAIT_MS = 2000;

/** The report of a process. It can be sent between processes. */
export interface ProcessReport {
  readonly families: readonly Family[];
  readonly counts: ProcessCounts;
}

/** The reports of the peers that answered. */
export interface PeerReports {
  /** The number of this process among those of the port. */
  readonly number: number;
  readonly others: readonly { readonly number: number; readonly report: ProcessReport }[];
}

/** Requests the reports of the peers. */
export type ReadPeers = () => Promise<PeerReports>;

/** The peers of this process, if it has any. */
export class Peers {
  #read: ReadPeers | undefined;
  #reading: Promise<PeerReports | undefined> | undefined;
  /** The number of this process, once it is known. */
  #number: number | undefined;

  /** From now on this process has peers. */
  join(read: ReadPeers): void {
    this.#read = read;
  }

  /**
   * Resolves to their reports, in time; without those if they do not come; `undefined` if this process answers alone. Calls at
   * the same time get the same reports.
   */
  async read(): Promise<PeerReports | undefined> {
    const read = this.#read;
    if (!read) return undefined;
    this.#reading ??= withTimeout(read(), MAX_WAIT_MS).finally(() => {
      this.#reading = undefined;
    });
    const reports = await this.#reading;
    if (reports) this.#number = reports.number;
    return reports ?? (this.#number === undefined ? undefined : { number: this.#number, others: [] });
  }
}

function labelled(families: readonly Family[], number: number): Family[] {
  return families.map((family) => ({
    ...family,
    samples: family.samples.map((sample) => ({
      ...sample,
      labels: { ...sample.labels, worker: number },
    })),
  }));
}

/** Returns the metrics of all processes, each sample with the number of its process as the label `worker`. */
export function joinFamilies(own: readonly Family[], { number, others }: PeerReports): Family[] {
  const joined = new Map(labelled(own, number).map((family) => [family.name, family]));
  for (const other of others) {
    for (const family of labelled(other.report.families, other.number)) {
      const known = joined.get(family.name);
      const samples = known ? [...known.samples, ...family.samples] : family.samples;
      joined.set(family.name, { ...family, samples });
    }
  }
  return [...joined.values()];
}
