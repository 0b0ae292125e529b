/// <reference lib="dom" />
// The desk in a browser: an admin watches, voids, pauses, looks after accounts, finds a receipt, and mends what failed.
import { readFile } from 'node:fs/promises'
import { createPostgresBackend, Queue } from 'bullmq'
import type { Page } from 'playwright-core'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase } from '../support/postgres.ts'
import { eventually, startServer, type TestServer } from '../support/server.ts'
import { ask, Station } from '../support/station.ts'
import { barriersOf, type Visit, type VisitOptions } from '../support/visit.ts'
import { visitor } from '../support/visitor.ts'

/** A round that stays open for the whole test. */
const OPEN = { ROUND_WAIT_DURATION_MS: '600000' }
const SECTIONS = ['live', 'figures', 'receipts', 'users', 'stored'] as const
const PATIENCE_MS = 60_000

const visitors = visitor()

const open = async (
  server: TestServer,
  options: Partial<VisitOptions> & { place: string },
): Promise<Visit> => {
  const { place, ...rest } = options
  const opened = await visitors.open({ url: `${server.url}/desk#${place}`, ...rest })
  opened.page.setDefaultTimeout(PATIENCE_MS)
  return opened
}

/** A part of the page by its heading; the no-break spaces of amounts count as spaces. */
const panel = (page: Page, title: string) => page.locator(`section.panel[aria-label="${title}"]`)
const textOf = async (page: Page, title: string): Promise<string> =>
  (await panel(page, title).innerText()).replace(/[\u00a0\u202f]/g, ' ')
const reads = (page: Page, title: string, expected: RegExp): Promise<unknown> =>
  eventually(
    `"${title}" says ${expected}`,
    async () => {
      const text = await textOf(page, title)
      if (!expected.test(text)) throw new Error(text)
      return true
    },
    PATIENCE_MS,
  )

const valuesOf = (fields: Element[]): string[] => fields.map((field) => (field as HTMLInputElement).value)

/** What is in the file that a link saves: its name, and its rows by the names at the top. */
const tableOf = async (page: Page, link: string) => {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: link }).click(),
  ])
  const text = await readFile(await download.path(), 'utf8')
  expect(text.startsWith('\uFEFF'), 'spreadsheets are told that it is UTF-8').toBe(true)
  const [head, ...rows] = text
    .slice(1)
    .trimEnd()
    .split('\r\n')
    .map((line) => line.split(','))
  const named = rows.map((row) => Object.fromEntries(row.map((cell, index) => [head![index]!, cell])))
  return { name: download.suggestedFilename(), rows: named }
}

/** The server's own queue, for whoever cannot wait for its next attempt. */
const persistQueue = (connectionString: string): Queue => {
  const connection = { connectionString, schema: 'jobs_01', max: 1 } as never
  return new Queue('persist', { connection, prefix: 'galop-01' }, createPostgresBackend as never)
}

