// A betting station: what a cashier's program says to the server, and a whole crowd of them that keeps books.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { eventually, type TestServer } from './server.ts'

/** JSON as a client reads it. */
// biome-ignore lint/suspicious/noExplicitAny: a test reads what came, whatever it is
export type Json = any

export type Answer = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The envelope, where it was JSON. */
  readonly json: Json
  readonly data: Json
  /** `error.code` of a refusal. */
  readonly code: string | undefined
}

export type Question = {
  readonly method?: string
  readonly body?: unknown
  readonly key?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
}

/** Participants' numbers and stakes. */
export type Bets = readonly (readonly [number: number, value: number])[]
export const saleOf = (bets: Bets) => ({
  bets: bets.map(([number, value]) => ({ participant: { number }, value })),
})
/** A bet on each of the six, so that it wins whoever wins. */
export const ON_ALL: Bets = [1, 2, 3, 4, 5, 6].map((number) => [number, 1_000] as const)

export const ask = async (
  url: string,
  { method = 'GET', body, key, headers = {} }: Question = {},
): Promise<Answer> => {
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...(key !== undefined && { 'Idempotency-Key': key }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
  const json = isJson ? JSON.parse(text) : undefined
  return {
    status: response.status,
    headers: response.headers,
    text,
    json,
    data: json?.data,
    code: json?.error?.code,
  }
}

type Reachable = Pick<TestServer, 'url'>

export class Station {
  readonly server: Reachable
  readonly token: string
  readonly user: { readonly id: number; readonly name: string; readonly role: string }

  constructor(server: Reachable, token: string, user: Station['user']) {
    this.server = server
    this.token = token
    this.user = user
  }

  static async signIn(
    server: TestServer,
    name: string,
    password = server.passwordOf(name),
  ): Promise<Station> {
    const answer = await ask(`${server.url}/api/v1/auth/login`, { method: 'POST', body: { name, password } })
    if (answer.status !== 200) throw new Error(`${name} is not let in: ${answer.status} ${answer.text}`)
    return new Station(server, answer.data.token, answer.data.user)
  }

  ask(path: string, { headers = {}, ...question }: Question = {}): Promise<Answer> {
    const authorization = `Bearer ${this.token}`
    return ask(`${this.server.url}${path}`, { ...question, headers: { authorization, ...headers } })
  }

  sell(bets: Bets, { key, track }: { key?: string | undefined; track?: string } = {}): Promise<Answer> {
    const on = track === undefined ? '' : `&track=${encodeURIComponent(track)}`
    return this.ask(`/api/v1/receipts/?action=add${on}`, { method: 'POST', body: saleOf(bets), key })
  }

  cancel(id: number | string, key?: string): Promise<Answer> {
    return this.ask(`/api/v1/receipts/?action=delete&id=${id}`, { method: 'POST', key })
  }

  pay(id: number | string, key?: string): Promise<Answer> {
    return this.ask(`/api/v1/my-bets/pay/${id}`, { method: 'POST', key })
  }

  print(id: number | string, language = 'fr'): Promise<Answer> {
    return this.ask(`/api/v1/receipts/?action=print&id=${id}&lang=${language}`)
  }

  payout(id: number | string, language = 'fr'): Promise<Answer> {
    return this.ask(`/api/v1/receipts/?action=payout&id=${id}&lang=${language}`)
  }

  myBets(query = ''): Promise<Answer> {
    return this.ask(`/api/v1/my-bets/${query}`)
  }

  receipt(id: number | string): Promise<Answer> {
    return this.ask(`/api/v1/my-bets/${id}`)
  }

  dashboard(): Promise<Answer> {
    return this.ask('/api/v1/init/dashboard')
  }

  persistence(): Promise<Answer> {
    return this.ask('/api/v1/ops/persistence')
  }

  /** Sells, and insists. */
  async sold(bets: Bets = ON_ALL, options: { key?: string; track?: string } = {}): Promise<Json> {
    const answer = await this.sell(bets, options)
    if (answer.status !== 200) throw new Error(`not sold: ${answer.text}`)
    return answer.data
  }

  /** A round on which at least so much time is left for selling, waiting for the next one if need be. */
  openRound(leastMs: number, withinMs = 30_000, track?: string): Promise<Json> {
    const on = track === undefined ? '' : `?track=${encodeURIComponent(track)}`
    return eventually(
      `a round that is open for ${leastMs} ms`,
      async () => {
        const { data } = await this.ask(`/api/v1/rounds/current${on}`)
        return data?.status === 'waiting' && data.locksAt - Date.now() >= leastMs && data
      },
      withinMs,
    )
  }

  /** The round, as soon as it is in this state. */
  untilRound(id: number, status: string, withinMs = 30_000): Promise<Json> {
    return eventually(
      `round ${id} is ${status}`,
      async () => {
        const { data } = await this.ask(`/api/v1/rounds/${id}`)
        return data?.status === status && data
      },
      withinMs,
    )
  }

  /** For admins: waits until no actor owns the round any more. */
  untilRetired(id: number, withinMs = 30_000): Promise<Json> {
    return eventually(
      `round ${id} is handed over`,
      async () => {
        const { data } = await this.persistence()
        const isLive = data.journal.rounds.some((round: Json) => round.roundId === id)
        if (isLive) throw new Error(JSON.stringify(data))
        return data
      },
      withinMs,
    )
  }

  /** For admins: waits until Postgres has all that was sold. */
  untilStored(withinMs = 30_000): Promise<Json> {
    return eventually(
      'all receipts are in Postgres',
      async () => {
        const { data } = await this.persistence()
        if (data.unstored.receipts > 0 || data.failedJobs !== 0) throw new Error(JSON.stringify(data))
        return data
      },
      withinMs,
    )
  }
}

export type ListenerOptions = {
  readonly station?: Station
  readonly cookie?: string
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A socket that remembers every message it heard. */
export class Listener {
  readonly messages: Json[] = []
  /** The code that it was closed with. */
  readonly closed: Promise<number>
  readonly #ws: WebSocket

  constructor(server: Reachable, options: ListenerOptions = {}) {
    const { station, cookie, query = '', headers = {} } = options
    this.#ws = new WebSocket(`${server.url.replace('http', 'ws')}/ws${query}`, {
      headers: {
        ...(station && { authorization: `Bearer ${station.token}` }),
        ...(cookie !== undefined && { cookie }),
        ...headers,
      },
    })
    this.#ws.on('message', (data) => this.messages.push(JSON.parse(String(data))))
    this.#ws.on('error', () => {})
    this.closed = new Promise((resolve) => this.#ws.on('close', resolve))
  }

  static async open(
    server: Reachable,
    options?: ConstructorParameters<typeof Listener>[1],
  ): Promise<Listener> {
    const listener = new Listener(server, options)
    await listener.heard('welcome')
    return listener
  }

  /** The first message of this event that matches, waiting for it if need be. */
  heard(event: string, like: Readonly<Record<string, unknown>> = {}, withinMs = 20_000): Promise<Json> {
    const wanted = Object.entries({ event, ...like })
    return eventually(
      `a message ${JSON.stringify({ event, ...like })}`,
      () => this.messages.find((message) => wanted.every(([name, value]) => message[name] === value)),
      withinMs,
    )
  }

  /** Numbered messages of a topic, in the order of their arrival. */
  of(topic: string): Json[] {
    return this.messages.filter((message) => message.topic === topic && message.event !== 'snapshot')
  }

  say(message: unknown): void {
    this.#ws.send(JSON.stringify(message))
  }

  close(): void {
    this.#ws.terminate()
  }
}

/** What became of a request. `unknown`: the connection broke, or the server met a fault. */
export type Outcome = 'acknowledged' | 'refused' | 'unknown'

export type Payment = {
  readonly key: string | undefined
  outcome: Outcome
  code?: string | undefined
  /** What was paid out, in the public unit. */
  prize?: number
}

export type Sale = {
  readonly key: string | undefined
  readonly bets: Bets
  outcome: Outcome
  code?: string | undefined
  id?: number
  roundId?: number
  cancel?: { readonly key: string | undefined; outcome: Outcome; code?: string | undefined }
  /** Everyone who tried to pay it, on whichever station. */
  payments?: Payment[]
}

export type CrowdOptions = {
  readonly clients: number
  /** Each client rests this long between two sales. */
  readonly restMs?: number
  /** Whether requests carry an Idempotency-Key. */
  readonly keys?: boolean
  /** One sale of so many is cancelled at once; 0 for none. */
  readonly cancelEvery?: number
  /** One sale of so many is brought to two counters at once after its race, until it is paid or lost; 0 for none. */
  readonly payEvery?: number
  /** Whether a client asks again, under the same key, until it knows what became of its request. */
  readonly insists?: boolean
}

/** Clients that sell and cancel for as long as they are let, through whatever happens to the server, and keep books. */
export class Crowd {
  readonly sales: Sale[] = []
  /** How often something was asked again by clients that insist. */
  askedAgain = 0
  readonly #station: Station
  readonly #options: Required<CrowdOptions>
  /** To be paid, in the order of their sale. */
  readonly #kept: Sale[] = []
  #isOver = false
  readonly #clients: Promise<void>[]

  constructor(station: Station, options: CrowdOptions) {
    this.#station = station
    this.#options = { restMs: 10, keys: true, cancelEvery: 5, payEvery: 0, insists: false, ...options }
    this.#clients = Array.from({ length: options.clients }, (_, index) => this.#sellOn(index))
    // Others pay: where a payment has to wait for Postgres, selling does not.
    const payers = this.#options.payEvery > 0 ? Math.ceil(options.clients / 8) : 0
    for (let i = 0; i < payers; i++) this.#clients.push(this.#payOn())
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#clients)
  }

  with(outcome: Outcome): Sale[] {
    return this.sales.filter((sale) => sale.outcome === outcome)
  }

  /** Asks again under the same key what became of everything that is unknown. @returns how many there were */
  async settleUnknown(): Promise<number> {
    const sales = this.with('unknown').filter(({ key }) => key !== undefined)
    const cancels = this.sales.filter(
      ({ cancel }) => cancel?.outcome === 'unknown' && cancel.key !== undefined,
    )
    const payments = this.sales.flatMap((sale) =>
      (sale.payments ?? [])
        .filter(({ outcome }) => outcome === 'unknown')
        .map((payment) => ({ sale, payment })),
    )
    await inLanes(sales, (sale) => this.#sell(sale))
    await inLanes(cancels, (sale) => this.#cancel(sale))
    await inLanes(payments, ({ sale, payment }) => this.#pay(sale, payment))
    return sales.length + cancels.length + payments.length
  }

  async #sellOn(index: number): Promise<void> {
    const { keys, cancelEvery, payEvery, restMs } = this.#options
    for (let count = index; !this.#isOver; count++) {
      const first = 1 + (count % 6)
      const bets: Bets = [
        [first, 1_000 + (count % 50)],
        [1 + (first % 6), 2_000],
      ]
      const sale: Sale = { key: keys ? randomUUID() : undefined, bets, outcome: 'unknown' }
      this.sales.push(sale)
      await this.#sell(sale)
      if (sale.outcome === 'acknowledged' && cancelEvery > 0 && count % cancelEvery === 0) {
        sale.cancel = { key: keys ? randomUUID() : undefined, outcome: 'unknown' }
        await this.#cancel(sale)
      } else if (sale.outcome === 'acknowledged' && payEvery > 0 && count % payEvery === 1)
        this.#kept.push(sale)
      await delay(sale.outcome === 'acknowledged' ? restMs : Math.max(restMs, 50))
    }
  }

  /** Brings one receipt after another to two counters at once, as soon as its race is over. */
  async #payOn(): Promise<void> {
    while (!this.#isOver) {
      const sale = this.#kept.shift()
      if (sale && !(await this.#isPaidOrLost(sale))) this.#kept.unshift(sale)
      await delay(sale ? this.#options.restMs : 50)
    }
  }

  async #isPaidOrLost(sale: Sale): Promise<boolean> {
    const pair = [this.#newPayment(sale), this.#newPayment(sale)]
    await Promise.all(pair.map((payment) => this.#pay(sale, payment)))
    if (pair.some(({ code }) => code !== 'RECEIPT_NOT_SETTLED')) return true
    // Too early: that is no attempt to remember.
    sale.payments = sale.payments!.filter((payment) => !pair.includes(payment))
    return false
  }

  /** The answer, if there is one; from a client that insists, the first that says what became of it. */
  async #known(ask: () => Promise<Answer>): Promise<Answer | undefined> {
    for (;;) {
      const answer = await ask().catch(() => undefined)
      if (outcomeOf(answer) !== 'unknown' || !this.#options.insists || this.#isOver) return answer
      this.askedAgain++
      await delay(100)
    }
  }

  #newPayment(sale: Sale): Payment {
    const payment: Payment = { key: this.#options.keys ? randomUUID() : undefined, outcome: 'unknown' }
    sale.payments ??= []
    sale.payments.push(payment)
    return payment
  }

  async #pay(sale: Sale, payment: Payment): Promise<void> {
    const answer = await this.#known(() => this.#station.pay(sale.id!, payment.key))
    payment.outcome = outcomeOf(answer)
    payment.code = answer?.code
    if (payment.outcome === 'acknowledged') payment.prize = answer!.data.prize
  }

  async #sell(sale: Sale): Promise<void> {
    const answer = await this.#known(() => this.#station.sell(sale.bets, { key: sale.key }))
    sale.outcome = outcomeOf(answer)
    sale.code = answer?.code
    if (sale.outcome !== 'acknowledged') return
    sale.id = answer!.data.id
    sale.roundId = answer!.data.roundId
  }

  async #cancel(sale: Sale): Promise<void> {
    const { key } = sale.cancel!
    const answer = await this.#known(() => this.#station.cancel(sale.id!, key))
    sale.cancel = { key, outcome: outcomeOf(answer), code: answer?.code }
  }
}

const LANES = 32

const inLanes = async <T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> => {
  const rest = [...all].reverse()
  const lane = async (): Promise<void> => {
    for (let one = rest.pop(); one !== undefined; one = rest.pop()) await work(one)
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}

const outcomeOf = (answer: Answer | undefined): Outcome => {
  // It says that nothing was done: that is an answer.
  if (answer?.code === 'JOURNAL_UNAVAILABLE') return 'refused'
  if (!answer || answer.status >= 500) return 'unknown'
  return answer.status === 200 ? 'acknowledged' : 'refused'
}
