// The pages that were built from web/: station, screen, desk, verify, and what they load.
//   W1. What a page loads is kept by browsers for a year, for its name changes with it; the page is asked for each time.
//   W2. A page loads from this server alone, and nothing runs that stands in the page itself.
//   W3. What was handed out stays: a page that was opened before a new build still finds its parts.
import { statSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { type Context, Hono } from 'hono'
import { refusal } from './answer.ts'
import { pageHeaders } from './page.ts'

const PAGES = ['station', 'screen', 'desk', 'verify'] as const

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
}
const POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; form-action 'self'"
const A_YEAR = 'public, max-age=31536000, immutable'

type File = {
  readonly type: string
  readonly plain: Uint8Array<ArrayBuffer>
  readonly gzip: Uint8Array<ArrayBuffer>
}

/** `directory` is where the build left the pages. */
export const webRoutes = (directory: string) => {
  const app = new Hono()
  const assets = new Map<string, File>()
  const pages = new Map<string, File>()
  let readAt: number | undefined

  /** Reads everything anew where there was a build since. While one takes its place, what was read before is good. */
  const refresh = async (): Promise<void> => {
    const builtAt = buildTime(directory)
    if (builtAt === undefined || builtAt === readAt) return
    try {
      const names = await readdir(join(directory, 'assets'))
      for (const name of names.filter((name) => !name.endsWith('.gz')))
        assets.set(name, await readBoth(join(directory, 'assets', name)))
      for (const name of PAGES) pages.set(name, await readBoth(join(directory, `${name}.html`)))
      readAt = builtAt
    } catch (error) {
      if (pages.size === 0 || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }

  const send = (c: Context, { type, plain, gzip }: File, cacheControl: string): Response => {
    const takesGzip = /\bgzip\b/.test(c.req.header('accept-encoding') ?? '')
    c.header('Content-Type', type)
    c.header('Cache-Control', cacheControl)
    c.header('Vary', 'Accept-Encoding')
    c.header('X-Content-Type-Options', 'nosniff')
    if (takesGzip) c.header('Content-Encoding', 'gzip')
    return c.body(takesGzip ? gzip : plain)
  }

  for (const name of PAGES)
    app.get(`/${name}`, async (c) => {
      await refresh()
      const page = pages.get(name)
      if (!page) return refusal(c, 'NOT_FOUND', 'The pages are not built; run `npm run build`.')
      for (const [header, value] of Object.entries(pageHeaders(POLICY))) c.header(header, value)
      return send(c, page, 'no-cache')
    })

  app.get('/assets/:asset', async (c) => {
    const name = c.req.param('asset')
    if (!assets.has(name)) await refresh()
    const file = assets.get(name)
    return file ? send(c, file, A_YEAR) : c.notFound()
  })
  return app
}

const buildTime = (directory: string): number | undefined =>
  statSync(join(directory, 'station.html'), { throwIfNoEntry: false })?.mtimeMs

const readBoth = async (path: string): Promise<File> => ({
  type: TYPES[extname(path)] ?? 'application/octet-stream',
  plain: new Uint8Array(await readFile(path)),
  gzip: new Uint8Array(await readFile(`${path}.gz`)),
})
