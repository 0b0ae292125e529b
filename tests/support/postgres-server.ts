import { spawn } from 'node:child_process'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import postgres from 'postgres'
import { startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts'

// Runs beside, and acts when the pipe from its parent breaks: however the run ends, no Postgres outlives it.
const caretaker = `
  const { readFileSync, rmSync } = require('node:fs')
  process.stdin.resume().on('end', () => {
    try {
      process.kill(parseInt(readFileSync(process.argv[1] + '/cluster/postmaster.pid', 'utf8')), 'SIGQUIT')
    } catch {}
    rmSync(process.argv[2], { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  })
`

/** A Postgres in a temporary directory. It forgets on a power cut, which makes it faster. */
export const startTestPostgres = async (): Promise<{ adminUrl: string; stop(): Promise<void> }> => {
  const temporary = await mkdtemp(join(tmpdir(), 'galop-postgres-'))
  await chmod(temporary, 0o755)
  const lines: string[] = []
  const server = await startEmbeddedPostgres({
    dataDirectory: join(temporary, 'postgres'),
    say: (line) => lines.push(line),
  }).catch(async (error: Error) => {
    await rm(temporary, { recursive: true, force: true })
    throw new Error([...lines, error.message].join('\n'), { cause: error })
  })
  const guard = spawn(process.execPath, ['-e', caretaker, server.directory, temporary], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  await forgetOnPowerCut(server.url)
  return {
    adminUrl: server.url,
    stop: async () => {
      await server.stop()
      await rm(server.directory, { recursive: true, force: true })
      const ended = new Promise((resolve) => guard.once('exit', resolve))
      guard.stdin.end()
      await ended
    },
  }
}

const forgetOnPowerCut = async (url: string) => {
  const sql = postgres(url, { max: 1 })
  for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes'])
    await sql.unsafe(`alter system set ${setting} = off`)
  await sql`select pg_reload_conf()`
  await sql.end()
}
