// The ground that all pages stand on: how they are served, what they know of the API, signing in, both languages.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Document, typesOf } from '../../scripts/openapi.types.ts'
import { ROOT } from '../support/server.ts'
import { ask } from '../support/station.ts'
import { barriersOf, signInAt, type Visit, type VisitOptions } from '../support/visit.ts'
import { sharedServer, visitor } from '../support/visitor.ts'

const PAGES = ['station', 'screen', 'desk', 'verify'] as const
/** A page that shows something within a second on a slow machine has no more code than this, as it is sent. */
const MOST_SCRIPT_BYTES = 40 * 1_024

const visitors = visitor()
const shared = sharedServer()

const open = (page: string, options: Partial<VisitOptions> = {}): Promise<Visit> =>
  visitors.open({ url: `${shared.server.url}/${page}`, ...options })

/** Addresses of what a page loads. */
const partsOf = (html: string): string[] =>
  [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path!)

describe('what the pages know of the API', () => {
  it('is what the server says of itself', async () => {
    const { json } = await ask(`${shared.server.url}/openapi.json`)
    const plain = (text: string) => text.replaceAll(/[\s;|'",()]/g, '')
    const known = readFileSync(join(ROOT, 'web', 'api.d.ts'), 'utf8')
    expect(plain(known), 'run `npm run api-types`').toBe(plain(typesOf(json as Document)))
  })
})

describe.each(PAGES)('/%s', (name) => {
  it('is asked for each time, and what it loads is kept for a year', async () => {
    const page = await ask(`${shared.server.url}/${name}`)
    expect(page.headers.get('cache-control')).toBe('no-cache')
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'self'; (?!.*unsafe)/)
    const parts = partsOf(page.text)
    expect(parts.length).toBeGreaterThan(2)
    let script = 0
    for (const path of parts) {
      const response = await fetch(`${shared.server.url}${path}`, { headers: { 'accept-encoding': 'gzip' } })
      const { headers } = response
      expect([path, response.status]).toEqual([path, 200])
      expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
      expect(headers.get('content-encoding')).toBe('gzip')
      if (path.endsWith('.js')) script += Number(headers.get('content-length'))
      const plain = await fetch(`${shared.server.url}${path}`, { headers: { 'accept-encoding': 'identity' } })
      expect(plain.headers.get('content-encoding')).toBe(null)
      expect(await plain.text()).toBe(await response.text())
    }
    expect(script).toBeGreaterThan(1_000)
    expect(script).toBeLessThan(MOST_SCRIPT_BYTES)
  })

  it.each(['fr-HT', 'en-GB'])(
    'speaks the language of a browser of %s, and asks no other site',
    async (locale) => {
      const { page, errors, origins } = await open(name, { locale })
      await page.locator('h1').first().waitFor()
      expect(await page.locator('html').getAttribute('lang')).toBe(locale.slice(0, 2))
      expect(await barriersOf(page)).toEqual([])
      // A browser says of its own accord that it asked who is signed in, and nobody is.
      expect(errors.filter((error) => !error.includes('401'))).toEqual([])
      expect([...origins]).toEqual([shared.server.url])
    },
  )
})

describe('signing in at a page', () => {
  it('says why it was not let in, and then lets in', async () => {
    const { page } = await open('station')
    await page.locator('input[name=name]').waitFor()
    await signInAt(page, 'caisse', 'not the password')
    await page.locator('[role=alert]').getByText('Nom ou mot de passe incorrect').waitFor()
    expect(await page.locator('input[name=name]').inputValue()).toBe('caisse')
    await signInAt(page, 'caisse', shared.server.passwordOf('caisse'))
    await page.getByRole('button', { name: 'Se déconnecter' }).waitFor()
    await page.reload()
    await page.getByRole('button', { name: 'English' }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.locator('input[name=name]').waitFor()
    await page.reload()
    expect(await page.locator('html').getAttribute('lang')).toBe('en')
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  })

  it('shows the desk to admins alone', async () => {
    const { page } = await open('desk')
    await page.locator('input[name=name]').waitFor()
    await signInAt(page, 'caisse', shared.server.passwordOf('caisse'))
    await page.getByText('pour les administrateurs').waitFor()
    await signInAt(page, 'admin', shared.server.passwordOf('admin'))
    await page.getByRole('button', { name: 'Se déconnecter' }).waitFor()
  })
})

describe('the shop', () => {
  it('says what a page must know before anybody signs in', async () => {
    const { data } = await ask(`${shared.server.url}/api/v1/shop`)
    expect(data).toMatchObject({
      name: 'Galop',
      station: '01',
      currency: 'HTG',
      tracks: ['main'],
      limits: { minStake: 100, maxStake: 1_000_000, betsPerReceipt: 30 },
      durationsMs: { wait: 60_000, lock: 5_000, race: 30_000, results: 5_000 },
    })
    expect(Intl.supportedValuesOf('timeZone').concat('UTC')).toContain(data.timeZone)
  })
})
