// Fake ports and the error of a failing call, for the tests of idempotency.

import { type MemoryPort, memory, type RedisPort } from "../../src/backend/index.ts";

/** Returns the error of a call that must fail. */
export const errorOf = (call: Promise<unknown>) =>
  call.then(
    (value) => {
      throw new Error(`did not fail, but returned ${JSON.stringify(value)}`);
    },
    (error) => error,
  );

/** Creates a store in memory that fails at some of its calls, by their number from 1. */
export function failingAt(...numbers: number[]): MemoryPort & { calls: number } {
  const port = memory();
  return {
    calls: 0,
    change(name, change) {
      this.calls++;
      if (numbers.includes(this.calls)) throw new Error("connection lost");
      return port.change(name, change);
    },
  };
}

/** A Redis that returns planned answers, and notes the commands and the number of arguments of each script. */
export class ScriptedRedis implements RedisPort {
  readonly timeoutMs = 5000;
  readonly sent: string[] = [];
  readonly answers: unknown[];
  constructor(...answers: unknown[]) {
    this.answers = answers;
  }
  async eval(script: string, _keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const commands = ["HSET", "HDEL", "DEL"].filter((word) => script.includes(`'${word}'`)).join(" ");
    this.sent.push(`${commands} ${args.length}`);
    const answer = this.answers.shift();
    return typeof answer === "function" ? answer() : answer;
  }
}
