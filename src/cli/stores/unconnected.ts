// Backends without a connection, by which a feature tells whether it works on a kind of store before the store is opened.

import {
  type Backend,
  fromEtcd,
  fromIORedis,
  fromMysql2,
  fromNatsKv,
  fromPg,
  fromSqlite,
  memory,
} from "../../backend/index.ts";
import type { StoreKind } from "./address.ts";

function call(): never {
  throw new Error("not connected");
}

/** Returns a backend as `openStore` returns it for a kind of store. Its calls fail. */
export function unconnectedBackend(kind: StoreKind): Backend {
  switch (kind) {
    case "redis":
      return fromIORedis({ call });
    case "postgres":
      return fromPg({ query: call });
    case "mysql":
      return fromMysql2({ query: call, execute: call, getConnection: call });
    case "nats":
      return fromNatsKv({ get: call, put: call, history: call, status: call });
    case "etcd":
      return fromEtcd({ endpoints: "http://localhost" });
    case "sqlite":
      return fromSqlite({ prepare: call });
    case "memory":
      return memory();
  }
}
