/// <reference lib="dom" />
// What people see with a real browser: the two slips of paper, the reference of the API, signing in, the dashboard of
// the queues. PAGES_SHOTS names a directory that pictures of all of them are left in.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { encode } from 'uqr'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser } from '../support/browser.ts'
import { startServer, type TestServer, temporaryDirectory } from '../support/server.ts'
import { ask, type Json, Station } from '../support/station.ts'

const MARKUP = '<b onclick="alert(1)">&'
const FIELD = [
  { number: 1, name: MARKUP, chance: 50 },
  { number: 2, name: 'Éclair de la Plaine du Nord', chance: 30 },
  { number: 3, name: 'Tonnerre', chance: 20 },
]
const BETS = [
  [1, 12_500],
  [2, 10_050],
  [3, 200_000],
] as const
const PX_PER_MM = 96 / 25.4

let server: TestServer
let browser: Browser
let cashier: Station
let admin: Station
const contexts: BrowserContext[] = []

beforeAll(async () => {
  const file = join(await temporaryDirectory(), 'field.json')
  await writeFile(file, JSON.stringify(FIELD))
  ;[server, browser] = await Promise.all([
    startServer({
      env: {
        FIELD_FILE: file,
        TIME_ZONE: 'America/Port-au-Prince',
        ROUND_WAIT_DURATION_MS: '2500',
        BETTING_LOCK_DURATION_MS: '200',
        RACE_DURATION_MS: '200',
        RESULTS_DURATION_MS: '200',
      },
    }),
    launchBrowser(),
  ])
  ;[admin, cashier] = await Promise.all([Station.signIn(server, 'admin'), Station.signIn(server, 'caisse')])
}, 90_000)

afterAll(async () => {
  try {
    for (const context of contexts) await context.close()
    await browser?.close()
  } finally {
    await server?.stop()
  }
})

type Visit = {
  readonly page: Page
  /** What the console said at `error`, and what was thrown. */
  readonly errors: string[]
  /** Origins that were asked for anything. */
  readonly origins: Set<string>
}

/** A browser of its own, signed in as somebody or as nobody. */
const visit = async (station?: Station, locale = 'fr-HT'): Promise<Visit> => {
  const context = await browser.newContext({ locale, viewport: { width: 1_100, height: 800 } })
  contexts.push(context)
  if (station)
    await context.addCookies([
      { name: 'galop_session', value: station.token, url: server.url, httpOnly: true, sameSite: 'Strict' },
    ])
  const page = await context.newPage()
  const errors: string[] = []
  const origins = new Set<string>()
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (url.protocol !== 'data:' && url.protocol !== 'blob:') origins.add(url.origin)
  })
  // What a page prints is counted instead of sent to a printer.
  await page.addInitScript(() => {
    Object.assign(window, { prints: 0 })
    window.print = () => {
      ;(window as unknown as { prints: number }).prints++
    }
  })
  return { page, errors, origins }
}

const keepPicture = async (page: Page, name: string): Promise<void> => {
  const directory = process.env.PAGES_SHOTS
  if (!directory) return
  await mkdir(directory, { recursive: true })
  await page.screenshot({ path: join(directory, `${name}.png`), fullPage: true })
}

const printOf = (id: number, more = ''): string =>
  `${server.url}/api/v1/receipts/?action=print&id=${id}${more}`
const textOf = async (page: Page): Promise<string> =>
  (await page.locator('body').innerText()).replaceAll(/\s+/g, ' ')

