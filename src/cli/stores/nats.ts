// NATS, with the packages @nats-io/kv and @nats-io/transport-node, or nats: a bucket of its key-value store.

import { fromNatsKv, type NatsKv } from "../../backend/index.ts";
import { CommandError } from "../errors.ts";
import type { Io } from "../io.ts";
import { loadFirstPackage } from "../packages.ts";
import { maskedAddress, serversOf } from "./address.ts";
import { type Connection, type ConnectionOptions, waitUntilConnected } from "./connection.ts";
import { reconnectingClient } from "./reconnectingClient.ts";

/** Options of a bucket. */
interface BucketOptions {
  readonly allow_direct: boolean;
  readonly replicas?: number;
  readonly bindOnly?: boolean;
}

/** A connection of either client. */
interface NatsConnection {
  isClosed(): boolean;
  close(): Promise<unknown>;
}

type Connect<C extends NatsConnection> = (options: object) => Promise<C>;

/** The part of `@nats-io/kv` that the command line uses. */
interface Kv {
  readonly Kvm: new (
    connection: NatsConnection,
  ) => {
    create(name: string, options: BucketOptions): Promise<NatsKv>;
    open(name: string, options: BucketOptions): Promise<NatsKv>;
  };
}

/** The part of `@nats-io/transport-node` that the command line uses. */
interface Transport {
  readonly connect: Connect<NatsConnection>;
}

/** The part of `nats` that the command line uses. */
interface Nats2 {
  readonly connect: Connect<
    NatsConnection & {
      jetstream(): {
        readonly views: { kv(name: string, options: BucketOptions): Promise<NatsKv> };
      };
    }
  >;
}

/** The functions that differ between the clients. */
interface Client {
  connect(options: object): Promise<NatsConnection>;
  open(connection: NatsConnection, name: string, options: BucketOptions): Promise<NatsKv>;
}

async function loadClient(io: Io): Promise<Client> {
  const packages = ["@nats-io/kv @nats-io/transport-node", "nats"];
  const { name, module, others } = await loadFirstPackage("nats://", packages, io);
  if (name === "nats") {
    const { connect } = module as Nats2;
    return {
      connect,
      open: (connection, bucket, options) =>
        (connection as Awaited<ReturnType<Nats2["connect"]>>).jetstream().views.kv(bucket, options),
    };
  }
  const { Kvm } = module as Kv;
  const { connect } = others[0] as Transport;
  return {
    connect,
    open(connection, bucket, options) {
      const kvm = new Kvm(connection);
      return options.bindOnly ? kvm.open(bucket, options) : kvm.create(bucket, options);
    },
  };
}

/** The bucket of an address without one. */
const DEFAULT_BUCKET = "bitflake";

/**
 * Connects to a NATS.
 *
 * @param createsMissing whether a missing bucket is created
 * @throws {@link CommandError} if the bucket does not exist, or forgets values after a time
 */
export async function openNats(
  url: string,
  io: Io,
  { prefix, timeoutMs }: ConnectionOptions,
  createsMissing: boolean,
): Promise<Connection> {
  const { connect, open } = await loadClient(io);
  const { scheme, hosts, username, password, path, parameters } = serversOf(url, 4222);
  const bucketName = path || DEFAULT_BUCKET;
  const options = {
    servers: hosts.map(({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`),
    // A user without a password is a token, as for NATS' own tools.
    ...(password !== "" ? { user: username, pass: password } : username !== "" && { token: username }),
    ...(scheme === "nats+tls" && { tls: {} }),
    timeout: timeoutMs,
    // While it reconnects by itself, requests wait. So it gives up, and the next call opens a new connection.
    reconnect: false,
  };
  const openBucket = async (connection: NatsConnection): Promise<NatsKv> => {
    const replicas = Number(parameters.get("replicas") ?? 1);
    // Reads from the leader: other replicas may answer with an old value.
    const settings = { allow_direct: false, ...(createsMissing ? { replicas } : { bindOnly: true }) };
    const bucket = await open(connection, bucketName, settings);
    // It rejects if the bucket does not exist.
    const { ttl } = await bucket.status().catch((cause) => {
      const isMissing = /stream not found/.test(String(cause?.message));
      throw isMissing
        ? new CommandError("ERR_BACKEND", `${maskedAddress(url)}: the bucket ${bucketName} does not exist`, {
            cause,
          })
        : cause;
    });
    if (ttl === 0) return bucket;
    const reason = "has a ttl, so it forgets leases and counters: name a bucket without one";
    throw new CommandError("ERR_BACKEND", `${maskedAddress(url)}: the bucket ${bucketName} ${reason}`);
  };
  const { use, ready, close } = reconnectingClient(timeoutMs, () => {
    let connection: NatsConnection | undefined;
    let isClosed = false;
    let bucket: NatsKv | undefined;
    const opening = async () => {
      connection = await connect(options);
      // It was closed while it was being opened.
      if (isClosed) return void connection.close();
      bucket = await openBucket(connection);
    };
    return {
      client: () => bucket as NatsKv,
      ready: opening(),
      isOver: () => connection?.isClosed() === true,
      close() {
        isClosed = true;
        return connection?.close();
      },
    };
  });
  const kv: NatsKv = {
    get: (...args) => use((client) => client().get(...args)),
    put: (...args) => use((client) => client().put(...args)),
    history: (...args) => use((client) => client().history(...args)),
    status: () => use((client) => client().status()),
  };
  const backend = fromNatsKv(kv, { prefix, timeoutMs });
  return waitUntilConnected(timeoutMs, ready, { backend, close });
}
