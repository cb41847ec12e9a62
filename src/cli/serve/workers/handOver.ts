// Connections on their way to a worker that ends.
//
// The primary process of node:cluster sends each connection to a worker and keeps it until the worker replies that it has or has
// not accepted it. A worker that is killed never replies, and node:cluster (Node 20 to 24) forgets such a connection without
// closing it: its client would wait until its own timeout. The reply that is missing is given here. node:cluster then sends the
// connection to another worker, or closes it if there is none.

/** The messages of node:cluster that matter here. */
interface ClusterMessage {
  readonly cmd?: string;
  readonly act?: string;
  /** The number of a message that expects a reply. */
  readonly seq?: number;
  /** The number that a reply answers. */
  readonly ack?: number;
}

/** The process of a worker. Node sends and receives its own messages as users do theirs. */
export interface ClusterProcess {
  send(message: unknown, ...more: unknown[]): boolean;
  on(event: "internalMessage", listener: (message: ClusterMessage) => void): unknown;
  once(event: "exit", listener: () => void): unknown;
  emit(event: "internalMessage", message: ClusterMessage & { readonly accepted: boolean }): boolean;
}

/**
 * Has the connections that a process has not taken when it ends handed to another.
 *
 * @param hasOthers returns whether other workers listen
 */
export function handOverConnectionsOf(process: ClusterProcess, hasOthers: () => boolean): void {
  const unanswered = new Set<number>();
  const { send } = process;
  process.send = (message, ...more) => {
    const { cmd, act, seq } = Object(message) as ClusterMessage;
    if (cmd === "NODE_CLUSTER" && act === "newconn" && seq !== undefined) unanswered.add(seq);
    return send.call(process, message, ...more);
  };
  process.on("internalMessage", ({ ack }) => {
    if (ack !== undefined) unanswered.delete(ack);
  });
  process.once("exit", () => {
    // A connection that was accepted is closed here, and of the dead process nobody has it: its client sees the end.
    const accepted = !hasOthers();
    for (const ack of unanswered) process.emit("internalMessage", { cmd: "NODE_CLUSTER", ack, accepted });
  });
}
