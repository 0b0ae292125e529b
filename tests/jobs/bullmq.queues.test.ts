import process from 'node:process'
import pg from 'pg'
import postgres from 'postgres'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { openQueues } from '../../src/jobs/bullmq.queues.ts'
import { Cable } from '../support/cable.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { eventually } from '../support/server.ts'

let database: Awaited<ReturnType<typeof createTestDatabase>>
let cable: Cable
let sql: postgres.Sql
/** Errors that nobody listened to. Each would have been the end of a server. */
const unheard: unknown[] = []
const note = (error: unknown) => unheard.push(error)

beforeEach(async () => {
  database = await createTestDatabase()
  cable = await Cable.to(database.url)
  sql = postgres(database.url, { max: 1 })
  unheard.length = 0
  process.on('uncaughtException', note)
})
afterEach(async () => {
  process.off('uncaughtException', note)
  vi.restoreAllMocks()
  await sql.end()
  await cable.pull()
  await database.drop()
})

/** How many connections of others there are. */
const connections = async (): Promise<number> => {
  const [row] = await sql`
    select count(*)::int as count from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`
  return row!.count
}

it('survives that Postgres ends a connection that nobody listens to any more', async () => {
  const queues = await openQueues(
    { postgresUrl: cable.url, station: '01' },
    () => {},
    () => {},
  )
  await queues.work('persist', async () => {})
  const left = new Promise<void>((resolve) => {
    const end: (this: pg.Client) => Promise<void> = pg.Client.prototype.end
    vi.spyOn(pg.Client.prototype, 'end').mockImplementation(function (this: pg.Client) {
      if (this.listenerCount('error') === 0) resolve()
      return end.call(this)
    })
  })

  // What the queues say takes so long that Postgres goes before it has heard that they leave.
  cable.slow(300)
  const closed = queues.close()
  await left
  await sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`
  await closed
  await eventually('all connections are gone', async () => (await connections()) === 0)
  expect(unheard).toEqual([])
})
