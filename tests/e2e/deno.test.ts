// The same program under Deno, from its sources, with no more rights than the task of deno.json names.
//   D1. Nothing is asked for: a right that is missing ends the program or the request, for nobody is at a terminal.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase } from '../support/postgres.ts'
import {
  commandOf,
  eventually,
  Program,
  processesOf,
  ROOT,
  removeData,
  startServer,
  type TestServer,
  temporaryDirectory,
} from '../support/server.ts'
import { ask, type Json, Listener, ON_ALL, Station } from '../support/station.ts'

const DURATIONS = {
  ROUND_WAIT_DURATION_MS: '4000',
  BETTING_LOCK_DURATION_MS: '300',
  RACE_DURATION_MS: '300',
  RESULTS_DURATION_MS: '300',
}

const taskOf = (name: string): string =>
  (
    JSON.parse(readFileSync(join(ROOT, 'deno.json'), 'utf8')) as {
      tasks: Record<string, { command: string }>
    }
  ).tasks[name]!.command

describe('deno task start', () => {
  const ends: (() => Promise<unknown>)[] = []
  afterAll(async () => {
    for (const end of ends.reverse()) await end()
  }, 60_000)

  it('opens the shop, and hands the signal to stop on to it', async () => {
    const database = await createTestDatabase()
    ends.push(() => database.drop())
    const temporary = await temporaryDirectory()
    const data = join(temporary, 'data')
    const deno = commandOf('deno')[0]!
    const task = new Program(
      [deno, 'task', 'start'],
      {
        PATH: `${dirname(deno)}:${process.env.PATH}`,
        DATABASE_URL: database.url,
        DATA_DIR: data,
        PORT: '0',
        HOST: '127.0.0.1',
      },
      { group: true },
    )
    ends.push(async () => {
      if (processesOf(data).length > 0) task.signalGroup('SIGKILL')
      await removeData(temporary)
    })
    const [, url] = await eventually('it opens', () => /open at (\S+)/.exec(task.stdout), 60_000)
    await eventually('it answers', async () => (await fetch(`${url}/health`)).ok)
    task.signal('SIGTERM')
    await task.end()
    await eventually('all of it is gone', () => processesOf(data).length === 0)
    expect(task.stdout).toContain('stopping: no new requests')
    expect(existsSync(join(data, 'server.pid'))).toBe(false)
  })
})

describe('the server under Deno', () => {
  let server: TestServer
  let admin: Station
  let cashier: Station
  let staff: Listener
  let round: Json
  let sold: Json

  beforeAll(async () => {
    server = await startServer({ runtime: 'deno', env: DURATIONS })
    admin = await Station.signIn(server, 'admin')
    cashier = await Station.signIn(server, 'caisse')
    staff = await Listener.open(server, { station: cashier, query: '?topics=race,receipts' })
    await staff.heard('snapshot', { topic: 'receipts' })
    round = await admin.openRound(2_000)
    sold = await cashier.sold(ON_ALL)
  }, 90_000)
  afterAll(async () => {
    staff?.close()
    await server?.stop()
  }, 60_000)

  it('is started with the rights that the task names, and never with all of them', () => {
    const rights = commandOf('deno').filter((word) => word.startsWith('-'))
    expect(rights.length).toBeGreaterThan(0)
    for (const right of rights) expect(right).toMatch(/^--allow-[a-z]+(=\S+)?$/)
    expect(rights).not.toContain('--allow-all')
    for (const right of rights) expect(taskOf('start')).toContain(right)
    expect(readFileSync(`/proc/${server.pid}/cmdline`, 'utf8').split('\0').filter(Boolean)).toEqual(
      commandOf('deno'),
    )
  })

  it('sells a receipt, and tells its screens', async () => {
    expect(sold).toMatchObject({ roundId: round.id, total_amount: 6_000 })
    expect(await staff.heard('receipt_added')).toMatchObject({ topic: 'receipts' })
    expect(JSON.stringify(await staff.heard('receipt_added'))).toContain(String(sold.id))
  })

  it('prints the receipt', async () => {
    const page = await cashier.print(sold.id)
    expect(page.status).toBe(200)
    expect(page.headers.get('content-type')).toMatch(/^text\/html/)
    expect(page.text).toContain(String(sold.id))
    expect(page.text).toContain('<svg')
  })

  it('answers with its figures, its reference and its job dashboard', async () => {
    const metrics = await ask(`${server.url}/metrics`)
    expect(metrics.status).toBe(200)
    expect(metrics.text).toMatch(/\{[^}]*type="ReceiptSold"[^}]*\} 1$/m)
    const docs = await ask(`${server.url}/docs`)
    expect(docs.status).toBe(200)
    const assets = [...docs.text.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, path]) => path!)
    expect(assets.length).toBeGreaterThan(0)
    for (const path of assets)
      expect((await ask(new URL(path, `${server.url}/docs`).href)).status, path).toBe(200)
    expect((await ask(`${server.url}/openapi.json`)).json.openapi).toMatch(/^3\./)
    expect((await admin.ask('/admin/jobs')).status).toBe(200)
  })

  it('runs the race and pays the winner', async () => {
    const settled = await admin.untilRound(round.id, 'settled')
    expect(settled.result.order).toHaveLength(6)
    expect((await cashier.pay(sold.id)).data).toMatchObject({ id: sold.id })
    expect((await cashier.pay(sold.id)).code).toBe('RECEIPT_ALREADY_PAID')
  })

  it('brings all rows to Postgres', async () => {
    await admin.untilRetired(round.id)
    const { unstored, failedJobs, alarms } = await admin.untilStored()
    expect(unstored).toMatchObject({ receipts: 0, amount: 0 })
    expect({ failedJobs, alarms }).toEqual({ failedJobs: 0, alarms: [] })
    expect((await cashier.receipt(sold.id)).data).toMatchObject({ id: sold.id, status: 'paid' })
    expect((await ask(`${server.url}/health/detailed`)).json).toMatchObject({ status: 'ok' })
  })

  it('stops on SIGTERM with all that it started, having asked for nothing and complained of nothing', async () => {
    expect(processesOf(server.dataDirectory).some((line) => line.includes('postgres'))).toBe(true)
    expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    expect(processesOf(server.dataDirectory)).toEqual([])
    expect(server.program.stderr).toBe('')
    expect(server.output).not.toMatch(/NotCapable|PermissionDenied|requires? \w+ access|"level":50/)
  })
})
