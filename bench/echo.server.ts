import { serve } from '@hono/node-server'
import { Hono } from 'hono'

// The yardstick: the least that a JSON route can do on the same server package.
const app = new Hono()
app.post('/echo', async (c) => c.json(await c.req.json()))
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
  process.stdout.write(`${port}\n`),
)
process.on('SIGTERM', () => server.close(() => process.exit(0)))
