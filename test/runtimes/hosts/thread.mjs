// What a worker does: joins a SharedGenerator and makes IDs at the same time as the others.

/** @returns the IDs, or the error as text */
export async function makeIds({ module, handle, frozenAt, gate, parties, count }) {
  try {
    const { SharedGenerator } = await import(module);
    const generator = SharedGenerator.attach(handle, frozenAt && (() => frozenAt));
    const ids = new BigUint64Array(count);
    // Nobody starts before all are there: it is their IDs of one moment that must differ.
    Atomics.add(gate, 0, 1);
    while (Atomics.load(gate, 0) < parties);
    for (let i = 0; i < count; i++) ids[i] = generator.nextId();
    return { ids };
  } catch (error) {
    // The others must not wait for one that is not coming.
    Atomics.store(gate, 0, parties);
    return { error: String(error) };
  }
}
