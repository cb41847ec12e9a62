// Model of the lease rule over cells: each node has a cell of its own, which holders read and swap.
//
// The model has everything that an acquire, renewal or release over cells may do:
// - A holder reads some cells, each at a moment of its own, and lets the rule decide. It swaps one cell, which then must
//   have the version that was read. One read, a hint, a look at some nodes and a list of all are cases of this.
// - A holder may begin again at any time, also while an earlier swap of it is on its way, and after it got its answer, as a
//   call does that has not noticed its timeout.
// - A swap arrives at any time after the reads, or never. A swap that arrives again fails, so it changes nothing.
// - A holder that finds its own grant in a cell may take it without a swap, as when the swap was sent twice and the second one
//   failed.
// - An answer arrives at once or is lost. A later answer needs no transition of its own, because its holder might as well
//   have done nothing in between. A store may answer a repeated swap with that answer again.
// - A holder that has given up before its answer arrives releases the node, as a session does that ends while it acquires.
// - A cell that a holder remembers has the version of now, or its swap fails. So it is the same as one that it reads.
// - A holder may be copied between any two of these, with the swaps that it may still send. As in the other model, its stamps
//   are then in doubt.
// - A clock shows any time at each reading. So a time is drawn when a swap arrives, and not when it is sent.
// - A store may go back to an earlier state. It reports no history, so nothing raises a fence. Its users do instead what
//   docs/stores.md ("After data loss, or a restored backup") asks: they stop all holders, and start new ones after every
//   grant has ended by all clocks. Swaps of the stopped holders may still arrive.

import type { Grant } from "../../../src/snowflake/grant.ts";
import {
  acquireOf,
  type Cell,
  CellRule,
  type Operation,
  releaseOf,
  renewOf,
  type Snapshot,
  type Value,
} from "./cellStore.ts";
import type { Explorable, Visit } from "./explorer.ts";
import type { HolderBehavior } from "./holder.ts";
import {
  codeOf,
  copyOf,
  type Holder,
  holderName,
  latestEnd,
  newHolder,
  requestOf,
  SEPARATOR,
  visitOwnSteps,
  withGrant,
  withRenewal,
} from "./holderSteps.ts";
import type { Bounds, LeaseRule } from "./store.ts";

/** The cells of all nodes. */
type Cells = readonly Cell[];

/** Bounds of the model. */
export interface CellBounds extends Bounds {
  /** Whether an acquire may go on after its holder has a grant, as one would that does not notice its timeout. */
  readonly lateCalls?: boolean;
  /** Whether a store that goes back is empty then. Default: it may go back to any state. */
  readonly losesAll?: boolean;
}

/** The version that a cell must have for a swap to write. */
interface Condition {
  readonly node: number;
  readonly version: number;
}

/** A swap of a node's cell that was sent. It may arrive. */
export interface Swap {
  readonly operation: Operation;
  readonly node: number;
  /** The value that the holder has read. */
  readonly read: Value;
  /** `undefined` if it always writes. */
  readonly condition: Condition | undefined;
}

/** A holder, and its calls to the store. */
export interface CellHolder extends Holder {
  readonly swaps: readonly Swap[];
  /** What it has read for its next acquire. */
  readonly snapshot: Snapshot;
  /** Whether it has read or sent anything. */
  readonly hasBegun: boolean;
  /** Whether its users have stopped it. It does nothing more, but its swaps may still arrive. */
  readonly isStopped: boolean;
}

type CellGroup = readonly [CellHolder, CellHolder?];

export interface CellModelState {
  readonly cells: Cells;
  /** The state that the store may go back to. */
  readonly saved: Cells | undefined;
  /** How often the store has gone back. */
  readonly rollbacks: number;
  /** The earliest time that a clock shows. */
  readonly least: number;
  /** The number of writes, which gives each one a version of its own. */
  readonly writes: number;
  readonly groups: readonly CellGroup[];
}

/** What stores, holders and users do around the rule. */
export interface CellBehavior {
  /** Returns the condition of a swap. `cells` are those of the moment at which it is sent. */
  conditionOf(node: number, snapshot: Snapshot, cells: Cells): Condition | undefined;
  /** Returns the version of a write. */
  versionOf(before: Cell, writes: number): number;
  /** Whether a write after the store went back may have the version of a forgotten one. */
  readonly reusesVersions: boolean;
  /** Whether a read or a list may miss a cell that is there. */
  readonly missesCells: boolean;
  /** Whether a holder takes the answer to a swap that failed for a success. */
  readonly ignoresFailure: boolean;
  /** Whether the users stop all holders before the store goes back. */
  readonly stopsHolders: boolean;
  /** Whether the users wait until all grants have ended before they start new holders. */
  readonly waitsForGrants: boolean;
}

