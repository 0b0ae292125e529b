import { readdir, readFile } from 'node:fs/promises'
import type { Sql } from './postgres.ts'

const DIRECTORY = new URL('./migrations/', import.meta.url)
/** Any number, always the same: servers that start together migrate one after another. */
const LOCK = 7_237_001
/** SQLSTATE `undefined_table`. */
const NO_TABLE = '42P01'

/**
 * Brings the database up to date: runs each `NNNNNN_module_what.sql` once, in order, in one transaction.
 * @returns the names of the migrations that ran
 * @throws where the database was migrated by a newer version of Galop
 */
export const migrate = async (sql: Sql): Promise<string[]> => {
  const files = await migrations()
  const texts = new Map<string, string>()
  for (const name of files) texts.set(name, await readFile(new URL(name, DIRECTORY), 'utf8'))
  return sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${LOCK})`
    await tx`
      create table if not exists migrations (
        name text primary key,
        ran_at timestamptz not null default now()
      )`
    const ran = new Set((await tx<{ name: string }[]>`select name from migrations`).map((row) => row.name))
    const unknown = [...ran].filter((name) => !files.includes(name))
    if (unknown.length > 0)
      throw new Error(
        `the database is newer than this Galop (it knows ${unknown.join(', ')}): start the newer version`,
      )
    const due = files.filter((name) => !ran.has(name))
    for (const name of due) {
      await tx.unsafe(texts.get(name)!)
      await tx`insert into migrations (name) values (${name})`
    }
    return due
  })
}

/** Whether there is nothing for `migrate` to do. Only looks. */
export const isMigrated = async (sql: Sql): Promise<boolean> => {
  const files = await migrations()
  try {
    const ran = (await sql<{ name: string }[]>`select name from migrations`).map((row) => row.name)
    return ran.sort().join() === files.join()
  } catch (error) {
    if ((error as { code?: unknown }).code === NO_TABLE) return false
    throw error
  }
}

const migrations = async (): Promise<string[]> =>
  (await readdir(DIRECTORY)).filter((name) => name.endsWith('.sql')).sort()
