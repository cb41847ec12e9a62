// Cloudflare's stores with their adapters, which run in a Worker of a workerd. The tests reach them by requests.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { CellPort, PortSettings, SqlPort } from "bitflake/backend";
import { build } from "esbuild";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Each write waits for the disk, and the calls of one object for each other. */
const timeoutMs = 20_000;

/** A call of a method in the Worker. */
export type Call = (method: string, ...args: readonly unknown[]) => Promise<never>;

export interface CloudflareConnection<Port> {
  readonly port: Port;
  readonly call: Call;
  close(): Promise<void>;
}

/** What a Worker has beside its script, as miniflare takes it. */
interface Bindings {
  readonly d1Databases?: string[];
  readonly durableObjects?: Readonly<Record<string, { className: string; useSQLite: boolean }>>;
}

/** Starts a workerd with a Worker that uses the sources. */
export async function startWorker(
  code: string,
  bindings: Bindings,
): Promise<{ fetch(init?: RequestInit): Promise<Response>; close(): Promise<void> }> {
  const features = ["backend", "counter", "ratelimit"];
  const bundle = await build({
    stdin: { contents: code, loader: "ts", resolveDir: here(".") },
    alias: Object.fromEntries(
      features.map((name) => [`bitflake/${name}`, here(`../../src/${name}/index.ts`)]),
    ),
    external: ["cloudflare:workers"],
    bundle: true,
    write: false,
    format: "esm",
  });
  // Loaded here, because an old Node cannot.
  const { Miniflare } = await import("miniflare");
  const script = bundle.outputFiles[0]?.text ?? "";
  const workerd = new Miniflare({ modules: true, script, compatibilityDate: "2026-07-01", ...bindings });
  const address = await workerd.ready;
  // A connection of its own for each request: workerd may close one that is kept alive while the next request is on its way.
  const headers = { connection: "close" };
  return {
    fetch: (init) => fetch(address, { ...init, headers: { ...headers, ...init?.headers } }),
    close: () => workerd.dispose(),
  };
}

/** Starts a workerd with the Worker of the tests. */
async function start(
  target: string,
  settings: PortSettings = {},
): Promise<{ call: Call; close(): Promise<void> }> {
  const { fetch, close } = await startWorker(readFileSync(here("cloudflare/worker.mjs"), "utf8"), {
    d1Databases: ["D1"],
    durableObjects: {
      Sqlite: { className: "Sqlite", useSQLite: true },
      KeyValue: { className: "KeyValue", useSQLite: false },
    },
  });
  return {
    async call(method, ...args) {
      const body = JSON.stringify({ target, method, args, settings });
      const response = await fetch({ method: "POST", body });
      const { answer, error } = (await response.json()) as { answer: never; error?: string };
      if (error !== undefined) throw new Error(error);
      return answer;
    },
    close,
  };
}

export const d1Adapter = {
  name: "fromD1",
  async open(_address: string, settings?: PortSettings): Promise<CloudflareConnection<SqlPort>> {
    const { call, close } = await start("D1", settings);
    const query: SqlPort["query"] = (text, params) => call("query", text, params);
    return { port: { timeoutMs, ...settings, dialect: "sqlite", query }, call, close };
  },
};

function durableObject(name: string, target: string) {
  return {
    name,
    async open(_address: string, settings?: PortSettings): Promise<CloudflareConnection<CellPort>> {
      const { call, close } = await start(target, settings);
      /** The value is left out of JSON if there is none. */
      const cellOf = <C extends object>(cell: C) => ({ value: undefined, ...cell });
      const port: CellPort = {
        timeoutMs,
        ...settings,
        read: async (key) => cellOf(await call("read", key)),
        swap: async (...args) => cellOf(await call("swap", ...args)),
        list: (prefix) => call("list", prefix),
      };
      return { port, call, close };
    },
  };
}

export const durableObjectAdapters = [
  durableObject("fromDurableObject", "Sqlite"),
  durableObject("fromDurableObject on a storage without SQLite", "KeyValue"),
];
