import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RacingPort } from '../../../src/actors/racing/racing.port.ts'
import { Unavailable } from '../../../src/actors/unavailable.port.ts'
import type { ReceiptFilter, StatusTotals } from '../../../src/db/racing/receipts.queries.ts'
import { type ReceiptView, viewReceipt } from '../../../src/domain/racing/receipt-view.ts'
import type { ReceiptStatus } from '../../../src/domain/racing/receipts.ts'
import { fold, type Round } from '../../../src/domain/racing/round.ts'
import {
  type ArchiveLists,
  listLiveReceipts,
  listReceipts,
  matches,
} from '../../../src/http/racing/my-bets.list.ts'
import { attempts, historyOf } from '../../db/racing/round.history.ts'

// A naive model: all receipts in one heap, sorted and counted anew for every question.

const byLatest = (a: ReceiptView, b: ReceiptView): number => b.at - a.at || b.id - a.id

const totalsIn = (receipts: readonly ReceiptView[]): StatusTotals => {
  const totals: StatusTotals = {}
  for (const status of ['pending', 'won', 'lost', 'paid', 'cancelled'] as const) {
    const of = receipts.filter((one) => one.status === status)
    if (of.length > 0)
      totals[status] = {
        receipts: of.length,
        stakes: of.reduce((sum, one) => sum + one.total, 0),
        prizes: of.reduce((sum, one) => sum + one.prize, 0),
      }
  }
  return totals
}

const viewsOf = (round: Round): ReceiptView[] =>
  [...round.receipts.values()].map((receipt) => viewReceipt(round, receipt))

/** A shop some of whose rounds are retired: those are whatever the archive answers from. */
class FakeShop {
  readonly live: Round[]
  readonly archived: ReceiptView[]
  handOvers = 0
  /** Called when the archive is asked. */
  onArchive: () => void = () => {}

  constructor(rounds: readonly Round[], isRetired: (round: Round) => boolean) {
    this.live = rounds.filter((round) => !isRetired(round))
    this.archived = rounds.filter(isRetired).flatMap(viewsOf)
  }

  get all(): ReceiptView[] {
    return [...this.live.flatMap(viewsOf), ...this.archived]
  }

  get racing(): RacingPort {
    return {
      rounds: () => this.live,
      settled: () => undefined,
      betweenHandOvers: async () => this.handOvers,
    } as unknown as RacingPort
  }

  get archive(): ArchiveLists {
    const matching = (filter: ReceiptFilter) => {
      this.onArchive()
      return this.archived.filter((one) => matches(one, filter)).sort(byLatest)
    }
    return {
      receipts: async (filter, offset, limit) => matching(filter).slice(offset, offset + limit),
      totals: async (filter) => totalsIn(matching(filter)),
      since: async (filter, at) => matching(filter).filter((one) => one.at > at).length,
    }
  }

  /** The archive takes the oldest live round over. */
  retireOldest(): void {
    const round = this.live.shift()
    if (round) this.archived.push(...viewsOf(round))
    this.handOvers++
  }
}

