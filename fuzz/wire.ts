import { connect } from 'node:net'
import type { Target } from './target.ts'

// HTTP as nobody's client writes it, straight to the port. Each connection must be answered or closed in a bounded time,
// and no answer may be one for a request that was smuggled in behind another.

export type WireReport = {
  readonly cases: readonly { readonly title: string; readonly is: string }[]
  readonly findings: readonly string[]
}
/** What an answer begins with; `nothing` for a connection that is closed without. */
type Case = readonly [title: string, bytes: string, right: RegExp]

/** Longer than the server waits for a request to arrive. */
const LIMIT_MS = 45_000
const QUIET_MS = 1_500
const LOOK_EVERY_MS = 250
const get = (headers = '', version = '1.1') => `GET /health HTTP/${version}\r\nHost: x\r\n${headers}\r\n`
const post = (headers: string, body: string) =>
  `POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n${headers}\r\n${body}`
const CLOSE = 'Connection: close\r\n'
/** Behind a body that two readers may see the end of in different places. */
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'

const ONLY_400 = /^(400|nothing)$/
const CASES: readonly Case[] = [
  ['a request as it should be', get(CLOSE), /^200$/],
  ['bytes that are no HTTP', '\x16\x03\x01\x02\x00\x01\x00', ONLY_400],
  ['a word', 'HELO\r\n\r\n', ONLY_400],
  ['no Host', 'GET /health HTTP/1.1\r\nConnection: close\r\n\r\n', ONLY_400],
  ['two Hosts', `GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n${CLOSE}\r\n`, /^(200|400)$/],
  [
    'a Host that is none',
    'GET /health HTTP/1.1\r\nHost: "><script>\r\nConnection: close\r\n\r\n',
    /^(200|400)$/,
  ],
  ['HTTP/1.0', get('', '1.0'), /^200$/],
  ['HTTP/0.9', 'GET /health\r\n\r\n', /^(200|400)$/],
  ['HTTP/2 by its preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', ONLY_400],
  ['HTTP/9.9', get(CLOSE, '9.9'), ONLY_400],
  ['an unknown method', 'FOO /health HTTP/1.1\r\nHost: x\r\n\r\n', ONLY_400],
  ['CONNECT', 'CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n', /^(400|404|405|nothing)$/],
  ['TRACE', 'TRACE /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', /^(400|404|405)$/],
  ['an asterisk for a path', 'OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', /^(400|404|405)$/],
  [
    'an address of another host',
    `GET http://example.org/health HTTP/1.1\r\nHost: x\r\n${CLOSE}\r\n`,
    /^(200|400|404)$/,
  ],
  ['an empty path', `GET  HTTP/1.1\r\nHost: x\r\n${CLOSE}\r\n`, ONLY_400],
  ['a path with a blank', `GET /a b HTTP/1.1\r\nHost: x\r\n${CLOSE}\r\n`, ONLY_400],
  ['a path of bytes above 127', `GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n${CLOSE}\r\n`, /^(400|404)$/],
  ['a path with a zero byte', `GET /\0 HTTP/1.1\r\nHost: x\r\n${CLOSE}\r\n`, ONLY_400],
  ['a path of 15,000 letters', `GET /${'x'.repeat(15_000)} HTTP/1.1\r\nHost: x\r\n${CLOSE}\r\n`, /^404$/],
  ['a path of 20,000 letters', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, /^431$/],
  ['a header of 20,000 letters', get(`X: ${'x'.repeat(20_000)}\r\n`), /^431$/],
  ['2,000 headers', get('A: b\r\n'.repeat(2_000)), /^431$/],
  ['a header without a colon', get('nonsense\r\n'), ONLY_400],
  ['a header with a blank before its colon', get('X : y\r\n'), ONLY_400],
  ['a header folded over two lines', get('X: a\r\n b\r\nConnection: close\r\n'), /^(200|400)$/],
  ['a header with a zero byte', get('X: a\0b\r\n'), ONLY_400],
  ['lines that end in LF alone', 'GET /health HTTP/1.1\nHost: x\nConnection: close\n\n', /^(200|400)$/],
  ['two different lengths', post('Content-Length: 2\r\nContent-Length: 40\r\n', `{}${SMUGGLED}`), ONLY_400],
  ['two equal lengths', post('Content-Length: 2\r\nContent-Length: 2\r\n', '{}'), ONLY_400],
  [
    'a length and chunks',
    post('Content-Length: 2\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
    ONLY_400,
  ],
  [
    'chunks that are called something else',
    post('Transfer-Encoding: xchunked\r\n', `0\r\n\r\n${SMUGGLED}`),
    ONLY_400,
  ],
  ['chunked twice', post('Transfer-Encoding: chunked, chunked\r\n', `0\r\n\r\n${SMUGGLED}`), ONLY_400],
  [
    'chunked and identity',
    post('Transfer-Encoding: chunked, identity\r\n', `0\r\n\r\n${SMUGGLED}`),
    ONLY_400,
  ],
  ['a negative length', post('Content-Length: -1\r\n', '{}'), ONLY_400],
  ['a length with a sign', post('Content-Length: +2\r\n', '{}'), ONLY_400],
  ['a length beyond all numbers', post(`Content-Length: ${'9'.repeat(30)}\r\n`, '{}'), ONLY_400],
  ['a length of a gigabyte', post('Content-Length: 1073741824\r\n', '{}'), /^413$/],
  [
    'a chunk that is longer than it says',
    post('Transfer-Encoding: chunked\r\n', `1\r\n{}${SMUGGLED}`),
    ONLY_400,
  ],
  [
    'a chunk size that is no number',
    post('Transfer-Encoding: chunked\r\n', 'zz\r\n{}\r\n0\r\n\r\n'),
    ONLY_400,
  ],
  [
    'a chunk size beyond all numbers',
    post('Transfer-Encoding: chunked\r\n', `${'f'.repeat(17)}\r\n{}`),
    /^(400|413|nothing)$/,
  ],
  [
    'chunks with extensions and trailers',
    post('Transfer-Encoding: chunked\r\n', '2;a=b\r\n{}\r\n0\r\nX: y\r\n\r\n'),
    /^400$/,
  ],
  ['a body that never comes', post('Content-Length: 10\r\n', '{"a'), /^(408|400)$/],
  ['a promise to go on', post('Expect: 100-continue\r\nContent-Length: 2\r\n', '{}'), /^(100|400)$/],
  ['an upgrade to nothing known', get('Connection: Upgrade\r\nUpgrade: h2c\r\n'), /^400$/],
  [
    'an upgrade of another route',
    get('Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n'),
    /^(200|400)$/,
  ],
  [
    'a handshake without a key',
    `GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    ONLY_400,
  ],
  [
    'a handshake of version 99',
    `GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 99\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    /^(400|426)$/,
  ],
  [
    'a handshake by POST',
    `POST /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    /^(400|404|405)$/,
  ],
]

export const fuzzWire = async (target: Target): Promise<WireReport> => {
  const port = Number(new URL(target.server.url).port)
  const findings: string[] = []
  const cases = await Promise.all(
    CASES.map(async ([title, bytes, right]) => {
      const { is, text } = await told(port, bytes)
      if (!right.test(is)) findings.push(`${title}: ${is}, not ${right.source}: ${text.slice(0, 200)}`)
      if (/^HTTP\/1.1 .*^HTTP\/1.1 404/ms.test(text))
        findings.push(`${title}: a second request was smuggled in`)
      return { title, is }
    }),
  )
  return { cases, findings }
}

/** The status of the first answer, once the connection is closed or nothing more comes. */
const told = (port: number, bytes: string): Promise<{ is: string; text: string }> =>
  new Promise((resolve) => {
    let text = ''
    let looks = 0
    let quietSince = Number.POSITIVE_INFINITY
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(bytes, 'latin1')))
    const end = (otherwise: string): void => {
      clearInterval(watch)
      socket.destroy()
      resolve({ is: /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? otherwise, text })
    }
    // Looks, not time: whoever stands still together with the server has waited for nothing.
    const watch = setInterval(() => {
      if (++looks * LOOK_EVERY_MS > LIMIT_MS) end('closed late')
      else if ((looks - quietSince) * LOOK_EVERY_MS > QUIET_MS) end('nothing')
    }, LOOK_EVERY_MS)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      quietSince = looks
    })
    socket.on('error', () => end('nothing'))
    socket.on('close', () => end('nothing'))
  })
