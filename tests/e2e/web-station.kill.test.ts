/// <reference lib="dom" />
// The station while the server is killed under it: whatever is lost on the way, a sale is one receipt, never two.
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { Cashier } from '../support/counter.ts'
import { eventually } from '../support/server.ts'
import { Station } from '../support/station.ts'
import { sharedServer, visitor } from '../support/visitor.ts'

const visitors = visitor()
const shared = sharedServer({ env: { ROUND_WAIT_DURATION_MS: '600000' } })
let api: Station

beforeAll(async () => {
  api = await Station.signIn(shared.server, 'caisse')
})

const atCounter = async () => {
  const opened = await visitors.open({ url: `${shared.server.url}/station`, station: api })
  await opened.page.locator('.field li').first().waitFor()
  return { ...opened, cashier: new Cashier(opened.page) }
}
const receipts = async (): Promise<{ id: number; totalAmount: number }[]> =>
  (await api.myBets('?limit=100')).data.tickets

/** From now on the answers of sales are lost on their way, until the function that comes back is called. */
const loseAnswers = async (page: Page, afterwards: () => Promise<unknown>) => {
  const executed: number[] = []
  const pattern = '**/api/v1/receipts/?action=add*'
  await page.route(pattern, async (route) => {
    const answer = await route.fetch().catch(() => undefined)
    if (answer) executed.push(answer.status())
    await afterwards()
    await route.abort('connectionreset')
  })
  return { executed, end: () => page.unroute(pattern) }
}
const comeBack = async (): Promise<void> => {
  shared.server.launch()
  await shared.server.untilOpen()
}

describe('a sale, and the server killed in the middle of it', () => {
  it('is one receipt where the server was killed before it heard of it', async () => {
    const { cashier, page, printed } = await atCounter()
    const before = (await receipts()).length
    await cashier.bet(1, '5')
    await cashier.bet(2, '6')
    await shared.server.kill('SIGKILL')
    await cashier.press('Enter')
    await cashier.reads('.outcome', 'Pas de réponse du serveur')
    await cashier.reads('.top-line', 'Hors ligne')
    expect(await page.locator('button.sell').isDisabled()).toBe(true)
    // However often one presses: there is one sale, and it is under way.
    await cashier.press('Enter')
    await cashier.press('Enter')
    await comeBack()
    const id = Number(await cashier.sold())
    await cashier.reads('.top-line', 'En direct')
    const after = await receipts()
    expect(after.length).toBe(before + 1)
    expect(after[0]).toMatchObject({ id, totalAmount: 11 })
    await eventually('it is printed', () => printed.length === 1)
    expect(await page.locator('.bets').count()).toBe(0)
  })

  it('is one receipt where the server was killed after it sold, and before the answer came', async () => {
    const { cashier, page, printed } = await atCounter()
    const before = (await receipts()).length
    const lost = await loseAnswers(page, () => shared.server.kill('SIGKILL'))
    await cashier.bet(3, '7')
    await cashier.press('Enter')
    await cashier.reads('.outcome', 'Pas de réponse du serveur')
    expect(lost.executed).toEqual([200])
    await lost.end()
    await comeBack()
    const id = Number(await cashier.sold())
    const after = await receipts()
    expect(after.length).toBe(before + 1)
    expect(after[0]).toMatchObject({ id, totalAmount: 7 })
    await eventually('it is printed', () => printed.length === 1)
  })

  it('is one receipt where the page was loaded again before the answer came', async () => {
    const { cashier, page, printed } = await atCounter()
    const before = (await receipts()).length
    const lost = await loseAnswers(page, async () => {})
    await cashier.bet(4, '8')
    await cashier.press('Enter')
    await cashier.reads('.outcome', 'Pas de réponse du serveur')
    await eventually('it was asked again, in vain', () => lost.executed.length > 1)
    await lost.end()
    await page.reload()
    const id = Number(await cashier.sold())
    const after = await receipts()
    expect(after.length).toBe(before + 1)
    expect(after[0]).toMatchObject({ id, totalAmount: 8 })
    await eventually('it is printed', () => printed.length === 1)
    await page.reload()
    await page.locator('.field li').first().waitFor()
    expect((await receipts()).length).toBe(before + 1)
  })
})
