import type { Backend, PortSettings } from "bitflake/backend";

type Connect = (
  backends: typeof import("bitflake/backend"),
  url: string,
  settings: PortSettings,
) => Promise<{ readonly backend: Backend; close(): unknown }>;

export const connections: Readonly<Record<"redis" | "postgres" | "mariadb" | "nats" | "etcd", Connect>>;
