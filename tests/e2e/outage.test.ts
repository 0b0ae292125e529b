// Postgres or Redis is away for a whole round. The shop does not notice; afterwards everything arrives.
import { Redis } from 'ioredis'
import postgres from 'postgres'
import { afterEach, describe, expect, it } from 'vitest'
import { type BreakablePostgres, startBreakablePostgres } from '../support/breakable-postgres.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { startTestRedis } from '../support/redis.ts'
import { eventually, startServer, type TestServer } from '../support/server.ts'
import { Crowd, type Json, Station } from '../support/station.ts'

const DURATIONS = {
  ROUND_WAIT_DURATION_MS: '2500',
  BETTING_LOCK_DURATION_MS: '300',
  RACE_DURATION_MS: '500',
  RESULTS_DURATION_MS: '500',
}
const TIMEOUT_MS = 120_000
/** A sale is a commit on local disk and waits for nothing else. The machine may hesitate once, but not for long. */
const PROMPT_MS = 1_000
const LONGEST_MS = 10_000

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
}, 60_000)

const breakablePostgres = async (): Promise<BreakablePostgres> => {
  const made = await startBreakablePostgres()
  ends.push(() => made.end())
  return made
}
const redis = async (options: { durable: boolean }) => {
  const made = await startTestRedis(options)
  ends.push(() => made.stop())
  return made
}
const database = async (): Promise<string> => {
  const made = await createTestDatabase()
  ends.push(() => made.drop())
  return made.url
}
const serve = async (env: Record<string, string>): Promise<TestServer> => {
  const made = await startServer({ env: { ...DURATIONS, ...env } })
  ends.push(() => made.stop())
  return made
}

describe('a server whose Postgres is away for a whole round', () => {
  it(
    'sells, races and pays while Postgres, which has the queues too, was killed',
    async () => {
      const store = await breakablePostgres()
      const server = await serve({ DATABASE_URL: store.url })
      const played = await playThrough(server, () => store.kill(), 'postgres')
      await store.mend()
      await expectAll(server, store.url, played)
    },
    TIMEOUT_MS,
  )

  it(
    'sells, races and pays while Postgres was shut down and Redis has the queues',
    async () => {
      const store = await breakablePostgres()
      const queue = await redis({ durable: true })
      const server = await serve({ DATABASE_URL: store.url, REDIS_URL: queue.url })
      const played = await playThrough(server, () => store.shutDown(), 'postgres')
      await store.mend()
      await expectAll(server, store.url, played)
      await expectCached(queue.url, played)
    },
    TIMEOUT_MS,
  )

  it(
    'sells, races and pays while Postgres takes connections and says nothing',
    async () => {
      const store = await breakablePostgres()
      const server = await serve({ DATABASE_URL: store.url })
      const played = await playThrough(server, () => store.freeze(), 'postgres')
      await store.mend()
      await expectAll(server, store.url, played)
    },
    TIMEOUT_MS,
  )

  it(
    'starts, signs in and sells while Postgres is away, and stops in peace',
    async () => {
      const store = await breakablePostgres()
      const server = await serve({ DATABASE_URL: store.url, ROUND_WAIT_DURATION_MS: '8000' })
      const cashier = await Station.signIn(server, 'caisse')
      const round = await cashier.openRound(5_000)
      const before = await cashier.sold()
      await store.kill()
      expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null })
      await server.restart()
      const again = await Station.signIn(server, 'caisse')
      const admin = await Station.signIn(server, 'admin')
      expect((await again.receipt(before.id)).data).toMatchObject({ id: before.id, status: 'pending' })
      const during = await again.sold()
      expect(during.roundId).toBe(round.id)
      expect((await admin.persistence()).data.unstored).toMatchObject({ receipts: 2, amount: 12_000 })
      expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null })
      await server.restart()
      await store.mend()
      await admin.untilStored()
      await admin.untilRound(round.id, 'settled')
      for (const { id } of [before, during]) expect((await again.pay(id)).status).toBe(200)
      await admin.untilRetired(round.id)
      expect(await statusesOf(store.url, [before.id, during.id])).toEqual(['paid', 'paid'])
    },
    TIMEOUT_MS,
  )

  it(
    'waits for Postgres at its very first start, and says so',
    async () => {
      const store = await breakablePostgres()
      await store.shutDown()
      const starting = serve({ DATABASE_URL: store.url })
      await store.mend()
      const server = await starting
      expect(server.output).toMatch(/waiting for Postgres|First accounts/)
      const cashier = await Station.signIn(server, 'caisse')
      await cashier.openRound(500)
      await cashier.sold()
    },
    TIMEOUT_MS,
  )
})

