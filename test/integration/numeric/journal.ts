// Journals of the processes of pool-chaos.test.ts, read after they have ended.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A call that a process made. */
interface Call {
  readonly count: number;
  /** Its request key. */
  readonly key?: string;
}

/** Calls and answers of the processes. */
export interface Journal {
  /** Answered calls, in no order. */
  readonly answers: readonly (Call & { readonly ids: readonly string[] })[];
  /** Calls without an answer. It is unknown whether the store has done them. */
  readonly open: readonly Call[];
  /** All other entries. */
  readonly notes: readonly Readonly<Record<string, number>>[];
}

/** Reads the journals in a folder, or the one of a process. */
export function readJournal(folder: string, file?: string): Journal {
  const questions = new Map<string, Call>();
  const answers: (Call & { ids: string[] })[] = [];
  const notes: Record<string, number>[] = [];
  for (const name of file === undefined ? readdirSync(folder) : [file]) {
    // A process that was killed may leave an incomplete last line.
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

/** Returns the errors in the answers: IDs of two calls that are not for one request, and requests with two IDs. */
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
