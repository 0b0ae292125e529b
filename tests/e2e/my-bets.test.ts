// The list of one's receipts: pages, filters and sums across rounds that are live and rounds that Postgres owns, held
// against books that the test keeps.
//   B1. Every receipt is counted once, however many rounds change their owner meanwhile.
//   B2. A kept answer goes as soon as one of its receipts changes.
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, startServer, type TestServer } from '../support/server.ts'
import { ask, type Json, ON_ALL, Station } from '../support/station.ts'

// A zone in which it is another day than in UTC, all day long.
const ZONE = new Date().getUTCHours() < 11 ? 'Pacific/Pago_Pago' : 'Pacific/Kiritimati'
const dayOf = (at: number): string => new Intl.DateTimeFormat('sv-SE', { timeZone: ZONE }).format(at)
const DAY_MS = 86_400_000
const ROUNDS = 8

type Kept = {
  readonly id: number
  readonly roundId: number
  readonly by: number
  readonly at: number
  readonly total: number
  readonly bets: readonly { number: number; prize: number }[]
  cancelled: boolean
  paid: boolean
}

let server: TestServer
let admin: Station
let cashiers: Station[]
const books = new Map<number, Kept>()
const winners = new Map<number, number>()

const write = (by: Station, receipt: Json): Kept => {
  const { id, roundId, created_at, total_amount, bets } = receipt
  const at = Date.parse(created_at)
  const kept = { id, roundId, by: by.user.id, at, total: total_amount, bets, cancelled: false, paid: false }
  books.set(id, kept)
  return kept
}
const sellOn = async (
  station: Station,
  stakes: readonly (readonly [number, number])[] = ON_ALL,
): Promise<Kept> => write(station, await station.sold(stakes))

beforeAll(async () => {
  server = await startServer({
    env: {
      TIME_ZONE: ZONE,
      ROUND_WAIT_DURATION_MS: '600',
      BETTING_LOCK_DURATION_MS: '50',
      RACE_DURATION_MS: '150',
      RESULTS_DURATION_MS: '100',
    },
  })
  admin = await Station.signIn(server, 'admin')
  const others = ['autre', 'tiers'].map(async (name) => {
    await admin.ask('/api/v1/users/', {
      method: 'POST',
      body: { name, password: 'long enough', role: 'cashier' },
    })
    return Station.signIn(server, name, 'long enough')
  })
  cashiers = [await Station.signIn(server, 'caisse'), ...(await Promise.all(others))]
}, 90_000)
afterAll(() => server?.stop())

const statusOf = ({ cancelled, paid, roundId, bets }: Kept): string => {
  if (cancelled) return 'cancelled'
  if (paid) return 'paid'
  const winner = winners.get(roundId)
  if (winner === undefined) return 'pending'
  return bets.some(({ number }) => number === winner) ? 'won' : 'lost'
}
const prizeOf = ({ roundId, bets }: Kept): number => {
  const winner = winners.get(roundId)
  const prizes = bets
    .filter(({ number }) => winner === undefined || number === winner)
    .map(({ prize }) => prize)
  return Math.max(0, ...prizes)
}
const learn = async (): Promise<void> => {
  for (const roundId of new Set([...books.values()].map(({ roundId }) => roundId))) {
    if (winners.has(roundId)) continue
    const { data } = await ask(`${server.url}/api/v1/rounds/${roundId}`)
    if (data?.result) winners.set(roundId, data.result.winner)
  }
}

/** What the list must say of these receipts, by the books. */
const expected = (wanted: (receipt: Kept) => boolean) => {
  const receipts = [...books.values()].filter(wanted).sort((a, b) => b.at - a.at || b.id - a.id)
  const of = (...statuses: string[]) => receipts.filter((receipt) => statuses.includes(statusOf(receipt)))
  const prizes = (status: string) => of(status).reduce((sum, receipt) => sum + prizeOf(receipt), 0) / 100
  const settled = of('won', 'paid', 'lost').length
  return {
    ids: receipts.map(({ id }) => id),
    stats: {
      totalBetAmount: receipts.reduce((sum, { total }) => sum + total, 0) / 100,
      potentialWinnings: prizes('pending'),
      activeTicketsCount: of('pending').length,
      winRate: String(settled === 0 ? 0 : Math.round((100 * of('won', 'paid').length) / settled)),
      paidWinnings: prizes('paid'),
      pendingPayments: prizes('won'),
      pendingRefunds: 0,
    },
  }
}
const isKept = (receipt: Kept): boolean => !receipt.cancelled

