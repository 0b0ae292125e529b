// Selling over a socket on the built server: what a station may rely upon, whichever way it sends a sale.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, startServer, type TestServer } from '../support/server.ts'
import { type Json, Listener, ON_ALL, Station, saleOf } from '../support/station.ts'

const RATE_LIMIT = 600
const TRACKS = ['main', 'Auteuil']
const SALE = saleOf([
  [1, 1_000],
  [3, 2_000],
])

let server: TestServer
let admin: Station
let cashier: Station
const sockets: Listener[] = []
let lastId = 0

const open = async (station?: Station): Promise<Listener> => {
  const socket = await Listener.open(server, { ...(station && { station }), query: '?topics=' })
  sockets.push(socket)
  return socket
}
type Question = { readonly sale?: unknown; readonly key?: string; readonly track?: string }
const send = (socket: Listener, question: Question = {}): string => {
  const id = `n${++lastId}`
  socket.say({ type: 'sell', id, sale: SALE, ...question })
  return id
}
const sell = (socket: Listener, question?: Question): Promise<Json> =>
  socket.heard('answer', { id: send(socket, question) })
const receiptsOf = async (station: Station): Promise<Json[]> =>
  (await station.myBets('?limit=200')).data.tickets
const newCashier = async (name: string): Promise<Station> => {
  const body = { name, password: 'another password', role: 'cashier' }
  expect((await admin.ask('/api/v1/users/', { method: 'POST', body })).status).toBe(201)
  return Station.signIn(server, name, body.password)
}

beforeAll(async () => {
  server = await startServer({
    env: {
      ROUND_WAIT_DURATION_MS: '3600000',
      MAX_ROUND_EXPOSURE: '50000000',
      MAX_BET_AMOUNT: '20000000',
      TRACKS: TRACKS.join(),
      RATE_LIMIT_PER_MINUTE: String(RATE_LIMIT),
    },
  })
  ;[admin, cashier] = await Promise.all([Station.signIn(server, 'admin'), Station.signIn(server, 'caisse')])
  await cashier.openRound(60_000)
}, 90_000)
afterAll(async () => {
  for (const socket of sockets) socket.close()
  await server?.stop()
})

