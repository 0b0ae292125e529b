import { afterEach, describe, expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { deliver, openReceivers, type Receivers } from '../../bench/receivers.ts'

// Those who listen in row 4 must notice what does not come, comes twice, or is something else: here are servers that try.

const SOCKETS = 6
const MESSAGES = 60

const receiptAdded = (offset: number) => {
  const bet = (number: number, value: number) => ({ number, value, prize: 2 * value })
  return {
    event: 'receipt_added',
    topic: 'receipts',
    track: 'main',
    epoch: 'b6f1',
    offset,
    serverTime: Date.now(),
    receiptId: 1_000_000 + offset,
    roundId: 1,
    receipt: { id: 1_000_000 + offset, total_amount: 15_000, bets: [bet(1, 10_000), bet(3, 5_000)] },
    totalReceipts: offset,
    currentRound: { id: 1, participants: [{ number: 1 }, { number: 3 }] },
  }
}
type Message = ReturnType<typeof receiptAdded>

let server: WebSocketServer | undefined
let receivers: Receivers | undefined
afterEach(async () => {
  await receivers?.end()
  server?.close()
})

/** What the socket of this place hears instead of the message of this offset, on the server that cheats. */
type Cheat = (offset: number, place: number) => string[]

const honest = (offset: number): string[] => [JSON.stringify(receiptAdded(offset))]
const altered = (change: object): string[] => [JSON.stringify({ ...receiptAdded(31), ...change })]
const at31 =
  (instead: string[], onlyPlace?: number): Cheat =>
  (offset, place) =>
    offset === 31 && (onlyPlace ?? place) === place ? instead : honest(offset)

/** Tells everybody of so many messages. @returns what the row makes of it */
const hear = async (cheat: Cheat) => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  const clients: WebSocket[] = []
  server.on('connection', (client) => clients.push(client))
  await new Promise<void>((resolve) => server!.once('listening', resolve))
  const address = server.address()
  receivers = await openReceivers({
    port: typeof address === 'object' && address ? address.port : 0,
    form: 'json',
    groups: [{ sockets: SOCKETS, entrance: { kind: 'bare' } }],
  })
  return deliver(process, receivers, 100, async () => {
    // Some leave in one write, some alone, and a large one is cut by the system wherever it likes.
    for (let offset = 1; offset <= MESSAGES; offset++) {
      for (const [place, client] of clients.entries())
        for (const text of cheat(offset, place)) client.send(text)
      if (offset % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 2))
    }
  })
}

describe('those who listen', () => {
  it('hear all, and say how old it is', async () => {
    const heard = await hear(honest)
    expect(heard).toMatchObject({ sockets: SOCKETS, messages: SOCKETS * MESSAGES, looked: MESSAGES })
    expect(heard.p50Ms).toBeLessThan(1_000)
  })

  it('put together what was cut in two', async () => {
    const long = { name: 'x'.repeat(60_000) }
    const heard = await hear((offset) => [JSON.stringify({ ...receiptAdded(offset), long })])
    expect(heard.messages).toBe(SOCKETS * MESSAGES)
    expect(heard.least.bytes).toBeGreaterThan(60_000 * MESSAGES)
  })

  it('see that messages are old', async () => {
    const serverTime = Date.now() - 5_000
    const heard = await hear((offset) => [JSON.stringify({ ...receiptAdded(offset), serverTime })])
    expect(heard.p50Ms).toBeGreaterThan(4_900)
  })

  const LAST = SOCKETS - 1
  const another = (change: Partial<Message>): string[] => altered(change)
  it.each<[string, Cheat, string]>([
    ['leaves one out for everybody', at31([]), `${SOCKETS} messages were missing`],
    ['leaves one out for one of them', at31([], LAST), '1 messages were missing'],
    [
      'tells one twice',
      at31([...honest(31), ...honest(31)], LAST),
      '1 messages were missing or out of order',
    ],
    [
      'tells two in the wrong order',
      (offset) => honest(offset === 31 ? 32 : offset === 32 ? 31 : offset),
      'out of order',
    ],
    ['tells of another event', at31(another({ event: 'receipt_paid' }), LAST), 'not what they have to be'],
    ['tells of nothing', at31(['{}'], LAST), 'not what they have to be'],
    [
      'leaves out the last one',
      (offset, place) => (offset === MESSAGES && place === LAST ? [] : honest(offset)),
      'one heard 59 messages, another 60',
    ],
    [
      'tells one of them less',
      at31([JSON.stringify({ ...receiptAdded(31), currentRound: undefined })], LAST),
      'bytes, another',
    ],
    [
      'tells everybody less',
      at31([JSON.stringify({ ...receiptAdded(31), receipt: { id: 1_000_031, bets: [] } })]),
      'not what they have to be',
    ],
    [
      'tells everybody no receipt',
      at31([JSON.stringify({ ...receiptAdded(31), receipt: undefined })]),
      'not what they have to be',
    ],
    ['breaks off', at31([JSON.stringify(receiptAdded(31)).slice(0, -1)]), 'not what they have to be'],
    ['says nothing', () => [], 'nothing was heard'],
  ])('fail the row where a server %s', async (_, cheat, why) => {
    await expect(hear(cheat)).rejects.toThrow(why)
  })
})
