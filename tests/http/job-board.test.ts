import { Hono } from 'hono'
import { expect, it } from 'vitest'
import { jobBoard } from '../../src/http/job-board.ts'
import type { Sessions } from '../../src/http/session.ts'

const sessions: Sessions = {
  verify: () => ({ userId: 1, name: 'admin', role: 'admin', tokenId: 't', tokenVersion: 1, expiresAt: 1 }),
  isCurrent: () => true,
}
const asAdmin = { headers: { authorization: 'Bearer a' } }

it('has the board wait for its pages, which are loaded once the queues are there', async () => {
  const board = jobBoard(sessions, false)
  const app = new Hono().route('/', board.app)
  app.notFound((c) => c.text('of the server', 404))
  expect((await app.request('/admin/jobs', asAdmin)).status).toBe(503)

  const shown = board.show([])
  // Asked before anything of it was loaded.
  const [page, queues, none] = await Promise.all(
    ['', '/api/queues', '/static/none.js'].map((path) => app.request(`/admin/jobs${path}`, asAdmin)),
  )
  expect([page!.status, await page!.text()]).toEqual([200, expect.stringContaining('Galop')])
  expect([queues!.status, await queues!.json()]).toEqual([200, expect.objectContaining({ queues: [] })])
  expect([none!.status, await none!.text()]).toEqual([404, 'of the server'])
  await shown
})
