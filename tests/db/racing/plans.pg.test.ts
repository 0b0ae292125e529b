import { afterAll, beforeAll, expect, it } from 'vitest'
import { openJournal } from '../../../src/db/journal.ts'
import { memoryStore } from '../../../src/db/memory.store.ts'
import { connectPostgres, type Sql } from '../../../src/db/postgres.ts'
import { factsOfReceipt, searchReceipts } from '../../../src/db/racing/audit.queries.ts'
import { handedOutByDay, searchRounds, sumsByDay } from '../../../src/db/racing/figures.queries.ts'
import { receiptsArchive } from '../../../src/db/racing/receipts.archive.ts'
import { retiredReceipts, retiredSince, retiredTotals } from '../../../src/db/racing/receipts.queries.ts'
import {
  discrepancies,
  recordReconciliation,
  roundsWithDiscrepancy,
  storedFacts,
  unreconciledRounds,
} from '../../../src/db/racing/reconciliation.queries.ts'
import { projectFacts } from '../../../src/db/racing/rounds.projection.ts'
import {
  retiredRound,
  retiredRoundCount,
  retiredRounds,
  retiredStakes,
} from '../../../src/db/racing/rounds.queries.ts'
import { claimStation, isSuperseded } from '../../../src/db/racing/station.claim.ts'
import type { Fact } from '../../../src/domain/racing/facts.ts'
import { explained } from './explained.sql.ts'
import {
  allNumbers,
  batchOf,
  CASHIER,
  openRacingDatabase,
  project,
  type RacingDatabase,
} from './racing.database.ts'
import { receiptId, winners } from './round.history.ts'

const ROUNDS = 60
const RECEIPTS = 40
let database: RacingDatabase
let sql: Sql
let asked: Sql
let plans: string[] = []

beforeAll(async () => {
  database = await openRacingDatabase()
  const name = new URL(database.url).pathname.slice(1)
  for (let i = 0; i < ROUNDS; i++) {
    const history = winners(RECEIPTS, { roundId: 100 + i, openedAt: 1_000_000 + i * 100_000 }, [7, 8])
    await project(database.sql, history)
    await receiptsArchive(database.sql).takeOver({ id: 100 + i, factCount: history.facts.length, winner: 1 })
  }
  // A table that is read through where an index would do: then its plan says so although the table is small.
  await database.sql.unsafe(`alter database ${name} set enable_seqscan = off`)
  await database.sql`analyze`
  sql = connectPostgres(database.url, 4)
  asked = explained(sql, (plan) => plans.push(plan))
})
afterAll(async () => {
  await sql.end()
  await database.close()
})

const from = 1_000_000
const to = 3_000_000
const filters = [
  {},
  { userId: 7 },
  { status: 'won' as const },
  { status: 'cancelled' as const },
  { userId: 7, status: 'lost' as const },
  { from, to },
  { userId: 7, from, to },
  { userId: 7, status: 'won' as const, from, to },
  { status: 'won' as const, from, to },
]
const KEY = { at: to, id: receiptId(110, 5) }
const searches = [
  {},
  { userId: 7 },
  { status: 'won' as const },
  { status: 'cancelled' as const },
  { userId: 7, status: 'lost' as const },
  { roundId: 110 },
  { roundId: 110, userId: 7, status: 'won' as const },
  { from, to },
  { userId: 8, from, to },
]
const fresh = () => openJournal<Fact>({ store: memoryStore(), parse: (row) => row as Fact })
const another = winners(3, { roundId: 99 })
const settledRound = winners(3, { roundId: 98 })

