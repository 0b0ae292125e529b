// A Postgres that a test may stop, kill or freeze, and have back on the same port. Nobody looks after it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts'
import { endPostgresOf, eventually, gone, removeData, temporaryDirectory } from './server.ts'

export type BreakablePostgres = {
  readonly url: string
  /** `kill -9` of its first process; the others follow. */
  kill(): Promise<void>
  /** In order, as an administrator stops it. */
  shutDown(): Promise<void>
  /** Every process stands still: connections stay open and nobody answers. */
  freeze(): Promise<void>
  /** Whatever was done to it, it answers again. */
  mend(): Promise<void>
  end(): Promise<void>
}

export const startBreakablePostgres = async (): Promise<BreakablePostgres> => {
  const temporary = await temporaryDirectory()
  const data = join(temporary, 'data')
  const made = await startEmbeddedPostgres({ dataDirectory: join(data, 'postgres'), say: () => {} })
  const cluster = join(made.directory, 'cluster')
  const postmaster = (): number => parseInt(readFileSync(join(cluster, 'postmaster.pid'), 'utf8'), 10)
  const pgCtl = join(dirname(readlinkSync(`/proc/${postmaster()}/exe`)), 'pg_ctl')
  const { uid, gid } = statSync(cluster)
  await made.stop()

  const control = async (...args: string[]): Promise<void> => {
    const child = spawn(pgCtl, [`--pgdata=${cluster}`, '--wait', ...args], {
      cwd: '/',
      stdio: 'ignore',
      ...(process.getuid?.() === 0 && { uid, gid }),
    })
    const [code] = await once(child, 'exit')
    if (code !== 0) throw new Error(`pg_ctl ${args.join(' ')} ended with ${code}`)
  }
  const start = () => control('start', `--log=${join(cluster, 'start.log')}`)
  await start()

  let frozen: number[] = []
  const thaw = () => {
    for (const pid of frozen.splice(0)) if (!gone(pid)) process.kill(pid, 'SIGCONT')
  }
  let isUp = true
  return {
    url: made.url,
    kill: async () => {
      const all = familyOf(postmaster())
      isUp = false
      process.kill(all[0]!, 'SIGKILL')
      await eventually('all of Postgres is gone', () => all.every(gone))
    },
    shutDown: async () => {
      isUp = false
      await control('stop', '--mode=fast')
    },
    freeze: async () => {
      // The first one first, so that no new one is born meanwhile.
      process.kill(postmaster(), 'SIGSTOP')
      frozen = familyOf(postmaster())
      for (const pid of frozen) process.kill(pid, 'SIGSTOP')
    },
    mend: async () => {
      thaw()
      // Somebody's connection may have its port for a moment.
      if (!isUp)
        await eventually('Postgres is started again', () =>
          start().then(
            () => true,
            () => false,
          ),
        )
      isUp = true
    },
    end: async () => {
      thaw()
      await endPostgresOf(data)
      await removeData(temporary)
    },
  }
}

/** A process and its children. */
const familyOf = (pid: number): number[] => [
  pid,
  ...readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
    .map(Number),
]

const parentOf = (pid: string): number | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}
