import { createHash } from 'node:crypto'
import { createServer } from 'node:http'

// Something so cheap that only the load generator is measured: each frame of a client is a command, and gets the same answer
// under its letter, all that came together in one write.
export type CheapOptions = {
  readonly answer: string
  /** Where in it the letter of its question stands. */
  readonly letterAt: number
}
const { answer: text, letterAt } = JSON.parse(process.argv[2]!) as CheapOptions
const ANSWER = Buffer.from(text)
const HEAD = Buffer.from([0x81, 126, ANSWER.length >> 8, ANSWER.length & 0xff])
const ACCEPT = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

const server = createServer()
server.on('upgrade', (request, socket) => {
  const key = createHash('sha1').update(`${request.headers['sec-websocket-key']}${ACCEPT}`).digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`,
  )
  let rest: Buffer = Buffer.alloc(0)
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    const answers: Buffer[] = []
    let at = 0
    while (bytes.length - at >= 8) {
      const to = at + 8 + bytes.readUInt16BE(at + 2)
      if (bytes.length < to) break
      const answer = Buffer.from(ANSWER)
      answer[letterAt] = bytes[bytes.indexOf('"id":"', at) + 6]!
      answers.push(HEAD, answer)
      at = to
    }
    rest = bytes.subarray(at)
    if (answers.length > 0) socket.write(Buffer.concat(answers))
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(`${typeof address === 'object' && address ? address.port : 0}\n`)
})
process.on('SIGTERM', () => process.exit(0))