/** All pages of a list, one after another. */
const readAll = async (
  station: Station,
  query: string,
  limit: number,
): Promise<{ ids: number[]; stats: Json }> => {
  const ids: number[] = []
  for (let page = 1; ; page++) {
    const { data } = await station.myBets(`?${query}&limit=${limit}&page=${page}`)
    const { totalItems, totalPages, displayedRange, currentPage } = data.pagination
    const first = (page - 1) * limit + 1
    const last = Math.min(page * limit, totalItems)
    expect({ totalPages, displayedRange, currentPage, limit: data.pagination.limit }).toEqual({
      totalPages: Math.ceil(totalItems / limit),
      displayedRange: totalItems === 0 ? '0-0' : `${first}-${last}`,
      currentPage: page,
      limit,
    })
    ids.push(...data.tickets.map(({ id }: Json) => id))
    if (page >= totalPages) return { ids, stats: data.stats }
  }
}

describe('while short rounds are handed over', () => {
  it('holds every receipt once, and sums up what it holds, at every moment', async () => {
    const [first, second] = cashiers as [Station, Station]
    let isOver = false
    const play = async (station: Station, rhythm: number): Promise<void> => {
      const rounds = new Set<number>()
      for (let count = 1; rounds.size < ROUNDS; count++) {
        const answer = await station.sell(count % 3 === 0 ? ON_ALL : [[1 + (count % 6), 1_000 + count]])
        if (answer.status !== 200) {
          await new Promise((resolve) => setTimeout(resolve, 20))
          continue
        }
        const receipt = write(station, answer.data)
        rounds.add(receipt.roundId)
        if (count % rhythm === 0 && (await station.cancel(receipt.id)).status === 200)
          receipt.cancelled = true
      }
    }
    const trouble: Json[] = []
    let reads = 0
    const hammer = async (station: Station, own: (receipt: Kept) => boolean): Promise<void> => {
      for (let count = 0; !isOver; count++) {
        // Another limit is another answer to make: nothing here comes from the cache.
        const limit = 200 - (count % 40)
        const known = [...books.values()]
          .filter((receipt) => own(receipt) && isKept(receipt))
          .map(({ id }) => id)
        const { data, status, text } = await station.myBets(`?limit=${limit}`)
        reads++
        if (status !== 200) trouble.push(text)
        else {
          const ids: number[] = data.tickets.map(({ id }: Json) => id)
          const cancelled = (id: number) => books.get(id)?.cancelled
          if (new Set(ids).size !== ids.length) trouble.push({ twice: ids })
          if (data.pagination.totalItems <= limit) {
            const lost = known.filter((id) => !ids.includes(id) && !cancelled(id))
            if (lost.length > 0) trouble.push({ lost })
            if (data.pagination.totalItems !== ids.length)
              trouble.push({ counted: data.pagination.totalItems, listed: ids.length })
            const sum = data.tickets.reduce(
              (all: number, one: Json) => all + Math.round(one.totalAmount * 100),
              0,
            )
            if (Math.round(data.stats.totalBetAmount * 100) !== sum)
              trouble.push({ sum, stated: data.stats.totalBetAmount })
          }
          if (data.history !== 'complete') trouble.push(data.history)
          const order = data.tickets.map(({ created_at }: Json) => Date.parse(created_at))
          if (order.some((at: number, index: number) => index > 0 && at > order[index - 1]))
            trouble.push({ order })
        }
      }
    }
    // Payments from both sides of a hand-over.
    const payAll = async (): Promise<void> => {
      while (!isOver) {
        await learn()
        for (const receipt of [...books.values()].filter(
          (one) => statusOf(one) === 'won' && one.id % 2 === 0,
        )) {
          const answer = await admin.pay(receipt.id)
          if (answer.status === 200) receipt.paid = true
          else trouble.push(answer.text)
        }
        await new Promise((resolve) => setTimeout(resolve, 150))
      }
    }
    const own = (station: Station) => (receipt: Kept) => receipt.by === station.user.id
    const readers = [
      hammer(first, own(first)),
      hammer(second, own(second)),
      hammer(admin, () => true),
      payAll(),
    ]
    await Promise.all([play(first, 5), play(second, 7)]).finally(() => {
      isOver = true
    })
    await Promise.all(readers)
    expect(trouble).toEqual([])
    expect(reads).toBeGreaterThan(50)
    expect(books.size).toBeGreaterThan(ROUNDS * 4)
  }, 60_000)

  it('says the same of live and retired rounds together as the books', async () => {
    const [first] = cashiers as [Station]
    const said = await eventually('a list read within one round', async () => {
      const round = await admin.openRound(250)
      await learn()
      await sellOn(first, [[2, 5_000]])
      await sellOn(first)
      const { data } = await first.myBets('?limit=200')
      const after = await admin.ask('/api/v1/rounds/current')
      await learn()
      const isSame = after.data.id === round.id && after.data.status === 'waiting'
      return isSame && { data, wanted: expected((one) => isKept(one) && one.by === first.user.id) }
    })
    expect(said.wanted.stats.activeTicketsCount).toBeGreaterThanOrEqual(2)
    expect(said.data.stats).toEqual(said.wanted.stats)
    expect(said.data.pagination.totalItems).toBe(said.wanted.ids.length)
    expect(said.data.tickets.map(({ id }: Json) => id)).toEqual(said.wanted.ids.slice(0, 200))
  })
})

