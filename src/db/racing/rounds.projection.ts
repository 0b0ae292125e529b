import type { Fact, RoundOpened } from '../../domain/racing/facts.ts'
import {
  isReceiptFact,
  potentialPrize,
  type ReceiptFact,
  type Sale,
  stakeOf,
} from '../../domain/racing/facts.ts'
import type { ReceiptStatus } from '../../domain/racing/receipts.ts'
import type { Phase } from '../../domain/racing/round.ts'
import type { Sql } from '../postgres.ts'

// The projection: rows from facts, whatever their order and however often they come.
//   P1. A row carries the number of the fact that wrote it; an older fact never overwrites a newer row.
//   P2. Every batch brings its round's opening, so none has to wait for another.
//   P3. A batch is one transaction: all of its rows are there, or none.
//   P4. A receipt's number belongs to one round. A batch that brings it from another is a fault, not passed over.
// Statuses won, lost and refundable are written when the round is handed over, by the archive, in one statement.

/** Facts of one round with their numbers. Complete in itself: workers need nothing else. */
export type FactBatch = {
  readonly roundId: number
  readonly opened: RoundOpened
  readonly facts: readonly (readonly [number: number, fact: Fact])[]
}

type ReceiptRow = {
  id: number
  sale: Sale
  total: number
  prize: number
  /** Times as text: of an array of dates the driver knows the type of one, not of the array. */
  at: string
  status: ReceiptStatus
  closedBy: number | null
  closedAt: string | null
  prints: number
  number: number
}

/** Writes a batch. Rejects with Postgres's error, having written nothing. */
export const projectFacts = async (sql: Sql, batch: FactBatch): Promise<void> => {
  const rows = receiptRows(batch)
  await sql.begin(async (tx) => {
    await insertRound(tx as unknown as Sql, batch)
    await insertFacts(tx as unknown as Sql, batch)
    if (rows.length > 0) {
      const { count } = await upsertReceipts(tx as unknown as Sql, batch.roundId, rows)
      // Rows that were passed over are newer already, or another round's.
      if (count < rows.length) await refuseForeignNumbers(tx as unknown as Sql, batch.roundId, rows)
      await insertBets(tx as unknown as Sql, batch.roundId, rows)
    }
    await updatePhase(tx as unknown as Sql, batch)
  })
}

const date = (at: number): Date => new Date(at)

const insertRound = async (sql: Sql, { roundId, opened }: FactBatch): Promise<void> => {
  const { field } = opened
  const inserted = await sql`
    insert into rounds (
      round_id, track, status, opened_at, locks_at, starts_at, ends_at, commitment, chain_anchor, chain_index, fact_number
    ) values (
      ${roundId}, ${opened.track}, 'waiting', ${date(opened.at)}, ${date(opened.locksAt)}, ${date(opened.startsAt)},
      ${date(opened.endsAt)}, ${opened.commitment}, ${opened.chain.anchor}, ${opened.chain.index}, 1
    ) on conflict (round_id) do nothing`
  if (inserted.count === 0) return
  await sql`
    insert into round_participants (round_id, number, name, chance, coefficient)
    select ${roundId}, * from unnest(
      ${field.map((one) => one.number)}::bigint[], ${field.map((one) => one.name)}::text[],
      ${field.map((one) => one.chance)}::bigint[], ${field.map((one) => one.coeff)}::bigint[]
    )
    on conflict (round_id, number) do nothing`
}

const insertFacts = (sql: Sql, { roundId, facts }: FactBatch) => sql`
  insert into facts (round_id, number, type, body)
  select ${roundId}, number, type, body::jsonb from unnest(
    ${facts.map(([number]) => number)}::bigint[], ${facts.map(([, { type }]) => type)}::text[],
    ${facts.map(([, fact]) => JSON.stringify(fact))}::text[]
  ) as fact (number, type, body)
  on conflict (round_id, number) do nothing`

/**
 * One row for each receipt of the batch, as of its last fact here. In the order of their numbers: of two batches that bring
 * the same receipts, written at the same time, one waits for the other and never both.
 */
const receiptRows = ({ facts }: FactBatch): ReceiptRow[] => {
  const rows = new Map<number, ReceiptRow>()
  for (const [number, fact] of facts) {
    if (!isReceiptFact(fact)) continue
    let row = rows.get(fact.id)
    if (!row) {
      const { sale } = fact
      row = {
        id: fact.id,
        sale,
        total: stakeOf(sale),
        prize: potentialPrize(sale),
        at: date(sale.at).toISOString(),
        status: 'pending',
        closedBy: null,
        closedAt: null,
        prints: 0,
        number: 0,
      }
      rows.set(fact.id, row)
    }
    if (fact.type === 'ReceiptPrinted') row.prints = Math.max(row.prints, fact.copy)
    else if (number > row.number) writeStatus(row, number, fact)
  }
  return [...rows.values()].sort((one, other) => one.id - other.id)
}

