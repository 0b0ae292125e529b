import postgres from 'postgres'
import { Cable } from '../../tests/support/cable.ts'
import { startTestRedis } from '../../tests/support/redis.ts'
import { cpuSecondsOf, figureOf, untilFigure } from '../observe.ts'
import { type BenchPostgres, copyIn, copyOut, type Rows, startBenchPostgres } from '../postgres.bench.ts'
import type { Bench, Comparison, Row } from '../row.ts'
import { type Galop, runLoad, startGalop } from '../servers.ts'

// Postgres was away while receipts were sold. From the moment it is back until each has its rows there, as the server
// does it (outbox, queue, worker), against `copy` of the very same rows into a second database of the same Postgres.

const UNSTORED = 'galop_receipts_not_stored'
const SALE = JSON.stringify({
  bets: [
    { participant: { number: 1 }, value: 10_000 },
    { participant: { number: 3 }, value: 5_000 },
  ],
})

/** What `copy` gets: in this order, for rows refer to rows. */
const TABLES = [
  {
    name: 'receipts',
    columns:
      'receipt_id, round_id, user_id, total_amount, prize, status, created_at, prints, closed_by, closed_at, fact_number',
    since: 'fact_number',
  },
  { name: 'bets', columns: 'receipt_id, number, round_id, place, value, prize', since: undefined },
  { name: 'facts', columns: 'round_id, number, type, body, stored_at', since: 'number' },
] as const

type Turn = { readonly ours: number; readonly theirs: number; readonly cpuUs: number }

export const row: Row = {
  number: 6,
  work: 'catching up: receipts in the journal become rows in Postgres',
  run: async (bench) => {
    const database = await startBenchPostgres()
    const redis = await startTestRedis()
    try {
      return [
        await compare(bench, database, 'the queue in Postgres', 'on_postgres', {}),
        await compare(bench, database, 'the queue in Redis', 'on_redis', { REDIS_URL: redis.url }),
      ]
    } finally {
      await Promise.all([database.stop(), redis.stop()])
    }
  },
}

const compare = async (
  { isShort, say }: Bench,
  database: BenchPostgres,
  queue: string,
  name: string,
  settings: Readonly<Record<string, string>>,
): Promise<Comparison> => {
  const receipts = isShort ? 500 : 100_000
  const turns = isShort ? 1 : 3
  const url = await database.beside(`galop_${name}`)
  const cable = await Cable.to(url)
  const direct = postgres(url, { max: 1 })
  const other = postgres(await database.beside(`copied_${name}`), { max: 1 })
  const galop = await startGalop({ ...settings, DATABASE_URL: cable.url })
  const done: Turn[] = []
  try {
    // Queues are open and warm when Postgres goes away: what is measured is its return, not a start without it.
    await sell(galop, 1)
    await untilFigure(galop.port, UNSTORED, (left) => left === 0)
    for (let turn = 1; turn <= turns; turn++) {
      const before = await lastFact(direct)
      await cable.pull()
      const sold = await sell(galop, receipts)
      say(`row 6, ${queue}, turn ${turn}/${turns}: ${sold} receipts sold while Postgres was away`)
      const cpu = cpuSecondsOf(galop.pid)
      const began = performance.now()
      await cable.plug()
      await untilFigure(galop.port, UNSTORED, (left) => left === 0)
      const seconds = (performance.now() - began) / 1000
      const cpuUs = ((cpuSecondsOf(galop.pid) - cpu) / sold) * 1e6
      await checkRows(direct, before, sold)
      const theirs = await copied(url, other, before, turn === 1)
      await checkRows(other, before, sold)
      done.push({ ours: sold / seconds, theirs: sold / theirs, cpuUs })
      say(
        `row 6, ${queue}, turn ${turn}/${turns}: stored ${(sold / seconds).toFixed(0)} receipts/s, ` +
          `copy ${(sold / theirs).toFixed(0)} receipts/s, ratio ${(theirs / seconds).toFixed(3)}`,
      )
    }
  } finally {
    await galop.stop()
    await Promise.all([direct.end(), other.end()])
    await cable.pull()
  }
  return {
    against: `copy into the same tables; ${queue}`,
    unit: 'receipts/s',
    ours: done.map(({ ours }) => ours),
    theirs: done.map(({ theirs }) => theirs),
    reach: { atLeast: 0.4 },
    notes: [
      `${receipts} receipts of two bets a turn, from Postgres’ return to the last row, waiting for it included`,
      `${Math.round(Math.min(...done.map(({ cpuUs }) => cpuUs)))} µs of the server’s processor a receipt`,
    ],
  }
}

/** Sells so many receipts at least. @returns how many it were */
const sell = async (galop: Galop, atLeast: number): Promise<number> => {
  let sold = await figureOf(galop.port, UNSTORED)
  while (sold < atLeast) {
    const { errors, firstError } = await runLoad({
      port: galop.port,
      connections: 64,
      durationMs: atLeast < 10_000 ? 200 : 2_000,
      warmUpMs: 100,
      path: '/api/v1/receipts/?action=add',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${galop.token}` },
      body: SALE,
      mustHold: '"success":true',
    })
    if (errors > 0) throw new Error(`${errors} receipts were not sold, the first: ${firstError}`)
    sold = await figureOf(galop.port, UNSTORED)
  }
  return sold
}

/** All turns sell in the one round that runs: its facts are numbered through. */
const lastFact = async (sql: postgres.Sql): Promise<number> => {
  const [row] = await sql<{ last: string }[]>`select coalesce(max(number), 0) as last from facts`
  return Number(row!.last)
}

const checkRows = async (sql: postgres.Sql, after: number, sold: number): Promise<void> => {
  const [row] = await sql<{ receipts: string; bets: string; facts: string }[]>`
    select
      (select count(*) from receipts where fact_number > ${after}) as receipts,
      (select count(*) from bets join receipts using (receipt_id) where fact_number > ${after}) as bets,
      (select count(*) from facts where number > ${after} and type = 'ReceiptSold') as facts`
  const { receipts, bets, facts } = row!
  if (Number(receipts) !== sold || Number(bets) !== 2 * sold || Number(facts) !== sold)
    throw new Error(
      `of ${sold} receipts there are ${receipts} rows with ${bets} bets, and ${facts} facts in Postgres`,
    )
}

/** Brings the rows of this turn into the other database by `copy`. @returns the seconds that the writing took */
const copied = async (from: string, to: postgres.Sql, after: number, isFirst: boolean): Promise<number> => {
  const first: Rows[] = []
  // The opening of the round may have been stored before the first turn.
  if (isFirst)
    for (const table of ['users', 'rounds', 'round_participants'])
      first.push(await copyOut(from, table, `select * from ${table}`))
  await copyIn(to, first)
  const rows: Rows[] = []
  for (const { name, columns, since } of TABLES) {
    const which = since
      ? `where ${since} > ${after}`
      : `where receipt_id in (select receipt_id from receipts where fact_number > ${after})`
    rows.push(await copyOut(from, `${name} (${columns})`, `select ${columns} from ${name} ${which}`))
  }
  return copyIn(to, rows)
}
