// One whole round, sold → locked → run → settled → paid, over HTTP and WebSocket: played once for each column of the
// design's table, and then looked at from every side.
import { createHash, createHmac } from 'node:crypto'
import { Redis } from 'ioredis'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase } from '../support/postgres.ts'
import { startTestRedis, type TestRedis } from '../support/redis.ts'
import { eventually, startServer, type TestServer } from '../support/server.ts'
import { type Answer, ask, type Json, Listener, ON_ALL, Station } from '../support/station.ts'

const DURATIONS = {
  ROUND_WAIT_DURATION_MS: '5000',
  BETTING_LOCK_DURATION_MS: '700',
  RACE_DURATION_MS: '700',
  RESULTS_DURATION_MS: '900',
}

type World = {
  readonly server: TestServer
  readonly databaseUrl: string
  /** Where a cache other than the process's own is used. */
  readonly cache: Redis | undefined
  readonly end: () => Promise<unknown>
}

const shop = async (): Promise<World> => {
  const server = await startServer({ env: DURATIONS })
  return { server, databaseUrl: await server.databaseUrl(), cache: undefined, end: () => server.stop() }
}

const network = async (): Promise<World> => {
  const started: { stop(): Promise<unknown> }[] = []
  const end = async () => {
    for (const one of started) await one.stop()
  }
  try {
    const database = await createTestDatabase()
    started.unshift({ stop: () => database.drop() })
    const redis: TestRedis[] = []
    for (let count = 0; count < 2; count++) {
      const one = await startTestRedis()
      redis.push(one)
      started.unshift(one)
    }
    const cache = new Redis(redis[1]!.url)
    started.unshift({ stop: async () => cache.disconnect() })
    const server = await startServer({
      env: {
        ...DURATIONS,
        DATABASE_URL: database.url,
        REDIS_URL: redis[0]!.url,
        CACHE_REDIS_URL: redis[1]!.url,
      },
    })
    started.unshift(server)
    return { server, databaseUrl: database.url, cache, end }
  } catch (error) {
    await end()
    throw error
  }
}

const worlds: readonly (readonly [string, () => Promise<World>])[] = [
  ['the embedded Postgres', shop],
  ['Postgres and two Redis', network],
]

