// Durations in messages for people.

/** Returns a duration in the largest of ms, s, min and h in which it has at most three decimals: `"40 s"`, `"1.5 s"`. */
export function formatDuration(ms: number): string {
  const [unit, size] =
    ms >= 7_200_000
      ? ["h", 3_600_000]
      : ms >= 120_000
        ? ["min", 60_000]
        : ms >= 1000
          ? ["s", 1000]
          : ["ms", 1];
  return `${Number((ms / (size as number)).toFixed(3))} ${unit}`;
}
