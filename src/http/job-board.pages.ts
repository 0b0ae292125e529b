import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { HonoAdapter } from '@bull-board/hono'
import { serveStatic } from '@hono/node-server/serve-static'
import type { Queue } from 'bullmq'
import { type Context, Hono } from 'hono'
import { MARK } from './page.ts'

/** The pages of the dashboard and what they ask; `around` is the request as the server around them sees it. */
export type BoardPages = ReturnType<typeof boardPages>

/** Loads some 200 files: nobody but `job-board.ts` imports this, and only once receipts are sold. */
export const boardPages = (path: string, isDemonstration: boolean) => {
  const adapter = new HonoAdapter(serveStatic)
  adapter.setBasePath(path)
  const board = createBullBoard({
    queues: [],
    serverAdapter: adapter,
    options: {
      uiConfig: {
        boardTitle: isDemonstration ? 'Galop · DEMO' : 'Galop',
        hideRedisDetails: true,
        // It knows no languages of ours, so the mark has both.
        ...(isDemonstration && {
          environment: { label: `${MARK.fr} · ${MARK.en}`, color: '#ffd60a', textColor: '#111111' },
        }),
      },
    },
  })
  const app = new Hono<{ Bindings: { around: Context } }>()
  app.route(path, adapter.registerPlugin())
  app.notFound((c) => c.env.around.notFound())
  app.onError((error) => {
    throw error
  })
  return {
    app,
    show: (queues: readonly Queue[]): void =>
      board.setQueues(queues.map((queue) => new BullMQAdapter(queue))),
  }
}
