import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  CACHE_TTL_S,
  CacheAway,
  type CacheChange,
  type CachedReceipt,
  type RoundCache,
} from '../../../src/db/racing/round.cache.ts'
import { memoryRoundCache } from '../../../src/db/racing/round.memory.cache.ts'
import { redisRoundCache } from '../../../src/db/racing/round.redis.cache.ts'
import { startTestRedis, type TestRedis } from '../../support/redis.ts'

let redis: TestRedis
let client: Redis

beforeAll(async () => {
  redis = await startTestRedis()
  client = new Redis(redis.url)
  client.on('error', () => {})
})
beforeEach(() => client.flushall())
afterAll(async () => {
  client.disconnect()
  await redis.stop()
})

const ROUND = 42

const receipt = (
  id: number,
  stakes: Record<number, number>,
  more: Partial<CachedReceipt> = {},
): CachedReceipt => ({
  id,
  user_id: 7,
  created_at: 1_000_000 + id,
  total_amount: Object.values(stakes).reduce((sum, stake) => sum + stake, 0),
  bets: Object.entries(stakes).map(([number, value]) => ({
    number: Number(number),
    value,
    participant: { number: Number(number), name: `Cheval ${number} "é|"`, coeff: 2.5 },
    prize: value * 2.5,
  })),
  status: 'pending',
  prize: Math.max(...Object.values(stakes)) * 2.5,
  ...more,
})
const sold = (number: number, one: CachedReceipt): CacheChange => ({ number, receipt: one, gone: false })
const cancelled = (number: number, one: CachedReceipt): CacheChange => ({
  number,
  receipt: { ...one, status: 'cancelled' },
  gone: true,
})

type Opened = { cache: RoundCache; close(): Promise<void> }
const kinds: [string, () => Promise<Opened>][] = [
  [
    'in memory',
    async () => {
      const cache = memoryRoundCache(() => 0)
      return { cache, close: () => cache.close() }
    },
  ],
  [
    'on Redis',
    async () => {
      const cache = redisRoundCache(redis.url, () => {})
      await untilItAnswers(cache)
      return { cache, close: () => cache.close() }
    },
  ],
]

