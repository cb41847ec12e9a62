// Node IDs from outside the program: from environment variables, and from a host name.

import { ArgumentError, UnsupportedError } from "../errors.ts";
import { assertObject, assertOneOf, readField } from "../validate.ts";
import { SnowflakeGenerator } from "./generator.ts";
import { type GeneratorOptions, mergeOptions } from "./options.ts";
import type { PresetName } from "./presets.ts";
import { compileSettings } from "./settings.ts";

/** Where {@link makeGeneratorFromEnv} looks. */
export interface EnvOptions {
  /** The variable with the datacenter ID. Default `"FLAKEID_DATACENTER_ID"`. */
  readonly datacenterEnv?: string | undefined;
  /** The variable with the machine ID. Default `"FLAKEID_MACHINE_ID"`. */
  readonly machineEnv?: string | undefined;
  /** The variable with the epoch, in milliseconds since 1970. Default `"FLAKEID_EPOCH_MS"`. */
  readonly epochEnv?: string | undefined;
  /** The variables themselves. Default: the environment of Node, Bun or Deno, or none where there is none. */
  readonly env?: Readonly<Record<string, unknown>> | undefined;
  /** Refuse to start when the variable of a node field that the layout has is not set. Default false. */
  readonly required?: boolean | undefined;
}

/** The parts of a runtime's globals that lead to its environment; a browser has neither. */
interface Runtime {
  readonly Deno?: { readonly env: { get(name: string): string | undefined } };
  readonly process?: { readonly env?: Readonly<Record<string, unknown>> };
}

/** The options that are not the generator's. */
const OWN: readonly (keyof EnvOptions)[] = ["datacenterEnv", "machineEnv", "epochEnv", "env", "required"];

/** A copy of the options that has nothing of `Object.prototype`. */
function copyOf<T extends object>(options: T): T {
  const copy: T = Object.assign(Object.create(null), options);
  for (const name of OWN) Reflect.set(copy, name, readField(options, name));
  return copy;
}

/** What a variable is set to; undefined if it is not set, or set to nothing. */
function lookUp(name: string, env: EnvOptions["env"]): unknown {
  let value: unknown;
  try {
    const { Deno, process } = globalThis as unknown as Runtime;
    // Deno also has a process, but its own door names the permission that is missing.
    if (!env && Deno) value = Deno.env.get(name);
    else value = readField(env ?? process?.env ?? {}, name);
  } catch (cause) {
    throw new UnsupportedError(`permission to read ${name}`, { cause });
  }
  return value === "" ? undefined : value;
}

/**
 * Makes a generator whose datacenter ID, machine ID and epoch come from environment variables.
 * A variable that is set wins over the option of the same meaning; one that is unset or empty leaves the option, or
 * its default (0 for the IDs). Nothing is read but the three variables, and only in this call.
 *
 * Pass `required: true` on servers: without it a process whose variables are missing makes the IDs of node 0, like every
 * other such process.
 *
 * @param preset as for {@link makeGenerator}; default `"minimal"`
 * @param options the variables' names, and further options
 * @throws {@link LayoutError} if the widths do not make a layout
 * @throws {@link ArgumentError} if the preset or an option is wrong or unknown; if a variable is no whole number in
 *   range, or missing though `required`: its `field` is then the variable
 * @throws {@link EpochError} if the epoch is in the future
 * @throws {@link UnsupportedError} if the runtime does not let the variable be read
 *
 * @example
 * ```ts
 * import { makeGeneratorFromEnv } from "bitflake";
 *
 * const env = { FLAKEID_DATACENTER_ID: "1", POD_INDEX: "7" };
 * const generator = makeGeneratorFromEnv("twitter", { env, machineEnv: "POD_INDEX", required: true });
 * [generator.datacenterId, generator.machineId]; // => [ 1, 7 ]
 * ```
 */
export function makeGeneratorFromEnv(
  preset: PresetName | GeneratorOptions = "minimal",
  options: EnvOptions & GeneratorOptions = {},
): SnowflakeGenerator {
  const {
    datacenterEnv = "FLAKEID_DATACENTER_ID",
    machineEnv = "FLAKEID_MACHINE_ID",
    epochEnv = "FLAKEID_EPOCH_MS",
    env,
    required = false,
    ...rest
  } = copyOf(assertObject("options", options));
  if (env !== undefined) assertObject("env", env);
  assertOneOf("required", required, [true, false]);
  let merged = mergeOptions(preset, rest);
  const { layout } = compileSettings(merged);
  for (const [field, variable, needed] of [
    ["datacenterId", datacenterEnv, required && layout.datacenterBits],
    ["machineId", machineEnv, required && layout.machineBits],
    // Without its variable the epoch is the default, which is right for everybody; a node ID of 0 is not.
    ["epochMs", epochEnv, 0],
  ] as const) {
    if (typeof variable !== "string") throw new ArgumentError("variable", "a name", variable);
    const text = lookUp(variable, env);
    if (needed && text === undefined) throw new ArgumentError(variable, "set", text);
    const value = String(Number(text)) === text ? Number(text) : text;
    merged = mergeOptions(merged, { [field]: value });
    try {
      compileSettings(merged);
    } catch (error) {
      // All else has passed before: it is this value that breaks a rule, and the rule is the option's own.
      throw error instanceof ArgumentError ? new ArgumentError(variable, error.rule, text) : error;
    }
  }
  return new SnowflakeGenerator(merged);
}

/**
 * Reads a machine ID off a host name that ends in an ordinal, as Kubernetes names the pods of a StatefulSet. Of a
 * full domain name the first label counts. Whether the ID fits is checked by the generator it is given to.
 *
 * @param hostname such as `"web-3"`; in Node, `os.hostname()`
 * @returns the ordinal
 * @throws {@link ArgumentError} if there is none, so that a renamed host does not quietly become machine 0
 *
 * @example
 * ```ts
 * import { machineIdFromHostname, makeGenerator } from "bitflake";
 *
 * const machineId = machineIdFromHostname("web-3");
 * makeGenerator("single_dc", { machineId }).machineId; // => 3
 * ```
 */
export function machineIdFromHostname(hostname: string): number {
  const digits = typeof hostname === "string" ? /^[^.]+-(0|[1-9]\d*)(\.|$)/.exec(hostname)?.[1] : undefined;
  const ordinal = Number(digits);
  if (Number.isSafeInteger(ordinal)) return ordinal;
  throw new ArgumentError("hostname", 'a name like "web-3"', hostname);
}
