import postgres from 'postgres'

/** Rounds of so many receipts. */
const RECEIPTS_A_ROUND = 1_000

/**
 * Puts history into the tables of a server: receipts of a cashier, two bets each, as the archive has them when their rounds
 * were handed over. Every fifth won. The last of them was sold an hour ago.
 */
export const fillHistory = async (url: string, cashier: string, receipts: number): Promise<void> => {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  const rounds = Math.ceil(receipts / RECEIPTS_A_ROUND)
  await sql.begin(async (tx) => {
    await tx`
      insert into rounds (
        round_id, track, status, opened_at, locks_at, starts_at, ends_at, commitment, chain_anchor, chain_index, seed, arrival,
        settled_at, fact_number, retired_at, fact_count, receipt_count, stakes, prizes, reconciled_at
      )
      select -n, 'main', 'settled', at, at, at, at, 'c', 'a', n, 's', '{1,2,3}', at, 1, at, 1, ${RECEIPTS_A_ROUND}, 0, 0, at
      from generate_series(1, ${rounds}::int) as n, lateral (select now() - n * interval '1 minute' - interval '1 hour' as at) as time`
    await tx`
      insert into round_participants (round_id, number, name, chance, coefficient)
      select -n, number, 'Cheval ' || number, 100, 250 from generate_series(1, ${rounds}::int) as n, generate_series(1, 6) as number`
    await tx`
      insert into receipts (
        receipt_id, round_id, user_id, total_amount, prize, status, created_at, prints, fact_number, retired
      )
      select -n, -1 - (n - 1) / ${RECEIPTS_A_ROUND}::int, (select user_id from users where name = ${cashier}), 15000,
        case when n % 5 = 0 then 25000 else 0 end, case when n % 5 = 0 then 'won' else 'lost' end,
        now() - n * interval '60 milliseconds' - interval '1 hour', 0, 2, true
      from generate_series(1, ${receipts}::int) as n`
    await tx`
      insert into bets (receipt_id, number, round_id, place, value, prize)
      select receipt_id, number, round_id, number, 7500, 25000 from receipts, generate_series(1, 2) as number
      where receipt_id < 0`
    await tx`
      insert into user_totals (user_id, status, receipts, stakes, prizes)
      select user_id, status, count(*), sum(total_amount), sum(prize) from receipts where retired group by user_id, status`
  })
  await sql.unsafe('vacuum analyze')
  await sql.end()
}
