// The first process of a running Postgres, as it describes itself in `postmaster.pid`.
import { chown, readFile, readlink, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { runCommand } from './postgres-command.ts'

/** `isReady` is false while it starts, recovers or stops. */
export type Postmaster = { readonly pid: number; readonly port: number; readonly isReady: boolean }

const psLimitMs = 10_000

const pidFileOf = (cluster: string) => join(cluster, 'postmaster.pid')

/** The Postgres that really runs on this cluster now, whatever a stale file says. */
export const findPostmaster = async (cluster: string): Promise<Postmaster | undefined> => {
  const lines = await readPidFile(cluster)
  const pid = Number(lines?.[0])
  if (lines === undefined || !Number.isInteger(pid) || pid < 1) return undefined
  if (!(await runsOn(pid, cluster))) return undefined
  return { pid, port: Number(lines[3] ?? 0), isReady: lines[7]?.trim() === 'ready' }
}

/** Cheap enough to be asked every second. */
export const stillRuns = async ({ pid }: Postmaster, cluster: string): Promise<boolean> =>
  process.platform === 'linux' ? await runsOn(pid, cluster) : isAlive(pid)

/**
 * Postgres refuses to start while the process in its pid file lives, and after a reboot that number may
 * belong to anyone, or to a process that ended but that nobody has reaped. It makes an exception for the
 * process that called `pg_ctl`, which is us; deleting the file instead would lose the identifier by which
 * it finds out that sessions of a killed predecessor are still writing.
 */
export const takeOverStalePidFile = async (cluster: string): Promise<void> => {
  const lines = await readPidFile(cluster)
  if (lines === undefined || (await findPostmaster(cluster)) !== undefined) return
  const pid = Number(lines[0])
  if (!Number.isInteger(pid) || pid < 1 || !isAlive(pid)) return
  const fresh = `${pidFileOf(cluster)}.new`
  await rm(fresh, { force: true })
  await writeFile(fresh, [process.pid, ...lines.slice(1)].join('\n'), { mode: 0o600, flag: 'wx' })
  const { uid, gid } = await stat(cluster)
  await chown(fresh, uid, gid)
  await rename(fresh, pidFileOf(cluster))
}

const readPidFile = async (cluster: string): Promise<string[] | undefined> => {
  try {
    return (await readFile(pidFileOf(cluster), 'utf8')).split('\n')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const runsOn = async (pid: number, cluster: string): Promise<boolean> => {
  if (process.platform === 'win32' || !isAlive(pid)) return isAlive(pid)
  const directory = await realpath(cluster)
  if (process.platform !== 'linux') return (await commandOf(pid)).includes(directory)
  // Every process of Postgres works in the directory of its cluster; one that has ended works nowhere.
  try {
    return (await readlink(`/proc/${pid}/cwd`)) === directory
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return false
    if (code !== 'EACCES' && code !== 'EPERM' && name !== 'NotCapable') throw error
  }
  // In a container even root may not see where a process of another user works, but how it was called.
  const words = (await contentOf(`/proc/${pid}/cmdline`)).split('\0')
  return words.includes(cluster) || words.includes(directory)
}

/** Deno lets nobody read below `/proc` without all permissions, but it lets a program do it. */
const contentOf = async (path: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as Error).name !== 'NotCapable') return ''
    return (await runCommand('cat', [path], { cwd: '/', limitMs: psLimitMs })).output
  }
}

const commandOf = async (pid: number): Promise<string> =>
  (await runCommand('ps', ['-o', 'command=', '-p', String(pid)], { cwd: '/', limitMs: psLimitMs })).output

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