/** Resolves when the cache has found its Redis. */
const untilItAnswers = async (cache: RoundCache): Promise<void> => {
  for (;;) {
    const isThere = await cache.read(0).then(
      () => true,
      () => false,
    )
    if (isThere) return
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** What the cache holds, its receipts in the order of their numbers: nobody promises one. */
const read = async (cache: RoundCache, roundId = ROUND) => {
  const round = await cache.read(roundId)
  return round && { ...round, receipts: [...round.receipts].sort((a, b) => a.id - b.id) }
}

describe.each(kinds)('the cache of rounds %s', (_, open) => {
  let cache: RoundCache
  let close: () => Promise<void>
  beforeEach(async () => {
    ;({ cache, close } = await open())
    return () => close()
  })

  it('knows nothing of a round that was not opened, and passes its changes over', async () => {
    await cache.change(ROUND, [sold(2, receipt(1, { 1: 1_000 }))])
    await cache.settle(ROUND, 1)
    await cache.drop(ROUND)
    expect(await cache.read(ROUND)).toBeUndefined()
  })

  it('begins a round empty, and does not begin it again', async () => {
    await cache.open(ROUND)
    expect(await cache.read(ROUND)).toEqual({
      receipts: [],
      stats: { totalReceipts: 0, totalMise: 0, participantMise: {} },
    })
    await cache.change(ROUND, [sold(2, receipt(1, { 1: 1_000 }))])
    await cache.open(ROUND)
    expect((await read(cache))?.stats.totalReceipts).toBe(1)
  })

  it('holds the document of the reference: receipts, and stakes in all and on each participant', async () => {
    await cache.open(ROUND)
    const [one, two] = [receipt(1, { 1: 1_000, 3: 500 }), receipt(2, { 3: 2_000 })]
    await cache.change(ROUND, [sold(2, one), sold(3, two)])
    expect(await read(cache)).toEqual({
      receipts: [one, two],
      stats: { totalReceipts: 2, totalMise: 3_500, participantMise: { 1: 1_000, 3: 2_500 } },
    })
    expect(Object.keys((await read(cache))!.receipts[0]!)).toEqual(
      expect.arrayContaining(['id', 'user_id', 'created_at', 'total_amount', 'bets']),
    )
  })

  it('H1: leaves a cancelled receipt and its stakes out', async () => {
    await cache.open(ROUND)
    const [one, two] = [receipt(1, { 1: 1_000, 3: 500 }), receipt(2, { 3: 2_000 })]
    await cache.change(ROUND, [sold(2, one), sold(3, two), cancelled(4, one)])
    const round = await read(cache)
    expect(round?.receipts).toEqual([two])
    expect(round?.stats).toMatchObject({ totalReceipts: 1, totalMise: 2_000 })
    expect(round?.stats.participantMise[3]).toBe(2_000)
    expect(round?.stats.participantMise[1] ?? 0).toBe(0)
  })

  it('H2: lets no older fact overwrite a newer one, in whatever order they come and however often', async () => {
    const one = receipt(1, { 1: 1_000 })
    const two = receipt(2, { 2: 700 })
    const paid = { ...two, status: 'paid' as const, prize: 1_750 }
    const changes = [sold(2, one), cancelled(4, one), sold(3, two), sold(8, paid)]
    await cache.open(ROUND)
    await cache.change(ROUND, changes)
    const inOrder = await read(cache)
    expect(inOrder?.receipts).toEqual([paid])
    for (const order of [
      [3, 2, 1, 0],
      [1, 0, 3, 2],
      [2, 3, 0, 1, 0, 2, 3],
    ]) {
      await cache.drop(ROUND)
      await cache.open(ROUND)
      for (const place of order) await cache.change(ROUND, [changes[place]!])
      const { stats, receipts } = (await read(cache))!
      expect(receipts).toEqual(inOrder?.receipts)
      expect(stats).toMatchObject({ totalReceipts: 1, totalMise: 700 })
      expect(stats.participantMise[2]).toBe(700)
    }
  })

  it('gives every pending receipt its outcome when the race is over, and keeps what was paid', async () => {
    await cache.open(ROUND)
    const winner = receipt(1, { 1: 1_000, 2: 500 })
    const loser = receipt(2, { 2: 700 })
    const gone = receipt(3, { 1: 700 })
    await cache.change(ROUND, [sold(2, winner), sold(3, loser), sold(4, gone), cancelled(5, gone)])
    await cache.settle(ROUND, 1)
    expect((await read(cache))?.receipts).toEqual([
      { ...winner, status: 'won', prize: 2_500 },
      { ...loser, status: 'lost', prize: 0 },
    ])
    await cache.change(ROUND, [sold(10, { ...winner, status: 'paid', prize: 2_500 }), sold(3, loser)])
    await cache.settle(ROUND, 2)
    expect((await read(cache))?.receipts.map(({ status }) => status)).toEqual(['paid', 'lost'])
    expect((await read(cache))?.stats).toMatchObject({ totalReceipts: 2, totalMise: 2_200 })
  })

  it('H2: takes a receipt out whose cancellation comes after the race, and gives one that comes late its outcome', async () => {
    await cache.open(ROUND)
    const [gone, late] = [receipt(1, { 1: 1_000 }), receipt(2, { 2: 700 })]
    await cache.change(ROUND, [sold(2, gone)])
    await cache.settle(ROUND, 1)
    await cache.change(ROUND, [sold(3, late)])
    await cache.settle(ROUND, 1)
    await cache.change(ROUND, [cancelled(5, gone)])
    expect((await read(cache))?.receipts).toEqual([{ ...late, status: 'lost', prize: 0 }])
    expect((await read(cache))?.stats).toMatchObject({ totalReceipts: 1, totalMise: 700 })
  })

  it('makes every pending receipt worth its stake when the round is voided', async () => {
    await cache.open(ROUND)
    const [kept, gone] = [receipt(1, { 1: 1_000 }), receipt(2, { 2: 700 })]
    await cache.change(ROUND, [sold(2, kept), sold(3, gone), cancelled(4, gone)])
    await cache.settle(ROUND, null)
    expect((await read(cache))?.receipts).toEqual([{ ...kept, status: 'refundable', prize: 0 }])
    expect((await read(cache))?.stats).toMatchObject({ totalReceipts: 1, totalMise: 1_000 })
  })

  it('settles a large round whole', async () => {
    await cache.open(ROUND)
    const receipts = Array.from({ length: 1_500 }, (_, i) => receipt(i + 1, { [1 + (i % 2)]: 1_000 }))
    await cache.change(
      ROUND,
      receipts.map((one, i) => sold(i + 2, one)),
    )
    await cache.settle(ROUND, 1)
    const round = await read(cache)
    expect(round?.receipts.filter(({ status }) => status === 'won')).toHaveLength(750)
    expect(round?.receipts.filter(({ status }) => status === 'lost')).toHaveLength(750)
    expect(round?.stats).toEqual({
      totalReceipts: 1_500,
      totalMise: 1_500_000,
      participantMise: { 1: 750_000, 2: 750_000 },
    })
  })

  it('loses nothing of what changes at the same time', async () => {
    await cache.open(ROUND)
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => cache.change(ROUND, [sold(i + 2, receipt(i + 1, { 1: 10 }))])),
    )
    expect((await read(cache))?.stats).toEqual({
      totalReceipts: 100,
      totalMise: 1_000,
      participantMise: { 1: 1_000 },
    })
  })

  it('forgets a round that is dropped, and no other', async () => {
    await cache.open(ROUND)
    await cache.open(43)
    await cache.drop(ROUND)
    expect(await cache.read(ROUND)).toBeUndefined()
    expect(await cache.read(43)).toBeDefined()
  })
})

