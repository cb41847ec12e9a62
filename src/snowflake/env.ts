// makeGeneratorFromEnv and machineIdFromHostname: node IDs from environment variables and from a host name.

import { ArgumentError, UnsupportedError } from "../errors.ts";
import { assertObject, assertOneOf, readField } from "../validate.ts";
import { SnowflakeGenerator } from "./generator.ts";
import { type GeneratorOptions, mergeOptions } from "./options.ts";
import type { PresetName } from "./presets.ts";
import { resolveGeneratorSettings } from "./settings.ts";

/** The variables that {@link makeGeneratorFromEnv} reads. */
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

/** The parts of a runtime's globals that lead to its environment. A browser has neither. */
interface Runtime {
  readonly Deno?: { readonly env: { get(name: string): string | undefined } };
  readonly process?: { readonly env?: Readonly<Record<string, unknown>> };
}

/** The names of the options that are not the generator's. */
const ENV_OPTIONS: readonly string[] = [
  "datacenterEnv",
  "machineEnv",
  "epochEnv",
  "env",
  "required",
] satisfies (keyof EnvOptions)[];

/** Returns the options of the generator, without those of the environment. */
function generatorOptions(options: EnvOptions & GeneratorOptions): GeneratorOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !ENV_OPTIONS.includes(name)));
}

/** Returns the value of a variable; undefined if it is unset or empty. */
function lookUp(name: string, env: EnvOptions["env"]): unknown {
  let value: unknown;
  try {
    const { Deno, process } = globalThis as unknown as Runtime;
    // Deno has a process too, but the error of Deno.env names the permission that is missing.
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
 * @throws {@link EpochError} if the epoch is in the future of the system's clock
 * @throws {@link UnsupportedError} if the runtime does not let the variable be read, or if `globalThis` and `WeakMap` are
 *   frozen
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
  assertObject("options", options);
  const read = (name: keyof EnvOptions, otherwise?: unknown) => {
    const value = readField(options, name);
    return value === undefined ? otherwise : value;
  };
  const env = read("env") as EnvOptions["env"];
  if (env !== undefined) assertObject("env", env);
  const required = assertOneOf("required", read("required", false), [true, false]);
  let merged = mergeOptions(preset, generatorOptions(options));
  const { layout } = resolveGeneratorSettings(merged);

  /** Puts the value of a variable over the option; `isRequired` is whether it must be set. */
  const apply = (field: keyof GeneratorOptions, variable: unknown, isRequired: boolean) => {
    if (typeof variable !== "string") throw new ArgumentError("variable", "a name", variable);
    const given = lookUp(variable, env);
    if (isRequired && given === undefined) throw new ArgumentError(variable, "set", given);
    const value = String(Number(given)) === given ? Number(given) : given;
    merged = mergeOptions(merged, { [field]: value });
    try {
      resolveGeneratorSettings(merged);
    } catch (error) {
      // Everything else was valid before, so the value of the variable breaks the rule of its option.
      throw error instanceof ArgumentError ? new ArgumentError(variable, error.rule, given) : error;
    }
  };
  apply(
    "datacenterId",
    read("datacenterEnv", "FLAKEID_DATACENTER_ID"),
    required && layout.datacenterBits > 0,
  );
  apply("machineId", read("machineEnv", "FLAKEID_MACHINE_ID"), required && layout.machineBits > 0);
  // Without its variable the epoch is the default, which is right for everybody. A node ID of 0 is not.
  apply("epochMs", read("epochEnv", "FLAKEID_EPOCH_MS"), false);
  return new SnowflakeGenerator(merged);
}

/**
 * Reads a machine ID from a host name that ends in an ordinal, as Kubernetes names the pods of a StatefulSet. Of a full
 * domain name the first label counts. The generator checks whether the ID fits its layout.
 *
 * @param hostname such as `"web-3"`; in Node, `os.hostname()`
 * @returns the ordinal
 * @throws {@link ArgumentError} if there is no ordinal, so that a renamed host does not silently become machine 0
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
