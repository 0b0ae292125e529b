// A round is voided while Postgres is away and the server is killed in between: every stake comes back once.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BreakablePostgres, startBreakablePostgres } from '../support/breakable-postgres.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { type Answer, type Json, Listener, Station } from '../support/station.ts'

const DURATIONS = {
  ROUND_WAIT_DURATION_MS: '30000',
  BETTING_LOCK_DURATION_MS: '300',
  RACE_DURATION_MS: '500',
  RESULTS_DURATION_MS: '500',
}
const REASON = 'The screen went dark'

let store: BreakablePostgres
let server: TestServer
let admin: Station
let cashier: Station

beforeAll(async () => {
  store = await startBreakablePostgres()
  server = await startServer({ env: { ...DURATIONS, DATABASE_URL: store.url } })
  admin = await Station.signIn(server, 'admin')
  cashier = await Station.signIn(server, 'caisse')
}, 60_000)
afterAll(async () => {
  await server?.stop()
  await store?.end()
}, 60_000)

const voidRound = (id: number, station = admin, body: unknown = { reason: REASON }): Promise<Answer> =>
  station.ask(`/api/v1/rounds/${id}/void`, { method: 'POST', body })
const setTrack = (what: 'pause' | 'resume'): Promise<Answer> =>
  admin.ask(`/api/v1/tracks/main/${what}`, { method: 'POST' })
const killAndRestart = async (): Promise<void> => {
  await server.kill('SIGKILL')
  server.launch()
  await server.untilOpen()
}
const outcomes = (answers: readonly Answer[]): string[] =>
  answers.map((answer) => answer.code ?? answer.data.status)

describe('a round that is voided', () => {
  let round: Json
  let kept: number[]
  let cancelled: number
  let first: Answer

  it('is voided while Postgres is away, which changes nothing for whoever follows it', async () => {
    await setTrack('pause')
    round = await cashier.openRound(10_000)
    kept = []
    for (let i = 0; i < 5; i++) kept.push((await cashier.sold()).id)
    cancelled = (await cashier.sold()).id
    await cashier.cancel(cancelled)
    const screen = new Listener(server)
    await screen.heard('snapshot', { topic: 'race' })
    await store.kill()
    first = await voidRound(round.id)
    expect(first.data).toMatchObject({
      roundId: round.id,
      track: 'main',
      voidedBy: admin.user.id,
      reason: REASON,
      receipts: 5,
      stakes: 30_000,
    })
    const told = await screen.heard('round_voided', { roundId: round.id })
    screen.close()
    expect(told.round).toMatchObject({ status: 'settled', voided: { at: first.data.voidedAt } })
    expect(told.round.result).toBeUndefined()
    expect((await cashier.sell([[1, 1_000]])).code).toBe('ROUND_VOIDED')
  })

  it('prints a slip of the refund and gives some stakes back, still without Postgres', async () => {
    const slip = await cashier.payout(kept[0]!, 'en')
    expect(slip.text).toMatch(/Refund[\s\S]*Race voided[\s\S]*60\.00/)
    const paid = await cashier.pay(kept[0]!)
    expect(paid.data).toMatchObject({ status: 'refunded', prize: 0, amount: 60 })
    expect((await cashier.pay(kept[1]!, 'a-key')).data.status).toBe('refunded')
    expect((await cashier.pay(cancelled)).code).toBe('RECEIPT_CANCELLED')
  })

  it('is voided no second time after the server was killed: same answer, same stakes left', async () => {
    await killAndRestart()
    expect((await voidRound(round.id, admin, { reason: 'Another reason' })).data).toEqual(first.data)
    expect((await cashier.pay(kept[1]!, 'a-key')).data.status).toBe('refunded')
    const answers = await Promise.all([...kept.slice(0, 4), ...kept.slice(0, 4)].map((id) => cashier.pay(id)))
    const counts = outcomes(answers)
    expect(counts.filter((one) => one === 'refunded')).toHaveLength(2)
    expect(counts.filter((one) => one === 'RECEIPT_ALREADY_REFUNDED')).toHaveLength(6)
    const statuses = await Promise.all(kept.map((id) => cashier.receipt(id)))
    expect(statuses.map(({ data }) => data.status)).toEqual([...Array(4).fill('refunded'), 'refundable'])
  })

  it('stays the last of its track while that is paused, and says so after a restart too', async () => {
    const { data } = await admin.ask('/api/v1/rounds/current')
    expect(data).toMatchObject({ id: round.id, paused: true, stats: { totalReceipts: 5, totalMise: 30_000 } })
    expect((await admin.ask('/api/v1/tracks')).data.tracks).toMatchObject([
      { track: 'main', paused: true, changedBy: admin.user.id },
    ])
    expect((await setTrack('resume')).data).toMatchObject({ paused: false })
    const next = await cashier.openRound(1_000)
    expect(next.id).toBe(round.id + 1)
    expect(next.paused).toBe(false)
  })

  it('goes to Postgres like any other, whose rows agree; the last stake is given back from there, once', async () => {
    await store.mend()
    await admin.untilRetired(round.id, 60_000)
    expect((await voidRound(round.id)).data).toEqual(first.data)
    const answers = await Promise.all([cashier.pay(kept[4]!), admin.pay(kept[4]!), cashier.pay(kept[4]!)])
    expect(outcomes(answers).filter((one) => one === 'refunded')).toHaveLength(1)
    expect((await voidRound(round.id)).data).toEqual(first.data)
    const { data } = await cashier.myBets('?status=refunded')
    expect(data.pagination.totalItems).toBe(5)
    expect(data.tickets[0]).toMatchObject({ status: 'refunded', refundedBy: expect.any(Number) })
    expect((await admin.persistence()).data.alarms).toEqual([])
  })

  it('has a proof without an order, and stands in the list of rounds without a result', async () => {
    const { data: proof } = await admin.ask(`/api/v1/rounds/${round.id}/proof`)
    expect(proof).toMatchObject({ order: null, voided: true, seed: expect.stringMatching(/^[0-9a-f]{64}$/) })
    const { data: list } = await admin.ask('/api/v1/rounds')
    expect(list.rounds).toMatchObject([{ id: round.id, result: null, voided: { seed: proof.seed } }])
    const { data: one } = await admin.ask(`/api/v1/rounds/${round.id}`)
    expect(one).toMatchObject({ result: null, stats: { totalReceipts: 5, totalMise: 30_000 } })
  })
})

describe('voiding', () => {
  it('is for admins, needs a reason, and comes too late for a round that has its result', async () => {
    const { data: round } = await admin.ask('/api/v1/rounds/current')
    expect((await voidRound(round.id, cashier)).status).toBe(403)
    expect((await voidRound(round.id, admin, { reason: '  ' })).code).toBe('BAD_REQUEST')
    expect((await voidRound(round.id, admin, { reason: 'x'.repeat(201) })).code).toBe('BAD_REQUEST')
    expect((await voidRound(999, admin)).code).toBe('NOT_FOUND')
    await server.restart({ ROUND_WAIT_DURATION_MS: '600', BETTING_LOCK_DURATION_MS: '100' })
    expect((await voidRound(round.id)).status).toBe(200)
    const short = await cashier.openRound(100)
    await admin.untilRound(short.id, 'settled')
    expect((await voidRound(short.id)).code).toBe('ROUND_DECIDED')
    await admin.untilRetired(short.id)
    expect((await voidRound(short.id)).code).toBe('ROUND_DECIDED')
  })
})
