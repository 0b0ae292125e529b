import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import type { LoadOptions, LoadResult } from './load.ts'
import type { OpenLoadOptions, OpenLoadResult } from './open.load.ts'
import type { SocketsOptions, SocketsResult } from './sockets.load.ts'

// The processes of a measurement: each server alone, the load generator alone.

const HERE = new URL('.', import.meta.url).pathname
const TYPESCRIPT = ['--import', 'tsx']
/** As `npm start` has it. */
export const NODE_OPTIONS = ['--v8-pool-size=0']

export type Running = { readonly port: number; readonly pid: number; stop(): Promise<void> }

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => child.once('exit', () => resolve()))

/** Runs a server of this folder that takes options as JSON, writes its port as its first line, and ends on SIGTERM. */
export const startServer = async (
  file: string,
  { options = {}, nodeOptions = [] }: { options?: object; nodeOptions?: readonly string[] } = {},
): Promise<Running> => {
  const args = [...nodeOptions, ...TYPESCRIPT, join(HERE, file), JSON.stringify(options)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const end = ended(child)
  const stop = (): Promise<void> => {
    child.kill('SIGTERM')
    return end
  }
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve(Number(line)))
    child.once('exit', () => reject(new Error(`${file} did not start`)))
  })
  return { port, pid: child.pid!, stop }
}

export const startEcho = (): Promise<Running> => startServer('echo.server.ts')

export type Galop = Running & {
  /** Of a cashier. */
  readonly token: string
  readonly adminToken: string
  /** Where its data are; gone when it stopped. */
  readonly directory: string
  readonly log: () => string
}

const PASSWORD = 'bench-password'

export type GalopOptions = {
  /** The build that runs, where it is another than the one of this checkout. */
  readonly dist?: string
  /** For Node, as `--cpu-prof`. */
  readonly nodeOptions?: readonly string[]
}

/**
 * The built server as users get it, but for a round that lasts, and limits of requests, connections and exposure that are not met:
 * all load comes from one address and one user.
 */
export const startGalop = async (
  settings: Readonly<Record<string, string>> = {},
  { dist = join(HERE, '../dist'), nodeOptions = [] }: GalopOptions = {},
): Promise<Galop> => {
  const directory = mkdtempSync(join(tmpdir(), 'galop-bench-'))
  // So that the OS user of Postgres can enter: its data go with the rest, and are not kept elsewhere.
  chmodSync(directory, 0o755)
  const port = await freePort()
  const child = spawn(process.execPath, [...NODE_OPTIONS, ...nodeOptions, join(dist, 'main.js')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      PORT: String(port),
      DATA_DIR: join(directory, 'data'),
      ROUND_WAIT_DURATION_MS: '3600000',
      RATE_LIMIT_PER_MINUTE: '10000000',
      CONNECTIONS_PER_ADDRESS: '12000',
      MAX_ROUND_EXPOSURE: '100000000000000',
      ADMIN_PASSWORD: PASSWORD,
      CASHIER_PASSWORD: PASSWORD,
      LOG_LEVEL: 'warn',
      ...settings,
    },
  })
  let log = ''
  child.stdout.on('data', (chunk) => (log += chunk))
  child.stderr.on('data', (chunk) => (log += chunk))
  const end = ended(child)
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await end
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    await answering(`http://127.0.0.1:${port}/health`)
    const token = await signIn(port, 'caisse')
    const adminToken = await signIn(port, 'admin')
    return { port, pid: child.pid!, token, adminToken, directory, log: () => log, stop }
  } catch (error) {
    await stop()
    throw new Error(`Galop did not start:\n${log}`, { cause: error })
  }
}

const signIn = async (port: number, name: string): Promise<string> => {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name, password: PASSWORD }),
  })
  const answer = (await response.json()) as { data: { token: string } }
  return answer.data.token
}

const answering = async (url: string): Promise<void> => {
  const until = Date.now() + 60_000
  for (;;) {
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.ok) return
    if (Date.now() > until) throw new Error(`${url} does not answer`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Rows of the turn before are still being written: nobody is measured meanwhile. */
export const untilStored = async (port: number): Promise<void> => {
  const until = Date.now() + 180_000
  while ((await gauge(port, 'galop_receipts_not_stored')) !== 0) {
    if (Date.now() > until) throw new Error('the receipts of a turn did not reach Postgres within 180 s')
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** A figure of `/metrics` without labels. */
export const gauge = async (port: number, name: string): Promise<number> => {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
}

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

/** Runs a generator of this folder in a process of its own: options go there as JSON, the result comes as JSON. */
export const runApart = async <Options, Result>(file: string, options: Options): Promise<Result> => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...TYPESCRIPT, join(HERE, file), JSON.stringify(options)],
    { maxBuffer: 64 * 1024 * 1024 },
  )
  return JSON.parse(stdout) as Result
}

/** Runs the load generator. @throws Error where any answer was wrong: errors are no work */
export const runLoad = async (options: LoadOptions): Promise<LoadResult> => {
  const result = await runApart<LoadOptions, LoadResult>('load.ts', options)
  if (result.errors > 0)
    throw new Error(
      `${result.errors} of ${result.answers} answers were wrong, the first: ${result.firstError}`,
    )
  if (result.answers === 0) throw new Error('the load generator got no answer')
  return result
}

/** Runs the generator of a fixed rate. @throws Error where any answer was wrong */
export const runOpenLoad = async (options: OpenLoadOptions): Promise<OpenLoadResult> => {
  const result = await runApart<OpenLoadOptions, OpenLoadResult>('open.load.ts', options)
  if (result.errors > 0)
    throw new Error(
      `${result.errors} of ${result.answers} answers were wrong, the first: ${result.firstError}`,
    )
  if (result.answers === 0) throw new Error('the load generator got no answer')
  return result
}

/** Opens sockets in a process of their own. Resolves when all are open; `done` when their time is over. */
export const openSockets = async (options: SocketsOptions): Promise<{ done: Promise<SocketsResult> }> => {
  const child = spawn(
    process.execPath,
    [...TYPESCRIPT, join(HERE, 'sockets.load.ts'), JSON.stringify(options)],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let text = ''
  let trouble = ''
  child.stdout.on('data', (chunk) => (text += chunk))
  const end = ended(child)
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      trouble += chunk
      if (trouble === 'open\n') resolve()
    })
    child.once('exit', () => reject(new Error(`the sockets did not open: ${trouble}`)))
  })
  const result = async (): Promise<SocketsResult> => {
    await end
    const found = JSON.parse(text) as SocketsResult
    if (found.gaps > 0 || found.closed > 0)
      throw new Error(`${found.gaps} messages were missing, ${found.closed} sockets were closed`)
    return found
  }
  return { done: result() }
}
