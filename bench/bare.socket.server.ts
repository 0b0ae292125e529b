import { WebSocketServer } from 'ws'

// The yardstick of an idle socket: the least that the package `ws` needs for one.
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false }, () => {
  const address = server.address()
  process.stdout.write(`${typeof address === 'object' && address ? address.port : 0}\n`)
})
server.on('connection', (socket) => socket.on('message', () => {}))
process.on('SIGTERM', () => process.exit(0))