/** The behavior that keeps IDs unique. */
export const correctCells: CellBehavior = {
  conditionOf: (node, snapshot) => ({ node, version: (snapshot.get(node) as Cell).version }),
  versionOf: (_, writes) => writes,
  reusesVersions: false,
  missesCells: false,
  ignoresFailure: false,
  stopsHolders: true,
  waitsForGrants: true,
};

const EMPTY: Snapshot = new Map();

/** A holder or copy within a state. */
interface Actor {
  readonly holder: CellHolder;
  readonly name: string;
  /** Returns all groups with the holder replaced. */
  become(next: CellHolder): readonly CellGroup[];
}

export class CellModel implements Explorable<CellModelState> {
  readonly first: CellModelState;
  readonly #rule: CellRule;
  readonly #behavior: HolderBehavior;
  readonly #around: CellBehavior;
  readonly #bounds: CellBounds;
  readonly #acquires = new Map<string, Operation>();
  readonly #operations = new WeakMap<object, Operation>();

  constructor(rule: LeaseRule, behavior: HolderBehavior, around: CellBehavior, bounds: CellBounds) {
    this.#rule = new CellRule(rule, bounds);
    this.#behavior = behavior;
    this.#around = around;
    this.#bounds = bounds;
    const holder = {
      ...newHolder(bounds.nodes),
      swaps: [],
      snapshot: EMPTY,
      hasBegun: false,
      isStopped: false,
    };
    const cells = Array<Cell>(bounds.nodes).fill({ value: this.#rule.nothing, version: 0 });
    this.first = {
      cells,
      saved: bounds.losesAll ? cells : undefined,
      rollbacks: 0,
      least: 0,
      writes: 0,
      groups: Array<CellGroup>(bounds.holders).fill([holder]),
    };
  }

  /**
   * Returns the key of a state. States that differ only by a permutation of holders have one key. Versions and owners are only
   * compared, so a key has what they are equal to.
   */
  keyOf({ cells, saved, rollbacks, least, groups }: CellModelState): string {
    const { reusesVersions } = this.#around;
    /** Encodes where a version is now, and whether the store may go back to it. */
    const codeOfVersion = (node: number, version: number) =>
      reusesVersions
        ? String.fromCharCode(version)
        : Number(cells[node]?.version === version) + 2 * Number(saved?.[node]?.version === version);
    const codes = groups.map((group, i) => {
      const owner = holderName(i);
      let code = "";
      for (const { value } of cells) code += ownNonce(value, owner);
      if (saved) for (const { value } of saved) code += ownNonce(value, owner);
      for (const holder of group) {
        if (!holder) continue;
        code += this.#codeOf(holder);
        const swaps = holder.swaps.map(({ operation, node, read, condition }) => {
          const over = condition
            ? `${condition.node}${codeOfVersion(condition.node, condition.version)}`
            : "";
          return `${operation.code}${node}${over}${read.code}${ownNonce(read, owner)}`;
        });
        code += swaps.sort().join(SEPARATOR);
        for (const [node, { value, version }] of holder.snapshot)
          code += `s${node}${codeOfVersion(node, version)}${value.code}${ownNonce(value, owner)}`;
        code += SEPARATOR;
      }
      return code;
    });
    let rest = `${rollbacks}${least}`;
    cells.forEach(({ value, version }, node) => {
      rest += value.code + codeOfVersion(node, version);
    });
    saved?.forEach(({ value, version }, node) => {
      rest += value.code + codeOfVersion(node, version);
    });
    return codes.sort().join(SEPARATOR) + SEPARATOR + rest;
  }

  /** Encodes a holder, without its calls to the store. */
  #codeOf(holder: CellHolder): string {
    const { isStopped, hasBegun } = holder;
    // Without a rollback it does not matter whether a holder has begun.
    return `${codeOf(holder)}${SEPARATOR}${Number(isStopped)}${this.#bounds.rollbacks ? Number(hasBegun) : ""}`;
  }

  visit(state: CellModelState, each: Visit<CellModelState>): void {
    const { groups } = state;
    groups.forEach((group, i) => {
      group.forEach((holder, at) => {
        if (!holder) return;
        const become = (next: CellHolder) =>
          groups.with(i, at > 0 ? [group[0], next] : group[1] ? [next, group[1]] : [next]);
        const actor = { holder, name: holderName(i) + "'".repeat(at), become };
        for (const swap of holder.swaps)
          this.#arrive(state, actor, swap, (next, name, event) => each(next, name, `late ${event}`));
        if (holder.isStopped) return;
        this.#read(state, actor, each);
        visitOwnSteps(holder, actor.name, this.#behavior, this.#bounds, (next, event) =>
          each({ ...state, groups: become(next) }, actor.name, event),
        );
        this.#giveUp(state, actor, each);
      });
    });
    this.#copy(state, each);
    this.#goBack(state, each);
  }

  /** A holder reads a cell, and swaps one that it has read, unless it reads another one first. */
  #read(state: CellModelState, actor: Actor, each: Visit<CellModelState>): void {
    const { holder, name } = actor;
    const { cells } = state;
    const swap = (operation: Operation, snapshot: Snapshot, node: number) => {
      const condition = this.#around.conditionOf(node, snapshot, cells);
      const sent = { operation, node, read: (snapshot.get(node) as Cell).value, condition };
      // The clocks may refuse it.
      if (this.#rule.writes(operation, node, sent.read, 0).length === 0) return;
      const begun = { ...holder, hasBegun: true };
      const after = operation.kind === "acquire" ? { ...begun, snapshot: EMPTY } : begun;
      this.#arrive(state, { ...actor, holder: after }, sent, each);
      if (this.#isDead(sent, cells, state.saved) || holder.swaps.some((some) => isSame(some, sent))) return;
      const next = { ...after, swaps: [...holder.swaps, sent] };
      each(
        { ...state, groups: actor.become(next) },
        name,
        `sends a swap of node ${node}: ${operation.title}`,
      );
    };
    for (const proof of holder.renewals) {
      const { node } = proof;
      swap(this.#operationOf(proof, renewOf), new Map([[node, cells[node] as Cell]]), node);
    }
    if (holder.released) {
      const { node } = holder.released.proof;
      swap(this.#operationOf(holder.released, releaseOf), new Map([[node, cells[node] as Cell]]), node);
    }
    if (holder.grant && !this.#bounds.lateCalls && !this.#behavior.reusesOwner) return;
    const acquire = this.#acquires.get(name[0] as string) ?? acquireOf(requestOf(name));
    this.#acquires.set(acquire.owner, acquire);
    const nothing = { value: this.#rule.nothing, version: 0 };
    for (const [node, cell] of cells.entries()) {
      const isMissed = this.#around.missesCells && cell.version !== 0;
      for (const read of isMissed ? [cell, nothing] : [cell]) {
        const snapshot = new Map([...holder.snapshot, [node, read] as const].sort(([a], [b]) => a - b));
        for (const target of this.#rule.targets(acquire, snapshot)) swap(acquire, snapshot, target);
        const { node: kept } = read.value;
        if (kept?.owner === acquire.owner && kept.nonce === requestOf(name).nonce) {
          const after = this.#answer({ ...holder, hasBegun: true }, acquire, { ...kept, node });
          if (after) each({ ...state, groups: actor.become(after) }, name, `finds its grant of node ${node}`);
        }
        if (snapshot.size < cells.length)
          each(
            { ...state, groups: actor.become({ ...holder, snapshot, hasBegun: true }) },
            name,
            `reads node ${node}`,
          );
      }
    }
  }

  #operationOf<Of extends object>(source: Of, create: (source: Of) => Operation): Operation {
    const known = this.#operations.get(source) ?? create(source);
    this.#operations.set(source, known);
    return known;
  }

  /** A swap arrives, and its answer arrives or is lost. */
  #arrive(
    state: CellModelState,
    { holder, name, become }: Actor,
    swap: Swap,
    each: Visit<CellModelState>,
  ): void {
    const { operation, node, read, condition } = swap;
    const { cells, writes } = state;
    const isSwapped = !condition || cells[condition.node]?.version === condition.version;
    if (!isSwapped && !this.#around.ignoresFailure) return;
    for (const { value, grant, description } of this.#rule.writes(
      operation,
      node,
      read,
      holder.isStopped ? 0 : state.least,
    )) {
      const version = this.#around.versionOf(cells[node] as Cell, writes + 1);
      const next = isSwapped
        ? { ...state, cells: cells.with(node, { value, version }), writes: writes + 1 }
        : state;
      if (isSwapped) {
        const lost = this.#withoutDead({ ...next, groups: become(holder) });
        each(lost, name, grant ? `${description}, answer lost` : description);
      }
      const after = grant && !holder.isStopped && this.#answer(holder, operation, grant);
      if (after)
        each(
          this.#withoutDead({ ...next, groups: become(after) }),
          name,
          isSwapped ? description : `${description}, not swapped`,
        );
    }
  }

  /** Returns the holder with an answer; `undefined` if it ignores it. */
  #answer(holder: CellHolder, operation: Operation, grant: Grant): CellHolder | undefined {
    if (operation.kind === "acquire") {
      const after = withGrant(holder, operation.request, grant, this.#behavior);
      return after && { ...after, snapshot: EMPTY };
    }
    return operation.kind === "renew"
      ? withRenewal(holder, operation.proof, grant, this.#behavior)
      : undefined;
  }

  /** A holder that has no grant gives up, and releases the node of an answer that arrives later. */
  #giveUp(state: CellModelState, { holder, name, become }: Actor, each: Visit<CellModelState>): void {
    if (holder.grant || holder.released) return;
    const { owner, nonce } = requestOf(name);
    state.cells.forEach((_, node) => {
      const proof = { owner, node, generation: 0, grantNonce: nonce, nonce: "" };
      // It releases from the begin of its grant, and the rule from no earlier tick.
      const released = { proof, nextTick: 0 };
      each(
        { ...state, groups: become({ ...holder, released, hasBegun: true }) },
        name,
        `gives up, and releases node ${node}`,
      );
    });
  }

  #copy(state: CellModelState, each: Visit<CellModelState>): void {
    const { groups } = state;
    if (groups.filter(({ length }) => length > 1).length >= (this.#bounds.copies ?? 0)) return;
    groups.forEach(([holder], i) => {
      if (holder.released || holder.isStopped) return;
      each({ ...state, groups: groups.with(i, copyOf(holder)) }, holderName(i), "is copied");
    });
  }

  #goBack(state: CellModelState, each: Visit<CellModelState>): void {
    const { cells, saved, rollbacks, groups } = state;
    if (rollbacks >= (this.#bounds.rollbacks ?? 0)) return;
    if (!saved) each({ ...state, saved: cells }, "the store", "will go back to this");
    if (!saved || saved === cells) return;
    const { stopsHolders, waitsForGrants } = this.#around;
    // Of a stopped holder only its stamps matter, and its swaps that may still arrive.
    const fresh = newHolder(cells.length);
    const stop = ({ stamped, swaps }: CellHolder): CellHolder => ({
      ...fresh,
      stamped,
      swaps,
      snapshot: EMPTY,
      hasBegun: true,
      isStopped: true,
    });
    const stopped = groups.map((group): CellGroup => {
      if (!stopsHolders || !group.some((holder) => holder?.hasBegun)) return group;
      return group.map((holder) => holder && stop(holder)) as unknown as CellGroup;
    });
    const least = waitsForGrants ? Math.max(state.least, latestEnd(state)) : 0;
    const next = {
      ...state,
      cells: saved,
      saved: undefined,
      rollbacks: rollbacks + 1,
      least,
      groups: stopped,
    };
    each(this.#withoutDead(next), "the store", "goes back");
  }

  /** Returns the state without swaps that can no longer write. */
  #withoutDead(state: CellModelState): CellModelState {
    const { cells, saved, groups } = state;
    const isAlive = (swap: Swap) => !this.#isDead(swap, cells, saved);
    const alive = groups.map((group) => {
      if (group.every((holder) => holder?.swaps.every(isAlive))) return group;
      return group.map(
        (holder) => holder && { ...holder, swaps: holder.swaps.filter(isAlive) },
      ) as unknown as CellGroup;
    });
    return { ...state, groups: alive };
  }

  #isDead({ condition }: Swap, cells: Cells, saved: Cells | undefined): boolean {
    if (!condition || this.#around.ignoresFailure) return false;
    const { node, version } = condition;
    const now = cells[node]?.version as number;
    const then = saved?.[node]?.version ?? now;
    // Versions that come back are counted from those that were saved on.
    return this.#around.reusesVersions ? version < then : version !== now && version !== then;
  }
}

/** Whether two swaps of a holder do the same. */
function isSame(one: Swap, other: Swap): boolean {
  return (
    one.node === other.node &&
    one.read === other.read &&
    one.condition?.node === other.condition?.node &&
    one.condition?.version === other.condition?.version &&
    one.operation === other.operation
  );
}

/** Returns the nonce of a value if it is the owner's. */
function ownNonce({ node }: Value, owner: string): string {
  return node?.owner === owner ? node.nonce.slice(1) : ".";
}
