// A plain `ws` server with the loop that everybody writes: it tells each socket of each receipt. What it tells is made
// once for all of them, and handed to `ws` as bytes, so that they are not converted for each.
import { WebSocketServer } from 'ws'
import { receiptAdded } from './receipt.mjs'

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
server.on('listening', () => process.stdout.write(`${server.address().port}\n`))
server.on('connection', (socket) =>
  socket.on('message', (text) => {
    const { perSecond, durationMs } = JSON.parse(text)
    const began = performance.now()
    let told = 0
    const tick = () => {
      const passed = Math.min(performance.now() - began, durationMs)
      const due = Math.floor((passed * perSecond) / 1000)
      // As many as are due, but not so many that nothing else happens.
      for (let n = 0; told < due && n < 10; n++) {
        const bytes = Buffer.from(JSON.stringify(receiptAdded(++told)))
        for (const client of server.clients) client.send(bytes, { binary: false })
      }
      if (performance.now() - began < durationMs) setTimeout(tick, 1)
    }
    tick()
  }),
)
process.on('SIGTERM', () => process.exit(0))
