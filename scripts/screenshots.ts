/// <reference lib="dom" />
// Takes the pictures of the documents: `node --import tsx scripts/screenshots.ts [NAME…]` writes docs/screenshots/*.png, of the
// built server, in a browser. To add one, name it in PICTURES: it opens pages and leaves the one to be taken as it should look.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser } from '../tests/support/browser.ts'
import { Cashier } from '../tests/support/counter.ts'
import { paperOf } from '../tests/support/paper.ts'
import { eventually, ROOT, startServer, type TestServer } from '../tests/support/server.ts'
import { Crowd, Station } from '../tests/support/station.ts'
import { visit } from '../tests/support/visit.ts'

type Stage = {
  readonly server: TestServer
  readonly browser: Browser
  /** A page of the server, as nobody, in French. */
  readonly open: (path: string, viewport?: { width: number; height: number }) => Promise<Page>
}

const PATIENCE_MS = 90_000
const TELEVISION = { width: 1_280, height: 720 }
/** Long enough for each phase to be caught on a busy machine. */
const rounds = {
  ROUND_WAIT_DURATION_MS: '14000',
  BETTING_LOCK_DURATION_MS: '3000',
  RACE_DURATION_MS: '14000',
  RESULTS_DURATION_MS: '9000',
  // Of a shop in which it can be seen how much of it is used.
  MAX_ROUND_EXPOSURE: '12600000',
}

/** Before the lock: enough was sold by then, and enough time is left for a picture. */
const HALF_SOLD_MS = 7_000

/** At the counter, signed in, with enough time to sell. */
const atStation = async ({ open, server }: Stage): Promise<{ page: Page; cashier: Cashier }> => {
  const page = await open('/station')
  const cashier = new Cashier(page)
  await cashier.signIn('caisse', server.passwordOf('caisse'))
  await page.waitForFunction(
    () => Number(document.querySelector('.clock.is-waiting .seconds')?.textContent?.slice(2)) >= 8,
    undefined,
    { timeout: PATIENCE_MS },
  )
  return { page, cashier }
}
/** A receipt on all of the six, so that it wins. */
const sellSure = async (cashier: Cashier): Promise<string> => {
  for (const number of [1, 2, 3, 4, 5, 6]) await cashier.bet(number, '25')
  await cashier.press('+')
  return await cashier.sold()
}

const isReady = async (admin: Station, status: string): Promise<boolean> => {
  const { data: round } = await admin.ask('/api/v1/rounds/current')
  return round?.status === status && round.locksAt - Date.now() < HALF_SOLD_MS
}

/** A section of the desk, as an admin of a shop that has sold for a while, in a round that came so far. */
const desk =
  (place: string, ready: string, status: string) =>
  async ({ server, browser }: Stage): Promise<Page> => {
    const admin = await Station.signIn(server, 'admin')
    const crowd = new Crowd(await Station.signIn(server, 'caisse'), { clients: 2, restMs: 100, payEvery: 3 })
    try {
      await eventually('enough is sold', () => crowd.with('acknowledged').length > 40, PATIENCE_MS)
      await eventually(
        `a round is ${status}, and something was sold on it`,
        () => isReady(admin, status),
        PATIENCE_MS,
      )
      const viewport = { width: 1_280, height: 1_000 }
      const { page } = await visit(browser, { url: `${server.url}/desk#${place}`, station: admin, viewport })
      for (const one of [ready, '.live.live'])
        await page.locator(one).first().waitFor({ timeout: PATIENCE_MS })
      return page
    } finally {
      await crowd.stop()
    }
  }

