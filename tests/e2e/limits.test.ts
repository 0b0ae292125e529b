// The bounds of the built server, as its settings and its README name them.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, startServer, type TestServer } from '../support/server.ts'
import { ask, Listener, Station } from '../support/station.ts'

let server: TestServer
const open: Socket[] = []

beforeAll(async () => {
  server = await startServer({
    env: {
      TRUST_PROXY: '127.0.0.1',
      METRICS_FROM: '192.0.2.0/24',
      CONNECTIONS_PER_ADDRESS: '5',
      RATE_LIMIT_PER_MINUTE: '10',
      LOGIN_LIMIT_PER_MINUTE: '3',
    },
  })
})
afterAll(async () => {
  for (const socket of open) socket.destroy()
  await server?.stop()
})

const from = (address: string) => ({ headers: { 'x-forwarded-for': address } })
const dial = async (text: string): Promise<Socket> => {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  open.push(socket)
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(text)
  return socket
}
const told = async (socket: Socket): Promise<string> => {
  let text = ''
  socket.on('data', (more) => {
    text += more
  })
  await once(socket, 'close')
  return text
}

describe('an address', () => {
  it('that nobody is signed in from may ask twice as often as a user, and others are not in its way', async () => {
    const game = (address: string) => ask(`${server.url}/api/v1/init/game`, from(address))
    for (let count = 0; count < 15; count++) expect((await game('198.51.100.1')).status).toBe(200)
    // Whoever has no session, or a forged one, is counted alike, whichever route is asked.
    for (let count = 0; count < 5; count++) {
      const headers = { ...from('198.51.100.1').headers, authorization: 'Bearer forged' }
      const method = count % 2 === 0 ? 'POST' : 'GET'
      const answer = await ask(`${server.url}/api/v1/receipts/?action=add`, { method, headers })
      expect([answer.status, answer.code]).toEqual([401, 'UNAUTHENTICATED'])
    }
    const refused = await game('198.51.100.1')
    expect([refused.status, refused.code]).toEqual([429, 'TOO_MANY_REQUESTS'])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect((await game('198.51.100.2')).status).toBe(200)
    const cashier = await Station.signIn(server, 'caisse')
    expect((await cashier.ask('/api/v1/init/game', from('198.51.100.1'))).status).toBe(200)
  })

  it('has so many sockets', async () => {
    const headers = from('198.51.100.9').headers
    const listeners = await Promise.all(
      Array.from({ length: 5 }, () => Listener.open(server, { query: '?topics=', headers })),
    )
    const refused = new Listener(server, { query: '?topics=', headers })
    expect(await refused.closed).toBe(1006)
    expect(refused.messages).toEqual([])
    listeners[0]!.close()
    await eventually('there is room again', async () => {
      const next = new Listener(server, { query: '?topics=', headers })
      const isIn = await Promise.race([next.heard('welcome').then(() => true), next.closed.then(() => false)])
      next.close()
      return isIn
    })
    for (const listener of listeners) listener.close()
  })

  it('guesses so many passwords a minute, however many at once, known name or not', async () => {
    const guess = (name: string, address: string) =>
      ask(`${server.url}/api/v1/auth/login`, {
        method: 'POST',
        body: { name, password: 'Wrong-Horse' },
        headers: from(address).headers,
      })
    for (const name of ['caisse', 'nobody']) {
      const answers = await Promise.all(Array.from({ length: 10 }, () => guess(name, '2001:db8:0:1::1')))
      const statuses = answers.map(({ status }) => status).sort()
      expect(statuses).toEqual([401, 401, 401, ...Array(7).fill(429)])
      // The next address of the same household is the same one.
      expect((await guess(name, '2001:db8:0:1:ffff::2')).status).toBe(429)
      expect((await guess(name, '2001:db8:0:2::1')).status).toBe(401)
    }
  })
})

describe('figures', () => {
  it.each(['/metrics', '/health/detailed'])('of %s are for admins and for those who watch', async (path) => {
    const { url } = server
    expect((await ask(`${url}${path}`)).status).toBe(401)
    expect((await ask(`${url}${path}`, from('198.51.100.3'))).status).toBe(401)
    expect((await ask(`${url}${path}`, from('192.0.2.3'))).status).toBe(200)
    expect((await ask(`${url}${path}`, from('192.0.2.3, 198.51.100.3'))).status).toBe(401)
    expect((await (await Station.signIn(server, 'admin')).ask(path)).status).toBe(200)
    expect((await (await Station.signIn(server, 'caisse')).ask(path)).status).toBe(403)
    expect((await ask(`${url}/health`, from('198.51.100.3'))).status).toBe(200)
  })
})

describe('a connection', () => {
  it('brings so many headers, and so long ones', async () => {
    const lines = (count: number, bytes = 1) =>
      Array.from({ length: count }, (_, n) => `X-${n}: ${'x'.repeat(bytes)}\r\n`).join('')
    const get = async (headers: string) =>
      told(await dial(`GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`))
    expect(await get(lines(98))).toMatch(/^HTTP\/1.1 200 /)
    expect(await get(lines(99))).toMatch(/^HTTP\/1.1 431 /)
    expect(await get(lines(1, 16_384))).toMatch(/^HTTP\/1.1 431 /)
  })

  it('that asks to become something else is answered and closed', async () => {
    const text = await told(
      await dial('GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'),
    )
    expect(text).toMatch(/^HTTP\/1.1 400 /)
  })

  it('that is too slow ends by itself, and others are served meanwhile', async () => {
    const silent = told(await dial(''))
    const slow = await dial('GET /health HTTP/1.1\r\nHost: x\r\nX-A: ')
    const drip = setInterval(() => slow.write('a'), 500)
    const began = performance.now()
    const texts = Promise.all([silent, told(slow)])
    await delay(1_000)
    expect((await ask(`${server.url}/health`)).status).toBe(200)
    expect((await texts)[1]).toMatch(/^HTTP\/1.1 408 /)
    clearInterval(drip)
    expect(performance.now() - began).toBeGreaterThan(9_000)
  })
})

it('met no fault in all this', () => {
  expect(server.errorsLogged).toEqual([])
})
