// What somebody took in and gave out on a day: the money in the drawer, over live and retired rounds alike.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startServer, type TestServer } from '../support/server.ts'
import { type Json, ON_ALL, Station } from '../support/station.ts'

let server: TestServer
let admin: Station
let cashier: Station

beforeAll(async () => {
  server = await startServer({
    env: {
      ROUND_WAIT_DURATION_MS: '2000',
      BETTING_LOCK_DURATION_MS: '100',
      RACE_DURATION_MS: '200',
      RESULTS_DURATION_MS: '200',
      TIME_ZONE: 'Pacific/Kiritimati',
    },
  })
  ;[admin, cashier] = await Promise.all([Station.signIn(server, 'admin'), Station.signIn(server, 'caisse')])
}, 90_000)
afterAll(() => server?.stop())

const dayOf = async (station: Station, query = ''): Promise<Json> =>
  (await station.ask(`/api/v1/my-day/${query}`)).data
const sum = (receipts: number, amount: number) => ({ receipts, amount })

describe('my day', () => {
  it('counts what each sold, cancelled and paid, the same before the round is handed over and after', async () => {
    const round = await admin.openRound(1_500)
    const [won, paidByAdmin, lost, cancelled] = [
      await cashier.sold(ON_ALL),
      await cashier.sold(ON_ALL),
      await cashier.sold([[1, 2_500]]),
      await cashier.sold([[2, 700]]),
    ]
    expect((await cashier.cancel(cancelled.id)).status).toBe(200)
    await admin.untilRound(round.id, 'settled')
    const prize = Math.round((await cashier.pay(won.id)).data.amount * 100)
    const other = Math.round((await admin.pay(paidByAdmin.id)).data.amount * 100)
    expect([prize > 0, other]).toEqual([true, prize])
    const mine = {
      date: new Intl.DateTimeFormat('en-CA', { timeZone: 'Pacific/Kiritimati' }).format(),
      sold: sum(4, 6_000 + 6_000 + 2_500 + 700),
      cancelled: sum(1, 700),
      paid: sum(1, prize),
      refunded: sum(0, 0),
      balance: 14_500 - prize,
      history: 'complete',
    }
    expect(lost.total_amount).toBe(2_500)
    expect(await dayOf(cashier)).toEqual(mine)
    expect(await dayOf(admin)).toMatchObject({ sold: sum(0, 0), paid: sum(1, prize), balance: -prize })
    await admin.untilRetired(round.id)
    expect(await dayOf(cashier)).toEqual(mine)
    expect(await dayOf(cashier, `?date=${mine.date}`)).toEqual(mine)
    expect(await dayOf(cashier, '?date=2020-02-29')).toMatchObject({ sold: sum(0, 0), balance: 0 })
  })

  it('counts the stakes of a voided round as given back by whoever gave them back', async () => {
    const before = await dayOf(cashier)
    const round = await admin.openRound(1_000)
    const sold = await cashier.sold(ON_ALL)
    const body = { reason: 'rain' }
    expect((await admin.ask(`/api/v1/rounds/${round.id}/void`, { method: 'POST', body })).status).toBe(200)
    expect((await cashier.pay(sold.id)).data.status).toBe('refunded')
    expect(await dayOf(cashier)).toMatchObject({
      sold: sum(before.sold.receipts + 1, before.sold.amount + 6_000),
      refunded: sum(1, 6_000),
      balance: before.balance,
    })
  })

  it('knows no day that there is not', async () => {
    for (const date of ['2026-02-30', 'today', '2026-1-1'])
      expect((await cashier.ask(`/api/v1/my-day/?date=${date}`)).status).toBe(400)
  })
})

describe('a receipt', () => {
  it('says by name who closed it, and the round which stakes it takes', async () => {
    const { id: round } = await admin.openRound(1_500)
    const { id } = await cashier.sold([[1, 1_000]])
    expect((await cashier.receipt(id)).data.closedByName).toBeUndefined()
    await admin.cancel(id)
    expect((await cashier.receipt(id)).data).toMatchObject({ status: 'cancelled', closedByName: 'admin' })
    const { data } = await cashier.ask(`/api/v1/rounds/${round}`)
    expect(data.stats.largestStakes).toMatchObject({ 1: 1_000_000, 6: 1_000_000 })
  })

  it('is sold on the round that was asked for, or not at all', async () => {
    const { id: round } = await admin.openRound(1_000)
    const sell = (round_id: number) =>
      cashier.ask('/api/v1/receipts/?action=add', {
        method: 'POST',
        body: { round_id, bets: [{ participant: { number: 1 }, value: 1_000 }] },
      })
    const other = await sell(round - 1)
    expect([other.status, other.code]).toEqual([409, 'ROUND_CHANGED'])
    expect((await sell(round)).data.roundId).toBe(round)
  })
})