const questions: [string, (sql: Sql) => Promise<unknown>][] = [
  ...filters.flatMap((filter): [string, (sql: Sql) => Promise<unknown>][] => [
    [`a page of receipts by ${JSON.stringify(filter)}`, (sql) => retiredReceipts(sql, filter, 10, 10)],
    [`sums of receipts by ${JSON.stringify(filter)}`, (sql) => retiredTotals(sql, filter)],
    [`receipts since a time by ${JSON.stringify(filter)}`, (sql) => retiredSince(sql, filter, to)],
  ]),
  ...searches.map((search): [string, (sql: Sql) => Promise<unknown>] => [
    `searching receipts by ${JSON.stringify(search)}`,
    async (sql) => {
      await searchReceipts(sql, search, undefined, 50)
      await searchReceipts(sql, search, KEY, 50)
    },
  ]),
  ['what happened to a receipt', (sql) => factsOfReceipt(sql, 110, receiptId(110, 1))],
  ['sums by day', (sql) => sumsByDay(sql, [from, from + 500_000, to])],
  ['what was handed out by day', (sql) => handedOutByDay(sql, [from, from + 500_000, to])],
  ['searching rounds', (sql) => searchRounds(sql, {}, KEY, 50)],
  [
    'searching rounds of a time and a track',
    (sql) => searchRounds(sql, { track: 'main', from, to }, KEY, 50),
  ],
  ['one round', (sql) => retiredRound(sql, 110)],
  ['a page of rounds', (sql) => retiredRounds(sql, 'main', 10, 10)],
  ['how many rounds', (sql) => retiredRoundCount(sql, 'main')],
  ['the stakes of a round', (sql) => retiredStakes(sql, 110)],
  ['comparing a round', (sql) => discrepancies(sql, 110)],
  ['recording what was found', (sql) => recordReconciliation(sql, 110, ['nothing'])],
  ['rounds that differ', roundsWithDiscrepancy],
  ['rounds not compared', unreconciledRounds],
  ['the facts stored', (sql) => storedFacts(sql, [110, 111])],
  ['a batch of facts', (sql) => projectFacts(sql, batchOf(another, allNumbers(another)))],
  [
    'taking a round over',
    async (sql) => {
      await projectFacts(sql, batchOf(settledRound, allNumbers(settledRound)))
      const { facts } = settledRound
      await receiptsArchive(sql).takeOver({ id: 98, factCount: facts.length, winner: 1 })
    },
  ],
  ['whose rounds', (sql) => receiptsArchive(sql).owned([110, 111])],
  ['one receipt', (sql) => receiptsArchive(sql).find(receiptId(110, 1))],
  [
    'paying',
    (sql) => receiptsArchive(sql).ask({ type: 'PayReceipt', by: CASHIER, id: receiptId(110, 1) }, to, 'k'),
  ],
  [
    'printing',
    (sql) => receiptsArchive(sql).ask({ type: 'PrintReceipt', by: CASHIER, id: receiptId(110, 1) }, to, 'k'),
  ],
  [
    'claiming a station',
    async (sql) => {
      await claimStation(fresh(), sql, '01')
      const journal = fresh()
      await claimStation(journal, sql, '01')
      await isSuperseded(journal, sql)
    },
  ],
]

it.each(questions)('%s is answered by indexes', async (_, question) => {
  plans = []
  await question(asked)
  expect(plans.length).toBeGreaterThan(0)
  for (const plan of plans) {
    expect(plan).not.toMatch(/Seq Scan on (receipts|bets|facts|rounds|round_participants)\b/)
  }
})

it('sees a table that is read through', async () => {
  plans = []
  await asked`select count(*) from receipts where prize = ${5}`
  expect(plans.join()).toMatch(/Seq Scan on receipts/)
})

it('reads of a long history only the days, the receipts and the rounds that are asked for', async () => {
  plans = []
  const oneDay = [2_000_000, 2_100_000]
  await sumsByDay(asked, oneDay)
  await searchReceipts(asked, { userId: 7 }, KEY, 5)
  await searchRounds(asked, {}, KEY, 5)
  for (const plan of plans) expect(plan).toMatch(/Index Cond: .*(created_at|opened_at)/)
})
