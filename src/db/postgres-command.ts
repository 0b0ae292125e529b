import { spawn } from 'node:child_process'
import { basename } from 'node:path'
import process from 'node:process'
import { clearTimeout, setTimeout } from 'node:timers'

/** The OS user a command runs as, where that is not ourselves. */
export type OsUser = { readonly name: string; readonly uid: number; readonly gid: number }

/** `code` is null when a signal ended the command; `output` is what it wrote to both of its streams. */
export type CommandResult = { readonly code: number | null; readonly output: string }

export type CommandOptions = { as?: OsUser | undefined; cwd: string; limitMs: number }

const maxOutputLength = 64_000

// Nothing of our own environment: it holds secrets, and PGPORT or PGOPTIONS would change what Postgres does.
const environment =
  process.platform === 'win32'
    ? { PATH: 'C:\\Windows\\system32', SystemRoot: 'C:\\Windows', TZ: 'UTC' }
    : { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' }

/**
 * Runs a program to its end, in a process group of its own: a terminal's Ctrl-C goes to the whole group of
 * the server, and must not end a Postgres that the server still needs. Throws when the program cannot be
 * started (with the error's `code`) or passes its time limit (it is killed then).
 */
export const runCommand = (
  program: string,
  args: readonly string[],
  { as, cwd, limitMs }: CommandOptions,
): Promise<CommandResult> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: environment,
      detached: true,
      windowsHide: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(as && { uid: as.uid, gid: as.gid }),
    })
    let output = ''
    const collect = (chunk: Buffer) => {
      if (output.length < maxOutputLength) output += chunk.toString('utf8')
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    const limit = setTimeout(() => {
      killGroup(child.pid)
      reject(new Error(`${basename(program)} did not end within ${limitMs / 1000} s`))
    }, limitMs)
    child.on('error', (error) => {
      clearTimeout(limit)
      reject(error)
    })
    child.on('close', (code, signal) => {
      clearTimeout(limit)
      if (signal !== null) output += `\nended by ${signal}`
      resolve({ code, output: output.trim() })
    })
  })

const killGroup = (pid: number | undefined) => {
  if (pid === undefined) return
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** What went wrong, for the end of a message of one line. */
export const reasonOf = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? message
}

/** The last line a command wrote, which is where Postgres' programs say why they failed. */
export const lastLine = (output: string): string =>
  output.trim().split('\n').at(-1)?.trim() || 'it says nothing'
