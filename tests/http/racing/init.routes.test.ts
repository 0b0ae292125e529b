import { describe, expect, it } from 'vitest'
import { initRoutes } from '../../../src/http/racing/init.routes.ts'
import { ADMIN, CASHIER, OTHER_CASHIER, Shop } from '../../support/racing.ts'
import { TokenBook } from '../live-client.ts'

const open = async () => {
  const shop = await Shop.open()
  const app = initRoutes({ racing: shop.racing, sessions: new TokenBook(), now: () => shop.clock.now() })
  const ask = async (path: string, token = 'cashier:7') => {
    const answer = await app.request(`/init/${path}`, { headers: { Authorization: `Bearer ${token}` } })
    return { status: answer.status, ...((await answer.json()) as { data: Page; error: { code: string } }) }
  }
  const idsOf = ({ data }: { data: Page }) => data.tickets.map(({ id }) => id)
  return { shop, ask, idsOf }
}
type Page = {
  tickets: { id: number; prize: number }[]
  ticketsTotal: number
  next: string | null
  totalPrize?: number
}
const ADMINS = 'admin:1'

describe.each(['dashboard', 'game'])('init/%s', (route) => {
  it('shows the receipts latest first, page by page, each once, while others are sold and cancelled', async () => {
    const { shop, ask, idsOf } = await open()
    const sold: number[] = []
    for (let i = 0; i < 7; i++) sold.push((await shop.sold()).id)
    await shop.cancel(sold[3]!)
    const first = await ask(`${route}?limit=3`)
    expect(idsOf(first)).toEqual([sold[6], sold[5], sold[4]])
    expect(first.data).toMatchObject({ ticketsTotal: 6, next: expect.any(String) })
    await shop.sold()
    await shop.cancel(sold[1]!)
    const second = await ask(`${route}?limit=3&before=${first.data.next}`)
    expect(idsOf(second)).toEqual([sold[2], sold[0]])
    expect(second.data).toMatchObject({ ticketsTotal: 6, next: null })
  })

  it('shows 200 receipts where nothing else is asked for, and has no next page for exactly so many', async () => {
    const { shop, ask } = await open()
    await Promise.all(Array.from({ length: 200 }, () => shop.sold()))
    expect((await ask(route)).data).toMatchObject({ ticketsTotal: 200, next: null })
    const last = await shop.sold()
    const { data } = await ask(route)
    expect(data.tickets).toHaveLength(200)
    expect(data.tickets[0]!.id).toBe(last.id)
    expect(data).toMatchObject({ ticketsTotal: 201, next: '1-1' })
  })

  it('shows cashiers what they sold, and admins all', async () => {
    const { shop, ask, idsOf } = await open()
    const mine = await shop.sold()
    const other = await shop.sold(undefined, { by: OTHER_CASHIER })
    expect(idsOf(await ask(`${route}?limit=1`))).toEqual([mine.id])
    expect((await ask(route)).data).toMatchObject({ ticketsTotal: 1, next: null })
    expect((await ask(route, 'cashier:9')).data).toMatchObject({ tickets: [], ticketsTotal: 0, next: null })
    expect(idsOf(await ask(route, ADMINS))).toEqual([other.id, mine.id])
    expect((await ask(route, ADMINS)).data.ticketsTotal).toBe(2)
  })

  it('refuses to go on in a round that is over', async () => {
    const { shop, ask } = await open()
    await shop.sold()
    await shop.sold()
    const { next } = (await ask(`${route}?limit=1`)).data
    await shop.windTo('next')
    const late = await ask(`${route}?before=${next}`)
    expect([late.status, late.error.code]).toEqual([409, 'ROUND_CHANGED'])
  })

  it.each(['limit=0', 'limit=1001', 'limit=x', 'before=1', 'before=1-x', 'before=-1-1'])(
    'refuses %s',
    async (query) => {
      const { ask } = await open()
      expect((await ask(`${route}?${query}`)).status).toBe(400)
    },
  )
})

describe('the sum of prizes of init/dashboard', () => {
  it('is that of all receipts that are seen, whatever the page, before the race and after it', async () => {
    const { shop, ask } = await open()
    const sums = async (token: string) => {
      const all = (await ask('dashboard?limit=1000', token)).data
      const page = (await ask('dashboard?limit=1', token)).data
      expect(page.totalPrize).toBe(all.totalPrize)
      expect(all.totalPrize).toBeCloseTo(
        all.tickets.reduce((sum, { prize }) => sum + prize, 0),
        6,
      )
      return all.totalPrize
    }
    const gone = await shop.soldOnAll()
    const paid = await shop.soldOnAll()
    await shop.sold([{ number: 1, stake: 5_000 }])
    await shop.soldOnAll({ by: OTHER_CASHIER })
    await shop.cancel(gone.id)
    for (const token of ['cashier:7', 'cashier:8', ADMINS]) expect(await sums(token)).toBeGreaterThan(0)
    await shop.windTo('end')
    await shop.pay(paid.id, CASHIER)
    for (const token of ['cashier:7', 'cashier:8', ADMINS]) expect(await sums(token)).toBeGreaterThan(0)
  })

  it('is nothing where the round was voided', async () => {
    const { shop, ask } = await open()
    await shop.sold()
    await shop.racing.voidRound(1, { type: 'VoidRound', by: ADMIN.id, reason: 'a fire' })
    const { data } = await ask('dashboard')
    expect(data).toMatchObject({ ticketsTotal: 1, totalPrize: 0 })
  })
})
