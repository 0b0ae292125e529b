// What the cache holds of a round, whatever order its jobs come in, and how it hears of payments made elsewhere.
import { beforeEach, describe, expect, it } from 'vitest'
import type { Archive } from '../../../src/actors/racing/archive.port.ts'
import type { Heard } from '../../../src/actors/racing/racing.port.ts'
import { Unavailable } from '../../../src/actors/unavailable.port.ts'
import { openJournal } from '../../../src/db/journal.ts'
import { memoryStore } from '../../../src/db/memory.store.ts'
import { CacheAway, type RoundCache } from '../../../src/db/racing/round.cache.ts'
import { memoryRoundCache } from '../../../src/db/racing/round.memory.cache.ts'
import type { ReceiptCommand } from '../../../src/domain/racing/decide.ts'
import type { Fact } from '../../../src/domain/racing/facts.ts'
import type { ReceiptView } from '../../../src/domain/racing/receipt-view.ts'
import { CacheDebts } from '../../../src/jobs/racing/cache.debts.ts'
import { cacheProcessor } from '../../../src/jobs/racing/cache.worker.ts'
import { factsForCache, factsJob } from '../../../src/jobs/racing/fact-batch.ts'
import { Outcomes } from '../../../src/jobs/racing/outcomes.ts'
import { historyOf } from '../../db/racing/round.history.ts'
import { Disk } from '../../support/racing.ts'

const ROUND = 42
const PAY: ReceiptCommand = { type: 'PayReceipt', id: 7, by: { id: 1, admin: true } }
const newJournal = (disk = new Disk()) =>
  openJournal<Fact>({ store: disk.store, parse: (row) => row as Fact, probeAfterMs: 1 })

const outcomes = { of: () => undefined }

describe('the cached round', () => {
  let cache: RoundCache
  let bring: (first: number, last: number) => Promise<void>
  const sale = { do: 'sell' as const, by: 7, bets: [{ number: 1, stake: 1_000 }] }
  const { facts } = historyOf({ whileOpen: [sale, sale, sale] }, { roundId: ROUND, until: 'locked' })
  const receipts = async () => (await cache.read(ROUND))?.stats.totalReceipts

  beforeEach(async () => {
    const journal = newJournal()
    await new Promise<void>((resolve) => journal.append({ stream: ROUND, first: 1, facts }, () => resolve()))
    cache = memoryRoundCache(() => 0)
    const process = cacheProcessor(
      cache,
      (numbers) => factsForCache(journal, outcomes, numbers),
      () => false,
    )
    bring = (first, last) =>
      process({
        ...factsJob({ roundId: ROUND, first, last }),
        rest: () => Promise.reject(new Error('rested')),
      })
  })

  it('holds what came before its opening', async () => {
    await bring(3, 4)
    expect(await receipts()).toBeUndefined()
    await bring(1, 2)
    expect(await receipts()).toBe(3)
  })

  it('is whole or not there, when it was forgotten and its opening comes once more', async () => {
    await bring(1, 2)
    await bring(3, facts.length)
    await cache.drop(ROUND)
    await bring(1, 2)
    expect(await receipts()).toBe(3)
  })
})

describe('a large round that comes to the cache all at once', () => {
  const sale = { do: 'sell' as const, by: 7, bets: [{ number: 1, stake: 1_000 }] }
  const sales = 3_500
  const { facts } = historyOf(
    { whileOpen: Array.from({ length: sales }, () => sale) },
    { roundId: ROUND, until: 'locked' },
  )
  const bringAll = async (most?: number) => {
    const journal = newJournal()
    await new Promise<void>((resolve) => journal.append({ stream: ROUND, first: 1, facts }, () => resolve()))
    const cache = memoryRoundCache(() => 0, most)
    let turns = 0
    let isOver = false
    const others = (): void => {
      turns++
      if (!isOver) setImmediate(others)
    }
    const read: number[] = []
    const process = cacheProcessor(
      cache,
      function* (numbers) {
        for (const batch of factsForCache(journal, outcomes, numbers)) {
          read.push(batch?.facts.length ?? 0)
          yield batch
        }
      },
      () => false,
    )
    setImmediate(others)
    await process({
      ...factsJob({ roundId: ROUND, first: 1, last: 2 }),
      rest: () => Promise.reject(new Error()),
    })
    isOver = true
    return { cached: await cache.read(ROUND), read, turns }
  }

  it('is read in slices, with turns for others between them, and is whole', async () => {
    const { cached, read, turns } = await bringAll()
    expect(cached?.stats.totalReceipts).toBe(sales)
    expect(read).toEqual([1_000, 1_000, 1_000, facts.length - 3_000])
    expect(turns).toBeGreaterThanOrEqual(read.length - 1)
  })

  it('is read no further once it is too large', async () => {
    const { cached, read } = await bringAll(500)
    expect(cached).toBeUndefined()
    expect(read).toEqual([1_000])
  })
})

