// The race screen in a real browser: what it shows of a round, and that all screens show the same at the same moment.
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { ask } from '../support/station.ts'
import { barriersOf, type Visit, type VisitOptions } from '../support/visit.ts'
import { sharedServer, visitor } from '../support/visitor.ts'

const PATIENCE_MS = 60_000
const TELEVISIONS = [
  { width: 1_280, height: 720 },
  { width: 1_920, height: 1_080 },
] as const
/** What two screens may differ by: of the course at the same time of the server, and at the same moment. */
const SAME_TIME = 0.002
const SAME_MOMENT = 0.015

const visitors = visitor()
const shared = sharedServer({
  env: {
    TRACKS: 'main,Nord',
    ROUND_WAIT_DURATION_MS: '6000',
    BETTING_LOCK_DURATION_MS: '1500',
    RACE_DURATION_MS: '40000',
    RESULTS_DURATION_MS: '8000',
  },
})

const open = (options: Partial<VisitOptions> & { readonly query?: string } = {}): Promise<Visit> =>
  visitors.open({
    url: `${shared.server.url}/screen${options.query ?? ''}`,
    viewport: TELEVISIONS[0],
    ...options,
  })

type Sample = { readonly wall: number; readonly at: number; readonly places: number[] }

/** What a screen painted during two seconds, with the machine's clock, which all screens here share. */
const sample = (page: Page): Promise<Sample[]> =>
  page.evaluate(`new Promise((resolve) => {
    const samples = []
    const until = performance.now() + 2000
    requestAnimationFrame(function look() {
      const { painted } = document.querySelector('canvas.race') ?? {}
      const wall = performance.timeOrigin + performance.now()
      if (painted) samples.push({ wall, at: painted.at, places: painted.places })
      if (performance.now() < until) requestAnimationFrame(look)
      else resolve(samples)
    })
  })`)

/** Between frames further apart than this, on a machine that has no time to paint, nothing says where a horse was. */
const FRAMES_APART_MS = 60

/** The most that two screens differ by, at what both have samples around. */
const difference = (one: readonly Sample[], two: readonly Sample[], by: 'at' | 'wall'): number => {
  let most = 0
  let compared = 0
  for (const { [by]: moment, places } of one) {
    const after = two.findIndex((other) => other[by] >= moment)
    if (after < 1) continue
    const [from, to] = [two[after - 1]!, two[after]!]
    if (to[by] - from[by] > FRAMES_APART_MS) continue
    const share = (moment - from[by]) / (to[by] - from[by])
    compared++
    for (const [i, place] of places.entries())
      most = Math.max(most, Math.abs(place - from.places[i]! - share * (to.places[i]! - from.places[i]!)))
  }
  expect(compared).toBeGreaterThan(5)
  return most
}

const overflowOf = (page: Page): Promise<number[]> =>
  page.evaluate(`[
    document.documentElement.scrollHeight - innerHeight,
    document.documentElement.scrollWidth - innerWidth,
    ...[...document.querySelectorAll('main, header, .stage, .until, .field, .outcome, .last')].map((one) => {
      const { bottom, right } = one.getBoundingClientRect()
      return Math.max(bottom - innerHeight, right - innerWidth, one.scrollHeight - one.clientHeight)
    }),
  ].filter((excess) => excess > 1)`)

const untilRacing = async ({ page }: Visit): Promise<void> => {
  await page.locator('canvas.race').waitFor({ timeout: PATIENCE_MS })
}

