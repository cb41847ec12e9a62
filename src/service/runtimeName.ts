// The name of the runtime.

/** The part of the globals that is used here. */
interface Runtime {
  readonly process?: { readonly versions?: { readonly node?: string } };
  readonly Deno?: { readonly version?: { readonly deno?: string } };
  readonly Bun?: { readonly version?: string };
  readonly navigator?: { readonly userAgent?: string };
}

/** Returns the runtime and its version, such as `"node 24.21.0"`; `"unknown"` if it is none of those that are tested. */
export function runtimeName(): string {
  // Deno, Bun and workerd have a process of Node's too, so that is read last.
  const { Deno, Bun, process, navigator } = globalThis as unknown as Runtime;
  if (Deno) return `deno ${Deno.version?.deno}`;
  if (Bun) return `bun ${Bun.version}`;
  if (navigator?.userAgent === "Cloudflare-Workers") return "workerd";
  return process?.versions?.node ? `node ${process.versions.node}` : "unknown";
}
