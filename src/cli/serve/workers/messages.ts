// The messages between the supervisor and its workers.

import type { PeerReports, ProcessReport } from "../../../service/peers.ts";

/** From the supervisor to a worker. */
export type ToWorker =
  /** The service stops. */
  | { readonly kind: "stop" }
  /** Another worker has taken its place. */
  | { readonly kind: "retire" }
  /** A request for its report. */
  | { readonly kind: "report"; readonly id: number }
  /** The reports of the others, which it requested. */
  | { readonly kind: "peerReports"; readonly id: number; readonly reports: PeerReports };

/** From a worker to the supervisor. */
export type FromWorker =
  /** It listens. */
  | { readonly kind: "listening"; readonly startReport: string }
  /** The report that was requested. */
  | { readonly kind: "report"; readonly id: number; readonly report: ProcessReport }
  /** A request for the reports of the other workers. */
  | { readonly kind: "readPeers"; readonly id: number };
