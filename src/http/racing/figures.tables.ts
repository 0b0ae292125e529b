import type { Context } from 'hono'
import type { ReceiptSearch, TimeKey } from '../../db/racing/audit.queries.ts'
import type { DayBounds, RoundSearch } from '../../db/racing/figures.queries.ts'
import type { Amount } from '../../domain/money.ts'
import { toPublic } from '../../domain/money.ts'
import { amountDue } from '../../domain/racing/receipt-view.ts'
import { type Cell, sendCsv } from '../csv.ts'
import { figuresByDay, type Sums } from './day.figures.ts'
import type { FiguresRoutesOptions } from './figures.routes.ts'
import { type Line, liveReceiptLines, liveRoundLines, marginOf, type Page, pageByTime } from './time.list.ts'

// The figures as tables for spreadsheets: days whole, rounds and receipts page by page.

const PAGE = 1_000

export const tablesOf = ({ racing, archive, timeZone, nameOf }: FiguresRoutesOptions) => {
  let clock: Intl.DateTimeFormat | undefined
  const time = (at: number | null | undefined): Cell => {
    clock ??= new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
    return at === null || at === undefined ? null : clock.format(at)
  }
  const name = (id: number | undefined): Cell => (id === undefined ? null : (nameOf(id) ?? `#${id}`))

  return {
    days: (c: Context, { dates, bounds }: { dates: readonly string[]; bounds: DayBounds }) => {
      const pages = async function* () {
        const { days, history } = await figuresByDay(racing, archive.days, bounds)
        const rows = dates.flatMap((date, i) =>
          [...days[i]!]
            .sort(([one], [other]) => one - other)
            .map(([by, sums]) => [date, name(by), ...cellsOf(sums)]),
        )
        if (history === 'unavailable') rows.push(['live rounds only: the database was away'])
        yield rows
      }
      return sendCsv(c, `days-${dates[0]}-${dates.at(-1)}.csv`, DAY_HEAD, pages())
    },

    rounds: (c: Context, asked: RoundSearch) =>
      sendCsv(
        c,
        'rounds.csv',
        ROUND_HEAD,
        allPages(
          (after) =>
            pageByTime(
              racing,
              () => liveRoundLines(racing, asked),
              (after, limit) => archive.rounds(asked, after, limit),
              after,
              PAGE,
            ),
          (round) => [
            round.id,
            round.track,
            round.isVoided ? 'voided' : round.status,
            time(round.at),
            time(round.settledAt),
            round.winner,
            round.receipts,
            money(round.stakes),
            money(round.prizes),
            money(marginOf(round)),
          ],
        ),
      ),

    receipts: (c: Context, asked: ReceiptSearch) =>
      sendCsv(
        c,
        'receipts.csv',
        RECEIPT_HEAD,
        allPages(
          (after) =>
            pageByTime(
              racing,
              () => liveReceiptLines(racing, asked),
              (after, limit) => archive.receipts(asked, after, limit),
              after,
              PAGE,
            ),
          (one) => [
            one.id,
            one.roundId,
            one.track,
            name(one.by),
            time(one.at),
            one.status,
            money(one.total),
            money(one.prize),
            one.status === 'paid' || one.status === 'refunded' ? money(amountDue(one)) : null,
            name(one.closed?.by),
            time(one.closed?.at),
            one.prints,
          ],
        ),
      ),
  }
}

const DAY_HEAD = [
  'date',
  'cashier',
  'receipts',
  'turnover',
  'cancelled receipts',
  'cancelled',
  'pending',
  'refunds',
  'prizes',
  'margin',
  'paid out',
]
const ROUND_HEAD = [
  'round',
  'track',
  'status',
  'opened',
  'settled',
  'winner',
  'receipts',
  'stakes',
  'prizes',
  'margin',
]
const RECEIPT_HEAD = [
  'receipt',
  'round',
  'track',
  'cashier',
  'sold',
  'status',
  'stakes',
  'prize',
  'handed out',
  'closed by',
  'closed',
  'prints',
]

const money = (amount: number | null): Cell =>
  amount === null ? null : { amount: toPublic(amount as Amount) }

const cellsOf = (sums: Sums): Cell[] => [
  sums.receipts,
  money(sums.turnover),
  sums.cancelledReceipts,
  money(sums.cancelled),
  money(sums.pending),
  money(sums.refunds),
  money(sums.prizes),
  money(sums.margin),
  money(sums.paidOut),
]

const allPages = async function* <T extends Line>(
  read: (after: TimeKey | undefined) => Promise<Page<T>>,
  toRow: (line: T) => Cell[],
): AsyncGenerator<Cell[][]> {
  let after: TimeKey | undefined
  do {
    const { lines, next } = await read(after)
    yield lines.map(toRow)
    after = next
  } while (after)
}
