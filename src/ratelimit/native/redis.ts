// Rate limits in Redis: the rule as one script, by the server's own clock.

import { callStore } from "../../backend/call.ts";
import type { RedisPort } from "../../backend/ports.ts";
import { redisKey } from "../../backend/storeNames.ts";
import { OPERATION, plausibleOrUndefined } from "../parseAnswer.ts";
import type { RateLimitPort } from "../port.ts";
import { type Gcra, GRACE_US } from "../rule.ts";

/**
 * ARGV: the cost of the call, the tolerance and the grace, in microseconds.
 *
 * Lua's numbers are doubles, which hold the microseconds since 1970 exactly. Only their text needs `%.0f`, because
 * `tostring` writes large numbers with an exponent. Redis deletes a key itself when its TAT has passed.
 */
const SCRIPT = `
local cost_us, tolerance, grace = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local function text(number) return string.format('%.0f', number) end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local stored = redis.call('GET', KEYS[1]) or '0'
if not string.find(stored, '^%d+$') then return redis.error_reply('ERR the key holds no rate limit') end
local function put(tat) redis.call('SET', KEYS[1], text(tat), 'PX', text(math.ceil((tat - now) / 1000))) end
local tat = math.max(tonumber(stored), now)
if tat + cost_us - now <= tolerance then
  put(tat + cost_us)
  return 'allowed ' .. text(tat + cost_us) .. ' ' .. text(now)
end
if tat - now > tolerance + grace then
  tat = now + tolerance
  put(tat)
end
return 'denied ' .. text(tat) .. ' ' .. text(now)
`;

export function redisRateLimitPort(backend: RedisPort, name: string, gcra: Gcra): RateLimitPort {
  return {
    consume(key, costUs) {
      // The key is in the braces, not the name, so that the keys of one limit spread over a cluster. The name comes
      // last and has no braces, so no two keys are written alike.
      const keys = [redisKey(backend, key, `rate:${name}`)];
      const args = [costUs, gcra.tolerance, GRACE_US].map(String);
      return callStore(
        backend,
        OPERATION,
        () => backend.eval(SCRIPT, keys, args),
        (answer) => {
          if (typeof answer !== "string") return undefined;
          const [, word, tat, now] = /^(allowed|denied) (\d+) (\d+)$/.exec(answer) ?? [];
          const result = { allowed: word === "allowed", tat: Number(tat), now: Number(now) };
          return plausibleOrUndefined(gcra, costUs, result);
        },
      );
    },
  };
}
