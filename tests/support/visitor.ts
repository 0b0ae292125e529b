import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { launchBrowser } from './browser.ts'
import { type ServerOptions, startServer, type TestServer } from './server.ts'
import { type Visit, type VisitOptions, visit } from './visit.ts'

// A browser for the tests of one file, and what they open in it: a page is closed after the test that opened it, the
// browser after the last one.

export type Visitor = {
  readonly browser: Browser
  open(options: VisitOptions): Promise<Visit>
  /** What was opened otherwise is closed with the rest. */
  keep<V extends Visit>(opened: V): V
}

export const visitor = (): Visitor => {
  let browser: Browser | undefined
  const visits: Visit[] = []
  beforeAll(async () => {
    browser = await launchBrowser()
  }, 60_000)
  afterEach(async () => {
    for (const { context } of visits.splice(0)) await context.close()
  })
  afterAll(() => browser?.close())
  const self: Visitor = {
    get browser() {
      return browser!
    },
    open: async (options) => self.keep(await visit(self.browser, options)),
    keep: (opened) => {
      visits.push(opened)
      return opened
    },
  }
  return self
}

/** A server that all tests of a file share. */
export const sharedServer = (options?: ServerOptions): { readonly server: TestServer } => {
  let server: TestServer | undefined
  beforeAll(async () => {
    server = await startServer(options)
  }, 90_000)
  afterAll(() => server?.stop())
  return {
    get server() {
      return server!
    },
  }
}
