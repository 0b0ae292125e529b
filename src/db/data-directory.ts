import {
  accessSync,
  constants,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'

/** A reason not to start, in one line for a person. */
export class CannotStart extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CannotStart'
  }
}

// Nobody else may read here. As root, others may pass through: the OS user that Postgres runs as has its data below.
const MODE = process.getuid?.() === 0 ? 0o711 : 0o700

// Who uses a data directory is said by a mark in it. Marks are numbered, and the one with the highest number counts.
//   D1. The next number is given to one process alone, and only where the holder of the last mark is gone.
//   D2. A mark that counts is never taken away, not even by its holder, who empties it: so nobody who looked earlier
//       takes a number that is free again for the next one.
const MARK = /^server\.pid\.(\d+)$/
const markOf = (path: string, number: number): string => join(path, `server.pid.${number}`)

export type DataDirectory = { readonly path: string; release(): void }

/**
 * Makes the data directory and takes it for this process: two servers on one directory would both own its rounds.
 * @throws CannotStart
 */
export const takeDataDirectory = (directory: string): DataDirectory => {
  const path = resolve(directory)
  try {
    mkdirSync(path, { recursive: true, mode: MODE })
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown reason'
    throw new CannotStart(
      `cannot write to the data directory ${path} (${reason}): set DATA_DIR to one that you may write`,
      {
        cause: error,
      },
    )
  }
  const own = join(path, `server.pid-${process.pid}`)
  try {
    // Written beside, and given its name as a whole.
    writeFileSync(own, `${process.pid} ${startOf(process.pid) ?? ''}`, { mode: 0o600 })
    const number = nextNumber(path, own)
    return { path, release: () => release(path, number) }
  } catch (error) {
    if (error instanceof CannotStart) throw error
    throw new CannotStart(`cannot write ${own}: check the rights and the room on the disk`, { cause: error })
  } finally {
    rmSync(own, { force: true })
  }
}

/** Gives this process the next number, or throws where the last one is in use. */
const nextNumber = (path: string, own: string): number => {
  for (;;) {
    const last = lastMark(path)
    if (last.holder !== undefined)
      throw new CannotStart(
        `another server (process ${last.holder}) uses the data directory ${path}: stop it, or set another DATA_DIR`,
      )
    const number = last.number + 1
    try {
      linkSync(own, markOf(path, number))
    } catch (error) {
      // Another one that starts at this moment has it: the next look finds whom.
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue
      throw error
    }
    if (lastMark(path).number !== number) {
      // Others have come and gone since the look before: the number was free again.
      rmSync(markOf(path, number), { force: true })
      continue
    }
    for (const older of numbersIn(path)) if (older < number) rmSync(markOf(path, older), { force: true })
    return number
  }
}

const release = (path: string, number: number): void => {
  const empty = join(path, `server.pid-${process.pid}`)
  try {
    writeFileSync(empty, '', { mode: 0o600 })
    renameSync(empty, markOf(path, number))
  } catch {
    // No room, or no directory any more. A process that is gone holds nothing.
    rmSync(empty, { force: true })
  }
}

/** The process that uses a data directory at present, if there is one. */
export const holderOf = (directory: string): number | undefined => lastMark(directory).holder

const numbersIn = (path: string): number[] =>
  readdirSync(path).flatMap((name) => {
    const found = MARK.exec(name)
    return found ? [Number(found[1])] : []
  })

const lastMark = (path: string): { number: number; holder: number | undefined } => {
  for (;;) {
    const number = Math.max(0, ...numbersIn(path))
    if (number === 0) return { number, holder: undefined }
    try {
      const [pid, start] = readFileSync(markOf(path, number), 'utf8').split(' ')
      return { number, holder: isRunning(Number(pid), start) ? Number(pid) : undefined }
    } catch (error) {
      // It was taken away because there is a later one.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

/** Whether the process that left this mark still runs. Its time of start tells it from a later one with its number. */
const isRunning = (pid: number, start: string | undefined): boolean => {
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const now = startOf(pid)
  return now !== 'gone' && (!start || now === undefined || now === start)
}

/** When a process started, as Linux tells it; `undefined` elsewhere, 'gone' for one that ended and was not reaped. */
const startOf = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? 'gone' : fields[19]
  } catch {
    return undefined
  }
}
