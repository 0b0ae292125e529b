import type { Participant } from '../../domain/racing/odds.ts'
import type { Sql } from '../postgres.ts'

/** A retired round. Times in milliseconds, amounts in the smallest unit, coefficients in hundredths. */
export type RetiredRound = {
  readonly id: number
  readonly track: string
  readonly openedAt: number
  readonly locksAt: number
  readonly startsAt: number
  readonly endsAt: number
  readonly settledAt: number
  readonly commitment: string
  readonly chain: { readonly anchor: string; readonly index: number }
  readonly seed: string
  /** `null` where the round was voided. */
  readonly order: readonly number[] | null
  readonly voided: { readonly by: number; readonly reason: string } | undefined
  readonly receiptCount: number
  readonly stakes: number
  readonly prizes: number
  readonly field: readonly Participant[]
}

type RoundRow = {
  round_id: number
  track: string
  opened_at: Date
  locks_at: Date
  starts_at: Date
  ends_at: Date
  settled_at: Date
  commitment: string
  chain_anchor: string
  chain_index: number
  seed: string
  arrival: number[] | null
  voided_by: number | null
  void_reason: string | null
  receipt_count: number
  stakes: number
  prizes: number
  field: Participant[]
}

const columns = (sql: Sql) => sql`
  round.round_id, round.track, round.opened_at, round.locks_at, round.starts_at, round.ends_at, round.settled_at,
  round.commitment, round.chain_anchor, round.chain_index, round.seed, array_to_json(round.arrival) as arrival,
  round.voided_by, round.void_reason,
  round.receipt_count, round.stakes, round.prizes,
  (
    select json_agg(json_build_object(
      'number', one.number, 'name', one.name, 'chance', one.chance, 'coeff', one.coefficient
    ) order by one.number)
    from round_participants as one where one.round_id = round.round_id
  ) as field`

const toRound = (row: RoundRow): RetiredRound => ({
  id: row.round_id,
  track: row.track,
  openedAt: row.opened_at.getTime(),
  locksAt: row.locks_at.getTime(),
  startsAt: row.starts_at.getTime(),
  endsAt: row.ends_at.getTime(),
  settledAt: row.settled_at.getTime(),
  commitment: row.commitment,
  chain: { anchor: row.chain_anchor, index: row.chain_index },
  seed: row.seed,
  order: row.arrival,
  voided: row.voided_by === null ? undefined : { by: row.voided_by, reason: row.void_reason! },
  receiptCount: row.receipt_count,
  stakes: row.stakes,
  prizes: row.prizes,
  field: row.field,
})

export const retiredRound = async (sql: Sql, id: number): Promise<RetiredRound | undefined> => {
  const [row] = await sql<RoundRow[]>`
    select ${columns(sql)} from rounds as round where round.round_id = ${id} and round.retired_at is not null`
  return row && toRound(row)
}

/** Retired rounds of a track, latest first. */
export const retiredRounds = async (
  sql: Sql,
  track: string,
  offset: number,
  limit: number,
): Promise<RetiredRound[]> => {
  const rows = await sql<RoundRow[]>`
    select ${columns(sql)} from rounds as round
    where round.track = ${track} and round.retired_at is not null
    order by round.round_id desc limit ${limit} offset ${offset}`
  return rows.map(toRound)
}

export const retiredRoundCount = async (sql: Sql, track: string): Promise<number> => {
  const [row] = await sql<{ count: number }[]>`
    select count(*) as count from rounds where track = ${track} and retired_at is not null`
  return row!.count
}

/** Stakes by participant of a retired round, cancelled receipts left out. */
export const retiredStakes = async (sql: Sql, roundId: number): Promise<Map<number, number>> => {
  const rows = await sql<{ number: number; stakes: number }[]>`
    select bet.number, sum(bet.value)::bigint as stakes
    from receipts as receipt join bets as bet on bet.receipt_id = receipt.receipt_id
    where receipt.round_id = ${roundId} and receipt.retired and receipt.status <> 'cancelled'
    group by bet.number`
  return new Map(rows.map((row) => [row.number, row.stakes]))
}
