import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import fc, { type Arbitrary } from 'fast-check'
import { WebSocket } from 'ws'
import { ROLES, type Role } from './request.ts'
import { SaleBooks, saleMessage } from './socket.sales.ts'
import type { Target } from './target.ts'
import { oddText, oddValue } from './values.ts'

// Sockets that say anything at all. docs/websocket.md is the law: what is heard is one of its messages, a socket is closed
// with one of its codes, a command is answered once and under its id, a key is one sale, and whoever only listens misses
// nothing meanwhile.

export type SocketReport = {
  readonly sockets: number
  readonly frames: number
  /** Sales that were answered with a receipt. */
  readonly sold: number
  readonly closes: ReadonlyMap<number, number>
  readonly findings: readonly string[]
}

/** 1000, 1001 and 3003 answer our own good-bye, 1005 one without a code, 1006 is a connection that we broke. */
const CLOSE_CODES = new Set([1000, 1001, 1002, 1005, 1006, 1007, 1009, 1013, 3003, 4008, 4400, 4401, 4429])
const EVENTS = new Set([
  ...['welcome', 'signed_in', 'snapshot', 'subscribed', 'unsubscribed', 'pong', 'error'],
  ...[
    'round_opened',
    'betting_locked',
    'race_started',
    'race_progress',
    'round_settled',
    'round_voided',
    'timer',
  ],
  ...['track_paused', 'track_resumed', 'answer'],
  ...[
    'receipt_added',
    'receipt_deleted',
    'receipt_paid',
    'receipt_refunded',
    'receipts_settled',
    'receipts_voided',
  ],
])
const AT_ONCE = 20
/** Half a frame keeps the rest of a connection from being read: then two pings that are not answered end it. */
const ANSWER_LIMIT_MS = 75_000
const LOOK_EVERY_MS = 250

type Frame =
  | { readonly kind: 'text' | 'binary'; readonly data: string }
  | { readonly kind: 'raw'; readonly bytes: readonly number[] }
  | { readonly kind: 'token'; readonly role: Role }
  | { readonly kind: 'wait' | 'huge' | 'vanish' | 'bye' }

const topic = fc.oneof(fc.constantFrom('race', 'receipts', '__proto__', ''), oddText)
const offset = fc.oneof(fc.nat(100), fc.constantFrom(-1, 1.5, 1e300, 2 ** 53, '1', null))
const optional = { requiredKeys: ['type', 'topic'] as ('type' | 'topic')[] }
const message: Arbitrary<unknown> = fc.oneof(
  fc.constant({ type: 'ping' }),
  fc.record({ type: fc.constant('subscribe'), topic, track: topic, epoch: oddText, offset }, optional),
  fc.record({ type: fc.constant('unsubscribe'), topic, track: topic }, optional),
  fc.record({ type: fc.constant('auth'), token: oddText }),
  fc.record({ type: oddText, topic: oddValue }),
  oddValue,
)
/** Frames as no library writes them: every opcode, control frames that are long or split, bad lengths, bad UTF-8. */
const raw: Arbitrary<readonly number[]> = fc.oneof(
  fc.constantFrom<number[][]>(
    [0x81, 0x02, 0x7b, 0x7d], // not masked
    [0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28], // bad UTF-8
    [0x01, 0x81, 0, 0, 0, 0, 0x7b, 0x80, 0x81, 0, 0, 0, 0, 0x7d], // two fragments
    [0x80, 0x80, 0, 0, 0, 0], // goes on with nothing
    [0x01, 0x80, 0, 0, 0, 0, 0x01, 0x80, 0, 0, 0, 0], // begins twice
    [0x09, 0x80, 0, 0, 0, 0], // a ping that is to go on
    [0x89, 0xfe, 0, 126, 0, 0, 0, 0, ...Array<number>(126).fill(0x61)], // a ping of 126 bytes
    [0x88, 0x81, 0, 0, 0, 0, 0x03], // a good-bye of one byte
    [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xec], // a good-bye with 1004
    [0x88, 0x82, 0, 0, 0, 0, 0x00, 0x00], // a good-bye with 0
    [0xf1, 0x80, 0, 0, 0, 0], // reserved bits
    [0x83, 0x80, 0, 0, 0, 0], // an opcode that is none
    [0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], // exabytes
    [0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
  ),
  fc.array(fc.nat(255), { minLength: 1, maxLength: 40 }),
)
const frame: Arbitrary<Frame> = fc.oneof(
  {
    weight: 12,
    arbitrary: message.map((one) => ({ kind: 'text' as const, data: JSON.stringify(one) ?? '' })),
  },
  {
    weight: 8,
    arbitrary: saleMessage.map((one) => ({ kind: 'text' as const, data: JSON.stringify(one) })),
  },
  { weight: 2, arbitrary: oddText.map((data) => ({ kind: 'text' as const, data })) },
  { weight: 2, arbitrary: oddText.map((data) => ({ kind: 'binary' as const, data })) },
  { weight: 3, arbitrary: fc.constantFrom(...ROLES).map((role) => ({ kind: 'token' as const, role })) },
  { weight: 1, arbitrary: raw.map((bytes) => ({ kind: 'raw' as const, bytes })) },
  { weight: 4, arbitrary: fc.constant({ kind: 'wait' as const }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('huge' as const, 'vanish' as const, 'bye' as const).map((kind) => ({ kind })),
  },
)
const query = fc.oneof(
  fc.constantFrom(
    '',
    '?topics=',
    '?topics=race',
    '?topics=receipts',
    '?track=none',
    `?topics=${'race,'.repeat(500)}`,
  ),
  fc.tuple(oddText, oddText).map(([topics, epoch]) => {
    const asked = new URLSearchParams({ topics, epoch, race: '1', receipts: '-1', track: 'main' })
    return `?${asked}`.slice(0, 4_000)
  }),
)
const talk = fc.record({ role: fc.constantFrom(...ROLES), query, frames: fc.array(frame, { maxLength: 30 }) })

export const fuzzSockets = async (target: Target, seed: number, sockets: number): Promise<SocketReport> => {
  const findings = new Set<string>()
  const closes = new Map<number, number>()
  let frames = 0
  const books = new SaleBooks()
  const address = target.server.url.replace('http', 'ws')
  const bystander = new Bystander(`${address}/ws?topics=race`)
  const talks = fc.sample(talk, { seed, numRuns: Math.max(1, sockets) }).slice(0, sockets)

  const one = async ({ role, query, frames: said }: (typeof talks)[number]): Promise<void> => {
    const token = target.tokenFor(role, false)
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const ws = new WebSocket(`${address}/ws${query}`, { headers, skipUTF8Validation: true })
    const closed = new Promise<number>((resolve) => ws.on('close', resolve))
    ws.on('error', () => {})
    ws.on('message', (data, isBinary) => {
      const fault = isBinary ? 'a binary message' : faultOf(String(data), target.secrets)
      if (fault) findings.add(fault)
      else for (const finding of counter.hear(String(data))) findings.add(finding)
    })
    const counter = books.open(role)
    await Promise.race([new Promise((resolve) => ws.on('open', resolve)), closed])
    for (const frame of said) {
      if (ws.readyState !== ws.OPEN) break
      frames++
      if (frame.kind === 'text') counter.say(frame.data)
      await say(ws, frame, target)
    }
    // Answers that are under way when the client says good-bye are not heard.
    await delay(30)
    ws.close()
    const code = await Promise.race([closed, tooLate()])
    closes.set(code, (closes.get(code) ?? 0) + 1)
    if (code === -1) findings.add('a socket was not closed in time')
    else if (!CLOSE_CODES.has(code)) findings.add(`a socket was closed with ${code}, which is not documented`)
    ws.terminate()
  }
  const queue = talks[Symbol.iterator]()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const next of queue) await one(next)
    }),
  )
  for (const finding of await bystander.leave()) findings.add(finding)
  return { sockets, frames, sold: books.sold, closes, findings: [...findings] }
}

