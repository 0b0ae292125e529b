import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { HonoAdapter } from '@bull-board/hono'
import { serveStatic } from '@hono/node-server/serve-static'
import type { Queue } from 'bullmq'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { refusal } from './answer.ts'
import { maxBodyBytes } from './body.ts'
import { admit } from './guard.ts'
import { pageHeaders } from './page.ts'
import { isAdmin, type Sessions } from './session.ts'

const PATH = '/admin/jobs'
/** The board's page asks another site for its letters; those of the system serve as well. */
const FROM_ELSEWHERE = /<link[^>]*href="https?:[^>]*>/g

/** The dashboard of the queues, for admins. It shows the queues that `show` was given. */
export const jobBoard = (sessions: Sessions) => {
  const adapter = new HonoAdapter(serveStatic)
  adapter.setBasePath(PATH)
  const board = createBullBoard({
    queues: [],
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'Galop', hideRedisDetails: true } },
  })
  let isReady = false
  const app = new Hono()
  app.use(`${PATH}/*`, bodyLimit({ maxSize: maxBodyBytes, onError: (c) => refusal(c, 'BODY_TOO_LARGE') }))
  app.use(`${PATH}/*`, async (c, next) => {
    const admission = await admit(c, sessions)
    if (typeof admission === 'string') {
      const wantsPage = c.req.method === 'GET' && c.req.header('accept')?.includes('text/html')
      return wantsPage ? c.redirect(`/sign-in?next=${encodeURIComponent(PATH)}`) : refusal(c, admission)
    }
    if (!isAdmin(admission)) return refusal(c, 'FORBIDDEN')
    if (!isReady) return refusal(c, 'POSTGRES_UNAVAILABLE')
    await next()
    if (c.res.headers.get('content-type')?.startsWith('text/html'))
      c.res = new Response((await c.res.text()).replaceAll(FROM_ELSEWHERE, ''), c.res)
    const policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
    for (const [name, value] of Object.entries(pageHeaders(policy, 'self'))) c.header(name, value)
    return
  })
  app.route(PATH, adapter.registerPlugin())
  return {
    app,
    show: (queues: readonly Queue[]): void => {
      board.setQueues(queues.map((queue) => new BullMQAdapter(queue)))
      isReady = true
    },
  }
}
