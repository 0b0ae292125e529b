import { readdirSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { isMigrated, migrate } from '../../src/db/migrate.ts'
import { connectPostgres, type Sql } from '../../src/db/postgres.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { openRacingDatabase, project, type RacingDatabase, withoutGuard } from './racing/racing.database.ts'
import { receiptId, winners } from './racing/round.history.ts'

const files = readdirSync(new URL('../../src/db/migrations/', import.meta.url)).sort()

describe('migrate', () => {
  let database: Awaited<ReturnType<typeof createTestDatabase>>
  let sql: Sql

  beforeEach(async () => {
    database = await createTestDatabase()
    sql = connectPostgres(database.url, 2)
  })
  afterEach(async () => {
    await sql.end()
    await database.drop()
  })

  it('names its files by number, module and what they do', () => {
    for (const [i, name] of files.entries())
      expect(name).toMatch(new RegExp(`^${String(i + 1).padStart(6, '0')}_[a-z]+_[a-z_]+\\.sql$`))
  })

  it('runs each migration once, in order', async () => {
    expect(await migrate(sql)).toEqual(files)
    expect(await migrate(sql)).toEqual([])
  })

  it('is known to have nothing to do only where every migration ran, and only those', async () => {
    expect(await isMigrated(sql)).toBe(false)
    expect(await sql`select 1 from pg_tables where schemaname = 'public'`).toEqual([])
    await migrate(sql)
    expect(await isMigrated(sql)).toBe(true)
    await sql`delete from migrations where name = ${files.at(-1)!}`
    expect(await isMigrated(sql)).toBe(false)
    await sql`insert into migrations (name) values (${files.at(-1)!}), ('000099_racing_future.sql')`
    expect(await isMigrated(sql)).toBe(false)
  })

  it('lets servers that start together migrate one after another', async () => {
    const servers = Array.from({ length: 5 }, () => connectPostgres(database.url, 1))
    const ran = await Promise.all(servers.map(migrate))
    await Promise.all(servers.map((server) => server.end()))
    expect(ran.flat()).toEqual(files)
  })

  it('refuses a database that a newer version has migrated, and says what to do', async () => {
    await migrate(sql)
    await sql`insert into migrations (name) values ('000099_racing_future.sql')`
    await expect(migrate(sql)).rejects.toThrow(
      'the database is newer than this Galop (it knows 000099_racing_future.sql): start the newer version',
    )
  })
})

describe('the tables of racing', () => {
  const ROUND = 42
  let database: RacingDatabase
  let sql: Sql

  beforeAll(async () => {
    database = await openRacingDatabase()
    sql = database.sql
    await project(sql, winners(2, { roundId: ROUND }))
  })
  afterAll(() => database.close())

  const refused = (code: string) => ({ code })
  const CHECK = refused('23514')
  const FOREIGN_KEY = refused('23503')

  it('add facts and refuse to change or remove them', async () => {
    for (const statement of [
      'update facts set type = type',
      "update facts set body = '{}' where number = 1",
      'delete from facts where number = 1',
      'delete from facts where false',
      'truncate facts',
    ])
      await expect(sql.unsafe(statement)).rejects.toThrow('facts are added, never changed or removed')
    const [row] = await sql<{ count: number }[]>`select count(*) as count from facts`
    expect(row!.count).toBe(6)
  })

  it('refuse receipts that cannot be', async () => {
    const id = receiptId(ROUND, 1)
    const change = (set: string) => sql.unsafe(`update receipts set ${set} where receipt_id = ${id}`)
    await expect(change("status = 'sold'")).rejects.toMatchObject(CHECK)
    await expect(change('total_amount = 0')).rejects.toMatchObject(CHECK)
    await expect(change('total_amount = -5')).rejects.toMatchObject(CHECK)
    await expect(change('prize = -1')).rejects.toMatchObject(CHECK)
    await expect(change('prints = -1')).rejects.toMatchObject(CHECK)
    await expect(change("status = 'paid'")).rejects.toMatchObject(CHECK)
    await expect(change("status = 'paid', closed_by = 7")).rejects.toMatchObject(CHECK)
    await expect(change('closed_by = 7, closed_at = now()')).rejects.toMatchObject(CHECK)
    await expect(change('user_id = 999')).rejects.toMatchObject(FOREIGN_KEY)
    await expect(change('round_id = 999')).rejects.toMatchObject(FOREIGN_KEY)
    await expect(change("status = 'paid', closed_by = 999, closed_at = now()")).rejects.toMatchObject(
      FOREIGN_KEY,
    )
  })

  it('refuse bets that cannot be', async () => {
    const id = receiptId(ROUND, 1)
    const change = (set: string) =>
      sql.unsafe(`update bets set ${set} where receipt_id = ${id} and number = 1`)
    await expect(change('value = 0')).rejects.toMatchObject(CHECK)
    await expect(change('prize = -1')).rejects.toMatchObject(CHECK)
    await expect(change('number = 77')).rejects.toMatchObject(FOREIGN_KEY)
    await expect(change('receipt_id = 77')).rejects.toMatchObject(FOREIGN_KEY)
  })

  it('refuse rounds that cannot be', async () => {
    const change = (set: string) => sql.unsafe(`update rounds set ${set} where round_id = ${ROUND}`)
    await expect(change("status = 'void'")).rejects.toMatchObject(CHECK)
    await expect(change("locks_at = starts_at + interval '1 s'")).rejects.toMatchObject(CHECK)
    await expect(change('seed = null')).rejects.toMatchObject(CHECK)
    await expect(change("status = 'running'")).rejects.toMatchObject(CHECK)
    await expect(change('retired_at = now()')).rejects.toMatchObject(CHECK)
    await expect(change('stakes = -1')).rejects.toMatchObject(CHECK)
    await expect(sql`
      insert into round_participants (round_id, number, name, chance, coefficient) values (${ROUND}, 7, 'x', 1, 100)
    `).rejects.toMatchObject(CHECK)
    await expect(sql`
      insert into round_participants (round_id, number, name, chance, coefficient) values (999, 7, 'x', 1, 200)
    `).rejects.toMatchObject(FOREIGN_KEY)
  })

  it('give amounts back as whole numbers, and refuse to round one that is too large', async () => {
    const id = receiptId(ROUND, 1)
    await withoutGuard(sql, (tx) => tx`update receipts set prize = 9007199254740993 where receipt_id = ${id}`)
    await expect(sql`select prize from receipts where receipt_id = ${id}`).rejects.toThrow(
      'Postgres holds 9007199254740993, which is not a safe integer',
    )
  })
})