describe('a server whose Redis is away for a whole round', () => {
  it(
    'sells, races and pays, and a Redis that keeps its data catches up',
    async () => {
      const url = await database()
      const queue = await redis({ durable: true })
      const server = await serve({ DATABASE_URL: url, REDIS_URL: queue.url })
      const played = await playThrough(server, () => queue.kill(), 'queues')
      await queue.restart()
      await expectAll(server, url, played)
      await expectCached(queue.url, played)
    },
    TIMEOUT_MS,
  )

  it(
    'brings everything to Postgres even if Redis lost the jobs that it had taken',
    async () => {
      const store = await breakablePostgres()
      const queue = await redis({ durable: false })
      const server = await serve({ DATABASE_URL: store.url, REDIS_URL: queue.url })
      // Without Postgres the jobs stay in Redis; so all of them are lost with it.
      const played = await playThrough(server, () => store.shutDown(), 'postgres')
      await queue.kill()
      await queue.restart()
      await store.mend()
      await expectAll(server, store.url, played)
    },
    TIMEOUT_MS,
  )

  it(
    'does not wait for a Redis that takes connections and says nothing',
    async () => {
      const url = await database()
      const queue = await redis({ durable: true })
      const server = await serve({ DATABASE_URL: url, REDIS_URL: queue.url })
      const played = await playThrough(server, async () => queue.pause(), 'queues')
      queue.resume()
      await expectAll(server, url, played)
    },
    TIMEOUT_MS,
  )
})

type Played = Awaited<ReturnType<typeof playThrough>>

/** Breaks something in the middle of one round, plays the next one whole, and opens a third. */
const playThrough = async (server: TestServer, breakIt: () => Promise<void>, part: 'postgres' | 'queues') => {
  const admin = await Station.signIn(server, 'admin')
  const cashier = await Station.signIn(server, 'caisse')
  const first = await admin.openRound(1_500)
  const before = await cashier.sold()
  await breakIt()

  const crowd = new Crowd(cashier, { clients: 8, restMs: 20, cancelEvery: 3 })
  const sales = watchSales(cashier)
  try {
    const next = await eventually('the next round opens', async () => {
      const { data } = await admin.ask('/api/v1/rounds/current')
      return data.id !== first.id && data.status === 'waiting' && data
    })
    const during = await cashier.sold()
    const printed = await cashier.print(during.id)
    expect(printed.status).toBe(200)
    const dashboard = await cashier.dashboard()
    expect(dashboard.data.tickets.map(({ id }: Json) => id)).toContain(during.id)
    const late = await admin.persistence()
    expect(late.data.unstored.receipts).toBeGreaterThan(0)
    expect(late.data.unstored.amount).toBeGreaterThanOrEqual(6_000)
    const detailed = await admin.ask('/health/detailed')
    expect(detailed.status).toBe(200)
    expect(detailed.json).toMatchObject({ status: 'degraded', checks: { [part]: { ok: false } } })
    const list = await cashier.myBets('?limit=100')
    if (part === 'postgres') expect(list.data.history).toBe('unavailable')
    expect(list.data.tickets.length).toBeGreaterThan(1)

    await admin.untilRound(next.id, 'settled')
    const payments = await Promise.all([before, during].map(({ id }) => cashier.pay(id)))
    expect(payments.map(({ status }) => status)).toEqual([200, 200])
    const third = await admin.openRound(1_000)
    expect(third.id).toBeGreaterThan(next.id)
    const last = await cashier.sold()
    expect((await admin.ask('/health')).status).toBe(200)
    await crowd.stop()
    return {
      admin,
      cashier,
      crowd,
      rounds: [first, next, third],
      paid: [before, during],
      last,
      tookMs: sales(),
    }
  } finally {
    await crowd.stop()
    sales()
  }
}