describe('once all rounds are handed over', () => {
  beforeAll(async () => {
    for (const roundId of new Set([...books.values()].map(({ roundId }) => roundId)))
      await admin.untilRetired(roundId)
    await learn()
  })

  it('pages through all receipts, latest first, and shows cancelled ones to those who ask for them', async () => {
    for (const station of [...cashiers, admin]) {
      const isOwn = (receipt: Kept) => station === admin || receipt.by === station.user.id
      for (const limit of [7, 200])
        expect(await readAll(station, '', limit)).toEqual(expected((one) => isOwn(one) && isKept(one)))
      for (const status of ['won', 'lost', 'paid', 'pending', 'cancelled'])
        expect([status, (await readAll(station, `status=${status}`, 50)).ids]).toEqual([
          status,
          expected((one) => isOwn(one) && statusOf(one) === status).ids,
        ])
      expect((await readAll(station, 'status=paid', 50)).stats).toEqual(
        expected((one) => isOwn(one) && statusOf(one) === 'paid').stats,
      )
    }
    const beyond = await cashiers[0]!.myBets('?page=1000')
    expect(beyond.data).toMatchObject({
      tickets: [],
      pagination: { currentPage: 1_000, displayedRange: '0-0' },
    })
  })

  it('knows what a day is where the shop stands', async () => {
    const [first] = cashiers as [Station]
    const now = Date.now()
    expect(dayOf(now)).not.toBe(new Date(now).toISOString().slice(0, 10))
    for (const day of [now - DAY_MS, now, now + DAY_MS].map(dayOf)) {
      const wanted = expected((one) => isKept(one) && one.by === first.user.id && dayOf(one.at) === day)
      expect([day, await readAll(first, `date=${day}`, 60)]).toEqual([day, wanted])
      const won = expected(
        (one) => one.by === first.user.id && dayOf(one.at) === day && statusOf(one) === 'won',
      )
      expect([day, await readAll(first, `date=${day}&status=won`, 60)]).toEqual([day, won])
    }
  })

  it('finds a receipt by its number, with and without the first zero, for whom it belongs to', async () => {
    const [first, second] = cashiers as [Station, Station]
    const mine = [...books.values()].find((one) => isKept(one) && one.by === first.user.id)!
    for (const number of [mine.id, `0${mine.id}`]) {
      const { data } = await first.myBets(`?searchId=${number}`)
      expect(data.tickets.map(({ id }: Json) => id)).toEqual([mine.id])
      expect(data.pagination).toMatchObject({ totalItems: 1, totalPages: 1, displayedRange: '1-1' })
      expect((await admin.myBets(`?searchId=${number}`)).data.tickets).toEqual(data.tickets)
      expect((await second.myBets(`?searchId=${number}`)).data.tickets).toEqual([])
      expect((await first.myBets(`?searchId=${number}&status=pending`)).data.tickets).toEqual([])
      expect((await first.receipt(number)).data).toEqual(data.tickets[0])
    }
    expect((await first.myBets('?searchId=999999999')).data.tickets).toEqual([])
  })

  it('shows admins one user’s receipts if they ask, and cashiers nobody else’s', async () => {
    const [first, second] = cashiers as [Station, Station]
    const ofFirst = expected((one) => isKept(one) && one.by === first.user.id)
    expect(await readAll(admin, `user_id=${first.user.id}`, 70)).toEqual(ofFirst)
    expect(await readAll(first, `user_id=${first.user.id}`, 70)).toEqual(ofFirst)
    expect(await second.myBets(`?user_id=${first.user.id}`)).toMatchObject({ status: 403, code: 'FORBIDDEN' })
  })
})

