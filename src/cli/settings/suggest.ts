// Suggests the known name that a misspelt one is closest to.

/** A name that is longer is no misspelling, and its distance would take long to compute. */
const MAX_NAME_LENGTH = 40;

/** Returns how many letters have to be inserted, removed or replaced to turn one string into the other. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

/** Returns the closest of the known names as the end of an error message; empty if none is close. */
export function suggest(name: string, names: readonly string[]): string {
  if (name.length > MAX_NAME_LENGTH) return "";
  let best: { name: string; distance: number } | undefined;
  for (const known of names) {
    const distance = editDistance(name, known);
    if (distance < (best?.distance ?? 1 + Math.max(2, known.length / 3))) best = { name: known, distance };
  }
  return best ? `; did you mean ${best.name}?` : "";
}
