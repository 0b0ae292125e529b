import type { ReceiptView } from '../../domain/racing/receipt-view.ts'
import type { ReceiptStatus } from '../../domain/racing/receipts.ts'
import type { Sql } from '../postgres.ts'

/** A retired receipt as the queries below return it, bets and all. */
type ReceiptRow = {
  receipt_id: number
  round_id: number
  track: string
  commitment: string
  ends_at: Date
  user_id: number
  created_at: Date
  total_amount: number
  prize: number
  status: ReceiptStatus
  prints: number
  closed_by: number | null
  closed_at: Date | null
  bets: { number: number; name: string; coeff: number; stake: number; prize: number }[]
}

/** Which receipts a list is about. `from` and `to` are times of sale in milliseconds, `to` excluded. */
export type ReceiptFilter = {
  readonly userId?: number | undefined
  readonly status?: ReceiptStatus | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
}

/** How many receipts there are of each status, and what they staked and won (or may win), in the smallest unit. */
export type StatusTotals = Partial<
  Record<ReceiptStatus, { receipts: number; stakes: number; prizes: number }>
>

export const viewOf = (row: ReceiptRow): ReceiptView => ({
  id: row.receipt_id,
  roundId: row.round_id,
  track: row.track,
  commitment: row.commitment,
  endsAt: row.ends_at.getTime(),
  by: row.user_id,
  at: row.created_at.getTime(),
  total: row.total_amount,
  prize: row.prize,
  status: row.status,
  prints: row.prints,
  closed: row.closed_by === null ? undefined : { by: row.closed_by, at: row.closed_at!.getTime() },
  bets: row.bets,
})

const withBets = (sql: Sql) => sql`
  select
    receipt.receipt_id, receipt.round_id, round.track, round.commitment, round.ends_at, receipt.user_id,
    receipt.created_at, receipt.total_amount, receipt.prize, receipt.status, receipt.prints, receipt.closed_by,
    receipt.closed_at,
    (
      select json_agg(json_build_object(
        'number', bet.number, 'name', one.name, 'coeff', one.coefficient, 'stake', bet.value, 'prize', bet.prize
      ) order by bet.place)
      from bets as bet
      join round_participants as one on one.round_id = bet.round_id and one.number = bet.number
      where bet.receipt_id = receipt.receipt_id
    ) as bets
  from receipts as receipt
  join rounds as round on round.round_id = receipt.round_id`

export const retiredReceipt = async (sql: Sql, id: number): Promise<ReceiptRow | undefined> => {
  const [row] = await sql<ReceiptRow[]>`${withBets(sql)} where receipt.receipt_id = ${id} and receipt.retired`
  return row
}

/** Conditions of a filter on `receipts as receipt`; cancelled receipts are shown to those who ask for them. */
const matching = (sql: Sql, { userId, status, from, to }: ReceiptFilter) => sql`
  receipt.retired
  ${status === undefined ? sql`and receipt.status <> 'cancelled'` : sql`and receipt.status = ${status}`}
  ${userId === undefined ? sql`` : sql`and receipt.user_id = ${userId}`}
  ${from === undefined ? sql`` : sql`and receipt.created_at >= ${new Date(from)}`}
  ${to === undefined ? sql`` : sql`and receipt.created_at < ${new Date(to)}`}`

/** Retired receipts that match, latest first. */
export const retiredReceipts = async (
  sql: Sql,
  filter: ReceiptFilter,
  offset: number,
  limit: number,
): Promise<ReceiptView[]> => {
  const rows = await sql<ReceiptRow[]>`
    ${withBets(sql)}
    where receipt.receipt_id in (
      select receipt.receipt_id from receipts as receipt where ${matching(sql, filter)}
      order by receipt.created_at desc, receipt.receipt_id desc limit ${limit} offset ${offset}
    )
    order by receipt.created_at desc, receipt.receipt_id desc`
  return rows.map(viewOf)
}

type TotalsRow = { status: ReceiptStatus; receipts: number; stakes: number; prizes: number }

/**
 * Sums of the retired receipts that match, by status. Without dates they come from the sums kept beside the receipts;
 * with dates from the receipts of those days.
 */
export const retiredTotals = async (
  sql: Sql,
  { userId, status, from, to }: ReceiptFilter,
): Promise<StatusTotals> => {
  const rows =
    from === undefined && to === undefined
      ? await sql<TotalsRow[]>`
          select status, sum(receipts)::bigint as receipts, sum(stakes)::bigint as stakes, sum(prizes)::bigint as prizes
          from user_totals where ${userId === undefined ? sql`true` : sql`user_id = ${userId}`} group by status`
      : await sql<TotalsRow[]>`
          select receipt.status, count(*) as receipts, sum(receipt.total_amount)::bigint as stakes,
            sum(receipt.prize)::bigint as prizes
          from receipts as receipt where ${matching(sql, { userId, status, from, to })} group by receipt.status`
  const totals: StatusTotals = {}
  for (const row of rows)
    if (status === undefined ? row.status !== 'cancelled' : row.status === status)
      totals[row.status] = { receipts: row.receipts, stakes: row.stakes, prizes: row.prizes }
  return totals
}

/** How many matching retired receipts were sold after a time: those that stand before a live one in a list. */
export const retiredSince = async (sql: Sql, filter: ReceiptFilter, at: number): Promise<number> => {
  const [row] = await sql<{ count: number }[]>`
    select count(*) as count from receipts as receipt
    where ${matching(sql, filter)} and receipt.created_at > ${new Date(at)}`
  return row!.count
}
