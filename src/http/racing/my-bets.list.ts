import type { RacingPort } from '../../actors/racing/racing.port.ts'
import type { ReceiptFilter, StatusTotals } from '../../db/racing/receipts.queries.ts'
import { type ReceiptView, viewReceipt } from '../../domain/racing/receipt-view.ts'
import type { Receipt, ReceiptStatus } from '../../domain/racing/receipts.ts'
import type { Round } from '../../domain/racing/round.ts'

// Lists of receipts: those of live rounds from their actors, the others from the archive, each exactly once.
//   B1. A list is read between hand-overs: where a round changed its owner meanwhile, it is read again.
//   B2. Its cost grows with the page and the live rounds, not with history.
//   B3. What it says of live receipts was true at one moment: they are read in one turn, whatever is waited for later.

/** The archive's lists, ready to be asked. */
export type ArchiveLists = {
  readonly receipts: (filter: ReceiptFilter, offset: number, limit: number) => Promise<ReceiptView[]>
  readonly totals: (filter: ReceiptFilter) => Promise<StatusTotals>
  /** How many of them were sold after a time. */
  readonly since: (filter: ReceiptFilter, at: number) => Promise<number>
}

export type ReceiptPage = { readonly receipts: readonly ReceiptView[]; readonly totals: StatusTotals }
export type PageOf = { readonly offset: number; readonly limit: number }

/** A page of the receipts that match, latest first, and the sums of all that match. @throws Unavailable */
export const listReceipts = async (
  racing: RacingPort,
  archive: ArchiveLists,
  filter: ReceiptFilter,
  page: PageOf,
): Promise<ReceiptPage> => {
  for (;;) {
    const before = await racing.betweenHandOvers()
    const live = readLive(racing, filter, page.offset + page.limit)
    await racing.settled()
    const result = await combine(live, archive, filter, page)
    if ((await racing.betweenHandOvers()) === before) return result
  }
}

/** The same without the archive, while Postgres is away. */
export const listLiveReceipts = async (
  racing: RacingPort,
  filter: ReceiptFilter,
  page: PageOf,
): Promise<ReceiptPage> => {
  const { first, totals } = readLive(racing, filter, page.offset + page.limit)
  await racing.settled()
  return { receipts: first.slice(page.offset), totals }
}

type Live = { readonly round: Round; readonly receipt: Receipt }
const toView = ({ round, receipt }: Live): ReceiptView => viewReceipt(round, receipt)

/** What lists need of the live receipts that match: the first ones in full, and the sums of all. */
type LiveRead = {
  readonly count: number
  readonly first: readonly ReceiptView[]
  readonly oldestAt: number | undefined
  readonly totals: StatusTotals
}

const readLive = (racing: RacingPort, filter: ReceiptFilter, limit: number): LiveRead => {
  const live = liveReceipts(racing, filter)
  return {
    count: live.length,
    first: live.slice(0, limit).map(toView),
    oldestAt: live.at(-1)?.receipt.at,
    totals: totalsOf(live),
  }
}

/** All live receipts that match, latest first. */
const liveReceipts = (racing: RacingPort, filter: ReceiptFilter): Live[] => {
  const found: Live[] = []
  for (const round of racing.rounds()) {
    const ids = filter.userId === undefined ? round.ids : (round.byUser.get(filter.userId)?.ids ?? [])
    for (const id of ids) {
      const receipt = round.receipts.get(id)!
      if (matches(receipt, filter)) found.push({ round, receipt })
    }
  }
  return found.sort((a, b) => b.receipt.at - a.receipt.at || b.receipt.id - a.receipt.id)
}

type Sold = { readonly status: ReceiptStatus; readonly by: number; readonly at: number }

export const matches = (
  { status, by, at }: Sold,
  { userId, status: wanted, from, to }: ReceiptFilter,
): boolean =>
  (userId === undefined || by === userId) &&
  (wanted === undefined ? status !== 'cancelled' : status === wanted) &&
  (from === undefined || at >= from) &&
  (to === undefined || at < to)

const combine = async (
  live: LiveRead,
  archive: ArchiveLists,
  filter: ReceiptFilter,
  page: PageOf,
): Promise<ReceiptPage> => {
  const [receipts, totals] = await Promise.all([pageOf(live, archive, filter, page), archive.totals(filter)])
  return { receipts, totals: added(totals, live.totals) }
}

/**
 * Live receipts are nearly always the latest, so a page is a piece of them and then a piece of the archive. Where the
 * archive holds later ones (a round of another track, or one that could not be handed over), both are merged.
 */
const pageOf = async (
  { count, first, oldestAt }: LiveRead,
  archive: ArchiveLists,
  filter: ReceiptFilter,
  { offset, limit }: PageOf,
): Promise<ReceiptView[]> => {
  const mixed = oldestAt === undefined ? 0 : await archive.since(filter, oldestAt - 1)
  if (mixed === 0) {
    const own = first.slice(offset)
    const rest = limit - own.length
    return rest === 0 ? own : [...own, ...(await archive.receipts(filter, Math.max(0, offset - count), rest))]
  }
  const end = offset + limit
  const retired = await archive.receipts(filter, 0, end)
  return [...first, ...retired].sort((a, b) => b.at - a.at || b.id - a.id).slice(offset, end)
}

type Counted = { readonly status: ReceiptStatus; readonly total: number; readonly prize: number }

export const totalsOf = (live: readonly { readonly receipt: Counted }[]): StatusTotals => {
  const totals: StatusTotals = {}
  for (const { receipt } of live) {
    const sums = totals[receipt.status] ?? { receipts: 0, stakes: 0, prizes: 0 }
    totals[receipt.status] = sums
    sums.receipts++
    sums.stakes += receipt.total
    sums.prizes += receipt.prize
  }
  return totals
}

const added = (some: StatusTotals, others: StatusTotals): StatusTotals => {
  const sum: StatusTotals = { ...some }
  for (const [status, { receipts, stakes, prizes }] of Object.entries(others) as [
    keyof StatusTotals,
    NonNullable<StatusTotals[keyof StatusTotals]>,
  ][]) {
    const before = sum[status] ?? { receipts: 0, stakes: 0, prizes: 0 }
    sum[status] = {
      receipts: before.receipts + receipts,
      stakes: before.stakes + stakes,
      prizes: before.prizes + prizes,
    }
  }
  return sum
}
