import * as v from 'valibot'
import { Fact } from '../../domain/racing/facts.ts'
import type { ReceiptStatus } from '../../domain/racing/receipts.ts'
import type { Sql } from '../postgres.ts'

/** Which receipts are looked for, cancelled ones too. `from` and `to` are times of sale in milliseconds, `to` excluded. */
export type ReceiptSearch = {
  readonly userId?: number | undefined
  readonly status?: ReceiptStatus | undefined
  readonly roundId?: number | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
}
/** Where a list by time goes on: after this one. */
export type TimeKey = { readonly at: number; readonly id: number }

/** A receipt as a line of a list. */
export type ReceiptLine = {
  readonly id: number
  readonly roundId: number
  readonly track: string
  readonly by: number
  readonly at: number
  readonly total: number
  readonly prize: number
  readonly status: ReceiptStatus
  readonly prints: number
  readonly closed: { readonly by: number; readonly at: number } | undefined
}

type LineRow = {
  receipt_id: number
  round_id: number
  track: string
  user_id: number
  created_at: Date
  total_amount: number
  prize: number
  status: ReceiptStatus
  prints: number
  closed_by: number | null
  closed_at: Date | null
}

/** Retired receipts that match, latest first, from after a key on. */
export const searchReceipts = async (
  sql: Sql,
  { userId, status, roundId, from, to }: ReceiptSearch,
  after: TimeKey | undefined,
  limit: number,
): Promise<ReceiptLine[]> => {
  const rows = await sql<LineRow[]>`
    select receipt.receipt_id, receipt.round_id, round.track, receipt.user_id, receipt.created_at, receipt.total_amount,
      receipt.prize, receipt.status, receipt.prints, receipt.closed_by, receipt.closed_at
    from receipts as receipt join rounds as round on round.round_id = receipt.round_id
    where receipt.retired
      ${userId === undefined ? sql`` : sql`and receipt.user_id = ${userId}`}
      ${status === undefined ? sql`` : sql`and receipt.status = ${status}`}
      ${roundId === undefined ? sql`` : sql`and receipt.round_id = ${roundId}`}
      ${from === undefined ? sql`` : sql`and receipt.created_at >= ${new Date(from)}`}
      ${to === undefined ? sql`` : sql`and receipt.created_at < ${new Date(to)}`}
      ${after === undefined ? sql`` : sql`and (receipt.created_at, receipt.receipt_id) < (${new Date(after.at)}, ${after.id})`}
    order by receipt.created_at desc, receipt.receipt_id desc limit ${limit}`
  return rows.map((row) => ({
    id: row.receipt_id,
    roundId: row.round_id,
    track: row.track,
    by: row.user_id,
    at: row.created_at.getTime(),
    total: row.total_amount,
    prize: row.prize,
    status: row.status,
    prints: row.prints,
    closed: row.closed_by === null ? undefined : { by: row.closed_by, at: row.closed_at!.getTime() },
  }))
}

/** A fact with its number in its round. */
export type NumberedFact = { readonly number: number; readonly fact: Fact }

/** What happened to a receipt, and how its round ended, in order. Reads the facts of that one round. */
export const factsOfReceipt = async (sql: Sql, roundId: number, id: number): Promise<NumberedFact[]> => {
  const rows = await sql<{ number: number; body: unknown }[]>`
    select number, body from facts
    where round_id = ${roundId}
      and (type in ('RoundSettled', 'RoundVoided') or (body ->> 'id')::bigint = ${id})
    order by number`
  return rows.map(({ number, body }) => ({ number, fact: v.parse(Fact, body) }))
}
