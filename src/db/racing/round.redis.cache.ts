import { Redis, ReplyError } from 'ioredis'
import {
  CACHE_TTL_S,
  CacheAway,
  type CacheChange,
  type CachedReceipt,
  type CachedRound,
  MOST_RECEIPTS,
  numberWithOutcome,
  type RoundCache,
  withOutcome,
} from './round.cache.ts'

// In Redis a round is three keys that live and die together: `round:{id}:data` is the document that callers read,
// written anew from `…:receipts` (id → `number|json`, the json empty once cancelled) and `…:sums` by the script that
// changes them, so that no reader ever sees half a change. A Redis that evicts may take one of the three: then all go.

/** KEYS data, receipts, sums · ARGV ttl, most receipts, whether to begin the round, then for each change: id, fact number, json or '', total, `number:stake …` */
const CHANGE = `
local ttl = ARGV[1]
if redis.call('EXISTS', KEYS[2], KEYS[3]) < 2 then
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
  if ARGV[3] == '' then return end
  redis.call('HSET', KEYS[2], 'begun', '0|')
  redis.call('HSET', KEYS[3], 'receipts', 0, 'mise', 0)
end
for i = 4, #ARGV, 5 do
  local id, number, json, total, stakes = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local before = redis.call('HGET', KEYS[2], id)
  local bar = before and string.find(before, '|', 1, true)
  if not before or tonumber(string.sub(before, 1, bar - 1)) < number then
    local was = before and #before > bar and 1 or 0
    local is = #json > 0 and 1 or 0
    redis.call('HSET', KEYS[2], id, number .. '|' .. json)
    if was ~= is then
      redis.call('HINCRBY', KEYS[3], 'receipts', is - was)
      redis.call('HINCRBY', KEYS[3], 'mise', (is - was) * tonumber(total))
      for participant, stake in string.gmatch(stakes, '(%d+):(%d+)') do
        redis.call('HINCRBY', KEYS[3], 'on:' .. participant, (is - was) * tonumber(stake))
      end
    end
  end
end
if redis.call('HLEN', KEYS[2]) > 1 + ARGV[2] then return redis.call('DEL', KEYS[1], KEYS[2], KEYS[3]) end
local receipts = {}
for _, value in ipairs(redis.call('HVALS', KEYS[2])) do
  local bar = string.find(value, '|', 1, true)
  if #value > bar then receipts[#receipts + 1] = string.sub(value, bar + 1) end
end
local sums, on = redis.call('HGETALL', KEYS[3]), {}
local total, mise = '0', '0'
for i = 1, #sums, 2 do
  local name, value = sums[i], sums[i + 1]
  if name == 'receipts' then total = value
  elseif name == 'mise' then mise = value
  else on[#on + 1] = '"' .. string.sub(name, 4) .. '":' .. value end
end
redis.call('SET', KEYS[1], '{"receipts":[' .. table.concat(receipts, ',') .. '],"stats":{"totalReceipts":' .. total ..
  ',"totalMise":' .. mise .. ',"participantMise":{' .. table.concat(on, ',') .. '}}}', 'EX', ttl)
redis.call('EXPIRE', KEYS[2], ttl)
redis.call('EXPIRE', KEYS[3], ttl)
`

const SLICE = 500
type Scripted = Redis & { changeRound(...args: (string | number)[]): Promise<unknown> }

/** The cache of a network, on Redis, Valkey or Dragonfly. Commands fail at once while it is away: jobs try again. */
export const redisRoundCache = (
  url: string,
  onError: (error: Error) => void,
  most = MOST_RECEIPTS,
): RoundCache => {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    lazyConnect: true,
    maxRetriesPerRequest: 1,
    commandTimeout: 10_000,
    retryStrategy: (attempts) => Math.min(2_000, 100 * attempts),
  }) as Scripted
  redis.on('error', onError)
  redis.defineCommand('changeRound', { numberOfKeys: 3, lua: CHANGE })
  redis.connect().catch(onError)
  const keys = (roundId: number) =>
    [`round:${roundId}:data`, `round:${roundId}:receipts`, `round:${roundId}:sums`] as const

  const run = async (roundId: number, changes: readonly CacheChange[], begin = false): Promise<void> => {
    const args: (string | number)[] = [CACHE_TTL_S, most, begin ? 'begin' : '']
    for (const { number, receipt, gone } of changes) {
      const stakes = receipt.bets.map((bet) => `${bet.number}:${bet.value}`).join(' ')
      args.push(receipt.id, number, gone ? '' : JSON.stringify(receipt), receipt.total_amount, stakes)
    }
    await redis.changeRound(...keys(roundId), ...args)
  }

  /** The receipts still pending, slice by slice: as they are with their outcome. */
  const giveOutcomes = async (roundId: number, winner: number | null): Promise<void> => {
    let cursor = '0'
    do {
      const [next, flat] = await redis.hscan(keys(roundId)[1], cursor, 'COUNT', SLICE)
      cursor = next
      const changes: CacheChange[] = []
      for (let i = 1; i < flat.length; i += 2) {
        const bar = flat[i]!.indexOf('|')
        const json = flat[i]!.slice(bar + 1)
        if (json === '') continue
        const receipt = JSON.parse(json) as CachedReceipt
        const number = numberWithOutcome(Number(flat[i]!.slice(0, bar)))
        if (receipt.status === 'pending')
          changes.push({ number, receipt: withOutcome(receipt, winner), gone: false })
      }
      if (changes.length > 0) await run(roundId, changes)
    } while (cursor !== '0')
  }

  const drop = async (roundId: number): Promise<void> => {
    await answered(redis.del(...keys(roundId)))
  }

  return {
    open: (roundId) => answered(run(roundId, [], true)),
    has: async (roundId) => (await answered(redis.exists(...keys(roundId)))) === 3,
    change: (roundId, changes) => (changes.length > most ? drop(roundId) : answered(run(roundId, changes))),
    settle: (roundId, winner) => answered(giveOutcomes(roundId, winner)),
    drop,
    read: async (roundId) => {
      const json = await answered(redis.get(keys(roundId)[0]))
      return json === null ? undefined : (JSON.parse(json) as CachedRound)
    },
    close: async () => {
      redis.disconnect()
    },
  }
}

/** Redis's answer. What is no answer of its own comes from a Redis that is away, busy loading, or has no room. */
const answered = async <T>(asked: Promise<T>): Promise<T> => {
  try {
    return await asked
  } catch (error) {
    if (error instanceof ReplyError && !PASSING_REPLY.test((error as Error).message)) throw error
    throw new CacheAway(error)
  }
}
const PASSING_REPLY = /^(LOADING|OOM|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY)\b/
