import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { concludeRetries, jobRetries, recordRetries } from '../../../src/db/job-retries.queries.ts'
import { discrepancies, roundsWithDiscrepancy } from '../../../src/db/racing/reconciliation.queries.ts'
import { FailedJobs } from '../../../src/jobs/racing/failed.jobs.ts'
import { countedTotals, keptTotals } from '../../db/racing/racing.database.ts'
import { FIELD, receiptIn } from '../../support/racing.ts'
import { eventually, JobsShop, type JobsShopOptions } from './jobs.shop.ts'

export type Backend = JobsShopOptions & {
  /** All jobs are gone, as after a crash of a queue that keeps nothing. */
  readonly loseQueue: (shop: JobsShop) => Promise<void>
}

const NOTHING = { receipts: 0, amount: 0, oldestAt: undefined }
const STRANGER = { id: 999, admin: false }
const bet = (stake: number, number = 1) => [{ number, stake }]

/** What every backend of the queues must do. */
export const jobsSuite = (backend: () => Backend): void => {
  let shop: JobsShop

  beforeEach(async () => {
    shop = await JobsShop.open(backend())
  })
  afterEach(() => shop.close())

  /** Retries that wait for their time are run now. */
  const hurry = async (queue: 'persist' | 'cache' = 'persist'): Promise<void> => {
    for (const job of await shop.queue(queue).getDelayed()) await job.promote().catch(() => {})
  }

  /** The queue has nothing left to do. */
  const idle = (): Promise<void> =>
    eventually(async () => {
      const { waiting, active, delayed } = await shop.queues!.counts('persist')
      expect(waiting + active + delayed).toBe(0)
    })

  const attemptsUsed = async (): Promise<number[]> => {
    const jobs = await shop.queue('persist').getCompleted(0, 500)
    return [...new Set(jobs.map((job) => job.attemptsMade))]
  }

  describe('facts on their way to Postgres', () => {
    it('are counted there before they arrive, so that no receipt number comes back', async () => {
      shop.shop.round()
      for (let sold = 0; sold < 3; sold++) await shop.shop.sold(bet(1_000))
      await shop.startJobs()
      const told = async () => (await shop.database.sql`select receipts_told from stations`)[0]!.receipts_told
      await eventually(async () => expect(await told()).toBe(3))
      await shop.shop.sold(bet(1_000))
      await eventually(async () => expect(await told()).toBe(4))
    })

    it('arrive in order, and their round leaves when all are there', async () => {
      const { id: roundId } = shop.shop.round()
      expect(shop.unstored()).toEqual(NOTHING)
      const first = await shop.shop.sold(bet(5_000))
      const cancelled = await shop.shop.sold(bet(2_000))
      await shop.shop.cancel(cancelled.id)
      expect(shop.unstored()).toEqual({ receipts: 2, amount: 7_000, oldestAt: first.at })

      await shop.startJobs()
      await shop.allStored(roundId)
      expect(shop.unstored()).toEqual(NOTHING)
      const winner = await shop.shop.soldOnAll()
      await shop.allStored(roundId)
      await shop.race()
      await shop.shop.pay(winner.id)
      await shop.retired(roundId)

      const rows = await shop.database.sql<{ number: number; at: number }[]>`
        select number, (extract(epoch from stored_at) * 1000000)::bigint as at from facts
        where round_id = ${roundId} order by stored_at, number`
      expect(rows.map((row) => row.number)).toEqual(rows.map((_, i) => i + 1))
      expect(new Set(rows.map((row) => row.at)).size).toBeGreaterThan(2)
      expect(await discrepancies(shop.database.sql, roundId)).toEqual([])
      expect(await keptTotals(shop.database.sql)).toEqual(await countedTotals(shop.database.sql))
      expect(await shop.shop.racing.find(winner.id)).toMatchObject({ status: 'paid', total: 6_000 })
      expect(await shop.shop.racing.find(cancelled.id)).toMatchObject({ status: 'cancelled' })
      expect([...shop.shop.journal.notes(`outbox/${roundId}/`)]).toEqual([])
      expect(shop.shop.journal.streams()).not.toContain(roundId)
      expect(shop.unstored()).toEqual(NOTHING)
      expect(shop.failures).toEqual([])
    })

    it('leave a poison fact behind that fails alone, and takes its place once its cause is mended', async () => {
      const { id: roundId } = shop.shop.round()
      await shop.shop.sold(bet(1_000))
      const poison = await shop.shop.sold(bet(3_000), { by: STRANGER })
      await shop.shop.sold(bet(2_000))
      await shop.startJobs()
      await eventually(async () => {
        await hurry()
        const { failed } = await shop.queue('persist').getJobCounts('failed')
        expect(failed).toBe(1)
      })

      expect(await shop.stored(roundId)).toEqual([1, 2, 4])
      expect(shop.unstored()).toEqual({ receipts: 1, amount: 3_000, oldestAt: poison.at })
      const [job] = await shop.queue('persist').getFailed()
      expect(job).toMatchObject({ name: 'fact', attemptsMade: 10 })
      expect(job!.data.facts).toHaveLength(1)
      expect(job!.data.facts[0]).toMatchObject([3, { type: 'ReceiptSold', id: poison.id }])
      expect(job!.failedReason).toMatch(/receipts_user_id_fkey/)

      // What failed is not lost: it is not handed over again, and the round stays.
      await shop.race()
      await shop.allButOne(roundId)
      await eventually(() => {
        shop.aheadMs += 5_000
        expect(shop.looks).toBeGreaterThan(10)
      })
      expect(await shop.queue('persist').getFailed()).toHaveLength(1)
      const ids = (await shop.queue('persist').getCompleted(0, 500)).map((one) => one.id)
      expect(ids.filter((id) => id?.includes('again'))).toEqual([])
      expect(shop.shop.racing.round(roundId)).toBeDefined()
      expect(receiptIn(await shop.shop.print(poison.id, STRANGER)).prints).toBe(1)

      await shop.database.sql`
        insert into users (user_id, name, role, password_hash) overriding system value
        values (999, 'late', 'cashier', 'none')`
      await job!.retry()
      await eventually(() => hurry().then(() => expect(shop.unstored()).toEqual(NOTHING)))
      await eventually(async () => {
        await hurry()
        for (const failed of await shop.queue('persist').getFailed()) await failed.retry().catch(() => {})
        expect(shop.shop.racing.round(roundId)).toBeUndefined()
      })
      await shop.retired(roundId)
      expect(await discrepancies(shop.database.sql, roundId)).toEqual([])
    })

    it('Y1 Y2: fail with their money told, and are tried again by one who is written down, however often asked', async () => {
      const { id: roundId } = shop.shop.round()
      const ids: number[] = []
      for (const stake of [3_000, 4_000]) ids.push((await shop.shop.sold(bet(stake), { by: STRANGER })).id)
      await shop.shop.print(ids[0]!, STRANGER)
      await shop.startJobs()
      const failed = new FailedJobs({
        queues: () => shop.queues,
        journal: shop.shop.journal,
        record: {
          ask: (asked) => recordRetries(shop.sql, '01', asked),
          conclude: (results) => concludeRetries(shop.sql, results),
          list: (...asked) => jobRetries(shop.sql, '01', ...asked),
        },
        now: () => shop.clock.now(),
      })
      const list = await eventually(async () => {
        await hurry()
        const found = await failed.list('persist')
        expect(found.totals.jobs).toBe(3)
        return found
      })
      expect(list).toMatchObject({ totals: { receipts: 2, amount: 7_000 }, truncated: false })
      for (const job of list.jobs)
        expect(job).toMatchObject({ name: 'fact', roundId, receipts: 1, attempts: 10 })
      expect(list.jobs[0]!.reason).toMatch(/receipts_user_id_fkey/)
      const [sold] = list.jobs.filter(({ facts }) => facts?.first === 3)
      expect(sold).toMatchObject({ amount: 4_000, facts: { first: 3, last: 3 } })

      await shop.database.sql`
        insert into users (user_id, name, role, password_hash) overriding system value
        values (999, 'late', 'cashier', 'none')`
      expect(await failed.retry('persist', [sold!.id, 'nowhere'], 1)).toEqual([
        { id: sold!.id, result: 'retried' },
        { id: 'nowhere', result: 'gone' },
      ])
      await eventually(() => expect(shop.unstored()).toMatchObject({ receipts: 1, amount: 3_000 }))
      const rest = await Promise.all([failed.retry('persist', 'all', 1), failed.retry('persist', 'all', 7)])
      expect(rest.flat().filter(({ result }) => result === 'retried')).toHaveLength(2)
      await shop.allStored(roundId)
      expect(await failed.list('persist')).toMatchObject({ jobs: [], totals: { jobs: 0, amount: 0 } })
      expect(await failed.retry('persist', [sold!.id], 1)).toMatchObject([{ id: sold!.id }])

      const record = await failed.retries(undefined, 50)
      expect(record.filter(({ result }) => result === 'asked')).toEqual([])
      const first = record.filter(({ jobId }) => jobId === sold!.id).at(-1)
      expect(first).toMatchObject({
        by: 1,
        queue: 'persist',
        jobName: 'fact',
        roundId,
        receipts: 1,
        amount: 4_000,
      })
      expect(record.at(-1)!.id).toBeLessThan(record[0]!.id)
      expect(await failed.retries(record[0]!.id, 1)).toEqual([record[1]])
    })

    it('are stored once though they are handed over again after a crash', async () => {
      const { id: roundId } = shop.shop.round()
      await shop.shop.sold(bet(1_000))
      await shop.shop.sold(bet(2_000))
      await shop.startJobs()
      await shop.allStored(roundId)
      await idle()
      const before = await shop.queue('persist').getCompleted()
      // The crash came after the queue had taken the job and before the position was noted.
      await shop.shop.journal.forget(`outbox/${roundId}/`)
      await shop.restart()
      expect(shop.unstored()).toMatchObject({ receipts: 2, amount: 3_000 })
      await shop.startJobs()
      await eventually(() => expect(shop.jobs.handedOver(roundId).persist).toBe(3))
      await shop.shop.sold(bet(4_000))
      await shop.allStored(roundId)
      expect(await shop.stored(roundId)).toEqual([1, 2, 3, 4])
      await idle()
      const after = await shop.queue('persist').getCompleted()
      expect(after.map((job) => job.id)).toEqual(expect.arrayContaining(before.map((job) => job.id)))
      expect(after).toHaveLength(before.length + 1)
      expect(shop.unstored()).toEqual(NOTHING)
    })

    it('wait for a Postgres that is away, use up no attempts, and arrive when it is back', async () => {
      const { id: roundId } = shop.shop.round()
      await shop.startJobs()
      await shop.shop.sold(bet(1_000))
      await shop.allStored(roundId)
      for (const how of ['gone', 'silent', 'hanging up'] as const) {
        await shop.cable.pull(how)
        const sold = await shop.shop.sold(bet(2_000))
        await shop.shop.print(sold.id)
        expect(shop.unstored()).toEqual({ receipts: 1, amount: 2_000, oldestAt: sold.at })
        // Long enough for a job that is counted as failed to be so.
        await eventually(() => expect(shop.looks).toBeGreaterThan(3))
        expect(shop.unstored().receipts).toBe(1)
        shop.looks = 0
        await shop.cable.plug()
        await shop.allStored(roundId)
      }
      await shop.race()
      await shop.retired(roundId)
      await idle()
      expect(await attemptsUsed()).toEqual([1])
      expect(await shop.queue('persist').getJobCounts('failed')).toEqual({ failed: 0 })
      expect(await discrepancies(shop.database.sql, roundId)).toEqual([])
    })

    it('are counted right over a restart while Postgres is away', async () => {
      const { id: roundId } = shop.shop.round()
      await shop.startJobs()
      const first = await shop.shop.sold(bet(1_000))
      await shop.allStored(roundId)
      await shop.cable.pull()
      await shop.shop.sold(bet(2_000))
      await shop.restart()
      expect(shop.unstored()).toMatchObject({ receipts: 2, amount: 3_000 })
      expect(shop.unstored().oldestAt).toBeLessThanOrEqual(first.at)
      await shop.shop.sold(bet(4_000))
      expect(shop.unstored()).toMatchObject({ receipts: 3, amount: 7_000 })
      await shop.cable.plug()
      await shop.startJobs()
      await shop.allStored(roundId)
      expect(shop.unstored()).toEqual(NOTHING)
      await shop.race()
      await shop.retired(roundId)
    })

    it('are found and handed over again when the queue lost them', async () => {
      const { id: roundId } = shop.shop.round()
      await shop.startJobs()
      await shop.shop.sold(bet(1_000))
      await shop.allStored(roundId)
      await shop.queue('persist').pause()
      await shop.shop.sold(bet(2_000))
      await eventually(() => expect(shop.jobs.handedOver(roundId).persist).toBe(3))
      await backend().loseQueue(shop)
      await shop.queue('persist').resume()
      await eventually(() => {
        shop.aheadMs += 5_000
        expect(shop.unstored()).toEqual(NOTHING)
      })
      await shop.allStored(roundId)
      expect(await shop.stored(roundId)).toEqual([1, 2, 3])
      await shop.race()
      await shop.retired(roundId)
    })

    it('are handed over again when Postgres lost what it had taken', async () => {
      const { id: roundId } = shop.shop.round()
      await shop.startJobs()
      await shop.shop.sold(bet(1_000))
      const { id } = await shop.shop.sold(bet(2_000))
      await shop.allStored(roundId)
      await shop.database.sql.begin(async (tx) => {
        await tx`set local session_replication_role = replica`
        await tx`delete from facts where round_id = ${roundId} and number = 3`
        await tx`delete from bets where receipt_id = ${id}`
        await tx`delete from receipts where receipt_id = ${id}`
      })
      await shop.race()
      await eventually(async () => {
        shop.aheadMs += 5_000
        expect(shop.shop.racing.round(roundId)).toBeUndefined()
      })
      await shop.retired(roundId)
      // A fact about a receipt carries its whole sale: its row is there again.
      expect(await discrepancies(shop.database.sql, roundId)).toEqual([])
    })
  })

  describe('the comparison of a round with its facts', () => {
    it('that was lost with its queue and then held up by an outage is made within seconds of the end of it', async () => {
      const { id: roundId } = shop.shop.round()
      await shop.startJobs()
      await shop.shop.sold(bet(1_000))
      await shop.race()
      await shop.retired(roundId)
      await shop.database.sql`
        update rounds set reconciled_at = null, retired_at = retired_at - interval '1 hour'
        where round_id = ${roundId}`

      await shop.cable.pull()
      shop.troubles.length = 0
      shop.aheadMs += 60_001
      await eventually(() => expect(shop.troubles).toContain('housekeeping'))
      await shop.cable.plug()
      shop.aheadMs += 5_001
      await shop.retired(roundId)
    })
  })

  describe('a job', () => {
    it('whose data are damaged fails, and says where', async () => {
      await shop.startJobs()
      const persist = shop.queue('persist')
      await persist.add('facts', { roundId: 'x', first: 1, last: 2 }, { attempts: 1 })
      await persist.add('facts', { roundId: 1, first: 1 }, { attempts: 1 })
      await persist.add('fact', { roundId: 1, opened: {}, facts: [] }, { attempts: 1 })
      await persist.add('reconcile', { roundId: 0 }, { attempts: 1 })
      await persist.add('dance', {}, { attempts: 1 })
      await persist.add('facts', { roundId: 12_345, first: 1, last: 2 }, { attempts: 1 })
      await shop.queue('cache').add('facts', { round: 5 }, { attempts: 1 })
      await eventually(() => expect(shop.failures).toHaveLength(7))
      expect(shop.failures.sort()).toEqual([
        expect.stringMatching(/^cache facts: the job's data are damaged, at (roundId|round|first|last): /),
        'persist dance: the persist queue knows no job named dance',
        expect.stringMatching(/^persist fact: the job's data are damaged, at opened\./),
        expect.stringMatching(
          /^persist facts: the facts of round 12345 are neither in this journal nor in Postgres/,
        ),
        expect.stringMatching(/^persist facts: the job's data are damaged, at last: /),
        expect.stringMatching(/^persist facts: the job's data are damaged, at roundId: /),
        expect.stringMatching(/^persist reconcile: the job's data are damaged, at roundId: /),
      ])
      const { id: roundId } = shop.shop.round()
      await shop.shop.sold(bet(1_000))
      await shop.allStored(roundId)
    })

    it('that finds rows and facts of a round to differ raises an alarm, until they are mended', async () => {
      const { id: roundId } = shop.shop.round()
      const winner = await shop.shop.soldOnAll()
      await shop.startJobs()
      await shop.allStored(roundId)
      await shop.database.sql`update receipts set total_amount = total_amount + 1`
      await shop.race()
      await shop.retired(roundId)
      const found = ['1 receipts with another total', '1 sums of the round that differ']
      // Postgres has it in writing a moment before the process that compared hears so.
      await eventually(async () => expect(shop.discrepancies).toEqual([[roundId, found]]))
      expect([...shop.jobs.differing()]).toEqual([[roundId, found.join(', ')]])
      expect(await roundsWithDiscrepancy(shop.database.sql)).toEqual([
        { roundId, discrepancy: found.join(', ') },
      ])

      await shop.database.sql`
        update receipts set total_amount = total_amount - 1 where receipt_id = ${winner.id}`
      await shop.database.sql`
        update rounds set stakes = stakes - 1, reconciled_at = null, retired_at = retired_at - interval '1 hour'
        where round_id = ${roundId}`
      await eventually(async () => {
        shop.aheadMs += 61_000
        expect([...shop.jobs.differing()]).toEqual([])
      })
      expect(await roundsWithDiscrepancy(shop.database.sql)).toEqual([])
    })
  })

  describe('the cached round', () => {
    it('follows what is sold, cancelled, won and paid, and goes when a retired receipt is paid', async () => {
      const { id: roundId } = shop.shop.round()
      await shop.startJobs()
      const kept = await shop.shop.soldOnAll()
      const cancelled = await shop.shop.sold(bet(2_000))
      await shop.shop.cancel(cancelled.id)
      await eventually(async () => {
        const round = await shop.cache.read(roundId)
        expect(round?.receipts.map((one) => [one.id, one.status])).toEqual([[kept.id, 'pending']])
        expect(round?.stats).toMatchObject({ totalReceipts: 1, totalMise: 6_000 })
      })
      const [receipt] = (await shop.cache.read(roundId))!.receipts
      expect(receipt).toMatchObject({ user_id: 7, created_at: kept.at, total_amount: 6_000 })
      expect(receipt!.bets[1]).toEqual({
        number: 2,
        value: 1_000,
        participant: { number: 2, name: FIELD[1]!.name, coeff: 4 },
        prize: 4_000,
      })
      await shop.race()
      await shop.retired(roundId)
      await eventually(async () =>
        expect((await shop.cache.read(roundId))?.receipts[0]).toMatchObject({ status: 'won' }),
      )
      receiptIn(await shop.shop.pay(kept.id))
      await eventually(async () => expect(await shop.cache.read(roundId)).toBeUndefined())
    })

    it('is forgotten, and not left as it was, where its round went before the changes came', async () => {
      const { id: roundId } = shop.shop.round()
      await shop.startJobs()
      const { id } = await shop.shop.soldOnAll()
      const cachedReceipts = async () => (await shop.cache.read(roundId))?.receipts.map((one) => one.id)
      await eventually(async () => expect(await cachedReceipts()).toEqual([id]))
      await shop.queue('cache').pause()
      await shop.shop.soldOnAll()
      await shop.race()
      await shop.retired(roundId)
      expect(await cachedReceipts()).toEqual([id])
      await shop.queue('cache').resume()
      await eventually(async () => expect(await cachedReceipts()).toBeUndefined())
    })
  })
}