describe.each(worlds)('a round on %s', (_name, open) => {
  let world: World
  let played: Played

  beforeAll(async () => {
    world = await open()
    played = await play(world)
  }, 120_000)
  afterAll(() => world?.end())

  it('answers a sale with its number, its round, its amounts and its bets in the smallest unit', () => {
    const { round, everyone } = played
    expect(everyone).toEqual({
      id: expect.any(Number),
      roundId: round.id,
      total_amount: 6_000,
      prize: 12_570,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      bets: round.participants.map((participant: Json) => ({
        number: participant.number,
        value: 1_000,
        participant,
        prize: Math.round(participant.coeff * 1_000),
      })),
    })
    expect(String(everyone.id)).toMatch(/^1\d{6}$/)
  })

  it('takes the sale that the reference writes, word for word, with cookies and with or without a slash', () => {
    for (const answer of played.wordForWord) {
      expect(answer.status).toBe(200)
      expect(answer.json).toMatchObject({
        success: true,
        data: {
          id: expect.any(Number),
          roundId: played.round.id,
          total_amount: 10_000,
          bets: [
            {
              number: 1,
              value: 10_000,
              participant: { number: 1, name: 'Cheval 1', coeff: 2.5 },
              prize: 25_000,
            },
          ],
        },
      })
    }
  })

  it('answers a cancellation with success alone, and leaves the receipt out of all lists', () => {
    const { cancellation, cancelled, dashboard, game, listed } = played
    expect(cancellation.status).toBe(200)
    expect(cancellation.json).toEqual({ success: true })
    for (const tickets of [dashboard.data.tickets, game.data.tickets, listed.data.tickets])
      expect(tickets.map(({ id }: Json) => id)).not.toContain(cancelled.id)
  })

  it('shows the dashboard in the public unit and the game in the smallest, latest first', () => {
    const { dashboard, game, round, everyone, wordForWord, cashier } = played
    const ids = [everyone.id, ...wordForWord.map(({ data }) => data.id)].reverse()
    expect(dashboard.headers.get('cache-control')).toBe('private, max-age=2')
    expect(dashboard.json).toEqual({
      success: true,
      data: {
        round: expect.objectContaining({ id: round.id, participants: round.participants, status: 'waiting' }),
        tickets: expect.any(Array),
        timer: {
          timeLeft: expect.any(Number),
          totalDuration: 5_000,
          serverTime: expect.any(Number),
        },
        ticketsTotal: ids.length,
        next: null,
        totalPrize: 125.7 + wordForWord.length * 250,
        cacheTimestamp: expect.any(Number),
        source: 'memory+db',
      },
    })
    expect(dashboard.data.tickets.map(({ id }: Json) => id)).toEqual(ids)
    const shown = dashboard.data.tickets.at(-1)
    expect(shown).toEqual({
      id: everyone.id,
      receipt_id: everyone.id,
      round_id: round.id,
      roundId: round.id,
      track: 'main',
      user_id: cashier.user.id,
      total_amount: 60,
      totalAmount: 60,
      status: 'pending',
      prize: 125.7,
      created_at: everyone.created_at,
      bets: everyone.bets.map((bet: Json) => ({ ...bet, value: 10, prize: bet.prize / 100 })),
      _source: 'memory',
    })
    expect(game.json).toEqual({
      success: true,
      data: {
        round: expect.objectContaining({ id: round.id, status: 'waiting' }),
        timer: expect.any(Object),
        tickets: expect.any(Array),
        ticketsTotal: ids.length,
        next: null,
        isRaceRunning: false,
        nextRoundStartTime: round.nextAt,
        cacheTimestamp: expect.any(Number),
        source: 'memory',
      },
    })
    expect(game.data.tickets.map(({ id }: Json) => id)).toEqual(ids)
    expect(game.data.tickets.at(-1)).toMatchObject({
      total_amount: 6_000,
      prize: 12_570,
      user_id: cashier.user.id,
    })
    expect(played.publicGame.headers.get('cache-control')).toBe('public, max-age=2')
    expect(played.publicGame.data).toMatchObject({ round: { id: round.id }, tickets: [] })
  })

  it('lists my bets with pages, statistics and tickets in the public unit', () => {
    const { listed, everyone, wordForWord } = played
    const count = 1 + wordForWord.length
    expect(listed.data).toMatchObject({
      pagination: {
        currentPage: 1,
        totalPages: 1,
        totalItems: count,
        limit: 10,
        displayedRange: `1-${count}`,
      },
      stats: {
        totalBetAmount: 60 + 100 * wordForWord.length,
        potentialWinnings: 125.7 + 250 * wordForWord.length,
        activeTicketsCount: count,
        winRate: '0',
        paidWinnings: 0,
        pendingPayments: 0,
      },
    })
    expect(played.one.data).toMatchObject({
      id: everyone.id,
      roundId: played.round.id,
      totalAmount: 60,
      status: 'pending',
    })
  })

  it('sells nothing once betting is locked, and nothing while the race runs', () => {
    expect(played.soldLocked).toMatchObject({ status: 409, code: 'BETTING_LOCKED' })
    expect(played.soldRunning).toMatchObject({ status: 409, code: 'RACE_RUNNING' })
    expect(played.cancelledRunning).toMatchObject({ status: 409, code: 'RACE_RUNNING' })
  })

  it('tells no one the outcome before the race is over', () => {
    expect(played.proofBefore.data).toMatchObject({ seed: null, order: null })
    expect(played.runningRound).not.toHaveProperty('result')
    const { seed } = played.settled.result
    const before = played.visitor.slice(
      0,
      played.visitor.findIndex(({ event }) => event === 'round_settled'),
    )
    expect(before.length).toBeGreaterThan(2)
    expect(JSON.stringify(before)).not.toContain(seed)
    for (const message of before) expect(message.round?.result).toBeUndefined()
  })

  it('lets anybody check the draw from what the proof says alone', () => {
    const { data } = played.proof
    expect(data).toMatchObject({ roundId: played.round.id, commitment: played.round.commitment })
    expect(createHash('sha256').update(Buffer.from(data.seed, 'hex')).digest('hex')).toBe(data.commitment)
    expect(orderByHand(data)).toEqual(data.order)
    expect(data.order).toEqual(played.settled.result.order)
  })

  it('pays the winner once, by whoever sold it, and says who paid when asked again', () => {
    const { payment, again, everyone, cashier, winner } = played
    const prize = Math.round(winner.coeff * 1_000) / 100
    expect(payment.status).toBe(200)
    expect(payment.data).toEqual({
      id: everyone.id,
      receipt_id: everyone.id,
      roundId: played.round.id,
      status: 'paid',
      prize,
      amount: prize,
      paidAt: expect.any(String),
      paidBy: cashier.user.id,
    })
    expect(again).toMatchObject({ status: 409, code: 'RECEIPT_ALREADY_PAID' })
    const { details } = again.json.error
    expect(details).toMatchObject({ id: everyone.id, by: cashier.user.id })
    expect(new Date(details.at).toISOString()).toBe(payment.data.paidAt)
  })

  it('tells the screens of the round in order, without a gap', () => {
    const race = played.visitor.filter(
      ({ roundId, event }) => roundId === played.round.id && event !== 'timer' && event !== 'race_progress',
    )
    expect(race.map(({ event }) => event).slice(-3)).toEqual([
      'betting_locked',
      'race_started',
      'round_settled',
    ])
    expect(race.at(-1).round).toMatchObject({ status: 'settled', result: played.settled.result })
    for (const messages of [played.visitor, played.screen, played.staff]) {
      expect(new Set(messages.map(({ epoch }) => epoch)).size).toBe(1)
      const offsets = messages.map(({ offset }) => offset)
      expect(offsets).toEqual(offsets.map((_, index) => offsets[0] + index))
      for (const { serverTime } of messages) expect(serverTime).toBeGreaterThan(Date.now() - 120_000)
    }
    expect(played.visitor.some(({ topic }) => topic !== 'race')).toBe(false)
  })

  it('tells staff of the receipts as the reference says, in order', () => {
    const { everyone, cancelled, wordForWord, round } = played
    for (const messages of [played.screen, played.staff]) {
      expect(messages.map(({ event, receiptId }) => [event, receiptId])).toEqual([
        ['receipt_added', everyone.id],
        ['receipt_added', cancelled.id],
        ...wordForWord.map(({ data }) => ['receipt_added', data.id]),
        ['receipt_deleted', cancelled.id],
        ['receipts_settled', undefined],
        ['receipt_paid', everyone.id],
      ])
      const added = messages[0]
      expect(added).toMatchObject({
        event: 'receipt_added',
        receiptId: everyone.id,
        roundId: round.id,
        receipt: { id: everyone.id, total_amount: 6_000, status: 'pending', bets: everyone.bets },
        totalReceipts: 1,
        currentRound: { id: round.id, status: 'waiting' },
      })
      const deleted = messages.find(({ event }) => event === 'receipt_deleted')
      expect(deleted).toMatchObject({
        receiptId: cancelled.id,
        roundId: round.id,
        totalReceipts: 1 + wordForWord.length,
        currentRound: { id: round.id },
        totalPrize: 12_570 + 25_000 * wordForWord.length,
      })
      expect(messages.at(-1)).toMatchObject({ receiptId: everyone.id, roundId: round.id, status: 'paid' })
    }
  })

  it('keeps the round in the cache as the reference says, for an hour at most', () => {
    if (!world.cache) return expect(played.cached).toEqual([])
    const [sold, dropped, settled, paid] = played.cached
    const { everyone, cancelled, wordForWord, winner, cashier } = played
    for (const { ttl } of played.cached) {
      expect(ttl).toBeGreaterThan(0)
      expect(ttl).toBeLessThanOrEqual(3_600)
    }
    const mise = (count: number, more: number) => ({ 1: count * 10_000 + 1_000 + more, 2: 1_000 + more })
    const both = wordForWord.length
    expect(idsIn(sold)).toEqual(idsOf([everyone, cancelled, ...wordForWord.map(({ data }) => data)]))
    expect(sold!.data.stats).toMatchObject({
      totalReceipts: 2 + both,
      totalMise: 6_000 + 4_000 + both * 10_000,
      participantMise: mise(both, 2_000),
    })
    expect(receiptIn(sold, everyone.id)).toEqual({
      id: everyone.id,
      user_id: cashier.user.id,
      created_at: Date.parse(everyone.created_at),
      total_amount: 6_000,
      bets: everyone.bets,
      status: 'pending',
      prize: 12_570,
    })
    expect(idsIn(dropped)).not.toContain(cancelled.id)
    expect(dropped!.data.stats).toMatchObject({
      totalReceipts: 1 + both,
      totalMise: 6_000 + both * 10_000,
      participantMise: mise(both, 0),
    })
    const won = Math.round(winner.coeff * 1_000)
    expect(receiptIn(settled, everyone.id)).toMatchObject({ status: 'won', prize: won })
    for (const { data } of wordForWord)
      expect(receiptIn(settled, data.id)).toMatchObject(
        winner.number === 1 ? { status: 'won', prize: 25_000 } : { status: 'lost', prize: 0 },
      )
    expect(receiptIn(paid, everyone.id)).toMatchObject({ status: 'paid', prize: won })
  })

  it('leaves rows in Postgres that say the same', () => {
    const { rows, round, everyone, cancelled, wordForWord, cashier, winner, settled, payment } = played
    const status = winner.number === 1 ? 'won' : 'lost'
    const row = (sale: Json, more: object) => ({
      receipt_id: sale.id,
      user_id: cashier.user.id,
      total_amount: sale.total_amount,
      created_at: sale.created_at,
      closed_by: null,
      closed_at: null,
      ...more,
    })
    expect(rows.receipts).toEqual(
      [
        row(everyone, {
          status: 'paid',
          prize: Math.round(winner.coeff * 1_000),
          closed_by: cashier.user.id,
          closed_at: payment.data.paidAt,
        }),
        row(cancelled, {
          status: 'cancelled',
          prize: 8_000,
          closed_by: cashier.user.id,
          closed_at: expect.any(String),
        }),
        ...wordForWord.map(({ data }) => row(data, { status, prize: status === 'won' ? 25_000 : 0 })),
      ].sort((a, b) => a.receipt_id - b.receipt_id),
    )
    const bets = [everyone, cancelled, ...wordForWord.map(({ data }) => data)].flatMap(({ id, bets }) =>
      bets.map(({ number, value, prize }: Json) => ({ receipt_id: id, number, value, prize })),
    )
    expect(rows.bets).toEqual(bets.sort((a, b) => a.receipt_id - b.receipt_id || a.number - b.number))
    expect(rows.round).toMatchObject({
      round_id: round.id,
      track: 'main',
      status: 'settled',
      commitment: round.commitment,
      seed: settled.result.seed,
      arrival: settled.result.order,
      receipt_count: 1 + wordForWord.length,
      stakes: 6_000 + 10_000 * wordForWord.length,
      prizes: Math.round(winner.coeff * 1_000) + (winner.number === 1 ? 25_000 * wordForWord.length : 0),
      discrepancy: null,
    })
    expect(rows.facts).toEqual([
      'RoundOpened',
      ...Array.from({ length: 2 + wordForWord.length }, () => 'ReceiptSold'),
      'ReceiptCancelled',
      'BettingLocked',
      'RaceStarted',
      'RoundSettled',
      'ReceiptPaid',
    ])
  })

  it('leaves nothing waiting, failed or alarming behind', () => {
    expect(played.persistence).toMatchObject({
      unstored: { receipts: 0, amount: 0, oldestAt: null, oldestAgeMs: null },
      failedJobs: 0,
      journal: { writable: true },
      alarms: [],
    })
    expect(played.health).toMatchObject({
      status: 'ok',
      checks: {
        journal: { ok: true },
        postgres: { ok: true },
        queues: { ok: true },
        persistence: { ok: true },
      },
    })
    expect(world.server.errorsLogged).toEqual([])
  })

  it('says the same of a receipt before and after Postgres took it over', () => {
    expect(played.after.data).toEqual(played.before.data)
    expect(played.history.data.rounds.find(({ id }: Json) => id === played.round.id)).toMatchObject({
      status: 'settled',
      commitment: played.round.commitment,
      result: played.settled.result,
    })
  })
})