/** Whether each module of the code on the page is dark, read from its pixels. */
const modulesOf = (page: Page, size: number): Promise<boolean[][]> =>
  page.evaluate(async (size) => {
    const svg = document.querySelector('.code svg')!
    const image = new Image()
    image.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`
    await image.decode()
    const canvas = document.createElement('canvas')
    canvas.width = canvas.height = size * 10
    const pen = canvas.getContext('2d')!
    pen.drawImage(image, 0, 0, size * 10, size * 10)
    const isDark = (x: number, y: number) => pen.getImageData(x * 10 + 5, y * 10 + 5, 1, 1).data[0]! < 128
    const places = Array.from({ length: size }, (_, place) => place)
    return places.map((y) => places.map((x) => isDark(x, y)))
  }, size)

/** Pages of a printed document, in millimetres. */
const paperOf = async (page: Page): Promise<{ width: number; height: number }[]> => {
  const pdf = (await page.pdf({ preferCSSPageSize: true })).toString('latin1')
  return [...pdf.matchAll(/\/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/g)].map(([, width, height]) => ({
    width: (Number(width) * 25.4) / 72,
    height: (Number(height) * 25.4) / 72,
  }))
}

describe('the receipt', () => {
  let sold: Json
  let round: Json
  let paper: Visit

  beforeAll(async () => {
    round = await admin.openRound(800)
    sold = await cashier.sold(BETS)
    paper = await visit(cashier)
    await paper.page.goto(printOf(sold.id))
    await keepPicture(paper.page, 'receipt')
  })

  it('says where, by whom, on which round and when it was sold, in French', async () => {
    const text = await textOf(paper.page)
    const soldAt = new Intl.DateTimeFormat('fr', {
      dateStyle: 'short',
      timeStyle: 'medium',
      timeZone: 'America/Port-au-Prince',
    }).format(new Date(sold.created_at))
    for (const part of [
      'Galop',
      'Reçu',
      `0${sold.id}`,
      'Station 01',
      'Caisse caisse',
      'Piste main',
      `Course ${round.id}`,
      `Vendu le ${soldAt}`,
      round.commitment,
    ])
      expect(text).toContain(part)
    expect(text).not.toContain('DUPLICATA')
    expect(await paper.page.locator('html').getAttribute('lang')).toBe('fr')
  })

  it('lists its bets with stakes, odds and possible prizes', async () => {
    const rows = await paper.page.locator('table tr').allInnerTexts()
    const plain = rows.map((row) => row.replaceAll(/\s+/g, ' '))
    const amount = (system: number) =>
      new Intl.NumberFormat('fr', { minimumFractionDigits: 2 }).format(system / 100).replaceAll(/\s/g, ' ')
    expect(rows).toHaveLength(1 + 2 * sold.bets.length)
    for (const [index, { number, participant, value, prize }] of sold.bets.entries()) {
      expect(plain[1 + 2 * index]).toBe(`${number} ${participant.name}`)
      const figures = [amount(value), amount(participant.coeff * 100), amount(prize)]
      expect(plain[2 + 2 * index]).toBe(figures.join(' '))
    }
    const text = await textOf(paper.page)
    expect(text).toContain(`Total misé ${amount(sold.total_amount)}`)
    expect(text).toContain(`Gain possible ${amount(sold.prize)}`)
  })

  it('prints by itself on 55 mm, on one piece of paper as long as it needs', async () => {
    const { page } = paper
    expect(await page.evaluate(() => (window as unknown as { prints: number }).prints)).toBe(1)
    const box = (await page.locator('body').boundingBox())!
    expect(box.width / PX_PER_MM).toBeCloseTo(55, 0)
    expect(await page.evaluate(() => document.body.scrollWidth)).toBeLessThanOrEqual(Math.ceil(box.width))
    const papers = await paperOf(page)
    expect(papers).toHaveLength(1)
    expect(papers[0]!.width).toBeCloseTo(55, 0)
    expect(papers[0]!.height).toBeGreaterThan(box.height / PX_PER_MM - 1)
    expect(papers[0]!.height).toBeLessThan(box.height / PX_PER_MM + 15)
  })

  it('shows its number large, and as a code that a scanner reads', async () => {
    const { page } = paper
    const number = page.locator('.number')
    expect(await number.innerText()).toBe(`0${sold.id}`)
    const sizes = await page.evaluate(() =>
      ['.number', 'table'].map((one) => parseFloat(getComputedStyle(document.querySelector(one)!).fontSize)),
    )
    expect(sizes[0]! / sizes[1]!).toBeGreaterThan(1.5)
    const code = encode(`0${sold.id}`, { border: 1 })
    expect(await modulesOf(page, code.size)).toEqual(code.data)
    expect((await page.locator('.code').boundingBox())!.width / PX_PER_MM).toBeGreaterThan(20)
  })

  it('shows markup in a name as text, and asks nothing of anybody', async () => {
    const { page, errors, origins } = paper
    expect(await page.locator('table').innerText()).toContain(MARKUP)
    expect(await page.locator('table b, table [onclick]').count()).toBe(0)
    expect(errors).toEqual([])
    expect([...origins]).toEqual([server.url])
  })

  it('says on the second print that it is one, in the language asked for', async () => {
    const second = await visit(cashier)
    await second.page.goto(printOf(sold.id))
    await keepPicture(second.page, 'reprint')
    expect(await textOf(second.page)).toContain('DUPLICATA · copie 2')
    const third = await visit(cashier)
    await third.page.goto(printOf(sold.id, '&lang=en'))
    await keepPicture(third.page, 'reprint-en')
    const text = await textOf(third.page)
    for (const part of ['REPRINT · copy 3', 'Receipt', 'Cashier caisse', 'Total stake', 'Possible prize'])
      expect(text).toContain(part)
    expect(await third.page.locator('html').getAttribute('lang')).toBe('en')
  })

  it('comes in French to a program, and in English to an English browser', async () => {
    expect((await cashier.ask(`/api/v1/receipts/?action=print&id=${sold.id}`)).text).toContain('lang="fr"')
    const english = await visit(cashier, 'en-GB')
    await english.page.goto(printOf(sold.id))
    expect(await english.page.locator('html').getAttribute('lang')).toBe('en')
  })

  it('becomes a payout slip once it has won', async () => {
    await admin.untilRound(round.id, 'settled')
    const { data: won } = await cashier.receipt(sold.id)
    const slip = await visit(cashier)
    await slip.page.goto(`${server.url}/api/v1/receipts/?action=payout&id=${sold.id}`)
    await keepPicture(slip.page, 'payout')
    const text = await textOf(slip.page)
    const due = new Intl.NumberFormat('fr', { minimumFractionDigits: 2 })
      .format(won.prize)
      .replaceAll(/\s/g, ' ')
    for (const part of ['Décaissement', `0${sold.id}`, 'Décaissé par caisse', `À payer ${due}`, 'Signature'])
      expect(text).toContain(part)
    expect((await slip.page.locator('body').boundingBox())!.width / PX_PER_MM).toBeCloseTo(55, 0)
    const papers = await paperOf(slip.page)
    expect(papers).toHaveLength(1)
    expect(papers[0]!.width).toBeCloseTo(55, 0)
    expect(slip.errors).toEqual([])
  })

  it('says on a reprint after the race what was possible before it', async () => {
    const late = await visit(cashier)
    await late.page.goto(printOf(sold.id))
    const text = await textOf(late.page)
    expect(text).toContain('DUPLICATA')
    expect(text).toContain('Gain possible 8 800,00 HTG')
  })
})

describe('the reference of the API', () => {
  it('lists every route, and needs no other site', async () => {
    const { page, errors, origins } = await visit()
    await page.goto(`${server.url}/docs`)
    await page.locator('.opblock').first().waitFor()
    const { json } = await ask(`${server.url}/openapi.json`)
    const documented = Object.entries(json.paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path}`),
    )
    const shown = await page.locator('.opblock').evaluateAll((blocks) =>
      blocks.map((block) => {
        const method = block.querySelector('.opblock-summary-method')!.textContent
        return `${method} ${block.querySelector('.opblock-summary-path')!.getAttribute('data-path')}`
      }),
    )
    expect(shown.sort()).toEqual(documented.sort())
    expect(shown).toContain('POST /api/v1/receipts/')
    await keepPicture(page, 'docs')
    await page.locator('.opblock-summary').first().click()
    await page.locator('.opblock-body').first().waitFor()
    await keepPicture(page, 'docs-open')
    expect(errors).toEqual([])
    expect([...origins]).toEqual([server.url])
  })
})

