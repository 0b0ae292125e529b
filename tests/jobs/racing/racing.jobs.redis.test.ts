import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { redisRoundCache } from '../../../src/db/racing/round.redis.cache.ts'
import { startTestRedis, type TestRedis } from '../../support/redis.ts'
import { eventually, JobsShop, type JobsShopOptions } from './jobs.shop.ts'
import { jobsSuite } from './jobs.suite.ts'

let redis: TestRedis
let client: Redis

beforeAll(async () => {
  redis = await startTestRedis({ durable: true })
  client = new Redis(redis.url)
  client.on('error', () => {})
})
beforeEach(async () => {
  await client.flushall()
})
afterAll(async () => {
  client.disconnect()
  await redis.stop()
})

const onRedis = (station = '01'): JobsShopOptions => ({
  storeOf: () => ({ redisUrl: redis.url, station }),
  cacheOf: () => redisRoundCache(redis.url, () => {}),
  station,
})

describe('the jobs on Redis', () => {
  jobsSuite(() => ({
    ...onRedis(),
    loseQueue: async () => {
      await client.flushall()
    },
  }))

  it('go on where they were when Redis was killed for a while', async () => {
    await using shop = await JobsShop.open(onRedis())
    const { id: roundId } = shop.shop.round()
    await shop.startJobs()
    await shop.shop.sold([{ number: 1, stake: 1_000 }])
    await shop.allStored(roundId)
    await redis.kill()
    await shop.shop.sold([{ number: 1, stake: 2_000 }])
    await eventually(() => expect(shop.looks).toBeGreaterThan(3))
    expect(shop.unstored()).toMatchObject({ receipts: 1, amount: 2_000 })
    expect(await shop.jobs.counts()).toBeUndefined()
    await redis.restart()
    await shop.allStored(roundId)
    await shop.race()
    await shop.retired(roundId)
    await eventually(async () => expect((await shop.cache.read(roundId))?.stats.totalMise).toBe(3_000))
    expect(shop.failures).toEqual([])
  })

  it('rest while the Redis of the cache is away, and bring it up to date afterwards', async () => {
    const cacheRedis = await startTestRedis({ durable: true })
    try {
      await using shop = await JobsShop.open({
        ...onRedis(),
        cacheOf: () => redisRoundCache(cacheRedis.url, () => {}),
      })
      const { id: roundId } = shop.shop.round()
      await cacheRedis.kill()
      await shop.startJobs()
      for (const stake of [1_000, 2_000, 3_000]) {
        await shop.shop.sold([{ number: 1, stake }])
        await shop.allStored(roundId)
      }
      await eventually(() => expect(shop.looks).toBeGreaterThan(3))
      await cacheRedis.restart()
      await eventually(async () =>
        expect((await shop.cache.read(roundId))?.stats).toMatchObject({ totalReceipts: 3, totalMise: 6_000 }),
      )
      // The cache has it a moment before the job is counted as done.
      await eventually(async () => {
        const used = (await shop.queue('cache').getCompleted()).map((job) => job.attemptsMade)
        expect(new Set(used)).toEqual(new Set([1]))
      })
      expect(shop.failures).toEqual([])
    } finally {
      await cacheRedis.stop()
    }
  })

  it('of one station are not done by another that shares its Redis', async () => {
    await using one = await JobsShop.open(onRedis('01'))
    await using two = await JobsShop.open(onRedis('02'))
    await two.startJobs()
    const { id: roundId } = one.shop.round()
    await one.shop.sold([{ number: 1, stake: 1_000 }])
    await one.startJobs()
    await one.allStored(roundId)
    await one.race()
    await one.retired(roundId)
    expect([one.failures, two.failures]).toEqual([[], []])
    expect(await two.stored(roundId)).not.toContain(2)
  })
})