describe('a kept answer', () => {
  it('is gone as soon as a receipt of its user is sold, cancelled, settled or paid, live and retired', async () => {
    const [first, second] = cashiers as [Station, Station]
    const statuses = async (station: Station, id: number) => {
      const of = async (reader: Station) =>
        (await reader.myBets()).data.tickets.find((one: Json) => one.id === id)?.status
      return [await of(station), await of(admin)]
    }
    const round = await admin.openRound(450)
    await statuses(first, 0)
    const { id, roundId } = await first.sold(ON_ALL)
    expect(roundId).toBe(round.id)
    expect(await statuses(first, id)).toEqual(['pending', 'pending'])
    const dropped = await first.sold()
    expect(await statuses(first, dropped.id)).toEqual(['pending', 'pending'])
    const late = await first.sold()
    expect((await first.cancel(dropped.id)).status).toBe(200)
    expect(await statuses(first, dropped.id)).toEqual([undefined, undefined])
    expect(await statuses(first, id)).toEqual(['pending', 'pending'])
    await admin.untilRound(roundId, 'settled')
    expect(await statuses(first, id)).toEqual(['won', 'won'])
    expect((await admin.pay(id)).status).toBe(200)
    expect(await statuses(first, id)).toEqual(['paid', 'paid'])
    await admin.untilRetired(roundId)
    expect(await statuses(first, late.id)).toEqual(['won', 'won'])
    expect((await admin.pay(late.id)).status).toBe(200)
    expect(await statuses(first, late.id)).toEqual(['paid', 'paid'])
    expect(await statuses(second, late.id)).toEqual([undefined, 'paid'])
  })

  it('is given again where nothing changed', async () => {
    const third = cashiers[2]!
    await admin.openRound(400)
    const { id, roundId } = await third.sold()
    await admin.untilRetired(roundId)
    const before = (await third.myBets('?limit=3')).text
    const sql = postgres(await server.databaseUrl(), { max: 1 })
    try {
      // The server would notice what follows where it still had to compare the round with its facts.
      await eventually('the round was compared', async () => {
        const [round] = await sql`select reconciled_at from rounds where round_id = ${roundId}`
        return round?.reconciled_at !== null
      })
      // Behind the server's back, so that a fresh answer would be another.
      await sql`update receipts set total_amount = total_amount + 100 where receipt_id = ${id}`
      expect((await third.myBets('?limit=3')).text).toBe(before)
      expect((await third.myBets('?limit=4')).data.tickets[0].total_amount).toBe(61)
      await sql`update receipts set total_amount = total_amount - 100 where receipt_id = ${id}`
    } finally {
      await sql.end()
    }
  })
})

describe('the first screens', () => {
  it('show the dashboard in the public unit, to cashiers their own receipts and to admins all', async () => {
    const [first, second] = cashiers as [Station, Station]
    const shown = await eventually('dashboards within one round', async () => {
      const round = await admin.openRound(400)
      const mine = await first.sold([[1, 12_345]])
      const theirs = await second.sold([[2, 20_000]])
      const dropped = await first.sold()
      await first.cancel(dropped.id)
      const [own, all] = [await first.dashboard(), await admin.dashboard()]
      const same = [mine, theirs].every(({ roundId }) => roundId === round.id)
      return same && all.data.round.id === round.id && { round, mine, theirs, own, all }
    })
    const { round, mine, theirs, own, all } = shown
    expect(own.data.tickets.map(({ id }: Json) => id)).toEqual([mine.id])
    expect(all.data.tickets.map(({ id }: Json) => id)).toEqual([theirs.id, mine.id])
    expect(own.data).toMatchObject({ source: 'memory+db', totalPrize: 308.62, round: { id: round.id } })
    expect(own.data.tickets[0]).toMatchObject({
      total_amount: 123.45,
      totalAmount: 123.45,
      prize: 308.62,
      _source: 'memory',
      user_id: first.user.id,
      bets: [{ number: 1, value: 123.45, prize: 308.62, participant: { number: 1, coeff: 2.5 } }],
    })
    for (const { headers } of [own, all]) {
      expect(headers.get('cache-control')).toBe('private, max-age=2')
      expect(headers.get('vary')).toMatch(/authorization/i)
    }
  })

  it('show the game in the smallest unit, to everybody without receipts and to staff with theirs', async () => {
    const [first] = cashiers as [Station]
    const { mine, game, all, open } = await eventually('games within one round', async () => {
      const round = await admin.openRound(400)
      const mine = await first.sold([[1, 12_345]])
      const [game, all] = [await first.ask('/api/v1/init/game'), await admin.ask('/api/v1/init/game')]
      const open = await ask(`${server.url}/api/v1/init/game`)
      const same = [game, all, open].every(({ data }) => data.round.id === round.id)
      return same && mine.roundId === round.id && { mine, game, all, open }
    })
    for (const { data, headers } of [game, all]) {
      expect(data.tickets[0]).toMatchObject({ id: mine.id, total_amount: 12_345, prize: 30_862 })
      expect(headers.get('cache-control')).toBe('private, max-age=2')
    }
    expect(open.data).toMatchObject({ tickets: [], isRaceRunning: false, source: 'memory' })
    expect(open.data.round).not.toHaveProperty('result')
    expect(open.headers.get('cache-control')).toBe('public, max-age=2')
    expect(open.headers.get('vary')).toMatch(/authorization/i)
  })
})

it('met no fault in all this', () => expect(server.errorsLogged).toEqual([]))