describe('a sale that comes to the cache after the race', () => {
  it('is shown as won or lost, after a restart too', async () => {
    const sale = { do: 'sell' as const, by: 7, bets: [{ number: 1, stake: 1_000 }] }
    const { facts, round } = historyOf({ whileOpen: [sale, sale] }, { roundId: ROUND })
    const status = [...round.receipts.values()][0]?.status
    const journal = newJournal()
    await new Promise<void>((resolve) => journal.append({ stream: ROUND, first: 1, facts }, () => resolve()))
    const settled = facts.findIndex(({ type }) => type === 'RoundSettled') + 1
    for (const isRestarted of [false, true]) {
      const cache = memoryRoundCache(() => 0)
      const outcomes = new Outcomes(
        {
          rounds: () => (isRestarted ? [round] : []),
          listen: (hear) => {
            if (!isRestarted) hear({ roundId: ROUND, number: settled, fact: facts[settled - 1]! } as Heard)
            return () => {}
          },
        },
        journal,
      )
      // The opening was brought when nothing else was on disk.
      await cache.open(ROUND)
      const process = cacheProcessor(
        cache,
        (numbers) => factsForCache(journal, outcomes, numbers),
        () => false,
      )
      for (const [first, last] of [
        [3, facts.length],
        [2, 2],
      ] as const)
        await process({
          ...factsJob({ roundId: ROUND, first, last }),
          rest: () => Promise.reject(new Error()),
        })
      expect((await cache.read(ROUND))?.receipts.map((one) => one.status)).toEqual([status, status])
    }
  })
})

describe('a payment of the archive', () => {
  const disk = new Disk(memoryStore())
  let answer: () => Promise<ReceiptView>
  const archive: Archive = {
    find: async (id) => ({ id, roundId: ROUND }) as ReceiptView,
    ask: () => answer(),
    takeOver: async () => 'taken',
    owned: async () => [],
  }
  let isCacheAway = false
  let dropped: number[] = []
  const cache = {
    drop: async (id: number) => {
      if (isCacheAway) throw new CacheAway(new Error('away'))
      dropped.push(id)
    },
  }
  const open = () => new CacheDebts(archive, newJournal(disk), cache)

  beforeEach(() => {
    answer = async () => ({ id: PAY.id, roundId: ROUND }) as ReceiptView
    isCacheAway = false
    dropped = []
  })

  it('lets the cache forget its round, once', async () => {
    const debts = open()
    await debts.archive.ask(PAY, 0, undefined)
    await debts.settle()
    await debts.settle()
    expect(dropped).toEqual([ROUND])
  })

  it('D1: does so too when its answer was lost, the cache was away, or the server died meanwhile', async () => {
    answer = () => Promise.reject(new Unavailable('postgres', 'the answer was lost'))
    await expect(open().archive.ask(PAY, 0, undefined)).rejects.toThrow(Unavailable)
    isCacheAway = true
    await expect(open().settle()).rejects.toThrow(CacheAway)
    isCacheAway = false
    await open().settle()
    expect(dropped).toEqual([ROUND])
  })

  it('D2: is waited for while it is under way', async () => {
    const debts = open()
    let pay = (): void => {}
    answer = () =>
      new Promise((resolve) => {
        pay = () => resolve({ id: PAY.id, roundId: ROUND } as ReceiptView)
      })
    const paid = debts.archive.ask(PAY, 0, undefined)
    await disk.asked()
    await new Promise((resolve) => setImmediate(resolve))
    await debts.settle()
    expect(dropped).toEqual([])
    pay()
    await paid
    await debts.settle()
    expect(dropped).toEqual([ROUND])
  })

  it('is not made where the debt cannot be written down', async () => {
    const debts = open()
    let isAsked = false
    answer = async () => {
      isAsked = true
      return {} as ReceiptView
    }
    disk.fault = 'before'
    await expect(debts.archive.ask(PAY, 0, undefined)).rejects.toThrow(Unavailable)
    disk.fault = undefined
    expect(isAsked).toBe(false)
  })
})
