// The flag --count of the commands that generate.

/** The number of values to generate. */
export const COUNT_FLAG = {
  kind: "integer",
  min: 1,
  max: 1_000_000,
  default: 1,
  short: "n",
  description: "number of IDs",
} as const;
