import type { ReceiptStatus } from '../../domain/racing/receipts.ts'
import type { Sql } from '../postgres.ts'
import type { TimeKey } from './audit.queries.ts'

/** Sums of the receipts of one day, one seller and one status. `day` counts from 0. */
export type DaySum = {
  readonly day: number
  readonly by: number
  readonly status: ReceiptStatus
  readonly receipts: number
  readonly stakes: number
  readonly prizes: number
}
/** What somebody handed out on one day: prizes, and stakes of voided rounds. */
export type HandedOut = { readonly day: number; readonly by: number; readonly amount: number }

/** When each of some days in a row begins, and last when the last of them ends. Milliseconds. */
export type DayBounds = readonly number[]

const times = (bounds: DayBounds): string[] => bounds.map((at) => new Date(at).toISOString())

/** Sums of retired receipts by the day of their sale. */
export const sumsByDay = async (sql: Sql, bounds: DayBounds): Promise<DaySum[]> => [
  ...(await sql<DaySum[]>`
    select width_bucket(created_at, ${times(bounds)}::timestamptz[]) - 1 as day, user_id as by, status,
      count(*) as receipts, sum(total_amount)::bigint as stakes, sum(prize)::bigint as prizes
    from receipts
    where retired and created_at >= ${new Date(bounds[0]!)} and created_at < ${new Date(bounds.at(-1)!)}
    group by 1, 2, 3`),
]

/** What was handed out for retired receipts, by the day of that. */
export const handedOutByDay = async (sql: Sql, bounds: DayBounds): Promise<HandedOut[]> => [
  ...(await sql<HandedOut[]>`
    select width_bucket(closed_at, ${times(bounds)}::timestamptz[]) - 1 as day, closed_by as by,
      sum(case when status = 'paid' then prize else total_amount end)::bigint as amount
    from receipts
    where retired and status in ('paid', 'refunded')
      and closed_at >= ${new Date(bounds[0]!)} and closed_at < ${new Date(bounds.at(-1)!)}
    group by 1, 2`),
]

/** Which rounds are looked for. `from` and `to` are times of opening in milliseconds, `to` excluded. */
export type RoundSearch = {
  readonly track?: string | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
}
/** A round as a line of a list. Amounts in the smallest unit, `at` its opening. */
export type RoundLine = {
  readonly id: number
  readonly at: number
  readonly track: string
  readonly status: 'waiting' | 'betting-locked' | 'running' | 'settled'
  readonly settledAt: number | null
  readonly winner: number | null
  readonly isVoided: boolean
  readonly receipts: number
  readonly stakes: number
  readonly prizes: number
}

type RoundRow = {
  round_id: number
  opened_at: Date
  track: string
  settled_at: Date
  winner: number | null
  is_voided: boolean
  receipt_count: number
  stakes: number
  prizes: number
}

/** Retired rounds that match, latest first, from after a key on. */
export const searchRounds = async (
  sql: Sql,
  { track, from, to }: RoundSearch,
  after: TimeKey | undefined,
  limit: number,
): Promise<RoundLine[]> => {
  const rows = await sql<RoundRow[]>`
    select round_id, opened_at, track, settled_at, arrival[1] as winner, voided_by is not null as is_voided,
      receipt_count, stakes, prizes
    from rounds
    where retired_at is not null
      ${track === undefined ? sql`` : sql`and track = ${track}`}
      ${from === undefined ? sql`` : sql`and opened_at >= ${new Date(from)}`}
      ${to === undefined ? sql`` : sql`and opened_at < ${new Date(to)}`}
      ${after === undefined ? sql`` : sql`and (opened_at, round_id) < (${new Date(after.at)}, ${after.id})`}
    order by opened_at desc, round_id desc limit ${limit}`
  return rows.map((row) => ({
    id: row.round_id,
    at: row.opened_at.getTime(),
    track: row.track,
    status: 'settled',
    settledAt: row.settled_at.getTime(),
    winner: row.winner,
    isVoided: row.is_voided,
    receipts: row.receipt_count,
    stakes: row.stakes,
    prizes: row.prizes,
  }))
}
