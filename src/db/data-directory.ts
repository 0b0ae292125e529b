import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
  const file = join(path, 'server.pid')
  const me = `${process.pid} ${startOf(process.pid) ?? ''}`
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(file, me, { flag: 'wx', mode: 0o600 })
      return { path, release: () => rmSync(file, { force: true }) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
        throw new CannotStart(`cannot write ${file}: check the rights and the room on the disk`, {
          cause: error,
        })
    }
    const holder = readFileSync(file, 'utf8').split(' ')
    const pid = Number(holder[0])
    if (attempt > 0 || isRunning(pid, holder[1]))
      throw new CannotStart(
        `another server (process ${pid}) uses the data directory ${path}: stop it, or set another DATA_DIR`,
      )
    rmSync(file, { force: true })
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
