/// <reference lib="dom" />
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { Station } from './station.ts'

// A browser at one of the pages, with everything that went wrong in it.

export type Visit = {
  readonly context: BrowserContext
  readonly page: Page
  /** What the console said at `error`, and what was thrown. */
  readonly errors: string[]
  /** Origins that were asked for anything. */
  readonly origins: Set<string>
  /** Addresses that were printed, of the page or of frames in it. */
  readonly printed: string[]
}

export type VisitOptions = {
  readonly url: string
  readonly locale?: string
  /** Signed in as somebody; as nobody where absent. */
  readonly station?: Station
  readonly viewport?: { readonly width: number; readonly height: number }
  /** Dots of the device to a pixel of CSS. */
  readonly scale?: number
  /** What the page has kept in its browser from before. */
  readonly kept?: Readonly<Record<string, string>>
  /** A tablet: fingers, no mouse and no keyboard. */
  readonly isTouched?: boolean
}

export const visit = async (browser: Browser, options: VisitOptions): Promise<Visit> => {
  const { url, locale = 'fr-HT', station, viewport = { width: 1_280, height: 800 } } = options
  const { scale = 1, isTouched = false } = options
  const context = await browser.newContext({
    locale,
    viewport,
    deviceScaleFactor: scale,
    hasTouch: isTouched,
  })
  if (station)
    await context.addCookies([
      {
        name: 'galop_session',
        value: station.token,
        url: new URL(url).origin,
        httpOnly: true,
        sameSite: 'Strict',
      },
    ])
  const page = await context.newPage()
  const errors: string[] = []
  const origins = new Set<string>()
  const printed: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url())
    if (protocol !== 'data:' && protocol !== 'blob:') origins.add(origin)
  })
  await context.exposeFunction('galopPrinted', (address: string) => printed.push(address))
  await context.addInitScript(() => {
    window.print = () => {
      ;(window as unknown as { galopPrinted: (address: string) => void }).galopPrinted(location.href)
    }
  })
  const { kept = {} } = options
  await context.addInitScript((kept) => {
    for (const [name, text] of Object.entries(kept)) localStorage.setItem(name, text)
  }, kept)
  await page.goto(url)
  return { context, page, errors, origins, printed }
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe finds on a page that is serious or critical, in a sentence each. */
export const barriersOf = async (page: Page): Promise<string[]> => {
  await page.evaluate(axe)
  return await page.evaluate(async () => {
    type Found = { id: string; impact: string; help: string; nodes: { target: string[] }[] }
    const { axe } = window as unknown as { axe: { run: () => Promise<{ violations: Found[] }> } }
    const { violations } = await axe.run()
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(
        ({ id, help, nodes }) => `${id}: ${help} (${nodes.map(({ target }) => target.join(' ')).join(', ')})`,
      )
  })
}

/** Signs in by the form of a page. */
export const signInAt = async (page: Page, name: string, password: string): Promise<void> => {
  await page.locator('input[name=name]').fill(name)
  await page.locator('input[name=password]').fill(password)
  await page.keyboard.press('Enter')
}
