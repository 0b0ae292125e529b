import type { RacingPort } from '../../actors/racing/racing.port.ts'
import { Unavailable } from '../../actors/unavailable.port.ts'
import type { DayBounds, DaySum, HandedOut } from '../../db/racing/figures.queries.ts'
import { dayIn, type TimeZone } from '../../domain/day.ts'
import { amountDue } from '../../domain/racing/receipt-view.ts'

// What a shop took in and gave out by day, and by whom: live receipts from their rounds, the others from the archive,
// each exactly once.
//   F1. Stakes, prizes and margin belong to the day of the sale and to the seller; what was handed out, to the day and the person of that.
//   F2. margin = turnover − pending − refunds − prizes: what is decided, whether or not anybody came for it.

/** Amounts in the smallest unit. */
export type Sums = {
  /** Receipts that are not cancelled, and their stakes. */
  receipts: number
  turnover: number
  cancelledReceipts: number
  cancelled: number
  /** Of the turnover: stakes of races that are not over, and stakes of voided rounds. */
  pending: number
  refunds: number
  /** Prizes won, paid or not. */
  prizes: number
  margin: number
  /** Prizes and refunds handed out. */
  paidOut: number
}

/** The days of the shop from one date to another, both included; `undefined` where there are no such dates. */
export const daysBetween = (
  from: string,
  to: string,
  timeZone: TimeZone,
): { dates: string[]; bounds: DayBounds } | undefined => {
  const [first, last] = [dayIn(from, timeZone), dayIn(to, timeZone)]
  if (!first || !last || last.from < first.from) return undefined
  const dates: string[] = []
  const bounds: number[] = []
  for (let at = Date.parse(from); at <= Date.parse(to) && dates.length <= MOST_DAYS; at += DAY_MS) {
    const date = new Date(at).toISOString().slice(0, 10)
    dates.push(date)
    bounds.push(dayIn(date, timeZone)!.from)
  }
  return dates.length > MOST_DAYS ? undefined : { dates, bounds: [...bounds, last.to] }
}
export const MOST_DAYS = 366
const DAY_MS = 86_400_000

/** Sums by day and person, ready to be asked for. */
export type ArchiveDays = {
  readonly sums: (bounds: DayBounds) => Promise<DaySum[]>
  readonly handedOut: (bounds: DayBounds) => Promise<HandedOut[]>
}

/** Sums by person for each day. */
export type Days = readonly ReadonlyMap<number, Sums>[]
export type History = 'complete' | 'unavailable'

/** The sums of some days; of live rounds alone while Postgres is away. */
export const figuresByDay = async (
  racing: RacingPort,
  archive: ArchiveDays,
  bounds: DayBounds,
): Promise<{ days: Days; history: History }> => {
  try {
    for (;;) {
      const before = await racing.betweenHandOvers()
      const days = liveDays(racing, bounds)
      await racing.settled()
      const [sums, handedOut] = await Promise.all([archive.sums(bounds), archive.handedOut(bounds)])
      if ((await racing.betweenHandOvers()) !== before) continue
      for (const sum of sums) count(sumsOf(days, sum.day, sum.by), sum)
      for (const { day, by, amount } of handedOut) sumsOf(days, day, by).paidOut += amount
      return { days, history: 'complete' }
    }
  } catch (error) {
    if (!(error instanceof Unavailable) || error.store !== 'postgres') throw error
    const days = liveDays(racing, bounds)
    await racing.settled()
    return { days, history: 'unavailable' }
  }
}

type OpenDays = Map<number, Sums>[]

const liveDays = (racing: RacingPort, bounds: DayBounds): OpenDays => {
  const days: OpenDays = bounds.slice(1).map(() => new Map())
  const dayOf = (at: number): number =>
    at < bounds.at(-1)! ? bounds.findLastIndex((begin) => begin <= at) : -1
  for (const round of racing.rounds())
    for (const { at, by, status, total, prize, closed } of round.receipts.values()) {
      const day = dayOf(at)
      if (day >= 0) count(sumsOf(days, day, by), { status, receipts: 1, stakes: total, prizes: prize })
      if (status !== 'paid' && status !== 'refunded') continue
      const paidOn = dayOf(closed!.at)
      if (paidOn >= 0) sumsOf(days, paidOn, closed!.by).paidOut += amountDue({ status, total, prize })
    }
  return days
}

const sumsOf = (days: OpenDays, day: number, by: number): Sums => {
  let sums = days[day]!.get(by)
  if (!sums) {
    sums = noSums()
    days[day]!.set(by, sums)
  }
  return sums
}

const count = (
  sums: Sums,
  { status, receipts, stakes, prizes }: Pick<DaySum, 'status' | 'receipts' | 'stakes' | 'prizes'>,
): void => {
  if (status === 'cancelled') {
    sums.cancelledReceipts += receipts
    sums.cancelled += stakes
    return
  }
  sums.receipts += receipts
  sums.turnover += stakes
  if (status === 'pending') sums.pending += stakes
  else if (status === 'refundable' || status === 'refunded') sums.refunds += stakes
  else {
    sums.prizes += prizes
    sums.margin += stakes - prizes
  }
}

export const noSums = (): Sums => ({
  receipts: 0,
  turnover: 0,
  cancelledReceipts: 0,
  cancelled: 0,
  pending: 0,
  refunds: 0,
  prizes: 0,
  margin: 0,
  paidOut: 0,
})

export const totalOf = (many: Iterable<Sums>): Sums => {
  const total = noSums()
  for (const one of many) for (const name of Object.keys(total) as (keyof Sums)[]) total[name] += one[name]
  return total
}

/** The sums of each person over all days. */
export const byPerson = (days: Days): Map<number, Sums> => {
  const people = new Map<number, Sums>()
  for (const day of days)
    for (const [by, sums] of day) people.set(by, totalOf([people.get(by) ?? noSums(), sums]))
  return people
}
