import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpuSecondsOf, pause } from '../observe.ts'
import type { Row } from '../row.ts'
import { selling } from '../sale.ts'
import { freePort, NODE_OPTIONS, runLoad, startGalop, untilStored } from '../servers.ts'

// From the spawn of the server to its word that it sells (`/health`, asked every few milliseconds), with a journal that
// holds a round full of live receipts, against a process of its own that reads and parses that journal and does nothing else.
// Both are Node programs without a build step: the server is the built one, the scan is run by Node alone.

const HERE = new URL('..', import.meta.url).pathname
const LOOK_EVERY_MS = 5
const CONNECTIONS = 64

export const row: Row = {
  number: 7,
  work: 'restart with 100,000 live receipts: from the spawn until receipts can be sold',
  run: async ({ isShort, say }) => {
    const receipts = isShort ? 300 : 100_000
    const turns = isShort ? 1 : 5
    const directory = mkdtempSync(join(tmpdir(), 'galop-bench-restart-'))
    chmodSync(directory, 0o755)
    const data = join(directory, 'data')
    const port = await freePort()
    const settings = { DATA_DIR: data }
    const ours: number[] = []
    const theirs: number[] = []
    const cpu: number[] = []
    try {
      const { token, live } = await fill(settings, receipts)
      say(`row 7: ${live} receipts live in the journal`)
      for (let turn = 1; turn <= turns; turn++) {
        const scan = scanned(join(data, 'journal'), live)
        const start = await started(settings, port)
        try {
          await checkLive(port, token, live)
        } finally {
          start.child.kill('SIGTERM')
          await start.ended
        }
        ours.push(start.ms)
        theirs.push(scan)
        cpu.push(start.cpuMs)
        say(`row 7, turn ${turn}/${turns}: sells after ${start.ms.toFixed(0)} ms, scan ${scan.toFixed(0)} ms`)
      }
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
    return [
      {
        against: 'a process that reads and parses the journal',
        unit: 'ms',
        ours,
        theirs,
        reach: { atMost: 3 },
        notes: [
          `at most ${Math.max(...ours).toFixed(0)} ms, ${Math.min(...cpu).toFixed(0)} ms of them on a processor; asked is under 1,000 on an idle machine`,
        ],
      },
    ]
  },
}

/** Sells so many receipts on one round, and stops the server when Postgres has them. */
const fill = async (settings: Readonly<Record<string, string>>, receipts: number) => {
  const galop = await startGalop(settings)
  try {
    const asked = { ...selling(galop), connections: CONNECTIONS, warmUpMs: 0 }
    const { allAnswers } = await runLoad({ ...asked, durationMs: 300_000, mostAnswers: receipts })
    await untilStored(galop.port)
    return { token: galop.token, live: allAnswers }
  } finally {
    await galop.stop()
  }
}

const environment = (settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOST: '127.0.0.1',
  ROUND_WAIT_DURATION_MS: '3600000',
  LOG_LEVEL: 'warn',
  ...settings,
})

type Started = {
  readonly child: ChildProcess
  readonly ended: Promise<void>
  readonly ms: number
  readonly cpuMs: number
}

const started = async (settings: Readonly<Record<string, string>>, port: number): Promise<Started> => {
  const began = performance.now()
  const child = spawn(process.execPath, [...NODE_OPTIONS, join(HERE, '../dist/main.js')], {
    stdio: 'ignore',
    env: environment({ ...settings, PORT: String(port) }),
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined)
    if (answer?.ok) break
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`)
    await pause(LOOK_EVERY_MS)
  }
  return { child, ended, ms: performance.now() - began, cpuMs: cpuSecondsOf(child.pid!) * 1000 }
}

/** The time of a whole process that reads the journal. @throws Error where it found other facts than it should */
const scanned = (journal: string, live: number): number => {
  const began = performance.now()
  const facts = Number(
    execFileSync(process.execPath, [join(HERE, 'journal.scan.mjs'), journal], { encoding: 'utf8' }),
  )
  const ms = performance.now() - began
  if (facts < live + 1) throw new Error(`the scan found ${facts} facts of ${live} receipts`)
  return ms
}

/** All receipts are there again. */
const checkLive = async (port: number, token: string, live: number): Promise<void> => {
  const headers = { Authorization: `Bearer ${token}` }
  const game = await fetch(`http://127.0.0.1:${port}/api/v1/init/game?limit=1`, { headers })
  const { data } = (await game.json()) as { data: { ticketsTotal: number } }
  if (data.ticketsTotal !== live)
    throw new Error(`${data.ticketsTotal} receipts of ${live} live after the restart`)
}