describe('a sale by socket', () => {
  it('is a receipt like any other: listed, printed, cancelled, told to those who follow', async () => {
    const follower = await Listener.open(server, { station: admin, query: '?topics=receipts' })
    sockets.push(follower)
    await follower.heard('snapshot')
    const { success, data } = await sell(await open(cashier))
    expect(success).toBe(true)
    expect(data).toMatchObject({ total_amount: 3_000, bets: [{ number: 1 }, { number: 3 }] })
    expect((await cashier.receipt(data.id)).data).toMatchObject({ id: data.id, status: 'pending' })
    expect((await follower.heard('receipt_added', { receiptId: data.id })).receipt.user_id).toBe(
      cashier.user.id,
    )
    expect((await cashier.print(data.id)).status).toBe(200)
    expect((await cashier.cancel(data.id)).status).toBe(200)
  })

  it('is for staff: a screen is refused, and one that signs in may sell', async () => {
    const screen = await open()
    expect((await sell(screen)).error).toMatchObject({ code: 'UNAUTHENTICATED' })
    screen.say({ type: 'auth', token: cashier.token })
    await screen.heard('signed_in')
    expect((await sell(screen)).success).toBe(true)
    expect((await sell(await open(admin))).data.bets).toHaveLength(2)
  })

  it('is answered with the same words as over HTTP, refused or not', async () => {
    const socket = await open(cashier)
    const bet = (number: unknown, value: unknown, more: object = {}) => ({
      participant: { number, ...more },
      value,
    })
    const odd: readonly (readonly [code: string | undefined, sale: unknown])[] = [
      [undefined, SALE],
      ['BAD_REQUEST', { bets: [] }],
      ['BAD_REQUEST', { bets: [bet(1, 1.5)] }],
      ['BAD_REQUEST', { bets: [bet('1', 1_000)] }],
      ['BAD_REQUEST', { bets: Array(31).fill(bet(1, 1_000)) }],
      ['BAD_REQUEST', { ...SALE, round_id: 'this' }],
      ['FORBIDDEN', { ...SALE, user_id: admin.user.id }],
      ['ROUND_CHANGED', { ...SALE, round_id: 999 }],
      ['STAKE_OUT_OF_LIMITS', { bets: [bet(1, -5)] }],
      ['PARTICIPANT_UNKNOWN', { bets: [bet(77, 1_000)] }],
      ['PARTICIPANT_REPEATED', { bets: [bet(1, 1_000), bet(1, 1_000)] }],
      ['PARTICIPANT_CHANGED', { bets: [bet(1, 1_000, { name: 'Nobody' })] }],
      ['COEFFICIENT_CHANGED', { bets: [bet(1, 1_000, { coeff: 99 })] }],
      ['EXPOSURE_REACHED', { bets: [bet(6, 20_000_000)] }],
    ]
    for (const [code, sale] of odd) {
      const { json } = await cashier.ask('/api/v1/receipts/?action=add', { method: 'POST', body: sale })
      const { event, id, ...answer } = await sell(socket, { sale })
      expect([code, json.error?.code, answer.error?.code]).toEqual([code, code, code])
      if (code === undefined) {
        const { id: number, created_at, ...rest } = answer.data
        expect(json.data).toMatchObject(rest)
        continue
      }
      // A place is one in the message, where the sale has a name.
      const places = JSON.parse(JSON.stringify(answer).replaceAll('"path":"sale.', '"path":"'))
      expect(places).toEqual(json)
    }
    const elsewhere = await cashier.sell(ON_ALL, { track: 'Vincennes' })
    expect((await sell(socket, { track: 'Vincennes' })).error).toEqual(elsewhere.json.error)
    expect((await sell(socket, { key: 'a key with spaces' })).error).toMatchObject({
      code: 'BAD_REQUEST',
      details: [{ path: 'key', message: expect.stringContaining('1 to 200 visible ASCII') }],
    })
  })

  it('under a key is one sale over HTTP and over any socket, whichever was first', async () => {
    const [one, other] = [await open(cashier), await open(cashier)]
    const before = (await receiptsOf(cashier)).length
    for (const first of ['socket', 'HTTP']) {
      const key = randomUUID()
      const overHttp = async () =>
        (await cashier.ask('/api/v1/receipts/?action=add', { method: 'POST', body: SALE, key })).json
      const overSocket = async (socket: Listener) => {
        const { success, data } = await sell(socket, { key })
        return { success, data }
      }
      const answers =
        first === 'HTTP'
          ? [await overHttp(), await overSocket(one), await overSocket(other)]
          : [await overSocket(one), await overHttp(), await overSocket(other)]
      expect(answers[0]).toMatchObject({ success: true })
      expect(answers[1]).toEqual(answers[0])
      expect(answers[2]).toEqual(answers[0])
      const another = saleOf([[2, 1_000]])
      const reused = await cashier.ask('/api/v1/receipts/?action=add', { method: 'POST', body: another, key })
      expect(reused.code).toBe('IDEMPOTENCY_KEY_REUSED')
      expect((await sell(one, { key, sale: another })).error).toEqual(reused.json.error)
      // Nor is it a sale on another track.
      expect((await sell(one, { key, track: 'Auteuil' })).error.code).toBe('IDEMPOTENCY_KEY_REUSED')
    }
    expect((await receiptsOf(cashier)).length).toBe(before + 2)
  })

  it('whose connection is lost before the answer is asked again under its key, and sold once', async () => {
    const keys: string[] = []
    for (let n = 0; n < 15; n++) {
      const socket = await open(cashier)
      const key = randomUUID()
      keys.push(key)
      send(socket, { key })
      if (n % 3 !== 0) await new Promise((resolve) => setImmediate(resolve))
      if (n % 3 === 2) await new Promise((resolve) => setTimeout(resolve, 5))
      socket.close()
    }
    const before = new Set((await receiptsOf(cashier)).map(({ id }) => id))
    const socket = await open(cashier)
    const sold = await Promise.all(keys.map((key) => sell(socket, { key })))
    const again = await Promise.all(keys.map((key) => sell(socket, { key })))
    expect(again.map(({ data }) => data)).toEqual(sold.map(({ data }) => data))
    const after = (await receiptsOf(cashier)).map(({ id }) => id)
    const ids = sold.map(({ data }) => data.id)
    expect(new Set(ids).size).toBe(keys.length)
    expect(after.filter((id) => !before.has(id) && !ids.includes(id))).toEqual([])
  })

  it('is refused with a session that was given back, and the socket is closed', async () => {
    const leaver = await newCashier('partant')
    const socket = await open(leaver)
    expect((await sell(socket)).success).toBe(true)
    expect((await leaver.ask('/api/v1/auth/logout', { method: 'POST' })).status).toBe(200)
    const late = send(socket)
    expect(await socket.closed).toBe(4401)
    expect(await socket.heard('answer', { id: late })).toMatchObject({ error: { code: 'UNAUTHENTICATED' } })
  })

  it('counts as a request of its user, and others sell on', async () => {
    const busy = await newCashier('rapide')
    const socket = await open(busy)
    const ids: string[] = []
    for (let sent = 0; sent < RATE_LIMIT; sent += 20) {
      const some = Array.from({ length: 20 }, () => send(socket))
      await Promise.all(some.map((id) => socket.heard('answer', { id })))
      ids.push(...some)
    }
    const refused = await sell(socket)
    expect(refused.error).toMatchObject({ code: 'TOO_MANY_REQUESTS' })
    expect(refused.error.details.retryAfterSeconds).toBeGreaterThan(0)
    // The same purse is used up for requests.
    expect((await busy.ask('/api/v1/my-bets/')).status).toBe(429)
    const answers = socket.messages.filter(({ event }) => event === 'answer')
    expect(answers.filter(({ success }) => success)).toHaveLength(RATE_LIMIT)
    expect((await sell(await open(cashier))).success).toBe(true)
    for (let n = 0; n < 50; n++) send(socket)
    expect(await socket.closed).toBe(4429)
  })
})

