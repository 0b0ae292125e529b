import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connectPostgres, isPassing, type Sql } from '../../../src/db/postgres.ts'
import { Cable } from '../../support/cable.ts'
import { createTestDatabase } from '../../support/postgres.ts'

let database: Awaited<ReturnType<typeof createTestDatabase>>
let cable: Cable
/** One that goes through the cable, and one that does not. */
let sql: Sql
let watcher: Sql

beforeEach(async () => {
  database = await createTestDatabase()
  cable = await Cable.to(database.url)
  sql = connectPostgres(cable.url, 2)
  watcher = connectPostgres(database.url, 1)
  await watcher`create table paid (id bigint)`
})
afterEach(async () => {
  await sql.end({ timeout: 1 })
  await watcher.end()
  await cable.pull()
  await database.drop()
})

const paid = async () =>
  (await watcher<{ id: number }[]>`select id from paid order by id`).map((row) => row.id)

/** Resolves once somebody else is asleep in this database. */
const somebodySleeps = async (): Promise<void> => {
  for (;;) {
    const rows = await watcher`
      select 1 from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`
    if (rows.length > 0) return
  }
}

describe('a transaction', () => {
  it('gives what its work gives, and leaves its rows', async () => {
    const answer = await sql.begin(async (tx) => {
      await tx`insert into paid values (1)`
      return 'done'
    })
    expect(answer).toBe('done')
    expect(await paid()).toEqual([1])
  })

  it('leaves nothing where its work throws, and the next one is not touched by it', async () => {
    const failing = sql.begin(async (tx) => {
      await tx`insert into paid values (1)`
      throw new Error('changed my mind')
    })
    await expect(failing).rejects.toThrow('changed my mind')
    await expect(sql.begin((tx) => tx`select * from nowhere`)).rejects.toMatchObject({ code: '42P01' })
    await sql.begin((tx) => tx`insert into paid values (2)`)
    expect(await paid()).toEqual([2])
  })

  it('fails when its connection is cut, without harm to the process, and the next goes through at once', async () => {
    for (const round of [1, 2, 3]) {
      const cut = sql.begin(async (tx) => {
        await tx`insert into paid values (${round})`
        await tx`select pg_sleep(20)`
      })
      const failed = expect(cut).rejects.toSatisfy(isPassing)
      await somebodySleeps()
      await cable.pull()
      await failed
      await expect(sql.begin((tx) => tx`select 1`)).rejects.toSatisfy(isPassing)
      await cable.plug()
      await sql.begin((tx) => tx`insert into paid values (${round * 10})`)
      await watcher`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and wait_event = 'PgSleep'`
    }
    expect(await paid()).toEqual([10, 20, 30])
  })

  it('sends nothing over another connection, when its own is cut between two statements', async () => {
    const cut = sql.begin(async (tx) => {
      await tx`insert into paid values (1)`
      await cable.pull()
      await cable.plug()
      // The cable is in again, so that a new connection could be had.
      await watcher`select 1`
      await tx`insert into paid values (2)`
    })
    await expect(cut).rejects.toSatisfy(isPassing)
    expect(await paid()).toEqual([])
    await sql.begin((tx) => tx`insert into paid values (3)`)
    expect(await paid()).toEqual([3])
  })

  it('waits for its turn where many come at once', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => sql.begin((tx) => tx`insert into paid values (${i})`)),
    )
    expect(await paid()).toHaveLength(20)
    const [row] = await watcher<{ count: number }[]>`
      select count(*) as count from pg_stat_activity where datname = current_database()`
    expect(row!.count).toBeLessThanOrEqual(3)
  })
})

describe('arrays', () => {
  it('arrive as they were sent, whatever is in them', async () => {
    const texts = ['plain', '', 'with "quotes"', 'a\\b', '{a,b}', 'null', 'NULL', 'é😀\n', ' ']
    const numbers = [1, null, Number.MAX_SAFE_INTEGER, -5]
    const times = ['2026-01-05T08:00:00.123Z', null]
    const [row] = await sql`
      select array_to_json(${texts}::text[]) as texts, array_to_json(${numbers}::bigint[]) as numbers,
        array_to_json(${times}::timestamptz[]) as times, cardinality(${[]}::text[]) as none`
    expect(row).toEqual({
      texts,
      numbers,
      times: ['2026-01-05T08:00:00.123+00:00', null],
      none: 0,
    })
  })
})
