import { readFile, writeFile } from 'node:fs/promises'
import { constants, setPriority } from 'node:os'
import process from 'node:process'
import type { Postmaster } from './postmaster.ts'

// A Postgres of our own takes what the counter leaves of the processors.

const LOWER = constants.priority.PRIORITY_BELOW_NORMAL

/** Processes are born with what their parent has. */
export const lowerPriority = ({ pid }: Postmaster): void => setPriority(pid, LOWER)

/**
 * Linux may give all sessions equal parts of the processors ("autogroup"), and look at priorities only within one. Each
 * process of Postgres is a session of its own, so each has to be told of; those that began since are told of when it is called again.
 */
export const lowerSessions = (): ((postmaster: Postmaster) => Promise<void>) => {
  let lowered = new Set<number>()
  return async ({ pid }) => {
    if (process.platform !== 'linux') return
    const sessions = [pid, ...(await childrenOf(pid))]
    lowered = new Set(sessions.filter((session) => lowered.has(session)))
    for (const session of sessions) if (!lowered.has(session) && (await lower(session))) lowered.add(session)
  }
}

// A kernel without autogroup has no such files, a container may not let us write them, and a process may have ended
// meanwhile: then there is nothing to be lowered, and Postgres runs as it would without us.

const childrenOf = async (pid: number): Promise<number[]> => {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  return text.split(' ').filter(Boolean).map(Number)
}

const lower = (session: number): Promise<boolean> =>
  writeFile(`/proc/${session}/autogroup`, String(LOWER), { flag: 'r+' }).then(
    () => true,
    () => false,
  )
