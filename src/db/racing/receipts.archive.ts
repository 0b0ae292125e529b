import type { Archive, RoundToRetire } from '../../actors/racing/archive.port.ts'
import type { ReceiptCommand } from '../../domain/racing/decide.ts'
import { unpayable, untouchable } from '../../domain/racing/decide.ts'
import type { Fact } from '../../domain/racing/facts.ts'
import type { ReceiptView } from '../../domain/racing/receipt-view.ts'
import type { ReceiptStatus } from '../../domain/racing/receipts.ts'
import { type Refusal, refuse } from '../../domain/racing/refusals.ts'
import { asking, isPassing, type Sql } from '../postgres.ts'
import { retiredReceipt, viewOf } from './receipts.queries.ts'

// The archive owns the receipts of retired rounds, and Postgres's row locks are its single thread.
//   A1. A receipt is paid by one statement that finds it won and leaves it paid, or refundable and leaves it refunded;
//       whoever comes second finds it so.
//   A2. What it decides is a fact in the same transaction, numbered after the round's others.
//   A3. A round is taken over only if every one of its facts is here.
//   A4. Whose a round is, is said when no hand-over of it is under way: the commit of one that was given up may still
//       be on its way.

/** Settling the rows of a large round takes a while; who asks for one of them meanwhile is told to come back. */
const TAKE_OVER_LIMIT_MS = 60_000

export const receiptsArchive = (sql: Sql): Archive => ({
  find: (id) =>
    asking(async () => {
      const row = await retiredReceipt(sql, id)
      return row && viewOf(row)
    }),
  ask: (command, now, key) =>
    asking(
      () =>
        sql.begin((tx) => decideArchived(tx as unknown as Sql, command, now, key)) as Promise<
          ReceiptView | Refusal
        >,
    ),
  takeOver: (round) => asking(() => takeOver(sql, round), TAKE_OVER_LIMIT_MS),
  owned: (roundIds) =>
    asking(async () => {
      // Whoever takes a round over locks its row first: with a lock of its own this waits for that one's end.
      const rows = await sql<{ round_id: number; is_retired: boolean }[]>`
        select round_id, retired_at is not null as is_retired from rounds
        where round_id = any(${[...roundIds]}::bigint[]) for share`
      return rows.filter((row) => row.is_retired).map((row) => row.round_id)
    }),
})

const decideArchived = async (
  sql: Sql,
  { type, id, by }: ReceiptCommand,
  now: number,
  key: string | undefined,
): Promise<ReceiptView | Refusal> => {
  // The row stays locked until the transaction ends: what is read here is what is decided upon.
  const [locked] = await sql<{ paid_key: string | null; round_id: number }[]>`
    select paid_key, round_id from receipts where receipt_id = ${id} and retired for update`
  if (!locked) return refuse('RECEIPT_UNKNOWN', { id })
  const view = viewOf((await retiredReceipt(sql, id))!)
  if (type === 'PayReceipt' && key !== undefined && locked.paid_key === key) return view
  const refused =
    untouchable(view, view.by, by) ?? (type === 'PayReceipt' ? unpayable(view, view.endsAt) : undefined)
  if (refused) return refused
  const sale = {
    by: view.by,
    at: view.at,
    bets: view.bets.map(({ number, stake, prize }) => ({ number, stake, prize })),
  }
  if (type === 'CancelReceipt') throw new Error(`receipt ${id} is retired: nobody cancels it any more`)
  if (type === 'PayReceipt') {
    const fact = { at: now, by: by.id, id, sale }
    const isRefund = view.status === 'refundable'
    await addFact(
      sql,
      locked.round_id,
      isRefund ? { type: 'ReceiptRefunded', ...fact } : { type: 'ReceiptPaid', ...fact, prize: view.prize },
    )
    const paid: ReceiptView = {
      ...view,
      status: isRefund ? 'refunded' : 'paid',
      closed: { by: by.id, at: now },
    }
    await markPaid(sql, view.status, paid, key)
    await moveTotals(sql, view.status, paid)
    return paid
  }
  const copy = view.prints + 1
  await addFact(sql, locked.round_id, { type: 'ReceiptPrinted', at: now, by: by.id, id, copy, sale })
  await sql`update receipts set prints = ${copy} where receipt_id = ${id}`
  return { ...view, prints: copy }
}

