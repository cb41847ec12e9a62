// Temporary servers: a Redis, PostgreSQL, MariaDB, NATS, etcd or an emulator of DynamoDB in a temporary folder, which tests can
// freeze, kill and restart.

import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../freePort.mjs";

export interface Server {
  readonly url: string;
  readonly port: number;
  /** The ID of the server's first process. It changes at a restart. */
  readonly pid: number;
  /** Freezes all processes: connections stay open and get no answer. */
  pause(): void;
  resume(): void;
  /** Kills all processes, like a power failure. */
  kill(): Promise<void>;
  /** Shuts the server down if it runs, and starts it with the same data on the same port. */
  restart(): Promise<void>;
  /** Shuts the server down and removes its folder. */
  stop(): Promise<void>;
}

/** Finds a program on the PATH, in the folder of Debian's servers, or in Debian's folders of PostgreSQL. */
function find(program: string): string | undefined {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...(process.env.PATH ?? "").split(delimiter),
    "/usr/sbin",
    ...versions.map((v) => join(debian, v, "bin")),
  ];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

const programs = {
  redis: find("redis-server"),
  // It is the same program.
  sentinel: find("redis-sentinel") ?? find("redis-server"),
  postgres: find("postgres"),
  initdb: find("initdb"),
  basebackup: find("pg_basebackup"),
  mariadb: find("mariadbd"),
  mariadbInstall: find("mariadb-install-db"),
  nats: find("nats-server"),
  etcd: find("etcd"),
};

/** The servers that can be started here. */
export const startable = {
  redis: programs.redis !== undefined,
  postgres: programs.postgres !== undefined && programs.initdb !== undefined,
  mariadb: programs.mariadb !== undefined && programs.mariadbInstall !== undefined,
  nats: programs.nats !== undefined,
  etcd: programs.etcd !== undefined,
  /** A Redis with a replica that is promoted, or a PostgreSQL with a standby that is. */
  failover: { redis: programs.sentinel !== undefined, postgres: programs.basebackup !== undefined },
};

/** Returns the version of a server, as its program prints it. */
export function versionOf(server: "redis" | "postgres" | "mariadb" | "nats" | "etcd"): string {
  const program = programs[server];
  if (program === undefined) return "unknown";
  // Not all programs know both options.
  const { stdout, stderr } = spawnSync(program, [server === "nats" ? "-v" : "--version"], {
    encoding: "utf8",
  });
  return `${stdout}${stderr}`.trim().split("\n")[0] ?? "unknown";
}

/** Prometheus and its tool, where they are installed. Tests start them themselves. */
export const prometheusHere = { prometheus: find("prometheus"), promtool: find("promtool") };

/** The account of a process. PostgreSQL and MariaDB refuse to run as root. */
interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

