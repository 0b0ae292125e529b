import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { networkOf } from '../../src/http/client-address.ts'
import { limitServer, serverLimits, serverOptions } from '../../src/http/server-limits.ts'

/** More than the buffers of a connection take. */
const LONG = Buffer.alloc(64 * 1024 * 1024)

let server: Server
const open: Socket[] = []
let seen: string[][] = []

const listen = async (connectionsPerAddress: number, trusted: readonly string[] = [], quietMs?: number) => {
  seen = []
  server = createServer(serverOptions, (request, response) => {
    seen.push(request.rawHeaders)
    response.end(request.url === '/long' ? LONG : 'done')
  })
  server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'))
  const limits = { connectionsPerAddress, trusted: networkOf(trusted) }
  limitServer(server, quietMs === undefined ? limits : { ...limits, quietMs })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
}
const dial = async (text = ''): Promise<Socket> => {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  open.push(socket)
  socket.on('error', () => {})
  await once(socket, 'connect')
  if (text) socket.write(text)
  return socket
}
/** All that came until the other side closed. */
const told = async (socket: Socket): Promise<string> => {
  let text = ''
  socket.setEncoding('utf8').on('data', (more: string) => {
    text += more
  })
  if (!socket.closed) await once(socket, 'close')
  return text
}
const isClosedSoon = (socket: Socket, withinMs = 1_000): Promise<boolean> =>
  Promise.race([once(socket, 'close').then(() => true), delay(withinMs, false)])

afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy()
  server.close()
  await once(server, 'close')
})

describe('connections', () => {
  it('of one address are bounded, and there is room again when one ends', async () => {
    await listen(3)
    const three = [await dial(), await dial(), await dial()]
    for (let count = 0; count < 5; count++) expect(await isClosedSoon(await dial())).toBe(true)
    three[0]!.destroy()
    await delay(50)
    const fourth = await dial('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    expect(await told(fourth)).toMatch(/^HTTP\/1.1 200 /)
  })

  it('of a trusted proxy are as many as the server takes', async () => {
    await listen(1, ['loopback'])
    const many = await Promise.all(Array.from({ length: 5 }, () => dial()))
    expect(await isClosedSoon(many[4]!, 200)).toBe(false)
    expect(server.maxConnections).toBe(serverLimits.connections)
  })

  it('that ask to become something else than a WebSocket are answered and closed', async () => {
    await listen(10)
    const upgrade = (to: string) =>
      dial(`GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${to}\r\n\r\n`)
    expect(await told(await upgrade('h2c'))).toMatch(/^HTTP\/1.1 400 /)
    expect(await told(await upgrade('TLS/1.0'))).toMatch(/^HTTP\/1.1 400 /)
    expect(await told(await upgrade('websocket'))).toMatch(/^HTTP\/1.1 101 /)
  })

  it('that do not read their answer end', async () => {
    await listen(10, [], 500)
    const ends = new Promise<void>((resolve) =>
      server.once('connection', (socket) => socket.once('close', () => resolve())),
    )
    const deaf = await dial()
    deaf.pause()
    deaf.write('GET /long HTTP/1.1\r\nHost: x\r\n\r\n')
    await ends
  })

  it('that ask nothing more end, after the time that the server gives them', async () => {
    await listen(10, [], 500)
    const idle = await dial('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    const began = performance.now()
    expect(await told(idle)).toMatch(/^HTTP\/1.1 200 /)
    expect(performance.now() - began).toBeGreaterThan(400)
  })

  it('are given the time that the documents name', async () => {
    await listen(10)
    const given = new Promise<number | undefined>((resolve) =>
      server.once('request', (request) => resolve(request.socket.timeout)),
    )
    await dial('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(await given).toBe(serverLimits.quietMs)
  })

  it('that say nothing, or too slowly, end', async () => {
    await listen(10)
    server.headersTimeout = 500
    server.requestTimeout = 1_000
    const silent = await dial()
    const slow = await dial('GET / HTTP/1.1\r\nX-A: ')
    const drip = setInterval(() => slow.write('a'), 100)
    const half = await dial('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc')
    const [first, second] = await Promise.all([told(slow), told(half), told(silent)])
    clearInterval(drip)
    expect(first).toMatch(/^HTTP\/1.1 408 /)
    expect(second).toMatch(/408 /)
  })
})

describe('headers', () => {
  const request = (headers: string) =>
    dial(`GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`)

  it('are bounded in size', async () => {
    await listen(10)
    const line = (bytes: number) => `X-Long: ${'x'.repeat(bytes)}\r\n`
    expect(await told(await request(line(serverLimits.headerBytes - 200)))).toMatch(/ 200 /)
    expect(await told(await request(line(serverLimits.headerBytes)))).toMatch(/ 431 /)
    const url = await dial(`GET /${'x'.repeat(serverLimits.headerBytes)} HTTP/1.1\r\nHost: x\r\n\r\n`)
    expect(await told(url)).toMatch(/ 431 /)
  })

  it('are bounded in number', async () => {
    await listen(10)
    const lines = (count: number) => Array.from({ length: count }, (_, n) => `X-${n}: 1\r\n`).join('')
    expect(await told(await request(lines(serverLimits.headerFields - 2)))).toMatch(/ 200 /)
    for (const count of [serverLimits.headerFields - 1, 127, 128, 500, 2_500])
      expect(await told(await request(lines(count)))).toMatch(/ 431 /)
    const upgrade = `Upgrade: websocket\r\n${lines(serverLimits.headerFields)}`
    const answer = await told(
      await dial(`GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n${upgrade}\r\n`),
    )
    expect(answer).toMatch(/ 431 /)
  })
})