const addFact = async (sql: Sql, roundId: number, fact: Fact): Promise<void> => {
  const [round] = await sql<{ fact_count: number }[]>`
    update rounds set fact_count = fact_count + 1 where round_id = ${roundId} returning fact_count`
  await sql`
    insert into facts (round_id, number, type, body)
    values (${roundId}, ${round!.fact_count}, ${fact.type}, ${JSON.stringify(fact)}::text::jsonb)`
}

const markPaid = (
  sql: Sql,
  before: ReceiptStatus,
  { id, status, closed }: ReceiptView,
  key: string | undefined,
) => sql`
  update receipts set
    status = ${status}, closed_by = ${closed!.by}, closed_at = ${new Date(closed!.at)}, paid_key = ${key ?? null}
  where receipt_id = ${id} and status = ${before}`

/** One receipt changes its status in its seller's sums. */
const moveTotals = async (
  sql: Sql,
  before: ReceiptStatus,
  { by, status, total, prize }: ReceiptView,
): Promise<void> => {
  const add = () => sql`
    insert into user_totals as kept (user_id, status, receipts, stakes, prizes) values (${by}, ${status}, 1, ${total}, ${prize})
    on conflict (user_id, status) do update set
      receipts = kept.receipts + 1, stakes = kept.stakes + excluded.stakes, prizes = kept.prizes + excluded.prizes`
  const remove = () => sql`
    update user_totals set receipts = receipts - 1, stakes = stakes - ${total}, prizes = prizes - ${prize}
    where user_id = ${by} and status = ${before}`
  // In the order of their names, as everywhere, so that no two wait for each other.
  for (const change of status < before ? [add, remove] : [remove, add]) await change()
}

/** Takes a round over. What goes wrong before the commit is asked for leaves it untaken, for certain. */
const takeOver = async (sql: Sql, round: RoundToRetire): Promise<'taken' | 'incomplete'> => {
  let isSettled = false
  try {
    await sql.begin(async (tx) => {
      isSettled = await settleRows(tx as unknown as Sql, round)
    })
  } catch (error) {
    if (isSettled || !isPassing(error)) throw error
  }
  return isSettled ? 'taken' : 'incomplete'
}

/** Whether all facts are here; if so, settles the round's rows within the open transaction. */
const settleRows = async (sql: Sql, { id, factCount, winner }: RoundToRetire): Promise<boolean> => {
  const [round] = await sql<{ retired_at: Date | null; status: string }[]>`
    select retired_at, status from rounds where round_id = ${id} for update`
  if (round?.retired_at) return true
  if (round?.status !== 'settled') return false
  const [stored] = await sql<{ count: number }[]>`select count(*) as count from facts where round_id = ${id}`
  if (stored!.count !== factCount) return false
  await sql`
    update receipts set
      retired = true,
      prize = case when receipts.status = 'cancelled' then receipts.prize else coalesce(won.prize, 0) end,
      status = case
        when receipts.status <> 'pending' then receipts.status
        when ${winner === null} then 'refundable'
        when won.prize > 0 then 'won' else 'lost'
      end
    from receipts as same
    left join bets as won on won.receipt_id = same.receipt_id and won.number = ${winner}
    where receipts.round_id = ${id} and same.receipt_id = receipts.receipt_id`
  await sql`
    insert into user_totals as kept (user_id, status, receipts, stakes, prizes)
    select user_id, status, count(*), sum(total_amount)::bigint, sum(prize)::bigint
    from receipts where round_id = ${id} group by user_id, status order by user_id, status
    on conflict (user_id, status) do update set
      receipts = kept.receipts + excluded.receipts,
      stakes = kept.stakes + excluded.stakes,
      prizes = kept.prizes + excluded.prizes`
  await sql`
    update rounds set
      retired_at = now(), fact_count = ${factCount},
      (receipt_count, stakes, prizes) = (
        select count(*), coalesce(sum(total_amount), 0), coalesce(sum(prize), 0)
        from receipts where receipts.round_id = ${id} and status <> 'cancelled'
      )
    where round_id = ${id}`
  return true
}
