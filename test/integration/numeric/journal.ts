// What the processes of pool-chaos.test.ts wrote down, read when they are gone.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A call that a process made. */
interface Call {
  readonly count: number;
  /** The request that it was for. */
  readonly key?: string;
}

/** What was asked and answered. */
export interface Journal {
  /** Each answer; in no order. */
  readonly answers: readonly (Call & { readonly ids: readonly string[] })[];
  /** What was asked and has no answer: nobody knows whether it was done. */
  readonly open: readonly Call[];
  /** All else. */
  readonly notes: readonly Readonly<Record<string, number>>[];
}

/** Reads all that is in a folder, or what one process wrote. */
export function readJournal(folder: string, file?: string): Journal {
  const questions = new Map<string, Call>();
  const answers: (Call & { ids: string[] })[] = [];
  const notes: Record<string, number>[] = [];
  for (const name of file === undefined ? readdirSync(folder) : [file]) {
    // Who was killed in the midst of a line wrote no line.
    const lines = readFileSync(join(folder, name), "utf8").split("\n").slice(0, -1);
    for (const line of lines) {
      const { call, ids, ...entry } = JSON.parse(line);
      if (call === undefined) notes.push(entry);
      else if (ids === undefined) questions.set(call, entry);
      else {
        answers.push({ ...(questions.get(call) as Call), ids });
        questions.delete(call);
      }
    }
  }
  return { answers, open: [...questions.values()], notes };
}

/** What is wrong with the answers: IDs of two calls that are not for one request, and requests that got two IDs. */
export function repeatsIn(answers: Journal["answers"]): string[] {
  const holders = new Map<string, string>();
  const given = new Map<string, string>();
  const wrong: string[] = [];
  for (const [at, { key, ids }] of answers.entries()) {
    const holder = key === undefined ? `call ${at}` : `request ${key}`;
    for (const id of ids) {
      const before = holders.get(id);
      if (before !== undefined && (before !== holder || key === undefined)) {
        wrong.push(`${id}: ${before}, ${holder}`);
      }
      holders.set(id, holder);
      if (key === undefined) continue;
      if ((given.get(key) ?? id) !== id) wrong.push(`${holder}: ${given.get(key)}, ${id}`);
      given.set(key, id);
    }
  }
  return wrong;
}
