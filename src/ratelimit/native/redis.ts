// Rate limits in Redis: each step of the rule as one script, by the server's own clock.

import { callStore } from "../../backend/call.ts";
import type { RedisPort } from "../../backend/ports.ts";
import { redisKey } from "../../backend/storeNames.ts";
import { BackendError } from "../../internal.ts";
import { areTogetherOrUndefined, OPERATION, plausibleOrUndefined } from "../parseAnswer.ts";
import type { KeyCall, RateLimitPort } from "../port.ts";
import { type ConsumeResult, type Gcra, GRACE_US, peek } from "../rule.ts";

/**
 * Reads and writes keys. The value of a key is its TAT, and after a space the end of its block if it has one.
 *
 * Lua's numbers are doubles, which hold the microseconds since 1970 exactly. Only their text needs `%.0f`, because
 * `tostring` writes large numbers with an exponent. Redis deletes a key itself when its TAT and its block have passed.
 */
const KEYS_AND_TIME = `
local function text(number) return string.format('%.0f', number) end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function read(key)
  local tat, blocked_until = string.match(redis.call('GET', key) or '0', '^(%d+) ?(%d*)$')
  return tat and math.min(tonumber(tat), 2 ^ 53), tonumber(blocked_until) or 0
end
local function put(key, tat, blocked_until)
  local ends = math.max(tat, blocked_until)
  local value = text(tat)
  if blocked_until > now then value = value .. ' ' .. text(blocked_until) end
  if ends > now then redis.call('SET', key, value, 'PX', text(math.ceil((ends - now) / 1000)))
  else redis.call('DEL', key) end
end
local function refuse() return redis.error_reply('ERR the key holds no rate limit') end
`;

/** Reads the only key. */
const ONE_KEY = `
local tat, blocked_until = read(KEYS[1])
if not tat then return refuse() end
`;

/** Returns a script with these functions. A call and not a template, so that a bundler can leave it out. */
function scriptOf(name: string, ...pieces: string[]): string {
  return `-- ${name}\n${KEYS_AND_TIME}${pieces.join("")}`;
}

/**
 * Counts a call of one key. ARGV: the cost of the call, the tolerance and the grace, in microseconds. Without the functions,
 * because the text of a script costs time in each call.
 */
const CONSUME = `-- consume
local cost_us, tolerance, grace = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local stored, blocked = string.match(redis.call('GET', KEYS[1]) or '0', '^(%d+) ?(%d*)$')
if not stored then return redis.error_reply('ERR the key holds no rate limit') end
local blocked_until = tonumber(blocked) or 0
local tat = math.max(tonumber(stored), now)
local word = 'denied'
if blocked_until <= now and tat + cost_us - now <= tolerance then
  word, tat = 'allowed', tat + cost_us
elseif tat - now > tolerance + grace then
  word, tat = 'pulled back', now + tolerance
end
local answer = string.format('%s %.0f %.0f', word, tat, now)
local ends, value = tat, string.format('%.0f', tat)
if blocked_until > now then
  answer = string.format('%s %.0f', answer, blocked_until)
  ends, value = math.max(ends, blocked_until), string.format('%s %.0f', value, blocked_until)
end
if word ~= 'denied' then
  redis.call('SET', KEYS[1], value, 'PX', string.format('%.0f', math.ceil((ends - now) / 1000)))
end
return answer
`;

/** Counts a call of each key, or none. ARGV: for each key those of the script for one. */
const CONSUME_ALL = /* @__PURE__ */ scriptOf(
  "consume",
  `
local calls, are_all_allowed = {}, true
for i, key in ipairs(KEYS) do
  local cost_us, tolerance, grace = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local stored, blocked_until = read(key)
  if not stored then return refuse() end
  local tat = math.max(stored, now)
  local is_allowed = blocked_until <= now and tat + cost_us - now <= tolerance
  if tat - now > tolerance + grace then
    tat = now + tolerance
    put(key, tat, blocked_until)
  end
  are_all_allowed = are_all_allowed and is_allowed
  calls[i] = { key = key, cost_us = cost_us, tat = tat, blocked_until = blocked_until, is_allowed = is_allowed }
end
local answers = {}
for i, call in ipairs(calls) do
  if are_all_allowed then
    call.tat = call.tat + call.cost_us
    put(call.key, call.tat, 0)
  end
  answers[i] = (call.is_allowed and 'allowed ' or 'denied ') .. text(call.tat) .. ' ' .. text(now)
  if call.blocked_until > now then answers[i] = answers[i] .. ' ' .. text(call.blocked_until) end
end
return table.concat(answers, ',')
`,
);

const PEEK = /* @__PURE__ */ scriptOf(
  "peek",
  ONE_KEY,
  "return 'key ' .. text(tat) .. ' ' .. text(now) .. ' ' .. text(blocked_until)",
);