describe('signing in and the dashboard of the queues', () => {
  const enter = async (page: Page, name: string, password: string): Promise<void> => {
    await page.locator('input[name=name]').fill(name)
    await page.locator('input[name=password]').fill(password)
    await page.locator('button').click()
  }

  it('asks a browser without a session to sign in, and shows an admin both queues', async () => {
    await admin.untilStored()
    const { page, errors, origins } = await visit()
    await page.goto(`${server.url}/admin/jobs`)
    expect(new URL(page.url()).pathname).toBe('/sign-in')
    await keepPicture(page, 'sign-in')
    await enter(page, 'admin', server.passwordOf('admin'))
    await page.waitForURL('**/admin/jobs*')
    await page.getByText('persist').first().waitFor()
    await page.getByText('cache', { exact: true }).first().waitFor()
    await keepPicture(page, 'jobs')
    await page.goto(`${server.url}/admin/jobs/queue/persist?status=completed`)
    await page
      .getByText(/^facts-\d+-\d+-\d+$/)
      .first()
      .waitFor()
    await keepPicture(page, 'jobs-completed')
    expect(errors).toEqual([])
    expect([...origins]).toEqual([server.url])
  })

  it('says in the page that a password is wrong', async () => {
    const { page } = await visit(undefined, 'en-GB')
    await page.goto(`${server.url}/sign-in?next=/admin/jobs`)
    await enter(page, 'admin', 'not the password')
    await page.locator('[role=alert]').getByText('The name or the password is wrong').waitFor()
    await keepPicture(page, 'sign-in-wrong')
    expect(new URL(page.url()).pathname).toBe('/sign-in')
    await page.goto(`${server.url}/sign-in?lang=fr`)
    await enter(page, 'admin', 'not the password')
    await page.locator('[role=alert]').getByText('Nom ou mot de passe incorrect').waitFor()
  })

  it('refuses a cashier with a page that says why', async () => {
    const { page } = await visit(cashier)
    const answer = (await page.goto(`${server.url}/admin/jobs`))!
    expect(answer.status()).toBe(403)
    await keepPicture(page, 'jobs-cashier')
    const shown = await page.locator('body').innerText()
    expect(shown).not.toContain('persist')
    expect(shown).toContain('Cette page est pour les administrateurs.')
    expect(await page.locator('a').first().getAttribute('href')).toBe('/sign-in?next=%2Fadmin%2Fjobs')
    const api = await cashier.ask('/admin/jobs/api/queues')
    expect([api.status, api.code]).toEqual([403, 'FORBIDDEN'])
  })

  it('sends nobody to another site after signing in', async () => {
    const { page, origins } = await visit()
    await page.goto(`${server.url}/sign-in?next=${encodeURIComponent('//example.org/<script>')}`)
    await enter(page, 'caisse', server.passwordOf('caisse'))
    await page.waitForURL('**/docs')
    expect([...origins]).toEqual([server.url])
  })
})
