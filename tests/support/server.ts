// The server as people run it: a process of its own, known by what it prints and by what it answers over HTTP.
//   S1. Nothing that is started here outlives the test run, an orphaned Postgres included.
//   S2. It gets only the settings that a test names: nothing of the environment of whoever runs the tests.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')

const START_LIMIT_MS = 60_000
const STOP_LIMIT_MS = 40_000
const LOOK_EVERY_MS = 20
/** A look that takes longer counts as so long: a machine that stood still for a while has not used up the time. */
const LONGEST_LOOK_MS = 2_000

/**
 * What `look` finds, as soon as it finds something. It may throw for as long as the time lasts.
 * @throws Error that says what was waited for and what was seen last
 */
export const eventually = async <T>(
  what: string,
  look: () => Promise<T | undefined | false | null> | T | undefined | false | null,
  withinMs = 20_000,
): Promise<T> => {
  let spentMs = 0
  let lookedAt = performance.now()
  let trouble: unknown
  for (;;) {
    try {
      const found = await look()
      if (found !== undefined && found !== false && found !== null) return found
      trouble = undefined
    } catch (error) {
      trouble = error
    }
    if (spentMs > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`, { cause: trouble })
    await delay(LOOK_EVERY_MS)
    const now = performance.now()
    spentMs += Math.min(now - lookedAt, LONGEST_LOOK_MS)
    lookedAt = now
  }
}

// Runs beside, and acts when the pipe from its parent breaks. It is told lines: a process id, or a directory. A process
// is known by its time of start too, for its number may be another's by then.
const caretaker = `
  const { readFileSync, readlinkSync, rmSync } = require('node:fs')
  const read = (file) => { try { return readFileSync(file, 'utf8') } catch { return '' } }
  const startOf = (pid) => read('/proc/' + pid + '/stat').split(') ').at(-1).split(' ')[19]
  const kill = (pid) => { try { process.kill(pid, 'SIGKILL') } catch {} }
  const again = { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }
  const started = new Map(), homes = new Set()
  let text = ''
  process.stdin.setEncoding('utf8').on('data', (data) => {
    const lines = (text + data).split('\\n')
    text = lines.pop()
    for (const line of lines) line.startsWith('/') ? homes.add(line) : started.set(Number(line), startOf(line))
  }).on('end', () => {
    for (const [pid, start] of started) if (start && startOf(pid) === start) kill(pid)
    for (const home of homes) {
      const postgres = read(home + '/data/postgres/location').trim() || home + '/data/postgres'
      const pid = parseInt(read(postgres + '/cluster/postmaster.pid'))
      if (read('/proc/' + pid + '/cmdline').split('\\0').includes(postgres + '/cluster')) kill(pid)
      if (postgres.startsWith('/var/lib/galop/')) rmSync(postgres, again)
      rmSync(home, again)
    }
  })
`
let guard: ChildProcess | undefined
const tellCaretaker = (line: string): void => {
  if (!guard) {
    guard = spawn(process.execPath, ['-e', caretaker], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    guard.unref()
    const { stdin } = guard
    stdin?.on('error', () => {})
    ;(stdin as unknown as { unref?(): void } | null)?.unref?.()
  }
  guard.stdin?.write(`${line}\n`)
}

/** A temporary directory that any OS user may pass through, as that of Postgres must. It goes with the test run. */
export const temporaryDirectory = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'galop-e2e-'))
  await chmod(directory, 0o755)
  tellCaretaker(directory)
  return directory
}

export type Ended = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

/** A program that was started, and all that it printed. */
export class Program {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  stdout = ''
  stderr = ''
  hasEnded = false

  constructor(
    command: readonly string[],
    env: Readonly<Record<string, string>>,
    options: { readonly cwd?: string; readonly group?: boolean } = {},
  ) {
    const [file, ...args] = command
    const { PATH = '', HOME = '/' } = process.env
    this.child = spawn(file!, args, {
      cwd: options.cwd ?? ROOT,
      env: { PATH, HOME, ...env },
      detached: options.group ?? false,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    if (this.child.pid !== undefined) tellCaretaker(String(this.child.pid))
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject)
      this.child.once('exit', (code, signal) => {
        this.hasEnded = true
        resolve({ code, signal })
      })
    })
    this.ended.catch(() => {})
  }

  get pid(): number {
    return this.child.pid!
  }

  /** To the program alone. */
  signal(signal: NodeJS.Signals): void {
    if (!this.hasEnded) this.child.kill(signal)
  }

  /** To its whole process group, as the terminal's Ctrl-C does; for those started with `group`. */
  signalGroup(signal: NodeJS.Signals): void {
    process.kill(-this.pid, signal)
  }

  /** How it ended. @throws Error if it does not within the time */
  async end(withinMs = STOP_LIMIT_MS): Promise<Ended> {
    const late = new AbortController()
    const tooLate = delay(withinMs, undefined, { signal: late.signal }).then(() => {
      throw new Error(`it still runs after ${withinMs} ms\n${this.stdout}\n${this.stderr}`)
    })
    tooLate.catch(() => {})
    try {
      return await Promise.race([this.ended, tooLate])
    } finally {
      late.abort()
    }
  }
}

export type ServerOptions = {
  readonly env?: Readonly<Record<string, string>>
  /** One that is made for it where absent, and goes when it stops. */
  readonly dataDirectory?: string
  readonly runtime?: 'node' | 'deno'
  /** In a process group of its own, as a shell starts it. */
  readonly group?: boolean
  /** The built program, if it is not that of this checkout. */
  readonly built?: string
}

const PATIENT = { HOST: '127.0.0.1', RATE_LIMIT_PER_MINUTE: '0', LOGIN_LIMIT_PER_MINUTE: '10000' }

/** Command and environment of a server. */
export const commandOf = (runtime: 'node' | 'deno' = 'node', built = 'dist/main.js'): string[] => {
  if (runtime === 'node') return [process.execPath, built]
  const { tasks } = JSON.parse(readFileSync(join(ROOT, 'deno.json'), 'utf8')) as {
    tasks: { start: { command: string } }
  }
  const words = tasks.start.command.split(' ')
  const deno = words.indexOf('deno')
  return [join(ROOT, 'node_modules', 'deno', 'deno'), ...words.slice(deno + 1)]
}

/** Starts a server that is to end by itself, and tells how. */
export const runToItsEnd = async (
  env: Readonly<Record<string, string>>,
  withinMs = 30_000,
  built = 'dist/main.js',
): Promise<Ended & { readonly stdout: string; readonly stderr: string }> => {
  const program = new Program(commandOf('node', built), { ...PATIENT, PORT: '0', ...env })
  try {
    const ended = await program.end(withinMs)
    return { ...ended, stdout: program.stdout, stderr: program.stderr }
  } finally {
    program.signal('SIGKILL')
  }
}

export class TestServer {
  readonly dataDirectory: string
  program: Program
  readonly #options: ServerOptions
  readonly #temporary: string | undefined
  #url = ''
  #earlier = ''

  private constructor(
    options: ServerOptions,
    dataDirectory: string,
    temporary: string | undefined,
    program: Program,
  ) {
    this.#options = options
    this.dataDirectory = dataDirectory
    this.#temporary = temporary
    this.program = program
  }

  static async start(options: ServerOptions = {}): Promise<TestServer> {
    const temporary = options.dataDirectory === undefined ? await temporaryDirectory() : undefined
    const dataDirectory = options.dataDirectory ?? join(temporary!, 'data')
    const program = TestServer.#run(options, dataDirectory, '0')
    const server = new TestServer(options, dataDirectory, temporary, program)
    await server.untilOpen()
    return server
  }

  static #run({ env, runtime, group, built }: ServerOptions, dataDirectory: string, port: string): Program {
    const settings = { ...PATIENT, PORT: port, DATA_DIR: dataDirectory, LOG_LEVEL: 'warn', ...env }
    return new Program(commandOf(runtime, built), settings, { group: group ?? false })
  }

  /** Stays the same over restarts. */
  get url(): string {
    return this.#url
  }

  get pid(): number {
    return this.program.pid
  }

  /** All that it printed, over all restarts. */
  get output(): string {
    return `${this.#earlier}${this.program.stdout}${this.program.stderr}`
  }

  /** What it logged at `error`, by message. */
  get errorsLogged(): string[] {
    return this.output
      .split('\n')
      .filter((line) => line.startsWith('{') && line.includes('"level":50'))
      .map((line) => (JSON.parse(line) as { msg: string }).msg)
  }

  /** Sends a signal, and waits for the end. An embedded Postgres stays behind after a SIGKILL. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Ended> {
    this.program.signal(signal)
    return await this.program.end()
  }

  /** Starts again with the same data, at the same address. */
  async restart(env: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.kill('SIGTERM')
    this.launch(env)
    await this.untilOpen()
  }

  /** Starts again where it has ended, and waits for nothing. */
  launch(env: Readonly<Record<string, string>> = {}): void {
    this.#earlier = this.output
    const options = { ...this.#options, env: { ...this.#options.env, ...env } }
    this.program = TestServer.#run(options, this.dataDirectory, new URL(this.#url).port)
  }

  /** For good: in peace if it can, and with all that is left of it. Harmless when repeated. */
  async stop(): Promise<void> {
    if (this.program.child.exitCode) console.error(`the server had ended by itself:\n${this.output}`)
    try {
      await this.kill('SIGTERM')
    } finally {
      this.program.signal('SIGCONT')
      this.program.signal('SIGKILL')
      await this.program.ended.catch(() => {})
      await endPostgresOf(this.dataDirectory)
      if (this.#temporary) await removeData(this.#temporary)
    }
  }

  /** The address of the embedded Postgres that runs now. */
  async databaseUrl(): Promise<string> {
    const cluster = clusterOf(this.dataDirectory)
    const password = (await readFile(join(cluster, 'galop.password'), 'utf8')).trim()
    const port = (await readFile(join(cluster, 'postmaster.pid'), 'utf8')).split('\n')[3]
    return `postgres://galop:${password}@127.0.0.1:${port}/galop`
  }

  /** Process id of the embedded Postgres. */
  async postmaster(): Promise<number> {
    return parseInt(await readFile(join(clusterOf(this.dataDirectory), 'postmaster.pid'), 'utf8'), 10)
  }

  /** Passwords that the server made, by name. */
  get passwords(): Record<string, string> {
    const text = readFileSync(join(this.dataDirectory, 'first-passwords.txt'), 'utf8')
    return Object.fromEntries([...text.matchAll(/^(\S+) (\S+-\S+)$/gm)].map(([, name, word]) => [name, word]))
  }

  passwordOf(name: string): string {
    const { ADMIN_PASSWORD, CASHIER_PASSWORD } = this.#options.env ?? {}
    const given = { admin: ADMIN_PASSWORD, caisse: CASHIER_PASSWORD }[name]
    return given ?? this.passwords[name] ?? fail(`nobody knows the password of ${name}`)
  }

  /** Until it sells. @throws Error if it ended meanwhile */
  async untilOpen(): Promise<void> {
    const { program } = this
    await eventually(
      'the server is open',
      async () => {
        if (program.hasEnded) return true
        const url = /open at (http:\/\/\S+)/.exec(program.stdout)?.[1]
        if (url === undefined) return false
        this.#url = url
        return (await fetch(`${url}/health`)).ok
      },
      START_LIMIT_MS,
    ).catch((error: Error) => {
      program.signal('SIGKILL')
      throw new Error(`${error.message}\n${this.output}`, { cause: error })
    })
    if (program.hasEnded) throw new Error(`the server ended while it started:\n${this.output}`)
  }
}

export const startServer = (options?: ServerOptions): Promise<TestServer> => TestServer.start(options)

const fail = (why: string): never => {
  throw new Error(why)
}

/** Where the embedded Postgres of a data directory is, which may be elsewhere. */
export const clusterOf = (dataDirectory: string): string => {
  const asked = join(dataDirectory, 'postgres')
  const location = join(asked, 'location')
  return join(existsSync(location) ? readFileSync(location, 'utf8').trim() : asked, 'cluster')
}

/** Processes that work on a data directory, or were started with it: by their id, with how they were called. */
export const processesOf = (dataDirectory: string): string[] => {
  const cluster = clusterOf(dataDirectory)
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid)
    .filter((pid) => {
      const of = (name: string): string => {
        try {
          return name === 'cwd'
            ? readlinkSync(`/proc/${pid}/cwd`)
            : readFileSync(`/proc/${pid}/${name}`, 'utf8')
        } catch {
          return ''
        }
      }
      if (/^\d+ \(.*\) Z/s.test(of('stat'))) return false
      return (
        of('cwd') === cluster ||
        of('cmdline').split('\0').includes(cluster) ||
        of('environ').split('\0').includes(`DATA_DIR=${dataDirectory}`)
      )
    })
    .map((pid) => {
      try {
        return `${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()}`
      } catch {
        return pid
      }
    })
}

/** Ends the Postgres that a killed server left behind. */
export const endPostgresOf = async (dataDirectory: string): Promise<void> => {
  const left = processesOf(dataDirectory).filter((line) => /postgres/.test(line))
  for (const line of left) {
    try {
      process.kill(Number(line.split(' ')[0]), 'SIGKILL')
    } catch {
      // It ended meanwhile.
    }
  }
  await eventually(`no Postgres works on ${dataDirectory}`, () => processesOf(dataDirectory).length === 0)
}

/** Removes a temporary directory, and what an embedded Postgres kept elsewhere. */
export const removeData = async (temporary: string): Promise<void> => {
  const elsewhere = dirname(clusterOf(join(temporary, 'data')))
  const again = { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }
  if (!elsewhere.startsWith(temporary)) await rm(elsewhere, again)
  await rm(temporary, again)
}

/** When a process that is not our child is gone. */
export const gone = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return /^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return true
  }
}
