import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Journal } from '../../../src/actors/journal.port.ts'
import { RECEIPTS_SOLD } from '../../../src/actors/racing/station.port.ts'
import { openJournal } from '../../../src/db/journal.ts'
import { memoryStore } from '../../../src/db/memory.store.ts'
import { connectPostgres } from '../../../src/db/postgres.ts'
import { claimStation, isSuperseded, tellReceipts } from '../../../src/db/racing/station.claim.ts'
import type { Fact } from '../../../src/domain/racing/facts.ts'
import { receiptNumbers } from '../../../src/domain/racing/receipt-number.ts'
import { Cable } from '../../support/cable.ts'
import { openRacingDatabase, project, type RacingDatabase, wipe } from './racing.database.ts'
import { winners } from './round.history.ts'

let database: RacingDatabase

beforeAll(async () => {
  database = await openRacingDatabase()
})
beforeEach(async () => {
  await wipe(database.sql)
  await database.sql`delete from stations`
})
afterAll(() => database.close())

const newJournal = (store = memoryStore()): Journal<Fact> =>
  openJournal({ store, parse: (row) => row as Fact })
const claim = (station: string, journal = newJournal()) => claimStation(journal, database.sql, station)

describe('claiming a station', () => {
  it('gives a new journal a secret, a block of rounds and the first receipts', async () => {
    const binding = await claim('01')
    expect(binding).toMatchObject({ number: '01', firstReceipt: 0 })
    expect(binding.key).toMatch(/^[0-9a-f]{64}$/)
    expect(binding.firstRound % 100_000_000).toBe(1)
  })

  it('S1: tells the same journal the same again, without asking Postgres', async () => {
    const journal = newJournal()
    const first = await claim('01', journal)
    expect(await claim('01', journal)).toEqual(first)
    const cable = await Cable.to(database.url)
    await cable.pull()
    const away = connectPostgres(cable.url, 1)
    expect(await claimStation(journal, away, '01')).toEqual(first)
    await expect(claimStation(newJournal(), away, '01')).rejects.toThrow(/Postgres/)
    await away.end()
  })

  it('refuses a journal that sells for another station, and says what to do', async () => {
    const journal = newJournal()
    await claim('01', journal)
    await expect(claim('02', journal)).rejects.toThrow(
      'this data directory belongs to station 01: set STATION_NUMBER=01, or give station 02 a DATA_DIR of its own',
    )
  })

  it('refuses a station whose number is the same but for its zeros: their receipts would share numbers', async () => {
    await claim('01')
    await expect(claim('001')).rejects.toThrow(
      'station 001 would sell receipts with the numbers of station 01: choose another STATION_NUMBER',
    )
    await claim('10')
    await claim('0100')
  })

  it('gives other stations other rounds and other secrets', async () => {
    const [one, two] = [await claim('01'), await claim('02')]
    expect(one.firstRound).not.toBe(two.firstRound)
    expect(one.key).not.toBe(two.key)
    expect(two.firstReceipt).toBe(0)
  })

  it('gives a journal that replaces a lost one rounds and receipts that were never there', async () => {
    const lost = await claim('01')
    const neighbour = await claim('02')
    await project(database.sql, winners(30, { roundId: lost.firstRound }))
    await project(database.sql, winners(12, { roundId: lost.firstRound + 5 }))
    await project(database.sql, winners(7, { roundId: neighbour.firstRound }))
    const next = await claim('01')
    expect(next.firstRound).toBeGreaterThanOrEqual(lost.firstRound + 100_000_000)
    expect(next.firstReceipt).toBe(42 + 100_000)
    expect(next.key).toBe(lost.key)

    await project(database.sql, winners(3, { roundId: next.firstRound }))
    const third = await claim('01')
    expect(third.firstReceipt).toBe(next.firstReceipt + 3 + 100_000)

    const idOf = receiptNumbers('01', lost.key)
    const ids = [0, 1, 41, 99_999, next.firstReceipt, next.firstReceipt + 3, third.firstReceipt].map(idOf)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('numbers receipts from above what a lost journal had told, though Postgres has no row of them', async () => {
    const journal = newJournal()
    await claim('01', journal)
    expect(await tellReceipts(journal, database.sql, 0)).toBe(0)
    await journal.write({ [RECEIPTS_SOLD]: 300_000 })
    expect(await tellReceipts(journal, database.sql, 0)).toBe(300_000)
    const next = newJournal()
    expect((await claim('01', next)).firstReceipt).toBe(300_000 + 100_000)

    // The old one, which is not lost after all, has no say any more.
    await journal.write({ [RECEIPTS_SOLD]: 900_000 })
    await tellReceipts(journal, database.sql, 300_000)
    await next.write({ [RECEIPTS_SOLD]: 400_001 })
    expect(await tellReceipts(next, database.sql, 0)).toBe(400_001)
    expect((await claim('01')).firstReceipt).toBe(400_001 + 100_000)
  })

  it('gives everyone a block of their own when several claim at once', async () => {
    const bindings = await Promise.all(Array.from({ length: 6 }, () => claim('01')))
    expect(new Set(bindings.map((one) => one.firstRound)).size).toBe(6)
    expect(new Set(bindings.map((one) => one.firstReceipt)).size).toBe(6)
    expect(new Set(bindings.map((one) => one.key)).size).toBe(1)
    expect(new Set(bindings.map((one) => one.journalId)).size).toBe(6)
  })

  it('S2: tells a journal whose station another one has claimed since', async () => {
    const [old, other] = [newJournal(), newJournal()]
    await claim('01', old)
    await claim('02', other)
    expect(await isSuperseded(old, database.sql)).toBe(false)
    const replacement = newJournal()
    await claim('01', replacement)
    expect(await isSuperseded(old, database.sql)).toBe(true)
    expect(await isSuperseded(other, database.sql)).toBe(false)
    expect(await isSuperseded(replacement, database.sql)).toBe(false)
  })
})
