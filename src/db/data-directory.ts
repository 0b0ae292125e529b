import {
  accessSync,
  constants,
  linkSync,
  mkdirSync,
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

const MARK = 'server.pid'

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
  const file = join(path, MARK)
  const own = `${file}.${process.pid}`
  for (let attempt = 0; ; attempt++) {
    try {
      // Written beside and then given its name, which one alone can take: nobody ever sees half a mark.
      writeFileSync(own, `${process.pid} ${startOf(process.pid) ?? ''}`, { mode: 0o600 })
      linkSync(own, file)
      return { path, release: () => rmSync(file, { force: true }) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
        throw new CannotStart(`cannot write ${file}: check the rights and the room on the disk`, {
          cause: error,
        })
    } finally {
      rmSync(own, { force: true })
    }
    const holder = holderOf(path)
    if (attempt > 0 || holder !== undefined)
      throw new CannotStart(
        `another server (process ${holder ?? 'unknown'}) uses the data directory ${path}: stop it, or set another DATA_DIR`,
      )
    removeStale(file, own)
  }
}

/** Takes the mark of a server that is gone away; unless another one, which starts too, has put its own there meanwhile. */
const removeStale = (file: string, aside: string): void => {
  try {
    renameSync(file, aside)
    if (holderIn(aside) !== undefined) linkSync(aside, file)
  } catch (error) {
    // Somebody else took it away, or put one there: the next attempt sees who.
    if (!['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  } finally {
    rmSync(aside, { force: true })
  }
}

/** The process that uses a data directory at present, if there is one. */
export const holderOf = (directory: string): number | undefined => holderIn(join(directory, MARK))

const holderIn = (file: string): number | undefined => {
  try {
    const [pid, start] = readFileSync(file, 'utf8').split(' ')
    return isRunning(Number(pid), start) ? Number(pid) : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
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
