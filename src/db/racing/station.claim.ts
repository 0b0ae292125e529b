import { randomBytes, randomUUID } from 'node:crypto'
import type { Journal } from '../../actors/journal.port.ts'
import { RECEIPTS_SOLD, type StationNotes } from '../../actors/racing/station.port.ts'
import type { Fact } from '../../domain/racing/facts.ts'
import { asking, type Sql } from '../postgres.ts'

// A journal is bound to its station once, when it is new: Postgres gives it a block of round ids and of receipt
// numbers that no other journal has, so that a lost or a second data directory cannot repeat one.
//   S1. The binding is in the journal from then on; later starts need no Postgres for it.
//   S2. One journal sells for a station at a time: the one that claimed it last.

const NOTE = 'station'
/** Round ids of one journal: at a race every 100 s on ten tracks they last for 31 years. */
const ROUND_BLOCK = 100_000_000
/** Receipts that a lost journal may have sold since it told Postgres last how many there were. */
const RECEIPT_GAP = 100_000

type Binding = StationNotes & { readonly journalId: string }

/** The station that this journal sells for, claiming it in Postgres if the journal is new. */
export const claimStation = async (journal: Journal<Fact>, sql: Sql, station: string): Promise<Binding> => {
  const known = journal.note(NOTE) as Binding | undefined
  if (known) {
    if (known.number === station) return known
    throw new Error(
      `this data directory belongs to station ${known.number}: set STATION_NUMBER=${known.number}, ` +
        `or give station ${station} a DATA_DIR of its own`,
    )
  }
  const journalId = randomUUID()
  const binding = await asking(() => sql.begin((tx) => claim(tx as unknown as Sql, station, journalId)))
  await journal.write({ [NOTE]: binding })
  return binding as Binding
}

type Station = { receipt_key: string; first_receipt: number; first_round: number; receipts_told: number }

const claim = async (sql: Sql, station: string, journalId: string): Promise<Binding> => {
  await sql`lock table stations in share row exclusive mode`
  await refuseTwin(sql, station)
  const [block] = await sql<{ block: number }[]>`select nextval('round_blocks') as block`
  const firstRound = block!.block * ROUND_BLOCK + 1
  const [before] = await sql<Station[]>`
    select receipt_key, first_receipt, first_round, receipts_told from stations where station_number = ${station} for update`
  if (!before) {
    const key = randomBytes(32).toString('hex')
    await sql`
      insert into stations (station_number, receipt_key, journal_id, first_receipt, first_round)
      values (${station}, ${key}, ${journalId}, 0, ${firstRound})`
    return { journalId, number: station, key, firstReceipt: 0, firstRound }
  }
  const [sold] = await sql<{ count: number }[]>`
    select count(*) as count from receipts
    where round_id >= ${before.first_round} and round_id < ${before.first_round + ROUND_BLOCK}`
  const known = Math.max(before.first_receipt + sold!.count, before.receipts_told)
  const firstReceipt = known + RECEIPT_GAP
  await sql`
    update stations set journal_id = ${journalId}, first_receipt = ${firstReceipt}, first_round = ${firstRound}
    where station_number = ${station}`
  return { journalId, number: station, key: before.receipt_key, firstReceipt, firstRound }
}

/** Stations whose numbers differ by leading zeros alone would number their receipts alike. */
const refuseTwin = async (sql: Sql, station: string): Promise<void> => {
  const [twin] = await sql<{ station_number: string }[]>`
    select station_number from stations
    where station_number::bigint = ${station}::text::bigint and station_number <> ${station}`
  if (twin)
    throw new Error(
      `station ${station} would sell receipts with the numbers of station ${twin.station_number}: ` +
        'choose another STATION_NUMBER',
    )
}

/**
 * Tells Postgres, where it is more than was told before, how many receipts the station has sold: it does not know of those
 * that wait for their rows.
 * @returns how many it knows of now
 */
export const tellReceipts = async (journal: Journal<Fact>, sql: Sql, told: number): Promise<number> => {
  const { journalId, number } = journal.note(NOTE) as Binding
  const sold = (journal.note(RECEIPTS_SOLD) as number | undefined) ?? 0
  if (sold <= told) return told
  await sql`
    update stations set receipts_told = ${sold}
    where station_number = ${number} and journal_id = ${journalId} and receipts_told < ${sold}`
  return sold
}

/** Whether another data directory has claimed the station since. */
export const isSuperseded = async (journal: Journal<Fact>, sql: Sql): Promise<boolean> => {
  const { journalId, number } = journal.note(NOTE) as Binding
  const [row] = await sql<{ journal_id: string }[]>`
    select journal_id from stations where station_number = ${number}`
  return row !== undefined && row.journal_id !== journalId
}
