// The desk's figures, while rounds are live and after they were handed over: the same sums, and those of the books.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase } from '../support/postgres.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { type Json, ON_ALL, Station } from '../support/station.ts'

const DURATIONS = {
  ROUND_WAIT_DURATION_MS: '2500',
  BETTING_LOCK_DURATION_MS: '300',
  RACE_DURATION_MS: '500',
  RESULTS_DURATION_MS: '300',
  TIME_ZONE: 'America/Port-au-Prince',
}

let database: Awaited<ReturnType<typeof createTestDatabase>>
let server: TestServer
let admin: Station
let cashier: Station
let other: Station
let sold: Json[]
let cancelled: Json
let lost: Json
let voided: Json
let today: string

const get = async (path: string): Promise<Json> => {
  const answer = await admin.ask(`/api/v1${path}`)
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`)
  return answer.data
}
const figures = () => get(`/figures/days?from=${today}&to=${today}`)

beforeAll(async () => {
  database = await createTestDatabase()
  server = await startServer({ env: { ...DURATIONS, DATABASE_URL: database.url } })
  admin = await Station.signIn(server, 'admin')
  const body = { name: '-autre', password: 'another password', role: 'cashier' }
  await admin.ask('/api/v1/users/', { method: 'POST', body })
  cashier = await Station.signIn(server, 'caisse')
  other = await Station.signIn(server, '-autre', body.password)
  today = new Intl.DateTimeFormat('sv-SE', { timeZone: DURATIONS.TIME_ZONE }).format(Date.now())
}, 60_000)
afterAll(async () => {
  await server?.stop()
  await database?.drop()
}, 60_000)

describe('the live round', () => {
  it('shows stake and liability of each participant, and what it may cost against its cap', async () => {
    const round = await cashier.openRound(1_500)
    sold = [await cashier.sold(ON_ALL), await other.sold([[1, 2_000]])]
    cancelled = await cashier.sold([[2, 3_000]])
    await cashier.cancel(cancelled.id)
    const live = await get('/figures/live')
    expect(live).toMatchObject({
      round: { id: round.id },
      paused: false,
      receipts: 2,
      stakes: 8_000,
      cancelled: { receipts: 1, stakes: 3_000 },
      exposure: { cap: 5_000_000_000 },
    })
    const [first, second] = live.participants
    expect(first).toMatchObject({ number: 1, stakes: 3_000, liability: Math.floor(3_000 * first.coeff) })
    expect(second).toMatchObject({ number: 2, stakes: 1_000, liability: Math.floor(1_000 * second.coeff) })
    expect(live.exposure.worst).toBe(Math.max(...live.participants.map((one: Json) => one.liability)))
    const { totals } = await figures()
    expect(totals).toMatchObject({
      receipts: 2,
      turnover: 8_000,
      pending: 8_000,
      cancelled: 3_000,
      margin: 0,
    })
  })
})

describe('days', () => {
  it('say the same while rounds are live and once they are handed over, and agree with each cashier’s books', async () => {
    const roundId = sold[0].roundId
    const settled = await admin.untilRound(roundId, 'settled')
    const won: Json[] = (await admin.myBets('?status=won')).data.tickets
    for (const { id } of won) await admin.pay(id)
    const next = await other.openRound(1_000)
    voided = await other.sold([[3, 5_000]])
    await admin.ask(`/api/v1/rounds/${next.id}/void`, { method: 'POST', body: { reason: 'none' } })
    expect((await other.pay(voided.id)).status).toBe(200)
    const prizes = won.reduce((sum, { prize }) => sum + Math.round(prize * 100), 0)
    expect(prizes).toBeGreaterThan(0)
    const live = await figures()
    expect(live.history).toBe('complete')
    expect(live.totals).toEqual({
      receipts: 3,
      turnover: 13_000,
      cancelledReceipts: 1,
      cancelled: 3_000,
      pending: 0,
      refunds: 5_000,
      prizes,
      margin: 8_000 - prizes,
      paidOut: prizes + 5_000,
    })
    expect(live.days).toMatchObject([{ date: today, turnover: 13_000 }])
    const person = (station: Station) => live.cashiers.find(({ userId }: Json) => userId === station.user.id)
    expect(person(cashier)).toMatchObject({ name: 'caisse', turnover: 6_000, cancelled: 3_000, paidOut: 0 })
    expect(person(other)).toMatchObject({ turnover: 7_000, refunds: 5_000, paidOut: 5_000 })
    expect(person(admin)).toMatchObject({ turnover: 0, paidOut: prizes })
    await admin.untilRetired(roundId)
    await admin.untilRetired(next.id)
    expect(await figures()).toEqual(live)
    lost = settled
  })

  it('before and after hold nothing, and impossible ones are refused', async () => {
    const { totals, days } = await get('/figures/days?from=2020-02-28&to=2020-03-01')
    expect(days.map(({ date }: Json) => date)).toEqual(['2020-02-28', '2020-02-29', '2020-03-01'])
    expect(totals.receipts).toBe(0)
    for (const query of [
      '',
      '?from=2026-01-02&to=2026-01-01',
      '?from=2026-02-30&to=2026-03-01',
      '?from=2020-01-01&to=2026-01-01',
    ])
      expect((await admin.ask(`/api/v1/figures/days${query}`)).code).toBe('BAD_REQUEST')
  })
})

describe('rounds', () => {
  it('are listed with what they took in and cost, page after page', async () => {
    const all = await get(`/figures/rounds?from=${today}`)
    const [of, empty] = [sold[0].roundId, voided.roundId].map((id) =>
      all.rounds.find(({ roundId }: Json) => roundId === id),
    )
    expect(of).toMatchObject({
      receipts: 2,
      stakes: 8_000,
      margin: 8_000 - of.prizes,
      winner: lost.result.winner,
    })
    expect(empty).toMatchObject({
      voided: true,
      receipts: 1,
      stakes: 5_000,
      prizes: 0,
      margin: 0,
      winner: null,
    })
    const paged: Json[] = []
    let next: string | null = ''
    while (next !== null && paged.length < 100) {
      const page: Json = await get(`/figures/rounds?from=${today}&limit=1&before=${next}`)
      paged.push(...page.rounds)
      next = paged.at(-1).roundId <= all.rounds.at(-1).roundId ? null : page.next
    }
    const ids = paged.map(({ roundId }) => roundId)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toEqual(expect.arrayContaining(all.rounds.map(({ roundId }: Json) => roundId)))
  })
})

describe('tables', () => {
  const table = async (path: string): Promise<string[]> => {
    const answer = await admin.ask(`/api/v1/figures/${path}`)
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    return answer.text.replace('\uFEFF', '').trimEnd().split('\r\n')
  }

  it('hold the same, in public units, and no name that a spreadsheet would run', async () => {
    const days = await table(`days.csv?from=${today}&to=${today}`)
    expect(days[0]).toMatch(/^date,cashier,receipts,turnover/)
    expect(days.find((row) => row.includes(',caisse,'))).toMatch(
      new RegExp(`^${today},caisse,1,60\\.00,1,30\\.00,`),
    )
    expect(days.find((row) => row.includes('autre'))).toContain(",'-autre,2,70.00,")
    const receipts = await table(`receipts.csv?from=${today}`)
    expect(receipts).toHaveLength(1 + 4)
    expect(receipts.find((row) => row.startsWith(`${voided.id},`))).toMatch(
      /,main,'-autre,[\d: -]+,refunded,50\.00,0\.00,50\.00,'-autre,/,
    )
    expect(await table('receipts.csv?status=cancelled')).toHaveLength(2)
    const rounds = await table('rounds.csv?track=main')
    expect(rounds.find((row) => row.startsWith(`${voided.roundId},`))).toMatch(
      /,voided,.*,1,50\.00,0\.00,0\.00$/,
    )
  })
})

describe('the search for receipts', () => {
  const search = async (query: string): Promise<number[]> =>
    (await get(`/audit/receipts${query}`)).receipts.map(({ id }: Json) => id)

  it('finds by number, cashier, status, round and day', async () => {
    const all = [voided.id, cancelled.id, sold[1].id, sold[0].id]
    expect((await search('')).sort()).toEqual([...all].sort())
    expect(await search(`?id=${cancelled.id}`)).toEqual([cancelled.id])
    expect(await search('?id=999999999')).toEqual([])
    expect(await search(`?userId=${other.user.id}`)).toEqual([voided.id, sold[1].id])
    expect(await search('?status=cancelled')).toEqual([cancelled.id])
    expect(await search(`?roundId=${voided.roundId}`)).toEqual([voided.id])
    expect(await search(`?from=${today}&to=${today}&status=refunded`)).toEqual([voided.id])
    expect(await search('?to=2020-01-01')).toEqual([])
    expect((await admin.ask('/api/v1/audit/receipts?status=eaten')).code).toBe('BAD_REQUEST')
  })

  it('goes on after a line, with none twice and none left out, while others are sold', async () => {
    await cashier.openRound(1_500)
    const late = [await cashier.sold(), await cashier.sold(), await cashier.sold()]
    const found: number[] = []
    let next = ''
    for (let page = 0; page < 20; page++) {
      const answer = await get(`/audit/receipts?limit=2&before=${next}`)
      found.push(...answer.receipts.map(({ id }: Json) => id))
      if (answer.next === null) break
      next = answer.next
      if (page === 0) await cashier.sold()
    }
    const expected = [...late, voided, cancelled, ...sold].map(({ id }) => id)
    expect([...found].sort()).toEqual(expected.sort())
  })

  it('tells all that was done to a receipt, from the journal and from Postgres', async () => {
    await cashier.openRound(1_500)
    const mine = await cashier.sold()
    await cashier.print(mine.id)
    await cashier.print(mine.id)
    await admin.cancel(mine.id)
    const steps = [
      { type: 'sold', by: cashier.user.id, byName: 'caisse', amount: 6_000 },
      { type: 'printed', copy: 1 },
      { type: 'printed', copy: 2 },
      { type: 'cancelled', by: admin.user.id, byName: 'admin', amount: 6_000 },
    ]
    const live = await get(`/audit/receipts/${mine.id}`)
    expect(live).toMatchObject({ owner: 'round', history: steps })
    expect(live.history).toHaveLength(4)
    await admin.untilRetired(mine.roundId)
    const retired = await get(`/audit/receipts/${mine.id}`)
    expect(retired).toMatchObject({ owner: 'archive', history: [...steps, { type: 'round_settled' }] })
    expect(retired.receipt).toMatchObject({ status: 'cancelled', closedByName: 'admin' })
    const back = await get(`/audit/receipts/${voided.id}`)
    expect(back.history.map(({ type }: Json) => type)).toEqual(['sold', 'round_voided', 'refunded'])
    expect((await admin.ask('/api/v1/audit/receipts/999999999')).code).toBe('RECEIPT_UNKNOWN')
  })
})