/** ARGV: how much to give back, and the TAT after the call that is refunded. */
const REFUND = /* @__PURE__ */ scriptOf(
  "refund",
  ONE_KEY,
  `
local back = math.min(tonumber(ARGV[1]), tonumber(ARGV[2]) - now)
if tat > now and back > 0 then put(KEYS[1], math.max(tat - back, now), blocked_until) end
return 'done'
`,
);

/** ARGV: the length of the block. */
const BLOCK = /* @__PURE__ */ scriptOf(
  "block",
  ONE_KEY,
  `
put(KEYS[1], tat, math.max(blocked_until, now + tonumber(ARGV[1])))
return 'done'
`,
);

const RESET = `-- reset
redis.call('DEL', KEYS[1])
return 'done'
`;

/**
 * Sends a script.
 *
 * @param parse returns `undefined` for an answer that is not valid
 */
function send<T>(
  backend: RedisPort,
  operation: string,
  script: string,
  keys: readonly string[],
  args: readonly number[],
  parse: (answer: string) => T | undefined,
): Promise<T> {
  return callStore(
    backend,
    operation,
    () => backend.eval(script, keys, args.map(String)),
    (answer) => (typeof answer === "string" ? parse(answer) : undefined),
  );
}

/**
 * The key is in the braces, not the name, so that the keys of one limit spread over a cluster. The name comes last and has
 * no braces, so no two keys are written alike.
 */
function keyOf(backend: RedisPort, name: string, key: string): string {
  return redisKey(backend, key, `rate:${name}`);
}

const RESULT = /^(allowed|denied|pulled back) (\d+) (\d+)(?: (\d+))?$/;

/** Reads a result. One that is not valid has NaN, which is not plausible. */
function parseResult(text: string): ConsumeResult {
  const [, word, tat, now, blocked] = RESULT.exec(text) ?? [];
  const result = { allowed: word === "allowed", tat: Number(tat), now: Number(now) };
  return blocked === undefined ? result : { ...result, blockedUntil: Number(blocked) };
}

/** Backends that have refused keys of several slots. */
const clusters = /* @__PURE__ */ new WeakSet<RedisPort>();

/**
 * Counts a call of several keys, or none, in one step. Keys of one client are in one slot of a cluster.
 *
 * @returns `undefined` if the server is a cluster, and the keys may be in several slots
 */
export async function consumeTogetherOnRedis(
  backend: RedisPort,
  calls: readonly KeyCall[],
): Promise<readonly ConsumeResult[] | undefined> {
  // A key that begins with a brace is no hash tag.
  const isOneSlot = calls.every(({ key }) => key === calls[0]?.key && !key.startsWith("}"));
  if (!isOneSlot && clusters.has(backend)) return undefined;
  try {
    const keys = calls.map(({ name, key }) => keyOf(backend, name, key));
    const args = calls.flatMap(({ costUs, gcra }) => [costUs, gcra.tolerance, GRACE_US]);
    return await send(backend, OPERATION.consume, CONSUME_ALL, keys, args, (answer) =>
      areTogetherOrUndefined(calls, answer.split(",").map(parseResult)),
    );
  } catch (error) {
    if (!(error instanceof BackendError) || !/CROSSSLOT/.test(error.message)) throw error;
    clusters.add(backend);
    return undefined;
  }
}

export function redisRateLimitPort(backend: RedisPort, name: string, gcra: Gcra): RateLimitPort {
  const sendDone = async (operation: string, script: string, key: string, args: readonly number[]) => {
    const parse = (answer: string) => (answer === "done" ? true : undefined);
    await send(backend, operation, script, [keyOf(backend, name, key)], args, parse);
  };
  return {
    consume(key, costUs) {
      const args = [costUs, gcra.tolerance, GRACE_US];
      return send(backend, OPERATION.consume, CONSUME, [keyOf(backend, name, key)], args, (answer) =>
        plausibleOrUndefined(gcra, costUs, parseResult(answer)),
      );
    },

    peek(key, costUs) {
      return send(backend, OPERATION.peek, PEEK, [keyOf(backend, name, key)], [], (answer) => {
        const [, tat, now, blocked] = (/^key (\d+) (\d+) (\d+)$/.exec(answer) ?? []).map(Number);
        if (tat === undefined || now === undefined || !Number.isSafeInteger(now)) return undefined;
        return peek(gcra, costUs, tat, now, GRACE_US, blocked);
      });
    },

    refund(key, costUs, callTat) {
      return sendDone(OPERATION.refund, REFUND, key, [costUs, callTat]);
    },

    block(key, forUs) {
      return sendDone(OPERATION.block, BLOCK, key, [forUs]);
    },

    reset(key) {
      return sendDone(OPERATION.reset, RESET, key, []);
    },
  };
}