/** Sells one receipt after another, and remembers how long each took. */
const watchSales = (cashier: Station): (() => readonly number[]) => {
  const tookMs: number[] = []
  let isOver = false
  const watch = async () => {
    while (!isOver) {
      const begun = performance.now()
      await cashier.sell([[1, 1_000]]).catch(() => {})
      tookMs.push(performance.now() - begun)
    }
  }
  watch().catch(() => {})
  return () => {
    isOver = true
    return tookMs.sort((one, other) => one - other)
  }
}

const expectAll = async (server: TestServer, databaseUrl: string, played: Played): Promise<void> => {
  const { admin, crowd, rounds, paid, last, tookMs } = played
  expect(tookMs[Math.floor(tookMs.length * 0.95)]).toBeLessThan(PROMPT_MS)
  expect(tookMs.at(-1)).toBeLessThan(LONGEST_MS)
  expect(crowd.with('unknown')).toEqual([])
  await admin.untilStored(60_000)
  for (const { id } of rounds) await admin.untilRetired(id, 60_000)
  expect(
    await statusesOf(
      databaseUrl,
      paid.map(({ id }) => id),
    ),
  ).toEqual(['paid', 'paid'])
  expect(await statusesOf(databaseUrl, [last.id])).toEqual(['won'])

  const sold = crowd.with('acknowledged')
  const cancelled = sold.filter(({ cancel }) => cancel?.outcome === 'acknowledged')
  expect(cancelled.length).toBeGreaterThan(3)
  const statuses = await statusesOf(
    databaseUrl,
    sold.map(({ id }) => id!),
  )
  expect(statuses.length).toBe(sold.length)
  expect(statuses.filter((status) => status === 'cancelled').length).toBe(cancelled.length)
  expect(statuses).not.toContain('pending')

  const persistence = await eventually('nothing is left of the outage', async () => {
    const { data } = await admin.persistence()
    return data.alarms.length === 0 && data.failedJobs === 0 && data
  })
  expect(persistence.unstored.amount).toBe(0)
  const differing = await ask(databaseUrl, (sql) => sql`select * from rounds where discrepancy is not null`)
  expect(differing).toEqual([])
  await eventually(
    'all is well again',
    async () => (await admin.ask('/health/detailed')).json.status === 'ok',
  )
  expect(server.errorsLogged).toEqual([])
}

/** The round that was played while something was away is in the cache, with its outcome. */
const expectCached = async (cacheUrl: string, { rounds, crowd, paid }: Played): Promise<void> => {
  const { id } = rounds[1]
  const cache = new Redis(cacheUrl)
  try {
    const cached = JSON.parse((await cache.get(`round:${id}:data`)) ?? 'null')
    const statusOf = new Map(cached.receipts.map((receipt: Json) => [receipt.id, receipt.status]))
    expect(statusOf.get(paid[1].id)).toBe('paid')
    for (const { id: receipt, roundId, cancel } of crowd.with('acknowledged')) {
      if (roundId !== id) continue
      if (cancel?.outcome === 'acknowledged') expect(statusOf.has(receipt!)).toBe(false)
      else expect(['won', 'lost']).toContain(statusOf.get(receipt!))
    }
    expect(cached.stats.totalReceipts).toBe(cached.receipts.length)
  } finally {
    cache.disconnect()
  }
}

const ask = async <T>(url: string, question: (sql: postgres.Sql) => PromiseLike<T>): Promise<T> => {
  const sql = postgres(url, { max: 1 })
  try {
    return await question(sql)
  } finally {
    await sql.end()
  }
}

const statusesOf = (url: string, ids: readonly number[]): Promise<string[]> =>
  ask(url, async (sql) => {
    const rows = await sql`select status from receipts where receipt_id = any(${[...ids]}::bigint[])`
    return rows.map(({ status }) => status)
  })
