import type { Day } from '../../domain/day.ts'
import type { Sql } from '../postgres.ts'

/** Receipts and money, in the smallest unit. */
export type Sum = { readonly receipts: number; readonly amount: number }

/** What one person sold on a day, and what it cancelled, paid and refunded then, whoever had sold that, whenever. */
export type CashierDay = {
  readonly sold: Sum
  readonly cancelled: Sum
  readonly paid: Sum
  readonly refunded: Sum
}

/** Of retired receipts alone. */
export const retiredDay = async (sql: Sql, userId: number, { from, to }: Day): Promise<CashierDay> => {
  const [start, end] = [new Date(from), new Date(to)]
  const rows = await sql<{ what: keyof CashierDay; receipts: number; amount: number }[]>`
    select 'sold' as what, count(*) as receipts, coalesce(sum(receipt.total_amount), 0)::bigint as amount
    from receipts as receipt
    where receipt.retired and receipt.user_id = ${userId}
      and receipt.created_at >= ${start} and receipt.created_at < ${end}
    union all
    select receipt.status as what, count(*) as receipts,
      sum(case receipt.status when 'paid' then receipt.prize else receipt.total_amount end)::bigint as amount
    from receipts as receipt
    where receipt.retired and receipt.closed_by = ${userId}
      and receipt.closed_at >= ${start} and receipt.closed_at < ${end}
    group by receipt.status`
  const none: Sum = { receipts: 0, amount: 0 }
  const day = { sold: none, cancelled: none, paid: none, refunded: none }
  for (const { what, receipts, amount } of rows) day[what] = { receipts, amount }
  return day
}
