// Job of a worker: attaches to a SharedGenerator and makes IDs at the same time as the other workers.

/** Returns the IDs, or the error as text. */
export async function makeIds({ module, handle, frozenAt, gate, parties, count }) {
  try {
    const { SharedGenerator } = await import(module);
    const generator = SharedGenerator.attach(handle, frozenAt && (() => frozenAt));
    const ids = new BigUint64Array(count);
    // Waits for all workers, because IDs of the same moment must differ.
    Atomics.add(gate, 0, 1);
    while (Atomics.load(gate, 0) < parties);
    for (let i = 0; i < count; i++) ids[i] = generator.nextId();
    return { ids };
  } catch (error) {
    // Opens the gate, so that the other workers do not wait for this one.
    Atomics.store(gate, 0, parties);
    return { error: String(error) };
  }
}
