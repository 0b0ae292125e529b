import type { Queue } from 'bullmq'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { html } from 'hono/html'
import { refusal } from './answer.ts'
import { maxBodyBytes } from './body.ts'
import { admit } from './guard.ts'
import type { BoardPages } from './job-board.pages.ts'
import { languageOf, pageHeaders, sendPage } from './page.ts'
import { isAdmin, type Sessions } from './session.ts'

const PATH = '/admin/jobs'
/** The board's page asks another site for its letters; those of the system serve as well. */
const FROM_ELSEWHERE = /<link[^>]*href="https?:[^>]*>/g

const SIGN_IN = `/sign-in?next=${encodeURIComponent(PATH)}`

const wantsPage = (c: Context): boolean =>
  c.req.method === 'GET' && (c.req.header('accept')?.includes('text/html') ?? false)

const WORDS = {
  fr: {
    title: 'Tâches de fond',
    FORBIDDEN: 'Cette page est pour les administrateurs.',
    POSTGRES_UNAVAILABLE: 'Les tâches de fond attendent la base de données : réessayez dans un moment.',
    signIn: 'Se connecter autrement',
    home: 'Accueil',
  },
  en: {
    title: 'Background jobs',
    FORBIDDEN: 'This page is for admins.',
    POSTGRES_UNAVAILABLE: 'The background jobs wait for the database: try again in a moment.',
    signIn: 'Sign in as someone else',
    home: 'Home',
  },
} as const

const STYLE = `
body { display: grid; place-items: center; min-height: 100vh; margin: 0; font: 16px/1.6 system-ui, sans-serif; background: #f3f4f1; color: #1b1f1a }
main { padding: 2rem 3rem; background: #fff; border: 1px solid #c9cec4; border-radius: .5rem } h1 { margin: 0 } a { color: #1d5b2f }
`

/** Why somebody with a browser does not see the board. */
const noticePage = (c: Context, why: 'FORBIDDEN' | 'POSTGRES_UNAVAILABLE', isDemonstration: boolean) => {
  const language = languageOf(c.req.query('lang'), c.req.header('accept-language'))
  const words = WORDS[language]
  const body = html`<main><h1>${words.title}</h1><p>${words[why]}</p><ul>
<li><a href="${SIGN_IN}">${words.signIn}</a></li>
<li><a href="/">${words.home}</a></li>
</ul></main>`
  const title = `${words.title} · Galop`
  return sendPage(
    c,
    { language, title, style: STYLE, body, isDemonstration },
    why === 'FORBIDDEN' ? 403 : 503,
  )
}

/**
 * The dashboard of the queues, for admins. It shows the queues that `show` was given. Its pages are loaded then: nobody
 * waits for them at a start, and whoever asks while they are loaded gets them when they are there.
 */
export const jobBoard = (sessions: Sessions, isDemonstration: boolean) => {
  let pages: Promise<BoardPages> | undefined
  const load = (): Promise<BoardPages> => {
    pages ??= import('./job-board.pages.ts').then(({ boardPages }) => boardPages(PATH, isDemonstration))
    return pages
  }
  let isReady = false
  const app = new Hono()
  app.use(`${PATH}/*`, bodyLimit({ maxSize: maxBodyBytes, onError: (c) => refusal(c, 'BODY_TOO_LARGE') }))
  app.use(`${PATH}/*`, async (c, next) => {
    const admission = await admit(c, sessions)
    if (typeof admission === 'string') {
      return wantsPage(c) ? c.redirect(SIGN_IN) : refusal(c, admission)
    }
    if (!isAdmin(admission))
      return wantsPage(c) ? noticePage(c, 'FORBIDDEN', isDemonstration) : refusal(c, 'FORBIDDEN')
    if (!isReady)
      return wantsPage(c)
        ? noticePage(c, 'POSTGRES_UNAVAILABLE', isDemonstration)
        : refusal(c, 'POSTGRES_UNAVAILABLE')
    await next()
    if (c.res.headers.get('content-type')?.startsWith('text/html'))
      c.res = new Response((await c.res.text()).replaceAll(FROM_ELSEWHERE, ''), c.res)
    const policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
    for (const [name, value] of Object.entries(pageHeaders(policy, 'self'))) c.header(name, value)
    return
  })
  app.all(`${PATH}/*`, async (c) => (await load()).app.fetch(c.req.raw, { around: c }))
  return {
    app,
    show: async (queues: readonly Queue[]): Promise<void> => {
      isReady = true
      const { show } = await load()
      show(queues)
    },
    /** Of its pages, which bring their own. */
    routes: async () => (await load()).app.routes,
  }
}