describe('the desk of a shop', () => {
  let server: TestServer
  let admin: Station
  let cashier: Station

  beforeAll(async () => {
    server = await startServer({ env: OPEN })
    admin = await Station.signIn(server, 'admin')
    cashier = await Station.signIn(server, 'caisse')
  }, 120_000)
  afterAll(() => server?.stop(), 60_000)

  it.each(['fr-HT', 'en-GB'])(
    'speaks the language of a browser of %s on all its sections',
    async (locale) => {
      const { page, errors, origins } = await open(server, { place: 'live', station: admin, locale })
      const headings: string[] = []
      for (const section of SECTIONS) {
        await page.goto(`${server.url}/desk#${section}`)
        await page.locator('section.panel .as-of:not(.old)').first().waitFor()
        headings.push(await page.locator('.sections [aria-current]').innerText())
        expect([section, await barriersOf(page)]).toEqual([section, []])
      }
      const words = {
        fr: 'En direct,Chiffres,Reçus,Comptes,Sauvegarde',
        en: 'Live,Figures,Receipts,Accounts,Storage',
      }
      expect(headings.join()).toBe(words[locale.slice(0, 2) as 'fr'])
      expect(errors).toEqual([])
      expect([...origins]).toEqual([server.url])
    },
    120_000,
  )

  it.each([
    ['fr', 'Chiffres de la période', 'Du lun. 9 nov. 2026', 'Au jeu. 12 nov. 2026', 'mer. 11 nov. 2026'],
    ['en', 'Figures of the period', 'From Mon, Nov 9, 2026', 'To Thu, Nov 12, 2026', 'Wed, Nov 11, 2026'],
  ])(
    'says in words of %s which days were chosen, whatever the browser makes of a date',
    async (lang, title, from, to, other) => {
      // The browser speaks English to both.
      const { page } = await open(server, { place: 'live', station: admin, locale: 'en-US' })
      await page.goto(`${server.url}/desk?lang=${lang}#figures?from=2026-11-09&to=2026-11-12`)
      await reads(page, title, new RegExp(`${from}[\\s\\S]*${to}`))
      await page.locator('input[name=to]').fill('2026-11-11')
      await reads(page, title, new RegExp(other))
      await page.keyboard.press('Enter')
      await page.waitForURL(/from=2026-11-09&to=2026-11-11/)
      await page.locator('input[name=to]').fill('')
      await page.locator('input[name=to]').focus()
      await page.keyboard.press('Enter')
      expect(page.url()).toContain('to=2026-11-11')
    },
    120_000,
  )

  it('finds a receipt and reads who did what with it, while it is sold, printed and cancelled', async () => {
    const { id, roundId } = await cashier.sold([[1, 2_500]])
    await cashier.print(id)
    await cashier.print(id)
    await admin.cancel(id)
    const { page } = await open(server, { place: 'live', station: admin, locale: 'en-GB' })
    // The names of the sellers come while somebody types already.
    let letCome: () => void = () => {}
    const isTyped = new Promise<void>((resolve) => {
      letCome = resolve
    })
    await page.route('**/api/v1/users/', (route) => isTyped.then(() => route.continue()))
    await page.goto(`${server.url}/desk#receipts?userId=${cashier.user.id}`)
    // As a scanner types it, with the keyboard alone.
    await page.locator('input[name=id]').focus()
    await page.keyboard.type(String(id))
    letCome()
    await page.locator('option:checked', { hasText: 'caisse' }).waitFor({ state: 'attached' })
    await page.keyboard.press('Enter')
    await reads(page, `Receipt 0${id}`, /sold\s+caisse[\s\S]*printed[\s\S]*printed[\s\S]*cancelled\s+admin/)
    await reads(page, `Receipt 0${id}`, /HTG\s?25\.00/)
    await page.getByRole('link', { name: 'Close' }).click()
    await page.locator('select[name=status]').selectOption('cancelled')
    await page.locator('input[name=roundId]').fill(String(roundId))
    await page.getByRole('button', { name: 'Find' }).click()
    await reads(page, 'Receipts found', new RegExp(`${id}[\\s\\S]*caisse[\\s\\S]*cancelled[\\s\\S]*admin`))
  }, 120_000)

  it('makes an account, disables it, enables it, and gives it a new password', async () => {
    const { page } = await open(server, { place: 'users', station: admin })
    const letIn = async (password: string): Promise<number> => {
      const body = { name: 'marie', password }
      return (await ask(`${server.url}/api/v1/auth/login`, { method: 'POST', body })).status
    }
    const made = panel(page, 'Nouveau compte')
    await made.locator('input[name=name]').fill('marie')
    await made.locator('input[name=password]').fill('une longue phrase')
    await page.keyboard.press('Enter')
    await page.getByText('Le compte marie est créé.').waitFor()
    expect(await letIn('une longue phrase')).toBe(200)

    await made.locator('input[name=name]').fill('marie')
    await made.locator('input[name=password]').fill('une autre phrase')
    await page.keyboard.press('Enter')
    await page.getByText('Ce nom est déjà pris.').waitFor()
    expect(await made.locator('input[name=name]').inputValue()).toBe('marie')

    await page.getByRole('button', { name: 'Désactiver marie' }).click()
    await page.getByText('Le compte marie est désactivé').waitFor()
    expect(await letIn('une longue phrase')).toBe(401)
    await page.getByRole('button', { name: 'Réactiver marie' }).click()
    await page.getByText('Le compte marie est de nouveau actif.').waitFor()

    await page.getByRole('button', { name: 'Nouveau mot de passe de marie' }).click()
    await page.locator('input[name=password]:focus').waitFor()
    await page.keyboard.type('un tout autre mot')
    await page.keyboard.press('Enter')
    await page.getByText('marie a un nouveau mot de passe.').waitFor()
    expect(await letIn('une longue phrase')).toBe(401)
    expect(await letIn('un tout autre mot')).toBe(200)
    // Nobody shuts himself out.
    expect(await page.getByRole('button', { name: 'Désactiver admin' }).count()).toBe(0)
  }, 120_000)

  it('shows a sale as it arrives, pauses and resumes, and voids the round with every stake given back', async () => {
    const { page } = await open(server, { place: 'live', station: admin })
    const { id: roundId } = (await admin.ask('/api/v1/rounds/current')).data
    await page.locator('.live.live').waitFor()
    await reads(page, `Course ${roundId}`, /Reçus\s+0\s/)
    await cashier.sold([
      [1, 12_300],
      [2, 4_000],
    ])
    await reads(page, `Course ${roundId}`, /Reçus\s+1\s+Mises\s+163,00\s/)
    // The odds of the first are 2.50: 123.00 becomes 307.50.
    await reads(page, 'Mises et gains à payer par partant', /Cheval 1\s+2,50\s+123,00\s+307,50\s+< 0,1 %/)

    await page.getByRole('button', { name: 'Mettre en pause' }).click()
    await page.getByText('aucune autre course ne s’ouvre après celle-ci').waitFor()
    await reads(page, 'Piste main', /En pause\. Depuis le .*, par admin/)
    expect((await admin.ask('/api/v1/tracks')).data.tracks[0]).toMatchObject({ track: 'main', paused: true })
    await page.getByRole('button', { name: 'Reprendre' }).click()
    await reads(page, 'Piste main', /En service/)
    expect((await admin.ask('/api/v1/tracks')).data.tracks[0].paused).toBe(false)

    await page.getByRole('button', { name: 'Annuler cette course…' }).click()
    await page.getByText('1 reçu à rembourser, 163,00').waitFor()
    await page.keyboard.press('Escape')
    expect(await page.getByText('1 reçu à rembourser').count()).toBe(0)
    await page.getByRole('button', { name: 'Annuler cette course…' }).click()
    // What is sold while somebody thinks is told before it is too late.
    await cashier.sold([[3, 1_000]])
    await page.getByText('2 reçus à rembourser, 173,00').waitFor()
    expect(await barriersOf(page)).toEqual([])
    await page.locator('input[name=reason]:focus').waitFor()
    await page.keyboard.type('Panne de courant')
    await page.keyboard.press('Enter')
    await page.getByText(`La course ${roundId} est annulée : 2 reçus à rembourser, 173,00`).waitFor()
    expect((await admin.ask(`/api/v1/rounds/${roundId}`)).data.voided).toBeDefined()

    await page.getByRole('link', { name: 'Voir les reçus' }).click()
    await reads(page, 'Reçus trouvés', /à rembourser[\s\S]*à rembourser/)
    await page.getByRole('link', { name: 'Chiffres' }).click()
    await reads(page, 'Courses', new RegExp(`${roundId}\\s.*annulée\\s+2\\s+173,00`))
    const [from, to] = await page.locator('input[type=date]').evaluateAll(valuesOf)
    const days = await tableOf(page, 'Jours (CSV)')
    expect(days.name).toBe(`days-${from}-${to}.csv`)
    expect(days.rows).toMatchObject([
      {
        date: to,
        cashier: 'caisse',
        receipts: '2',
        turnover: '173.00',
        pending: '0.00',
        refunds: '173.00',
        prizes: '0.00',
        margin: '0.00',
        'paid out': '0.00',
      },
    ])
    const voided = { round: String(roundId), track: 'main' }
    const rounds = await tableOf(page, 'Courses (CSV)')
    expect(rounds.rows.filter(({ round }) => round === voided.round)).toMatchObject([
      { ...voided, status: 'voided', winner: '', receipts: '2', stakes: '173.00', prizes: '0.00' },
    ])
    const receipts = await tableOf(page, 'Reçus (CSV)')
    const back = {
      ...voided,
      cashier: 'caisse',
      status: 'refundable',
      prize: '0.00',
      'handed out': '',
      prints: '0',
    }
    // Whatever was cancelled belongs to another test of this shop.
    expect(receipts.rows.filter(({ status }) => status !== 'cancelled')).toMatchObject([
      { ...back, stakes: '10.00' },
      { ...back, stakes: '163.00' },
    ])
  }, 120_000)

  it('says plainly that it is not live while the server is away, and is again when it is back', async () => {
    const { page } = await open(server, { place: 'live', station: admin })
    await page.locator('.live.live').waitFor()
    await page.locator('section.panel .as-of').first().waitFor()
    await server.kill('SIGTERM')
    await page.locator('.live.offline').waitFor()
    await page.locator('.as-of.old').getByText('Ce qui est montré date de').first().waitFor()
    server.launch()
    await server.untilOpen()
    await page.locator('.live.live').waitFor()
    await eventually(
      'nothing is old',
      async () => (await page.locator('.as-of.old').count()) === 0,
      PATIENCE_MS,
    )
  }, 120_000)
})

