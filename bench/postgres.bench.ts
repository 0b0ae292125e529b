import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { startEmbeddedPostgres } from '../src/db/embedded-postgres.ts'
import { migrate } from '../src/db/migrate.ts'
import { connectPostgres } from '../src/db/postgres.ts'

// The Postgres of a measurement: started as the server starts its own, with the settings that it gives it.

export type BenchPostgres = {
  readonly url: string
  /** Makes another database beside, with the same tables. @returns its address */
  beside(name: string): Promise<string>
  stop(): Promise<void>
}

export const startBenchPostgres = async (): Promise<BenchPostgres> => {
  const directory = mkdtempSync(join(tmpdir(), 'galop-bench-postgres-'))
  chmodSync(directory, 0o755)
  const server = await startEmbeddedPostgres({ dataDirectory: join(directory, 'postgres'), say: () => {} })
  return {
    url: server.url,
    beside: async (name) => {
      const sql = postgres(server.url, { max: 1 })
      await sql.unsafe(`create database ${name}`)
      await sql.end()
      const url = new URL(server.url)
      url.pathname = `/${name}`
      const other = connectPostgres(url.href, 2)
      await migrate(other)
      await other.end()
      return url.href
    },
    stop: async () => {
      await server.stop()
      for (const one of [server.directory, directory]) rmSync(one, { recursive: true, force: true })
    },
  }
}

/** Rows in the form of `copy`, and what they go into. */
export type Rows = { readonly into: string; readonly bytes: Buffer }

/** Reads rows by `copy … to`, whole, into memory. Over a connection of its own: the driver's does no more afterwards. */
export const copyOut = async (url: string, into: string, query: string): Promise<Rows> => {
  const sql = postgres(url, { max: 1 })
  const chunks: Buffer[] = []
  for await (const chunk of await sql.unsafe(`copy (${query}) to stdout`).readable()) chunks.push(chunk)
  await sql.end({ timeout: 0 })
  return { into, bytes: Buffer.concat(chunks) }
}

/** Writes rows by `copy … from`, all of them in one transaction. @returns the seconds that it took */
export const copyIn = async (sql: postgres.Sql, all: readonly Rows[]): Promise<number> => {
  const began = performance.now()
  await sql.begin(async (tx) => {
    for (const { into, bytes } of all) {
      const target = await tx.unsafe(`copy ${into} from stdin`).writable()
      // Not until it is closed: the driver's stream closes after its transaction only.
      const finished = once(target, 'finish')
      target.end(bytes)
      await finished
    }
  })
  return (performance.now() - began) / 1000
}
