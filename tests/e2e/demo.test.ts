// `npm run demo` as a person meets it: life on every page within a minute, a mark on each, and Ctrl-C ends it all.
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { launchBrowser } from '../support/browser.ts'
import { eventually, gone, Program, processesOf, removeData, temporaryDirectory } from '../support/server.ts'
import { ask, Station } from '../support/station.ts'
import { visit } from '../support/visit.ts'

describe('the demonstration', () => {
  it('sells and pays by itself, says what it is on every page, and ends with Ctrl-C', async () => {
    const temporary = await temporaryDirectory()
    const dataDirectory = join(temporary, 'data')
    const program = new Program(
      [process.execPath, '--import', 'tsx', 'scripts/demo.ts'],
      {
        DEMO_DATA_DIR: dataDirectory,
        PORT: '0',
        ROUND_WAIT_DURATION_MS: '6000',
        BETTING_LOCK_DURATION_MS: '500',
        RACE_DURATION_MS: '1000',
        RESULTS_DURATION_MS: '4000',
      },
      { group: true },
    )
    let browser: Browser | undefined
    try {
      const url = await eventually(
        'it is open',
        () => /open at (http:\/\/\S+)/.exec(program.stdout)?.[1],
        90_000,
      )
      await eventually('its cashiers are there', () => program.stdout.includes('Sign in as admin'), 60_000)
      const login = { name: 'admin', password: 'demonstration' }
      const { data } = await ask(`${url}/api/v1/auth/login`, { method: 'POST', body: login })
      const headers = { authorization: `Bearer ${data.token}` }
      const tickets = await eventually(
        'more than one has sold, and something was paid',
        async () => {
          const all = await ask(`${url}/api/v1/my-bets/?limit=50`, { headers })
          const paid = await ask(`${url}/api/v1/my-bets/?limit=50&status=paid`, { headers })
          const sellers = new Set(all.data?.tickets.map((ticket: { user_id: number }) => ticket.user_id))
          return paid.data?.tickets.length > 0 && sellers.size > 1 && all.data.tickets
        },
        120_000,
      )
      expect((await ask(`${url}/api/v1/shop`)).data.isDemonstration).toBe(true)
      browser = await launchBrowser()
      const admin = new Station({ url }, data.token, data.user)
      const print = `api/v1/receipts/?action=print&id=${tickets[0].id}`
      const pages = ['', 'sign-in', 'station', 'screen', 'desk', 'verify', 'docs', 'admin/jobs', print]
      const { page } = await visit(browser, { url, station: admin, locale: 'en-GB' })
      for (const path of pages) {
        await page.goto(`${url}/${path}`)
        const mark = page.getByText(/DEMONSTRATION — (worth nothing|nothing sold here)/)
        await mark.waitFor().catch((error: Error) => {
          throw new Error(`/${path} has no mark`, { cause: error })
        })
      }
      await page.context().clearCookies()
      await page.goto(`${url}/station`)
      await page.getByText('DEMONSTRATION — nothing sold here').waitFor()
      await page.goto(`${url}/admin/jobs`)
      await page.getByText('DEMONSTRATION — worth nothing').waitFor()
      await browser.close()
      program.signalGroup('SIGINT')
      expect(await program.end(60_000)).toEqual({ code: 0, signal: null })
      await eventually(
        'nothing of it is left',
        () => gone(program.pid) && processesOf(dataDirectory).length === 0,
      )
    } finally {
      await browser?.close()
      program.signal('SIGKILL')
      for (const line of processesOf(dataDirectory)) process.kill(Number(line.split(' ')[0]), 'SIGKILL')
      await removeData(temporary)
    }
  }, 300_000)
})