const CLOSED: Partial<Record<Fact['type'], ReceiptStatus>> = {
  ReceiptCancelled: 'cancelled',
  ReceiptPaid: 'paid',
  ReceiptRefunded: 'refunded',
}

const writeStatus = (
  row: ReceiptRow,
  number: number,
  fact: Exclude<ReceiptFact, { type: 'ReceiptPrinted' }>,
): void => {
  row.number = number
  const status = CLOSED[fact.type]
  if (!status) return
  row.status = status
  row.closedBy = fact.by
  row.closedAt = date(fact.at).toISOString()
  if (fact.type === 'ReceiptPaid') row.prize = fact.prize
  if (fact.type === 'ReceiptRefunded') row.prize = 0
}

const upsertReceipts = (sql: Sql, roundId: number, rows: readonly ReceiptRow[]) => sql`
  insert into receipts as kept (
    receipt_id, round_id, user_id, total_amount, prize, status, created_at, closed_by, closed_at, prints, fact_number
  )
  select id, ${roundId}, by, total, prize, status, at, closed_by, closed_at, prints, number from unnest(
    ${rows.map((row) => row.id)}::bigint[], ${rows.map((row) => row.sale.by)}::bigint[],
    ${rows.map((row) => row.total)}::bigint[], ${rows.map((row) => row.prize)}::bigint[],
    ${rows.map((row) => row.status)}::text[], ${rows.map((row) => row.at)}::timestamptz[],
    ${rows.map((row) => row.closedBy)}::bigint[], ${rows.map((row) => row.closedAt)}::timestamptz[],
    ${rows.map((row) => row.prints)}::bigint[], ${rows.map((row) => row.number)}::bigint[]
  ) as row (id, by, total, prize, status, at, closed_by, closed_at, prints, number)
  on conflict (receipt_id) do update set
    status = case when excluded.fact_number > kept.fact_number then excluded.status else kept.status end,
    prize = case when excluded.fact_number > kept.fact_number then excluded.prize else kept.prize end,
    closed_by = case when excluded.fact_number > kept.fact_number then excluded.closed_by else kept.closed_by end,
    closed_at = case when excluded.fact_number > kept.fact_number then excluded.closed_at else kept.closed_at end,
    prints = greatest(kept.prints, excluded.prints),
    fact_number = greatest(kept.fact_number, excluded.fact_number)
  where kept.round_id = excluded.round_id and not kept.retired
    and (excluded.fact_number > kept.fact_number or excluded.prints > kept.prints)`

const refuseForeignNumbers = async (
  sql: Sql,
  roundId: number,
  rows: readonly ReceiptRow[],
): Promise<void> => {
  const [taken] = await sql<{ receipt_id: number; round_id: number }[]>`
    select receipt_id, round_id from receipts
    where receipt_id = any(${rows.map((row) => row.id)}::bigint[]) and round_id <> ${roundId} limit 1`
  if (taken)
    throw new Error(
      `receipt ${taken.receipt_id} of round ${roundId} has the number of one of round ${taken.round_id}`,
    )
}

const insertBets = (sql: Sql, roundId: number, rows: readonly ReceiptRow[]) => {
  const receipts: number[] = []
  const numbers: number[] = []
  const places: number[] = []
  const stakes: number[] = []
  const prizes: number[] = []
  for (const { id, sale } of rows)
    for (const [i, bet] of sale.bets.entries()) {
      receipts.push(id)
      numbers.push(bet.number)
      places.push(i + 1)
      stakes.push(bet.stake)
      prizes.push(bet.prize)
    }
  return sql`
    insert into bets (round_id, receipt_id, number, place, value, prize)
    select ${roundId}, * from unnest(
      ${receipts}::bigint[], ${numbers}::bigint[], ${places}::bigint[], ${stakes}::bigint[], ${prizes}::bigint[]
    )
    on conflict (receipt_id, number) do nothing`
}

const PHASES: Partial<Record<Fact['type'], Phase>> = {
  BettingLocked: 'betting-locked',
  RaceStarted: 'running',
  RoundSettled: 'settled',
  RoundVoided: 'settled',
}

const updatePhase = async (sql: Sql, { roundId, facts }: FactBatch): Promise<void> => {
  const last = facts.findLast(([, fact]) => PHASES[fact.type])
  if (!last) return
  const [number, fact] = last
  const settled = fact.type === 'RoundSettled' ? fact : undefined
  const voided = fact.type === 'RoundVoided' ? fact : undefined
  const ended = settled ?? voided
  await sql`
    update rounds set
      status = ${PHASES[fact.type]!}, fact_number = ${number}, seed = ${ended?.seed ?? null},
      arrival = ${settled?.order ?? null}::bigint[], settled_at = ${ended ? date(ended.at) : null},
      voided_by = ${voided?.by ?? null}, void_reason = ${voided?.reason ?? null}
    where round_id = ${roundId} and fact_number < ${number}`
}
