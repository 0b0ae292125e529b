import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { RacingPort } from '../../../src/actors/racing/racing.port.ts'
import { receiptsArchive } from '../../../src/db/racing/receipts.archive.ts'
import {
  type ReceiptFilter,
  retiredReceipts,
  retiredSince,
  retiredTotals,
} from '../../../src/db/racing/receipts.queries.ts'
import { type ReceiptView, viewReceipt } from '../../../src/domain/racing/receipt-view.ts'
import type { ReceiptStatus } from '../../../src/domain/racing/receipts.ts'
import { listReceipts, matches, totalsOf } from '../../../src/http/racing/my-bets.list.ts'
import { openRacingDatabase, project, type RacingDatabase, wipe } from '../../db/racing/racing.database.ts'
import { attempts, historyOf } from '../../db/racing/round.history.ts'

// The lists once more, with the archive's own queries: what they match, sort and sum must be what the actors' lists do.

let database: RacingDatabase
beforeAll(async () => {
  database = await openRacingDatabase()
})
beforeEach(() => wipe(database.sql))
afterAll(() => database.close())

const byLatest = (a: ReceiptView, b: ReceiptView): number => b.at - a.at || b.id - a.id
const none = { receipts: 0, stakes: 0, prizes: 0 }

const filters: fc.Arbitrary<ReceiptFilter> = fc.record(
  {
    userId: fc.constantFrom(1, 7, 8, 9),
    status: fc.constantFrom<ReceiptStatus>('pending', 'won', 'lost', 'paid', 'cancelled'),
    from: fc.integer({ min: 1_000_000, max: 1_000_080 }),
    to: fc.integer({ min: 1_000_000, max: 1_000_080 }),
  },
  { requiredKeys: [] },
)
const questions = fc.array(
  fc.record({ filter: filters, offset: fc.nat(40), limit: fc.integer({ min: 1, max: 15 }) }),
  { minLength: 12, maxLength: 12 },
)
const shops = fc.array(
  fc.record({
    tried: attempts(12),
    openedAt: fc.integer({ min: 0, max: 20 }).map((at) => 1_000_000 + at * 3),
    isRetired: fc.boolean(),
  }),
  { minLength: 2, maxLength: 5 },
)

it('lists and sums the receipts of live and retired rounds alike', async () => {
  const { sql } = database
  const archive = {
    receipts: (filter: ReceiptFilter, offset: number, limit: number) =>
      retiredReceipts(sql, filter, offset, limit),
    totals: (filter: ReceiptFilter) => retiredTotals(sql, filter),
    since: (filter: ReceiptFilter, at: number) => retiredSince(sql, filter, at),
  }
  await fc.assert(
    fc.asyncProperty(shops, questions, async (rounds, asked) => {
      await wipe(sql)
      const histories = rounds.map(({ tried, openedAt, isRetired }, i) => {
        const until = isRetired ? 'settled' : 'locked'
        return { isRetired, ...historyOf(tried, { roundId: 100 + i, openedAt, until }) }
      })
      for (const history of histories) {
        // Facts of live rounds are in the database too, most of the time: they must not be counted from there.
        await project(sql, history)
        const { roundId, facts, round, isRetired } = history
        if (!isRetired) continue
        await receiptsArchive(sql).takeOver({
          id: roundId,
          factCount: facts.length,
          winner: round.settled!.order[0]!,
        })
      }
      const live = histories.filter(({ isRetired }) => !isRetired).map(({ round }) => round)
      const racing = {
        rounds: () => live,
        settled: () => undefined,
        betweenHandOvers: async () => 0,
      } as unknown as RacingPort
      const all = histories.flatMap(({ round }) =>
        [...round.receipts.values()].map((receipt) => viewReceipt(round, receipt)),
      )
      for (const { filter, offset, limit } of asked) {
        const matching = all.filter((one) => matches(one, filter)).sort(byLatest)
        const { receipts, totals } = await listReceipts(racing, archive, filter, { offset, limit })
        expect(receipts).toEqual(matching.slice(offset, offset + limit))
        const expected = totalsOf(matching.map((receipt) => ({ receipt })))
        for (const status of ['pending', 'won', 'lost', 'paid', 'cancelled'] as const)
          expect(totals[status] ?? none).toEqual(expected[status] ?? none)
      }
    }),
    { numRuns: 25 },
  )
})
