// A shop's database for tests of racing: migrated, with three people in it.
import { migrate } from '../../../src/db/migrate.ts'
import { connectPostgres, type Sql } from '../../../src/db/postgres.ts'
import { type FactBatch, projectFacts } from '../../../src/db/racing/rounds.projection.ts'
import type { Person } from '../../../src/domain/racing/decide.ts'
import type { Round } from '../../../src/domain/racing/round.ts'
import { createTestDatabase } from '../../support/postgres.ts'
import type { History } from './round.history.ts'

export const ADMIN: Person = { id: 1, admin: true }
export const CASHIER: Person = { id: 7, admin: false }
export const OTHER_CASHIER: Person = { id: 8, admin: false }

export type RacingDatabase = { readonly sql: Sql; readonly url: string; close(): Promise<void> }

export const openRacingDatabase = async (connections = 4): Promise<RacingDatabase> => {
  const database = await createTestDatabase()
  const sql = connectPostgres(database.url, connections)
  await migrate(sql)
  await addUsers(sql)
  return {
    sql,
    url: database.url,
    close: async () => {
      await sql.end({ timeout: 1 })
      await database.drop()
    },
  }
}

export const addUsers = async (sql: Sql): Promise<void> => {
  await sql`
    insert into users (user_id, name, role, password_hash) overriding system value
    values (1, 'admin', 'admin', 'none'), (7, 'caisse', 'cashier', 'none'), (8, 'caisse2', 'cashier', 'none')`
}

/** A batch of some of a history's facts, by number. */
export const batchOf = ({ roundId, facts }: History, numbers: readonly number[]): FactBatch => ({
  roundId,
  opened: facts[0] as FactBatch['opened'],
  facts: numbers.map((number) => [number, facts[number - 1]!] as const),
})

export const allNumbers = ({ facts }: History): number[] => facts.map((_, i) => i + 1)

/** Writes a history into the database, whole and in order. */
export const project = (sql: Sql, history: History): Promise<void> =>
  projectFacts(sql, batchOf(history, allNumbers(history)))

/** All that the database holds of a round, in a form that can be compared. */
export const rowsOf = async (sql: Sql, roundId: number) => ({
  round: await sql`
    select round_id, track, status, opened_at, locks_at, starts_at, ends_at, commitment, chain_anchor, chain_index, seed,
      arrival::text, settled_at, voided_by, void_reason, fact_number, fact_count, receipt_count, stakes, prizes
    from rounds where round_id = ${roundId}`.then((rows) => [...rows]),
  field: [
    ...(await sql`
      select number, name, chance, coefficient from round_participants where round_id = ${roundId} order by number`),
  ],
  receipts: [
    ...(await sql`
      select receipt_id, user_id, total_amount, prize, status, created_at, prints, closed_by, closed_at, fact_number, retired
      from receipts where round_id = ${roundId} order by receipt_id`),
  ],
  bets: [
    ...(await sql`
      select receipt_id, number, place, value, prize from bets where round_id = ${roundId} order by receipt_id, place`),
  ],
  facts: [...(await sql`select number, type, body from facts where round_id = ${roundId} order by number`)],
})

/** Forgets all rounds, facts included, which no user of the application could. */
export const wipe = async (sql: Sql): Promise<void> => {
  await sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`
    await tx`truncate bets, receipts, user_totals, round_participants, facts, rounds`
  })
}

/** Lets a test damage what the application never could: the facts are open to change within. */
export const withoutGuard = async (sql: Sql, damage: (sql: Sql) => Promise<unknown>): Promise<void> => {
  await sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`
    await damage(tx as unknown as Sql)
  })
}

/** What the rows of a retired round must say, told by the domain's fold. */
export const expectedReceipts = (round: Round) =>
  [...round.receipts.values()]
    .sort((a, b) => a.id - b.id)
    .map(({ id, sale, total, prize, status, prints, closed }) => ({
      receipt_id: id,
      user_id: sale.by,
      total_amount: total,
      prize,
      status,
      created_at: new Date(sale.at),
      prints,
      closed_by: closed?.by ?? null,
      closed_at: closed ? new Date(closed.at) : null,
    }))

export type UserTotal = { user_id: number; status: string; receipts: number; stakes: number; prizes: number }

/** The sums kept beside the receipts; a status that nobody has any more may be kept as zeros. */
export const keptTotals = async (sql: Sql): Promise<UserTotal[]> => [
  ...(await sql<UserTotal[]>`
    select user_id, status, receipts, stakes, prizes from user_totals
    where (receipts, stakes, prizes) <> (0, 0, 0) order by user_id, status`),
]

/** The same sums, counted anew from the receipts. */
export const countedTotals = async (sql: Sql): Promise<UserTotal[]> => [
  ...(await sql<UserTotal[]>`
    select user_id, status, count(*) as receipts, sum(total_amount)::bigint as stakes, sum(prize)::bigint as prizes
    from receipts where retired group by user_id, status order by user_id, status`),
]
