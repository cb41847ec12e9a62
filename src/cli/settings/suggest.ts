// The name that somebody may have meant.

/** How many letters have to be put in, left out or replaced to make one text of another. */
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

/** Of some names the one that is meant, as a question to put after what is wrong; empty if none is near. */
export function suggest(name: string, names: readonly string[]): string {
  // Longer than any name, and nobody meant one; it would also take its time.
  if (name.length > 40) return "";
  let best: { name: string; far: number } | undefined;
  for (const known of names) {
    const far = editDistance(name, known);
    if (far < (best?.far ?? 1 + Math.max(2, known.length / 3))) best = { name: known, far };
  }
  return best ? `; did you mean ${best.name}?` : "";
}