type Cached = { readonly data: Json; readonly ttl: number }
type Played = Awaited<ReturnType<typeof play>>

const idsOf = (receipts: Json[]): number[] => receipts.map(({ id }) => id).sort()
const idsIn = (cached: Cached | undefined): number[] => idsOf(cached!.data.receipts)
const receiptIn = (cached: Cached | undefined, id: number): Json =>
  cached!.data.receipts.find((receipt: Json) => receipt.id === id)

const play = async ({ server, databaseUrl, cache }: World) => {
  const { url } = server
  const credentials = { name: 'caisse', password: server.passwordOf('caisse') }
  const [admin, cashier, login] = await Promise.all([
    Station.signIn(server, 'admin'),
    Station.signIn(server, 'caisse'),
    ask(`${url}/api/v1/auth/login`, { method: 'POST', body: credentials }),
  ])
  const cookie = login.headers.get('set-cookie')!.split(';')[0]!

  const round = await admin.openRound(3_000)
  const visitor = await Listener.open(server)
  const screen = await Listener.open(server, { station: admin, query: '?topics=receipts' })
  const staff = await Listener.open(server, { cookie, query: '?topics=receipts' })
  await Promise.all([screen, staff].map((listener) => listener.heard('snapshot', { topic: 'receipts' })))

  const cached: Cached[] = []
  const remember = async (what: string, isSo: (data: Json) => boolean): Promise<void> => {
    if (!cache) return
    cached.push(
      await eventually(what, async () => {
        const data = JSON.parse((await cache.get(`round:${round.id}:data`)) ?? 'null')
        return data && isSo(data) && { data, ttl: await cache.ttl(`round:${round.id}:data`) }
      }),
    )
  }

  const everyone = await cashier.sold(ON_ALL)
  const cancelled = await cashier.sold([
    [1, 2_000],
    [2, 2_000],
  ])
  const wordForWord: Answer[] = []
  for (const path of ['/api/v1/receipts/?action=add', '/api/v1/receipts?action=add'])
    wordForWord.push(await saleOfTheReference(`${url}${path}`, cookie, cashier.user.id))
  await remember('four receipts are cached', ({ receipts }) => receipts.length === 4)

  const cancellation = await ask(`${url}/api/v1/receipts/?action=delete&id=${cancelled.id}`, {
    method: 'POST',
    headers: { cookie },
  })
  const dashboard = await cashier.dashboard()
  const game = await ask(`${url}/api/v1/init/game`, { headers: { cookie } })
  const publicGame = await ask(`${url}/api/v1/init/game/`)
  const listed = await ask(`${url}/api/v1/my-bets/?page=1&limit=10`, { headers: { cookie } })
  const one = await cashier.receipt(`0${everyone.id}`)
  const proofBefore = await ask(`${url}/api/v1/rounds/${round.id}/proof`)
  await remember('the cancelled receipt left the cache', ({ receipts }) => receipts.length === 3)

  await visitor.heard('betting_locked', { roundId: round.id })
  const soldLocked = await cashier.sell(ON_ALL)
  await visitor.heard('race_started', { roundId: round.id })
  const soldRunning = await cashier.sell(ON_ALL)
  const cancelledRunning = await cashier.cancel(everyone.id)
  const runningRound = (await ask(`${url}/api/v1/rounds/current`)).data
  await visitor.heard('round_settled', { roundId: round.id })
  const settled = await admin.untilRound(round.id, 'settled')
  const winner = round.participants.find(({ number }: Json) => number === settled.result.winner)
  const isOf = (status: string) => (data: Json) =>
    data.receipts.find(({ id }: Json) => id === everyone.id)?.status === status
  await remember('the cache knows the outcome', isOf('won'))

  const payment = await cashier.pay(everyone.id)
  const again = await admin.pay(everyone.id)
  await remember('the cache knows of the payment', isOf('paid'))
  await Promise.all([screen, staff].map((listener) => listener.heard('receipt_paid')))
  const before = await cashier.receipt(everyone.id)
  const proof = await ask(`${url}/api/v1/rounds/${round.id}/proof`)

  await admin.untilRetired(round.id)
  const after = await cashier.receipt(everyone.id)
  const history = await ask(`${url}/api/v1/rounds/`)
  const rows = await rowsOf(databaseUrl, round.id)
  const persistence = await admin.untilStored()
  const health = (await ask(`${url}/health/detailed`)).json
  for (const listener of [visitor, screen, staff]) listener.close()

  return {
    cashier,
    round,
    settled,
    winner,
    everyone,
    cancelled,
    wordForWord,
    cancellation,
    dashboard,
    game,
    publicGame,
    listed,
    one,
    soldLocked,
    soldRunning,
    cancelledRunning,
    runningRound,
    proofBefore,
    proof,
    payment,
    again,
    before,
    after,
    history,
    rows,
    persistence,
    health,
    cached,
    visitor: visitor.of('race'),
    screen: screen.of('receipts'),
    staff: staff.of('receipts'),
  }
}