/** Looks, not time: whoever stands still together with the server has waited for nothing. */
const tooLate = async (): Promise<-1> => {
  for (let look = 0; look * LOOK_EVERY_MS < ANSWER_LIMIT_MS; look++)
    await delay(LOOK_EVERY_MS, undefined, { ref: false })
  return -1
}

const say = async (ws: WebSocket, frame: Frame, target: Target): Promise<void> => {
  const tcp = (ws as unknown as { _socket: Socket })._socket
  switch (frame.kind) {
    case 'text':
      return ws.send(frame.data)
    case 'binary':
      return ws.send(Buffer.from(frame.data))
    case 'token':
      return ws.send(JSON.stringify({ type: 'auth', token: target.tokenFor(frame.role, false) ?? '' }))
    case 'raw':
      tcp.write(Buffer.from(frame.bytes))
      return
    case 'huge':
      return ws.send(randomBytes(100_000), { fragment: true } as object)
    case 'vanish':
      tcp.destroy()
      return
    case 'bye':
      return ws.close(3_003, 'x'.repeat(100))
    case 'wait':
      await delay(30)
  }
}

const faultOf = (text: string, secrets: readonly string[]): string | undefined => {
  for (const secret of secrets) if (text.includes(secret)) return 'a secret is in a message'
  const heard = JSON.parse(text) as { event: string; round?: { status: string; result?: unknown } }
  if (!EVENTS.has(heard.event)) return `the event ${heard.event} is not documented`
  if (heard.round?.result !== undefined && heard.round.status !== 'settled')
    return 'a result before the end of the race'
  return undefined
}

/** Listens to the race all the while: it must hear every message, once and in order. */
class Bystander {
  readonly #ws: WebSocket
  readonly #offsets: number[] = []

  constructor(url: string) {
    this.#ws = new WebSocket(url)
    this.#ws.on('error', () => {})
    this.#ws.on('message', (data) => {
      const { offset } = JSON.parse(String(data)) as { offset?: number }
      if (offset !== undefined) this.#offsets.push(offset)
    })
  }

  async leave(): Promise<string[]> {
    const before = this.#offsets.length
    // A timer comes once a second.
    for (let look = 0; look < 100 && this.#offsets.length === before; look++) await delay(100)
    const isWhole = this.#offsets.every((offset, index) => offset === this.#offsets[0]! + index)
    const isOpen = this.#ws.readyState === this.#ws.OPEN
    this.#ws.terminate()
    if (!isOpen) return ['a socket that only listens was closed']
    if (this.#offsets.length === before) return ['a socket that only listens hears nothing any more']
    return isWhole ? [] : ['a socket that only listens missed a message']
  }
}
