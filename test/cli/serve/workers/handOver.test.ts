// Connections on their way to a worker that ends, by the messages of node:cluster. service-workers.test.ts has real workers.

import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { type ClusterProcess, handOverConnectionsOf } from "../../../../src/cli/serve/workers/handOver.ts";

test.each([
  ["not accepted, so that another worker gets it", true],
  ["accepted, so that it is closed, if there is no other", false],
])("a connection that a process has not taken when it ends counts as %s", (_how, hasOthers) => {
  const sent: unknown[][] = [];
  const process = Object.assign(new EventEmitter(), {
    send(...message: unknown[]) {
      expect(this).toBe(process);
      sent.push(message);
      return true;
    },
  });
  handOverConnectionsOf(process as ClusterProcess, () => hasOthers);
  const replies: unknown[] = [];
  process.on("internalMessage", (message) => replies.push(message));

  const connection = (seq: number) => ({ cmd: "NODE_CLUSTER", act: "newconn", seq });
  for (const seq of [1, 2, 3]) expect(process.send(connection(seq), "a handle")).toBe(true);
  // Others are passed on, and owe nothing.
  process.send({ cmd: "NODE_CLUSTER", act: "disconnect", seq: 4 });
  process.send({ kind: "stop" }, () => {});
  process.send("text");
  expect(sent.length).toBe(6);
  expect(sent[0]).toEqual([connection(1), "a handle"]);

  process.emit("internalMessage", { cmd: "NODE_CLUSTER", ack: 2, accepted: true });
  process.emit("internalMessage", { cmd: "NODE_CLUSTER", act: "queryServer", seq: 9 });
  replies.length = 0;
  process.emit("exit");
  expect(replies).toEqual([
    { cmd: "NODE_CLUSTER", ack: 1, accepted: !hasOthers },
    { cmd: "NODE_CLUSTER", ack: 3, accepted: !hasOthers },
  ]);
});