// Rounds of two tracks overlap, so that retired receipts may be later than live ones, and of the same time.
const shops = fc
  .array(
    fc.record({
      tried: attempts(12),
      openedAt: fc.integer({ min: 0, max: 20 }).map((at) => 1_000_000 + at * 3),
      until: fc.constantFrom('locked' as const, 'settled' as const),
      retired: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((rounds) => {
    const made = rounds.map(({ tried, openedAt, until, retired }, i) => ({
      round: historyOf(tried, { roundId: 100 + i, openedAt, until }).round,
      retired: retired && until === 'settled',
    }))
    return new FakeShop(
      made.map(({ round }) => round),
      (round) => made.find((one) => one.round === round)!.retired,
    )
  })

const filters: fc.Arbitrary<ReceiptFilter> = fc.record(
  {
    userId: fc.constantFrom(1, 7, 8, 9),
    status: fc.constantFrom<ReceiptStatus>('pending', 'won', 'lost', 'paid', 'cancelled'),
    from: fc.integer({ min: 999_990, max: 1_000_100 }),
    to: fc.integer({ min: 999_990, max: 1_000_100 }),
  },
  { requiredKeys: [] },
)
const pages = fc.record({ offset: fc.nat(40), limit: fc.integer({ min: 1, max: 15 }) })

describe('a list of receipts', () => {
  it('is a piece of all receipts, live and retired, latest first, with the sums of all that match', async () => {
    await fc.assert(
      fc.asyncProperty(shops, filters, pages, async (shop, filter, page) => {
        const matching = shop.all.filter((one) => matches(one, filter)).sort(byLatest)
        expect(await listReceipts(shop.racing, shop.archive, filter, page)).toEqual({
          receipts: matching.slice(page.offset, page.offset + page.limit),
          totals: totalsIn(matching),
        })
      }),
      { numRuns: 800 },
    )
  })

  it('shows each receipt once over all of its pages', async () => {
    await fc.assert(
      fc.asyncProperty(shops, fc.integer({ min: 1, max: 7 }), async (shop, limit) => {
        const ids: number[] = []
        for (let offset = 0; ; offset += limit) {
          const { receipts } = await listReceipts(shop.racing, shop.archive, {}, { offset, limit })
          if (receipts.length === 0) break
          ids.push(...receipts.map((one) => one.id))
        }
        const kept = shop.all.filter((one) => one.status !== 'cancelled')
        expect(ids).toEqual(kept.sort(byLatest).map((one) => one.id))
      }),
      { numRuns: 150 },
    )
  })

  it('B1: counts a receipt once when its round is handed over in the midst of reading', async () => {
    await fc.assert(
      fc.asyncProperty(shops, pages, fc.integer({ min: 1, max: 4 }), async (shop, page, when) => {
        let asked = 0
        shop.onArchive = () => {
          if (++asked === when) shop.retireOldest()
        }
        const matching = shop.all.filter((one) => one.status !== 'cancelled').sort(byLatest)
        expect(await listReceipts(shop.racing, shop.archive, {}, page)).toEqual({
          receipts: matching.slice(page.offset, page.offset + page.limit),
          totals: totalsIn(matching),
        })
      }),
      { numRuns: 200 },
    )
  })

  it('B2: asks the archive for no more than the page needs, where live receipts are the latest', async () => {
    const bets = [{ number: 1, stake: 1_000 }]
    const sales = (count: number) =>
      Array.from({ length: count }, () => ({ do: 'sell' as const, by: 7, bets }))
    const old = historyOf({ whileOpen: sales(20) }, { roundId: 1, openedAt: 1_000 }).round
    const current = historyOf(
      { whileOpen: sales(3) },
      { roundId: 2, openedAt: 900_000, until: 'locked' },
    ).round
    const shop = new FakeShop([old, current], (round) => round === old)
    const asked: [number, number][] = []
    const { archive } = shop
    const spied: ArchiveLists = {
      ...archive,
      receipts: (filter, offset, limit) => {
        asked.push([offset, limit])
        return archive.receipts(filter, offset, limit)
      },
    }
    for (const offset of [0, 2, 5, 20]) await listReceipts(shop.racing, spied, {}, { offset, limit: 2 })
    expect(asked).toEqual([
      [0, 1],
      [2, 2],
      [17, 2],
    ])
  })

  it('B3: says of live receipts what was true at one moment, though the round is settled while the archive is asked', async () => {
    const bets = [{ number: 1, stake: 1_000 }]
    const { round } = historyOf(
      { whileOpen: [{ do: 'sell', by: 7, bets }] },
      { roundId: 2, openedAt: 900_000, until: 'locked' },
    )
    const shop = new FakeShop([round], () => false)
    const [receipt] = viewsOf(round)
    shop.onArchive = () => {
      if (round.phase !== 'settled')
        fold(round, { type: 'RoundSettled', at: 990_000, seed: '00', order: [2, 1, 3, 4, 5, 6] })
    }
    const asked = listReceipts(shop.racing, shop.archive, { status: 'pending' }, { offset: 0, limit: 5 })
    expect(await asked).toEqual({
      receipts: [receipt],
      totals: { pending: { receipts: 1, stakes: 1_000, prizes: receipt!.prize } },
    })
  })

  it('fails where the archive is away, and lists live receipts to those who ask for these alone', async () => {
    await fc.assert(
      fc.asyncProperty(shops, filters, pages, async (shop, filter, page) => {
        const away = new Unavailable('postgres', 'away')
        shop.onArchive = () => {
          throw away
        }
        await expect(listReceipts(shop.racing, shop.archive, filter, page)).rejects.toBe(away)
        const live = shop.live.flatMap(viewsOf).filter((one) => matches(one, filter))
        expect(await listLiveReceipts(shop.racing, filter, page)).toEqual({
          receipts: live.sort(byLatest).slice(page.offset, page.offset + page.limit),
          totals: totalsIn(live),
        })
      }),
      { numRuns: 100 },
    )
  })
})
