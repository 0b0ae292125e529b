// `npm run demo`: the server with short rounds and its own data, a few cashiers who sell, cancel and pay by the public API as
// customers come to them, until Ctrl-C. Everything says that it is a demonstration.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { dirname, join, resolve } from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const PASSWORD = 'demonstration'
const CASHIERS = ['Awa', 'Jean', 'Rose'] as const
/** What may be set from outside; the rest is what makes it a demonstration. */
const settings = {
  HOST: '127.0.0.1',
  ROUND_WAIT_DURATION_MS: '25000',
  BETTING_LOCK_DURATION_MS: '4000',
  RACE_DURATION_MS: '20000',
  RESULTS_DURATION_MS: '10000',
  ADMIN_PASSWORD: PASSWORD,
  CASHIER_PASSWORD: PASSWORD,
  LOG_LEVEL: 'warn',
  ...process.env,
  DATA_DIR: process.env.DEMO_DATA_DIR ?? join(root, 'data-demo'),
  DEMONSTRATION: 'true',
}

type Round = {
  readonly roundId: number
  readonly status: string
  readonly participants: readonly { readonly number: number }[]
}
type Answer = { readonly success: boolean; readonly data: never; readonly error?: { readonly code: string } }

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

/** One who works at the counter, by the API that everybody has. */
class Cashier {
  readonly #url: string
  readonly #name: string
  #token = ''

  constructor(url: string, name: string) {
    this.#url = url
    this.#name = name
  }

  async signIn(): Promise<void> {
    const { token } = await this.ask<{ token: string }>('POST', '/auth/login', {
      name: this.#name,
      password: PASSWORD,
    })
    this.#token = token
  }

  /** @throws Error with the code of the refusal */
  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.#url}/api/v1${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...(this.#token && { Authorization: `Bearer ${this.#token}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const answer = (await response.json()) as Answer
    if (!answer.success) throw new Error(answer.error?.code ?? `status ${response.status}`)
    return answer.data
  }

  /** A customer comes: with one bet or a few, sometimes to change their mind, sometimes with a receipt that won. */
  async serve(): Promise<void> {
    const round = await this.ask<Round>('GET', '/rounds/current')
    if (round.status === 'waiting') {
      const receipt = await this.ask<{ id: number }>('POST', '/receipts/?action=add', { bets: betsOn(round) })
      if (chance(0.08)) await this.ask('POST', `/receipts/?action=delete&id=${receipt.id}`, {})
    }
    if (!chance(0.7)) return
    const { tickets } = await this.ask<{ tickets: { id: number }[] }>('GET', '/my-bets/?status=won&limit=3')
    for (const { id } of tickets) if (chance(0.7)) await this.ask('POST', `/my-bets/pay/${id}`)
  }

  async work(isOver: AbortSignal): Promise<void> {
    while (!isOver.aborted) {
      await delay(randomInt(800, 4_500), undefined, { signal: isOver })
      await this.serve().catch(async (error: Error) => {
        // The round moved on, or the server is away: the next customer comes anyway.
        if (error.message === 'UNAUTHENTICATED') await this.signIn()
      })
    }
  }
}

const chance = (share: number): boolean => randomInt(1_000) < share * 1_000
const betsOn = ({ participants }: Round) => {
  const numbers = participants.map(({ number }) => number)
  const count = Math.min(numbers.length, randomInt(1, 4))
  return Array.from({ length: count }, () => {
    const [number] = numbers.splice(randomInt(numbers.length), 1)
    return { participant: { number: number! }, value: randomInt(1, 40) * 500 }
  })
}

const openShop = async (url: string): Promise<Cashier[]> => {
  const admin = new Cashier(url, 'admin')
  await admin.signIn()
  for (const name of CASHIERS)
    await admin
      .ask('POST', '/users/', { name, password: PASSWORD, role: 'cashier' })
      .catch((error: Error) => {
        if (error.message !== 'NAME_TAKEN') throw error
      })
  const cashiers = CASHIERS.map((name) => new Cashier(url, name))
  for (const cashier of cashiers) await cashier.signIn()
  return cashiers
}

/** Where the server says that it is open. */
const addressOf = (server: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = ''
    server.stdout!.setEncoding('utf8').on('data', (data: string) => {
      process.stdout.write(data)
      text = (text + data).slice(-2_000)
      const found = /open at (http:\/\/\S+)/.exec(text)
      if (found) resolve(found[1]!)
    })
    server.once('exit', () => reject(new Error('the server ended')))
  })

const main = async (): Promise<void> => {
  say('A DEMONSTRATION: nothing that is sold here is worth anything. Ctrl-C ends it.')
  const server = spawn(process.execPath, [join(root, 'dist', 'main.js')], {
    cwd: root,
    env: settings,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<number>((resolve) => {
    server.once('exit', (code) => resolve(code ?? 1))
  })
  const over = new AbortController()
  let isStopping = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      over.abort()
      // From a terminal the signal reaches the server as well; it takes two at once for one.
      if (!isStopping) server.kill(signal)
      isStopping = true
    })
  try {
    const url = await addressOf(server)
    const cashiers = await openShop(url)
    say(`Sign in as admin, or as one of ${CASHIERS.join(', ')}, caisse: the password is ${PASSWORD}`)
    for (const page of ['station', 'screen', 'desk', 'verify']) say(`  ${url}/${page}`)
    for (const cashier of cashiers) cashier.work(over.signal).catch(() => {})
  } catch (error) {
    if (!isStopping) {
      process.stderr.write(`demo: ${(error as Error).message}\n`)
      server.kill('SIGTERM')
    }
  }
  process.exitCode = await ended
}

await main()