/** Returns the account that Debian's package of a server has created. */
function accountOf(user: "postgres" | "mysql"): Account {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync("id", [flag, user], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

/** Creates a folder that belongs to an account. */
function makeFolder(name: string, { uid, gid }: Account): string {
  const folder = mkdtempSync(join(tmpdir(), `bitflake-${name}-`));
  if (uid !== undefined) chownSync(folder, uid, gid as number);
  return folder;
}

/** Returns a process and its children. PostgreSQL's processes are not one process group. */
function family(pid: number): number[] {
  let children = "";
  try {
    children = execFileSync("pgrep", ["-P", String(pid)], { encoding: "utf8" });
  } catch (error) {
    // Status 1 means no children. Any other error, such as a missing pgrep, would leave children running.
    if ((error as { status?: unknown }).status !== 1) throw error;
  }
  return [pid, ...children.split("\n").filter(Boolean).map(Number)];
}

/** Waits until processes have ended. A zombie, whose exit code its parent has not read, has: it holds no memory and no port. */
async function waitUntilEnded(pids: readonly number[]): Promise<void> {
  const runs = (pid: number) => {
    try {
      return !/^[XZ]/.test(readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, ""));
    } catch {
      return false;
    }
  };
  for (const end = Date.now() + 10_000; pids.some(runs) && Date.now() < end; ) await sleep(10);
}

/** Waits until no thread of a process runs: on a busy machine one can answer a request after SIGSTOP was sent. */
function waitUntilStopped(pid: number): void {
  const isStopped = (thread: string) => {
    try {
      // The state follows the name, which is in brackets.
      return /^[TtXZ]/.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8").replace(/^.*\) /s, ""));
    } catch {
      return true;
    }
  };
  const threads = existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : [];
  for (const end = Date.now() + 5000; !threads.every(isStopped) && Date.now() < end; );
}

/** Signals the parent first, so that it starts no more children. */
function signal(pid: number, name: NodeJS.Signals): void {
  for (const member of family(pid)) {
    try {
      process.kill(member, name);
    } catch {
      // The process has ended.
    }
  }
}

/**
 * Shuts a server down and removes its folder when this process ends in any way, which closes the guard's pipe. A frozen
 * child of PostgreSQL would otherwise stay forever.
 */
const GUARD = `cat
kill -CONT $1 $(pgrep -P $1)
kill -$3 $1
for second in 1 2 3 4 5; do kill -0 $1 && sleep 1; done
kill -KILL $1 $(pgrep -P $1)
rm -rf "$2"`;

function guard(server: ChildProcess, { folder, end = "INT" }: Program): void {
  const args = ["-c", GUARD, "guard", String(server.pid), folder, end];
  // Detached, because the signal that ends this process may go to its whole group.
  const watch = spawn("sh", args, { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  server.once("exit", () => {
    watch.kill("SIGKILL");
    watch.stdin?.destroy();
  });
}

/** A server's program, and how to run it. */
interface Program {
  readonly program: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly account?: Account;
  /** The signal at which it closes connections and keeps its data. Default INT. */
  readonly end?: "INT" | "TERM";
}

/** Starts a program, and waits until it logs that it is ready. */
function launch(options: Program): Promise<ChildProcess> {
  const { program, args, folder, account } = options;
  const child = spawn(program, args, { cwd: folder, ...account, stdio: ["ignore", "pipe", "pipe"] });
  guard(child, options);
  return new Promise((resolve, reject) => {
    let log = "";
    const listen = (text: Buffer) => {
      log = (log + text).slice(-10_000);
      // In turn: Redis and PostgreSQL, a standby, MariaDB, a Sentinel, NATS, etcd, dynalite.
      const ready =
        /ready (to accept|for) (read-only )?connections|\+monitor master|Server is ready|serving .*client requests|listening at: http/i;
      if (ready.test(log)) resolve(child);
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${program} ended with ${code}:\n${log}`)));
  });
}

/** Runs a server by a command line. */
async function serve(options: Program, url: string, port: number): Promise<Server> {
  const { folder } = options;
  let child = await launch(options);
  const shutdown = `SIG${options.end ?? "INT"}` as const;
  const end = async (name: typeof shutdown | "SIGKILL") => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    const members = family(child.pid as number);
    // In a shutdown the first process ends the others, and a frozen process gets no signal.
    if (name === "SIGKILL") signal(child.pid as number, name);
    else {
      signal(child.pid as number, "SIGCONT");
      child.kill(name);
    }
    // A Redis in an endless script ignores SIGINT too.
    const insist = setTimeout(() => signal(child.pid as number, "SIGKILL"), 5000);
    await ended;
    clearTimeout(insist);
    // Children that outlive their PostgreSQL for a moment keep the next one from starting.
    await waitUntilEnded(members);
  };
  return {
    url,
    port,
    get pid() {
      return child.pid as number;
    },
    pause() {
      const pid = child.pid as number;
      signal(pid, "SIGSTOP");
      for (const member of family(pid)) waitUntilStopped(member);
    },
    resume: () => signal(child.pid as number, "SIGCONT"),
    kill: () => end("SIGKILL"),
    async restart() {
      await end(shutdown);
      child = await launch(options);
    },
    async stop() {
      // A shutdown, because the children of a killed PostgreSQL become zombies.
      await end(shutdown);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Starts a Redis. It loses its data at a restart unless it is `durable`.
 *
 * @param options.cluster starts a node of a Redis Cluster
 * @param options.more further arguments of the command line, such as `--replicaof`
 */
export async function startRedis({
  durable = false,
  cluster = false,
  more = [],
}: {
  durable?: boolean;
  cluster?: boolean;
  more?: readonly string[];
} = {}): Promise<Server> {
  if (!programs.redis) throw new Error("there is no redis-server");
  const folder = mkdtempSync(join(tmpdir(), "bitflake-redis-"));
  const port = await freePort();
  const append = durable ? ["--appendonly", "yes", "--appendfsync", "always"] : ["--appendonly", "no"];
  // Without --cluster-port it is 10,000 above the port, where it can be taken by any connection.
  const bus = cluster ? ["--cluster-enabled", "yes", "--cluster-port", String(await freePort())] : [];
  const args = [
    "--port",
    String(port),
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--dir",
    folder,
    ...append,
    ...bus,
    ...more,
  ];
  return serve({ program: programs.redis, args, folder }, `redis://127.0.0.1:${port}`, port);
}

/**
 * Starts a Sentinel that promotes a replica a few seconds after the primary has gone.
 *
 * @param password the password of the primary and its replicas, if they have one
 */
export async function startSentinel(primary: Server, name: string, password?: string): Promise<Server> {
  if (!programs.sentinel) throw new Error("there is no redis-sentinel");
  const folder = mkdtempSync(join(tmpdir(), "bitflake-sentinel-"));
  const port = await freePort();
  const settings = [
    `port ${port}`,
    "bind 127.0.0.1",
    `sentinel monitor ${name} 127.0.0.1 ${primary.port} 1`,
    `sentinel down-after-milliseconds ${name} 3000`,
    `sentinel failover-timeout ${name} 3000`,
    ...(password === undefined ? [] : [`sentinel auth-pass ${name} ${password}`]),
  ];
  writeFileSync(join(folder, "sentinel.conf"), `${settings.join("\n")}\n`);
  const args = [join(folder, "sentinel.conf"), "--sentinel"];
  return serve({ program: programs.sentinel, args, folder }, `redis://127.0.0.1:${port}`, port);
}

/** Starts a PostgreSQL that is durable except in a power failure. */
export async function startPostgres(): Promise<Server> {
  if (!programs.initdb) throw new Error("there is no initdb");
  const { initdb } = programs;
  const options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
  return servePostgres((data, where) => execFileSync(initdb, ["-D", data, ...options], where));
}

/** Starts an asynchronous standby of a PostgreSQL. */
export async function startStandby(primary: Server): Promise<Server> {
  if (!programs.basebackup) throw new Error("there is no pg_basebackup");
  const { basebackup } = programs;
  const options = ["-d", primary.url, "-R", "-X", "stream", "--checkpoint=fast", "--no-sync"];
  return servePostgres((data, where) => execFileSync(basebackup, ["-D", data, ...options], where));
}

/** @param make creates the data folder */
async function servePostgres(
  make: (data: string, where: Account & { cwd: string }) => unknown,
): Promise<Server> {
  if (!programs.postgres) throw new Error("there is no postgres");
  const account = accountOf("postgres");
  const folder = makeFolder("postgres", account);
  const data = join(folder, "data");
  make(data, { cwd: folder, ...account });
  const port = await freePort();
  const settings = [
    `port=${port}`,
    "listen_addresses=127.0.0.1",
    `unix_socket_directories=${folder}`,
    "max_connections=200",
    "fsync=off",
  ];
  const args = ["-D", data, ...settings.flatMap((setting) => ["-c", setting])];
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  return serve({ program: programs.postgres, args, folder, account }, url, port);
}

/**
 * Starts a MariaDB that is durable except in a power failure, with an empty database.
 *
 * @param options.more further arguments of the command line, such as `--sysdate-is-now`
 */
export async function startMariadb({ more = [] }: { more?: readonly string[] } = {}): Promise<Server> {
  const { mariadb, mariadbInstall } = programs;
  if (!mariadb || !mariadbInstall) throw new Error("there is no mariadbd");
  const account = accountOf("mysql");
  const folder = makeFolder("mariadb", account);
  const data = `--datadir=${join(folder, "data")}`;
  // A MariaDB that starts deletes the temporary tables of all others in its folder for them.
  const temporary = `--tmpdir=${folder}`;
  const options = ["--no-defaults", data, temporary, "--auth-root-authentication-method=normal"];
  execFileSync(mariadbInstall, options, { cwd: folder, ...account, stdio: "pipe" });
  const port = await freePort();
  const args = [
    "--no-defaults",
    data,
    temporary,
    `--port=${port}`,
    "--bind-address=127.0.0.1",
    `--socket=${join(folder, "socket")}`,
    `--pid-file=${join(folder, "pid")}`,
    "--max-connections=300",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-buffer-pool-size=64M",
    "--skip-name-resolve",
    ...more,
  ];
  const url = `mysql://root@127.0.0.1:${port}/test`;
  return serve({ program: mariadb, args, folder, account, end: "TERM" }, url, port);
}

/** Starts a NATS with JetStream. */
export async function startNats(): Promise<Server> {
  if (!programs.nats) throw new Error("there is no nats-server");
  const folder = mkdtempSync(join(tmpdir(), "bitflake-nats-"));
  const port = await freePort();
  const args = ["--addr", "127.0.0.1", "--port", String(port), "--jetstream", "--store_dir", folder];
  return serve({ program: programs.nats, args, folder }, `nats://127.0.0.1:${port}`, port);
}

/** Starts an etcd of one member. */
export async function startEtcd(): Promise<Server> {
  if (!programs.etcd) throw new Error("there is no etcd");
  const folder = mkdtempSync(join(tmpdir(), "bitflake-etcd-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const peer = `http://127.0.0.1:${await freePort()}`;
  const settings = {
    "data-dir": folder,
    "listen-client-urls": url,
    "advertise-client-urls": url,
    "listen-peer-urls": peer,
    "initial-advertise-peer-urls": peer,
    "initial-cluster": `default=${peer}`,
    "auto-compaction-retention": "1h",
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  return serve({ program: programs.etcd, args, folder }, url, port);
}

/** Starts dynalite, an emulator of DynamoDB. */
export async function startDynalite(): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), "bitflake-dynalite-"));
  const port = await freePort();
  const script = createRequire(import.meta.url).resolve("dynalite/cli.js");
  const args = [script, "--host", "127.0.0.1", "--port", `${port}`, "--path", folder, "--createTableMs", "0"];
  return serve({ program: process.execPath, args, folder }, `http://127.0.0.1:${port}`, port);
}