/** The example of the reference, "Créer un ticket", as it stands there. */
const saleOfTheReference = (url: string, cookie: string, userId: number): Promise<Answer> =>
  ask(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', cookie },
    body: JSON.stringify({
      user_id: userId,
      bets: [
        {
          participant: {
            number: 1,
            name: 'Cheval 1',
            coeff: 2.5,
          },
          value: 10000, // 100.00 HTG en système
        },
      ],
    }),
  })

/** The order of arrival as the `method` of the proof tells it, and from nothing else. */
const orderByHand = ({ seed, roundId, field }: Json): number[] => {
  let i = 0
  const number = (n: number): number => {
    const limit = 2n ** 48n - (2n ** 48n % BigInt(n))
    for (;;) {
      const block = createHmac('sha256', Buffer.from(seed, 'hex'))
        .update(`galop order of arrival 1\n${roundId}\n${i++}`)
        .digest('hex')
      const first48 = BigInt(`0x${block.slice(0, 12)}`)
      if (first48 < limit) return Number(first48 % BigInt(n))
    }
  }
  const running = [...field]
  const order: number[] = []
  while (running.length > 0) {
    let left = number(running.reduce((sum, { chance }) => sum + chance, 0))
    const index = running.findIndex(({ chance }) => {
      if (left < chance) return true
      left -= chance
      return false
    })
    order.push(running.splice(index, 1)[0].number)
  }
  return order
}

const rowsOf = async (databaseUrl: string, roundId: number) => {
  const sql = postgres(databaseUrl, { max: 1, types: { bigint: NUMBERS } })
  const day = (at: Date | null) => at?.toISOString() ?? null
  try {
    const [round] = await eventually('the round is compared with its facts', async () => {
      const found = await sql`select * from rounds where round_id = ${roundId} and reconciled_at is not null`
      return found.length === 1 && found
    })
    const receipts = await sql`
      select receipt_id, user_id, total_amount, prize, status, created_at, closed_by, closed_at
      from receipts where round_id = ${roundId} order by receipt_id`
    const bets = await sql`
      select receipt_id, number, value, prize from bets where round_id = ${roundId} order by receipt_id, number`
    const facts = await sql`select type from facts where round_id = ${roundId} order by number`
    return {
      round: round as Json,
      receipts: receipts.map((row) => ({
        ...row,
        created_at: day(row.created_at),
        closed_at: day(row.closed_at),
      })),
      bets: bets.map((row) => ({ ...row })),
      facts: facts.map(({ type }) => type as string),
    }
  } finally {
    await sql.end()
  }
}

const NUMBERS = { to: 20, from: [20], serialize: String, parse: Number }