describe('the cache of rounds in memory', () => {
  it('forgets a round an hour after its last change', async () => {
    let now = 0
    const cache = memoryRoundCache(() => now)
    await cache.open(ROUND)
    now = CACHE_TTL_S * 1000 - 1
    await cache.change(ROUND, [sold(2, receipt(1, { 1: 10 }))])
    now = 2 * CACHE_TTL_S * 1000 - 2
    expect(await cache.read(ROUND)).toBeDefined()
    now++
    expect(await cache.read(ROUND)).toBeUndefined()
    await cache.change(ROUND, [sold(3, receipt(1, { 1: 10 }))])
    expect(await cache.read(ROUND)).toBeUndefined()
  })

  it('H3: keeps no more receipts than it may: the oldest rounds go, and go whole', async () => {
    const cache = memoryRoundCache(() => 0, 10)
    for (const roundId of [1, 2, 3]) {
      await cache.open(roundId)
      await cache.change(
        roundId,
        Array.from({ length: 4 }, (_, i) => sold(i + 2, receipt(roundId * 10 + i, { 1: 10 }))),
      )
    }
    expect(await cache.read(1)).toBeUndefined()
    expect((await cache.read(2))?.stats.totalReceipts).toBe(4)
    expect((await cache.read(3))?.stats.totalReceipts).toBe(4)
    await cache.change(1, [sold(9, receipt(10, { 1: 10 }))])
    expect(await cache.read(1)).toBeUndefined()
  })
})

describe('the cache of rounds on Redis', () => {
  let cache: RoundCache
  beforeEach(async () => {
    cache = redisRoundCache(redis.url, () => {})
    await untilItAnswers(cache)
    await cache.open(ROUND)
    return () => cache.close()
  })

  it('keeps the document under round:{id}:data for an hour from the last change', async () => {
    await cache.change(ROUND, [sold(2, receipt(1, { 1: 10 }))])
    const keys = await client.keys('*')
    expect(keys).toContain(`round:${ROUND}:data`)
    for (const key of keys) {
      expect(key).toMatch(new RegExp(`^round:${ROUND}:`))
      const left = await client.ttl(key)
      expect(left).toBeGreaterThan(CACHE_TTL_S - 5)
      expect(left).toBeLessThanOrEqual(CACHE_TTL_S)
    }
    for (const key of keys) await client.expire(key, 5)
    await cache.change(ROUND, [sold(3, receipt(2, { 1: 10 }))])
    for (const key of keys) expect(await client.ttl(key)).toBeGreaterThan(CACHE_TTL_S - 5)
    expect(JSON.parse((await client.get(`round:${ROUND}:data`))!)).toEqual(await cache.read(ROUND))
  })

  it('leaves nothing of a round that is dropped', async () => {
    await cache.change(ROUND, [sold(2, receipt(1, { 1: 10 }))])
    await cache.drop(ROUND)
    expect(await client.keys('*')).toEqual([])
  })

  it('H3: takes a round of which Redis evicted a part for one that is not there', async () => {
    const change = (number: number) => cache.change(ROUND, [sold(number, receipt(number, { 1: 10 }))])
    for (const part of ['data', 'receipts', 'sums']) {
      await client.flushall()
      await cache.open(ROUND)
      await change(2)
      await change(3)
      await client.del(`round:${ROUND}:${part}`)
      await change(4)
      const round = await cache.read(ROUND)
      if (round) {
        expect(round.receipts).toHaveLength(3)
        expect(round.stats).toMatchObject({ totalReceipts: 3, totalMise: 30 })
      } else expect(await client.keys('*')).toEqual([])
    }
  })

  it('H3: keeps no round that has more receipts than it may, and goes whole', async () => {
    const small = redisRoundCache(redis.url, () => {}, 3)
    await untilItAnswers(small)
    const change = (...ids: number[]) =>
      small.change(
        ROUND,
        ids.map((id) => sold(id, receipt(id, { 1: 10 }))),
      )
    await change(2, 3, 4)
    expect((await small.read(ROUND))?.stats.totalReceipts).toBe(3)
    expect(await small.has(ROUND)).toBe(true)
    await change(5)
    expect(await small.has(ROUND)).toBe(false)
    expect(await client.keys('*')).toEqual([])
    await change(6)
    expect(await client.keys('*')).toEqual([])
    await small.open(ROUND)
    await change(2, 3, 4, 5)
    expect(await client.keys('*')).toEqual([])
    await small.close()
  })

  it('says that it is away while it is, and is there again by itself', async () => {
    const asked = () => [
      cache.open(1),
      cache.change(ROUND, []),
      cache.settle(ROUND, 1),
      cache.drop(1),
      cache.read(1),
    ]
    await redis.kill()
    for (const answer of await Promise.allSettled(asked()))
      expect(answer).toMatchObject({ status: 'rejected', reason: expect.any(CacheAway) })
    await redis.restart()
    await untilItAnswers(cache)
    await cache.open(ROUND)
    expect(await cache.read(ROUND)).toBeDefined()
  })

  it('does not take a fault of its own for a Redis that is away', async () => {
    await client.set(`round:${ROUND}:sums`, 'not a hash')
    const fault = await cache.change(ROUND, [sold(2, receipt(1, { 1: 10 }))]).catch((error: Error) => error)
    expect(fault).toBeInstanceOf(Error)
    expect(fault).not.toBeInstanceOf(CacheAway)
  })
})