describe('the desk of a shop whose Postgres refuses what it is given', () => {
  it('shows what failed with the money in it, and tries one, some and all again', async () => {
    const database = await createTestDatabase()
    const server = await startServer({ env: { ...OPEN, DATABASE_URL: database.url } })
    const sql = postgres(database.url, { max: 1, onnotice: () => {} })
    let queue: Queue | undefined
    try {
      const admin = await Station.signIn(server, 'admin')
      const cashier = await Station.signIn(server, 'caisse')
      // The server has made the queues by the time that nothing is left to store.
      await admin.untilStored()
      queue = persistQueue(database.url)
      await sql`create function broken() returns trigger language plpgsql as
        $$ begin raise exception 'the disk of receipts is broken'; end $$`
      await sql`create trigger broken before insert on receipts for each row execute function broken()`
      for (const stake of [10_000, 20_000, 30_000, 40_000]) await cashier.sold([[1, stake]])
      await eventually(
        'four jobs failed for good',
        async () => {
          // Between two attempts it would wait for minutes.
          for (const job of await queue!.getDelayed()) await job.promote().catch(() => {})
          return (await admin.persistence()).data.failedJobs === 4
        },
        PATIENCE_MS,
      )
      const { page } = await open(server, { place: 'stored', station: admin })
      await page.locator('.alarms.wrong').getByText('Des tâches ont échoué').waitFor()
      await reads(page, 'Pas encore dans la base de données', /Reçus\s+4\s+Montant\s+1 000,00/)
      const failed = 'Tâches échouées vers la base de données'
      await reads(page, failed, /4 en tout, avec 4 reçus : 1 000,00[\s\S]*the disk of receipts is broken/)
      expect(await barriersOf(page)).toEqual([])

      await sql`drop trigger broken on receipts`
      await page
        .getByRole('button', { name: /^Réessayer la tâche/ })
        .first()
        .click()
      await reads(page, failed, /1 tâche relancée[\s\S]*3 en tout|3 en tout[\s\S]*1 tâche relancée/)
      await page.getByRole('checkbox').first().check()
      await page.getByRole('button', { name: 'Réessayer les choisies (1)' }).click()
      await reads(page, failed, /2 en tout/)
      await page.getByRole('button', { name: 'Réessayer toutes' }).click()
      await reads(page, failed, /2 tâches relancées[\s\S]*Aucune tâche n’a échoué/)

      await admin.untilStored()
      await reads(page, 'Pas encore dans la base de données', /Reçus\s+0\s/)
      await page.locator('.alarms:not(.wrong)').getByText('Aucune alarme').waitFor()
      expect(await sql`select sum(total_amount)::int as sum from receipts`).toEqual([{ sum: 100_000 }])
      await reads(page, 'Qui a relancé quoi', /(admin[\s\S]*relancée[\s\S]*){4}/)
    } finally {
      await queue?.close()
      await sql.end()
      await server.stop()
      await database.drop()
    }
  }, 180_000)
})