describe('/screen', () => {
  it('shows the same race at the same moment on every screen, on one that comes late, and over a restart of the server', async () => {
    const [one, two] = [await open(), await open({ locale: 'en-GB', viewport: TELEVISIONS[1] })]
    await Promise.all([untilRacing(one), untilRacing(two)])
    await one.page.getByText('Course en cours').waitFor()
    await two.page.getByText('The race is on').waitFor()
    // A television that was just switched on, and whose clock is wrong by an hour.
    const late = await open()
    await late.page.addInitScript('{ const now = Date.now; Date.now = () => now() + 3_600_000 }')
    await late.page.reload()
    await untilRacing(late)
    const [first, second, third] = await Promise.all([one, two, late].map(({ page }) => sample(page)))
    for (const other of [second!, third!]) {
      expect(difference(first!, other, 'at')).toBeLessThan(SAME_TIME)
      expect(difference(first!, other, 'wall')).toBeLessThan(SAME_MOMENT)
    }
    // What would be seen of a screen that is a second late.
    const behind = second!.map((one) => ({ ...one, wall: one.wall + 1_000 }))
    expect(difference(first!, behind, 'wall')).toBeGreaterThan(SAME_MOMENT)
    expect(await barriersOf(one.page)).toEqual([])
    expect(await barriersOf(two.page)).toEqual([])

    const before = first!.at(-1)!
    const which = await one.page.locator('h1').innerText()
    await shared.server.kill('SIGKILL')
    await one.page.getByText('Hors ligne').waitFor({ timeout: PATIENCE_MS })
    shared.server.launch()
    await shared.server.untilOpen()
    await one.page.locator('.live').waitFor({ state: 'detached', timeout: PATIENCE_MS })
    const fresh = await open()
    await untilRacing(fresh)
    expect(await one.page.locator('h1').innerText(), 'the race is on yet').toBe(which)
    const [again, newcomer] = await Promise.all([one, fresh].map(({ page }) => sample(page)))
    expect(difference(again!, newcomer!, 'at')).toBeLessThan(SAME_TIME)
    expect(again![0]!.places.every((place, i) => place >= before.places[i]!)).toBe(true)

    const { data: round } = await ask(`${shared.server.url}/api/v1/rounds/current`)
    await one.page.locator('.outcome').waitFor({ timeout: PATIENCE_MS })
    const { data: settled } = await ask(`${shared.server.url}/api/v1/rounds/${round.roundId}`)
    const winner = settled.participants.find(
      ({ number }: { number: number }) => number === settled.result.winner,
    )
    expect(await one.page.locator('.outcome .first').innerText()).toContain(winner.name)
    expect(await barriersOf(one.page)).toEqual([])
    expect(await overflowOf(one.page)).toEqual([])
    // The lost connection is in the console; nothing else is.
    expect(one.errors.filter((error) => !/WebSocket|ERR_CONNECTION|Failed to load/.test(error))).toEqual([])
    expect([...one.origins]).toEqual([shared.server.url])
  }, 240_000)

  it.each(TELEVISIONS)(
    'shows the next race without scrolling at $width × $height, in both languages',
    async (viewport) => {
      const { page, errors } = await open({ viewport })
      await page.locator('.countdown').waitFor({ timeout: PATIENCE_MS })
      expect(await overflowOf(page)).toEqual([])
      expect(await page.locator('.field li').count()).toBe(6)
      expect(await page.locator('.field .odds').first().innerText()).toBe('2,50')
      const { data: round } = await ask(`${shared.server.url}/api/v1/rounds/current`)
      expect((await page.locator('.commitment code').innerText()).replaceAll(/\s/g, '')).toBe(
        round.commitment,
      )
      await page.getByRole('button', { name: 'English' }).click()
      expect(await page.locator('.field .odds').first().innerText()).toBe('2.50')
      expect(await page.locator('h1').innerText()).toBe(`Race ${round.roundId}`)
      expect(await barriersOf(page)).toEqual([])
      expect(errors).toEqual([])
    },
    120_000,
  )

  it('shows the track that it was asked for, and says which there are where there is none such', async () => {
    const { page } = await open({ query: '?track=Nord' })
    await page.locator('.head .track').getByText('Nord').waitFor({ timeout: PATIENCE_MS })
    const { data: round } = await ask(`${shared.server.url}/api/v1/rounds/current?track=Nord`)
    expect(await page.locator('h1').innerText()).toBe(`Course ${round.roundId}`)
    const { page: lost } = await open({ query: '?track=Sud' })
    await lost.getByText('main, Nord').waitFor({ timeout: PATIENCE_MS })
    expect(await barriersOf(lost)).toEqual([])
  }, 120_000)
})
