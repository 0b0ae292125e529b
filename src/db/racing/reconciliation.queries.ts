import type { Sql } from '../postgres.ts'

/** Compares a retired round's rows with its facts, all in Postgres. @returns what differs, in words; empty where nothing does */
export const discrepancies = async (sql: Sql, roundId: number): Promise<string[]> => {
  const [row] = await sql<Record<string, number>[]>`
    with fact as (
      select number, type, (body ->> 'id')::bigint as id, body from facts where round_id = ${roundId}
    ),
    winner as (select (body -> 'order' ->> 0)::bigint as number from fact where type = 'RoundSettled'),
    void as (select exists (select 1 from fact where type = 'RoundVoided') as is_void),
    sale as (
      select id, (bet ->> 'number')::bigint as number, (bet ->> 'stake')::bigint as stake, (bet ->> 'prize')::bigint as prize
      from fact, jsonb_array_elements(body -> 'sale' -> 'bets') as bet where type = 'ReceiptSold'
    ),
    -- In one pass: joined with itself a large round would take the square of its size, should its size be misjudged.
    expected as (
      select
        fact.id, max((body -> 'sale' ->> 'by')::bigint) filter (where type = 'ReceiptSold') as seller,
        sum((bet ->> 'stake')::bigint)::bigint as total,
        coalesce(sum((bet ->> 'prize')::bigint)
          filter (where (bet ->> 'number')::bigint = (select number from winner)), 0)::bigint as prize,
        bool_or(type = 'ReceiptCancelled') as cancelled, bool_or(type = 'ReceiptPaid') as paid,
        bool_or(type = 'ReceiptRefunded') as refunded
      from fact
      left join lateral jsonb_array_elements(case when type = 'ReceiptSold' then body -> 'sale' -> 'bets' end) as bet on true
      where fact.id is not null
      group by fact.id having bool_or(type = 'ReceiptSold')
    ),
    row as (select * from receipts where round_id = ${roundId}),
    compared as (
      select
        expected.id as expected_id, row.receipt_id, expected.seller, row.user_id, expected.total, row.total_amount,
        expected.prize, row.prize as row_prize, row.status,
        case
          when cancelled then 'cancelled' when paid then 'paid' when refunded then 'refunded'
          when (select is_void from void) then 'refundable' when expected.prize > 0 then 'won' else 'lost'
        end as expected_status
      from expected full join row on row.receipt_id = expected.id
    ),
    -- By way of the receipts: an index on the rounds of bets would cost each sale more than this comparison gains.
    bet as (select bets.* from row join bets on bets.receipt_id = row.receipt_id),
    round as (select * from rounds where round_id = ${roundId}),
    surplus as (select (select count(*) from fact) - (select fact_count from round) as facts)
    select
      (select count(*) from compared where receipt_id is null) as "receipts missing",
      (select count(*) from compared where expected_id is null) as "receipts that nobody sold",
      (select count(*) from compared where seller <> user_id) as "receipts of another seller",
      (select count(*) from compared where total <> total_amount) as "receipts with another total",
      (select count(*) from compared where status <> expected_status) as "receipts with another status",
      (select count(*) from compared where status <> 'cancelled' and prize <> row_prize) as "receipts with another prize",
      (select count(*) from sale full join bet on bet.receipt_id = sale.id and bet.number = sale.number
        where sale.stake is distinct from bet.value or sale.prize is distinct from bet.prize) as "bets that differ",
      (select count(*) - count(distinct id) from fact where type in ('ReceiptPaid', 'ReceiptRefunded')) as "payments twice",
      (select greatest(0, -facts) from surplus) as "facts missing",
      (select greatest(0, facts) from surplus) as "facts too many",
      (select count(*) from round, (
        select count(*) as receipts, coalesce(sum(total), 0) as stakes, coalesce(sum(prize), 0) as prizes
        from compared where expected_status <> 'cancelled' and expected_id is not null
      ) as sold
        where (round.receipt_count, round.stakes, round.prizes) is distinct from (sold.receipts, sold.stakes, sold.prizes)
      ) as "sums of the round that differ"`
  return Object.entries(row ?? {})
    .filter(([, count]) => Number(count) !== 0)
    .map(([what, count]) => `${count} ${what}`)
}

export const recordReconciliation = async (
  sql: Sql,
  roundId: number,
  found: readonly string[],
): Promise<void> => {
  await sql`
    update rounds set reconciled_at = now(), discrepancy = ${found.length > 0 ? found.join(', ') : null}
    where round_id = ${roundId}`
}

/** Retired rounds whose rows and facts were found to differ, latest first, at most 100. */
export const roundsWithDiscrepancy = async (
  sql: Sql,
): Promise<{ roundId: number; discrepancy: string }[]> => {
  const rows = await sql<{ round_id: number; discrepancy: string }[]>`
    select round_id, discrepancy from rounds where discrepancy is not null order by round_id desc limit 100`
  return rows.map((row) => ({ roundId: row.round_id, discrepancy: row.discrepancy }))
}

/** Rounds that retired a while ago and were not compared yet: the job for them was lost with its queue. */
export const unreconciledRounds = async (sql: Sql): Promise<number[]> => {
  const rows = await sql<{ round_id: number }[]>`
    select round_id from rounds 
    where retired_at < now() - interval '1 minute' and retired_at is not null and reconciled_at is null
    order by round_id limit 100`
  return rows.map((row) => row.round_id)
}

/** Numbers of the facts of these rounds that are stored. */
export const storedFacts = async (sql: Sql, roundIds: readonly number[]): Promise<Map<number, number[]>> => {
  const rows = await sql<{ round_id: number; numbers: number[] }[]>`
    select round_id, json_agg(number) as numbers from facts where round_id = any(${[...roundIds]}::bigint[]) group by round_id`
  return new Map(rows.map((row) => [row.round_id, row.numbers]))
}