describe('a server that is killed while sockets sell', () => {
  it('has every sale that it answered, and one of each key', async () => {
    const outcomes = new Map<string, number | undefined>()
    const stations = await Promise.all(Array.from({ length: 4 }, () => open(cashier)))
    let isOver = false
    const lane = async (socket: Listener): Promise<void> => {
      while (!isOver) {
        const key = randomUUID()
        outcomes.set(key, undefined)
        const answer = await Promise.race([sell(socket, { key }), socket.closed.then(() => undefined)])
        if (answer?.success) outcomes.set(key, answer.data.id)
        else if (answer) throw new Error(JSON.stringify(answer))
        else return
      }
    }
    const lanes = stations.flatMap((socket) => [lane(socket), lane(socket), lane(socket)])
    await eventually('much was sold', () => [...outcomes.values()].filter(Boolean).length > 100)
    await server.kill()
    isOver = true
    await Promise.all(lanes)
    server.launch()
    await server.untilOpen()
    const answered = [...outcomes].filter(([, id]) => id !== undefined)
    const unknown = [...outcomes].filter(([, id]) => id === undefined)
    const socket = await open(cashier)
    const ids = new Set<number>()
    for (const [key, id] of outcomes) {
      const { success, data } = await sell(socket, { key })
      expect(success).toBe(true)
      if (id !== undefined) expect(data.id).toBe(id)
      ids.add(data.id)
    }
    expect(ids.size).toBe(answered.length + unknown.length)
    for (const id of ids) expect((await admin.receipt(id)).data).toMatchObject({ id, status: 'pending' })
  }, 90_000)
})

it('met no fault in all this', () => {
  expect(server.errorsLogged).toEqual([])
})
