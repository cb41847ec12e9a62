// Clients of stores with compare-and-set, with their adapters.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocument } from "@aws-sdk/lib-dynamodb";
import { Kvm } from "@nats-io/kv";
import { connect } from "@nats-io/transport-node";
import {
  type Cell,
  type CellPort,
  fromDynamoDB,
  fromEtcd,
  fromNatsKv,
  type PortSettings,
  type SwapResult,
} from "bitflake/backend";
import { connect as connect2 } from "nats";

interface CellConnection {
  readonly port: CellPort;
  close(): unknown;
}

export interface CellAdapter {
  readonly name: string;
  /** Connects. An outage does not end the process. */
  open(url: string, settings?: PortSettings): Promise<CellConnection>;
}

/** Options of a connection that survives an outage. */
const reconnecting = { maxReconnectAttempts: -1, reconnectTimeWait: 50, reconnectJitter: 0 };

/** Each bucket is for one client, because names of tests are the same for all clients. */
export const natsAdapters: readonly CellAdapter[] = [
  {
    name: "fromNatsKv",
    async open(url, settings) {
      const connection = await connect({ servers: url, ...reconnecting });
      const kv = await new Kvm(connection).create("tests", { allow_direct: false, history: 3 });
      return { port: fromNatsKv(kv, settings), close: () => connection.close() };
    },
  },
  {
    name: "fromNatsKv with nats 2",
    async open(url, settings) {
      const connection = await connect2({ servers: url, ...reconnecting });
      const kv = await connection.jetstream().views.kv("tests-2");
      return { port: fromNatsKv(kv, settings), close: () => connection.close() };
    },
  },
];

export const etcdAdapter: CellAdapter = {
  name: "fromEtcd",
  open: async (url, settings) => ({ port: fromEtcd({ endpoints: url, ...settings }), close: () => {} }),
};

/** Returns the variables that lead the AWS SDK to an emulator. */
export const dynamoDBVariables = (url: string) => ({
  AWS_ENDPOINT_URL_DYNAMODB: url,
  AWS_REGION: "local",
  AWS_ACCESS_KEY_ID: "local",
  AWS_SECRET_ACCESS_KEY: "local",
});

/** Creates the table of the adapter, unless it exists. */
export async function createTable(client: DynamoDBClient, table: string): Promise<void> {
  const command = new CreateTableCommand({
    TableName: table,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [
      { AttributeName: "pk", AttributeType: "S" },
      { AttributeName: "sk", AttributeType: "S" },
    ],
    KeySchema: [
      { AttributeName: "pk", KeyType: "HASH" },
      { AttributeName: "sk", KeyType: "RANGE" },
    ],
  });
  await client.send(command).catch((error: { name: string }) => {
    if (error.name !== "ResourceInUseException") throw error;
  });
}

export const dynamoDBAdapter: CellAdapter = {
  name: "fromDynamoDB",
  async open(url, settings) {
    const client = new DynamoDBClient({
      endpoint: url,
      region: "local",
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
    });
    // The server may be down at first.
    await createTable(client, "tests").catch(() => {});
    const port = fromDynamoDB(DynamoDBDocument.from(client), { table: "tests", ...settings });
    return { port, close: () => client.destroy() };
  },
};

/** A bridge to the adapter in a process of Deno. */
export const denoKvAdapter: CellAdapter = {
  name: "fromDenoKv",
  async open(deno, settings) {
    const program = fileURLToPath(new URL("deno/kv-bridge.mjs", import.meta.url));
    const facts = JSON.stringify({ path: ":memory:", settings });
    const child = spawn(deno, ["run", "--quiet", "--unstable-kv", "--allow-all", program, facts], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const ended = once(child, "exit");
    const waiting = new Map<number, { resolve(result: never): void; reject(error: Error): void }>();
    createInterface(child.stdout).on("line", (line) => {
      const { id, result, error } = JSON.parse(line);
      if (error === undefined) waiting.get(id)?.resolve(result as never);
      else waiting.get(id)?.reject(new Error(error));
      waiting.delete(id);
    });
    // JSON has no `undefined`.
    const withValue = <T extends Cell>(cell: T): T => ({ ...cell, value: cell.value });
    let calls = 0;
    const call = <T>(method: string, ...args: unknown[]) =>
      new Promise<T>((resolve, reject) => {
        waiting.set(++calls, { resolve, reject });
        child.stdin.write(`${JSON.stringify({ id: calls, method, args })}\n`);
      });
    const port: CellPort = {
      ...settings,
      read: async (key) => withValue(await call<Cell>("read", key)),
      swap: async (...args) => withValue(await call<SwapResult>("swap", ...args)),
      list: (prefix) => call("list", prefix),
    };
    const close = () => {
      child.stdin.end();
      return ended;
    };
    return { port, close };
  },
};