/** In their order: races go on meanwhile, so that those of the second race have results before them. */
const PICTURES: Readonly<Record<string, (stage: Stage) => Promise<Page>>> = {
  'screen-result': async ({ open }) => {
    const page = await open('/screen', TELEVISION)
    await page.locator('.outcome').waitFor({ timeout: PATIENCE_MS })
    return page
  },
  verify: async ({ open, server }) => {
    const { data } = (await (await fetch(`${server.url}/api/v1/rounds/?limit=1`)).json()) as {
      data: { rounds: { roundId: number }[] }
    }
    const page = await open(`/verify?round=${data.rounds[0]?.roundId ?? 1}`, { width: 1_100, height: 1_240 })
    await page.locator('.verdict').waitFor({ timeout: PATIENCE_MS })
    return page
  },
  'screen-waiting': async ({ open }) => {
    const page = await open('/screen', TELEVISION)
    await page.locator('.until:not(.locked)').waitFor({ timeout: PATIENCE_MS })
    return page
  },
  'station-selling': async (stage) => {
    const { page, cashier } = await atStation(stage)
    await cashier.bet(1, '50')
    await cashier.press('Enter')
    await cashier.sold()
    await cashier.bet(2, '100')
    await cashier.bet(5, '12,5')
    await cashier.type('3')
    await cashier.type('40')
    await page.locator('.last tbody tr').first().waitFor()
    return page
  },
  receipt: async ({ server, browser }) => {
    const cashier = await Station.signIn(server, 'caisse')
    await cashier.openRound(3_000, PATIENCE_MS)
    const { id } = await cashier.sold([
      [2, 10_000],
      [5, 1_250],
    ])
    const { page } = await paperOf(browser, cashier, id)
    const { width, height } = (await page.locator('body').boundingBox())!
    await page.setViewportSize({ width: Math.ceil(width), height: Math.ceil(height) })
    return page
  },
  'station-locked': async (stage) => {
    const { page, cashier } = await atStation(stage)
    await cashier.bet(4, '75')
    await page.locator('.clock.is-betting-locked').waitFor({ timeout: PATIENCE_MS })
    await cashier.press('Enter')
    await cashier.reads('.outcome', 'fermés')
    return page
  },
  'station-won': async (stage) => {
    const { page, cashier } = await atStation(stage)
    const number = await sellSure(cashier)
    await page.locator('.clock.is-settled').waitFor({ timeout: PATIENCE_MS })
    await cashier.press('/')
    await cashier.type(number)
    await cashier.press('Enter')
    await page.locator('.verdict.won').waitFor()
    await page.locator('.last .status.won').first().waitFor()
    return page
  },
  'screen-race': async ({ open }) => {
    const page = await open('/screen', TELEVISION)
    await page.locator('canvas.race').waitFor({ timeout: PATIENCE_MS })
    await page.waitForFunction(
      () => {
        const canvas = document.querySelector('canvas.race') as { painted?: { places: number[] } } | null
        return canvas?.painted?.places.some((place) => place > 0.55)
      },
      undefined,
      { timeout: PATIENCE_MS },
    )
    return page
  },
  'desk-live': desk('live', '.bar', 'waiting'),
  'desk-figures': desk('figures', '.columns', 'settled'),
  'desk-receipts': desk('receipts', 'tbody a', 'settled'),
  'desk-stored': desk('stored', 'tbody tr', 'running'),
  'desk-users': desk('users', 'tbody tr', 'waiting'),
}

const take = async (names: readonly string[]): Promise<void> => {
  const directory = join(ROOT, 'docs', 'screenshots')
  mkdirSync(directory, { recursive: true })
  const [server, browser] = await Promise.all([startServer({ env: rounds }), launchBrowser()])
  try {
    const open: Stage['open'] = async (path, viewport = { width: 1_280, height: 800 }) =>
      (await visit(browser, { url: `${server.url}${path}`, viewport })).page
    for (const name of names) {
      const page = await PICTURES[name]!({ server, browser, open })
      await page.screenshot({ path: join(directory, `${name}.png`) })
      await page.context().close()
      process.stdout.write(`docs/screenshots/${name}.png\n`)
    }
  } finally {
    await browser.close()
    await server.stop()
  }
}

const asked = process.argv.slice(2)
const unknown = asked.find((name) => !(name in PICTURES))
if (unknown === undefined) await take(asked.length > 0 ? asked : Object.keys(PICTURES))
else {
  process.stderr.write(`there is no picture ${unknown}; there are ${Object.keys(PICTURES).join(', ')}\n`)
  process.exitCode = 2
}
