import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import type { LoadOptions, LoadResult } from './load.ts'

// The processes of a measurement: each server alone, the load generator alone.

const HERE = new URL('.', import.meta.url).pathname
const TYPESCRIPT = ['--import', 'tsx']

export type Running = { readonly port: number; readonly pid: number; stop(): Promise<void> }

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => child.once('exit', () => resolve()))

export const startEcho = async (): Promise<Running> => {
  const child = spawn(process.execPath, [...TYPESCRIPT, join(HERE, 'echo.server.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve(Number(line)))
    child.once('exit', () => reject(new Error('the echo server did not start')))
  })
  const end = ended(child)
  const stop = (): Promise<void> => {
    child.kill('SIGTERM')
    return end
  }
  return { port, pid: child.pid!, stop }
}

export type Galop = Running & { readonly token: string; readonly log: () => string }

const PASSWORD = 'bench-password'

/** The built server as users get it, but for a round that lasts, and a limit of requests and a cap that are not met. */
export const startGalop = async (settings: Readonly<Record<string, string>> = {}): Promise<Galop> => {
  const directory = mkdtempSync(join(tmpdir(), 'galop-bench-'))
  const port = await freePort()
  const child = spawn(process.execPath, [join(HERE, '../dist/main.js')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      PORT: String(port),
      DATA_DIR: join(directory, 'data'),
      ROUND_WAIT_DURATION_MS: '3600000',
      RATE_LIMIT_PER_MINUTE: '10000000',
      MAX_ROUND_EXPOSURE: '100000000000000',
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
    const token = await signIn(port)
    return { port, pid: child.pid!, token, log: () => log, stop }
  } catch (error) {
    await stop()
    throw new Error(`Galop did not start:\n${log}`, { cause: error })
  }
}

const signIn = async (port: number): Promise<string> => {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'caisse', password: PASSWORD }),
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

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

/** Runs the load generator in a process of its own. */
export const runLoad = async (options: LoadOptions): Promise<LoadResult> => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...TYPESCRIPT,
    join(HERE, 'load.ts'),
    JSON.stringify(options),
  ])
  return JSON.parse(stdout) as LoadResult
}
