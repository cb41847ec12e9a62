// Counters in Redis: the rule as a Lua script.

import { callStore } from "../../backend/call.ts";
import type { RedisPort } from "../../backend/ports.ts";
import { redisKey } from "../../backend/storeNames.ts";
import { parseId } from "../../internal.ts";
import { type CounterPort, RESERVE } from "../port.ts";
import { checkOutcome, MAX_VALUE, NO_VALUE, reserve } from "../rule.ts";

/**
 * ARGV: count; the client's highest value, or ""; floor; the last value of a reservation that begins at the floor; the
 * highest current value from which a whole reservation fits; the largest value.
 *
 * Lua's numbers are doubles, so values stay strings. Of two strings the longer one is the larger number; at the same
 * length, the one that sorts later. Only INCRBY adds, and it uses 64-bit integers.
 */
const RESERVE_SCRIPT = `
local function below(a, b) return #a < #b or (#a == #b and a < b) end
local count, highest, floor, floor_end, fits, most = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local at = redis.call('GET', KEYS[1]) or ''
if string.find(at, '%D') or below(most, at) then
  return redis.error_reply('ERR ' .. KEYS[1] .. ' holds no counter')
end
if not below(at, highest) and at ~= most then
  if below(at, floor) then
    redis.call('SET', KEYS[1], floor_end)
  elseif below(fits, at) then
    redis.call('SET', KEYS[1], most)
  else
    redis.call('INCRBY', KEYS[1], count)
  end
end
return 'from ' .. at .. ' to ' .. (redis.call('GET', KEYS[1]) or '')
`;

export function redisCounterPort(backend: RedisPort, name: string): CounterPort {
  const key = redisKey(backend, name, "counter");
  return {
    reserve(request, options) {
      const { count, floor, highest } = request;
      const [floorEnd] = reserve(floor - 1n, { ...request, highest: NO_VALUE });
      const args = [
        count,
        highest === NO_VALUE ? "" : highest,
        floor,
        floorEnd,
        MAX_VALUE - count,
        MAX_VALUE,
      ].map(String);
      return callStore(
        backend,
        RESERVE,
        () => backend.eval(RESERVE_SCRIPT, [key], args),
        (answer) => {
          if (typeof answer !== "string") return undefined;
          const [, before, after] = /^from (\d*) to (\d*)$/.exec(answer) ?? [];
          const parse = (value: string | undefined) => (value === "" ? NO_VALUE : parseId(value));
          return checkOutcome(request, parse(before), parse(after));
        },
        options,
      );
    },
  };
}
