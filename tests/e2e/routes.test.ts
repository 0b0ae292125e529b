// Every route × everybody who may come, from the one list in route-table.ts.
//   W1. What the server has registered is in the list, and what is in the list is registered.
//   W2. Each answers each as the list says, with and without a slash at its end.
//   W3. No change can be asked for by a page of another site with the cookie of this one.
//   W4. Every page says what it may load, whoever asks for it.
import { createHmac, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { eventually, startServer, type TestServer } from '../support/server.ts'
import { type Answer, ask, Listener, Station } from '../support/station.ts'
import { ASKERS, type Asker, BOARD, ROWS, type Row } from './route-table.ts'

const SECRET = 'a secret that only this test and its server know'

let server: TestServer
let registered: { method: string; path: string }[]
const stations = new Map<Asker, Station>()
let round: number
const pages: { what: string; answer: Answer }[] = []

/** What a program registers, without the doors in front of routes. */
const registeredRoutes = async () => {
  const database = await createTestDatabase()
  const dataDirectory = await mkdtemp(join(tmpdir(), 'galop-routes-'))
  const app = await openApp({
    config: readConfig({}),
    databaseUrl: database.url,
    dataDirectory,
    version: 'test',
    clock: { now: Date.now, setTimeout, clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout) },
    log: pino({ level: 'silent' }),
    say: () => {},
    announceAccounts: () => {},
  })
  const routes = await app.routes()
  await app.drain()
  await app.close()
  await database.drop()
  await rm(dataDirectory, { recursive: true })
  return routes.filter(({ method, path }) => !(method === 'ALL' && path.endsWith('*')))
}

const bare = (path: string): string => (path.length > 1 ? path.replace(/\/$/, '') : path)
const named = ({ method, path }: { method: string; path: string }): string => `${method} ${bare(path)}`

beforeAll(async () => {
  server = await startServer({
    env: { JWT_SECRET: SECRET, ROUND_WAIT_DURATION_MS: '3600000', METRICS_FROM: '192.0.2.1' },
  })
  const admin = await Station.signIn(server, 'admin')
  const body = { name: 'autre', password: 'another password', role: 'cashier' }
  expect((await admin.ask('/api/v1/users/', { method: 'POST', body })).status).toBe(201)
  stations.set('admin', admin)
  stations.set('cashier', await Station.signIn(server, 'caisse'))
  stations.set('other cashier', await Station.signIn(server, 'autre', body.password))
  round = (await admin.openRound(1_000)).id
  await eventually(
    'the board is open',
    async () => (await admin.ask('/admin/jobs/api/queues')).status === 200,
  )
  registered = await registeredRoutes()
})
afterAll(() => server?.stop())

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
const signed = (claims: object, secret = SECRET): string => {
  const text = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded(claims)}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

/** A token of its own for each request: one of them signs out. Whoever is nobody pretends to be the admin. */
const tokenOf = (asker: Asker): string | undefined => {
  if (asker === 'nobody' || asker === 'screen') return undefined
  const station = stations.get(asker) ?? stations.get('admin')!
  const claims = { ...claimsOf(station.token), jti: randomUUID() }
  switch (asker) {
    case 'forged':
      return signed(claims, 'another secret of more than thirty-two letters')
    case 'alg none':
      return `${encoded({ alg: 'none', typ: 'JWT' })}.${encoded(claims)}.`
    case 'expired':
      return signed({ ...claims, exp: Math.floor(Date.now() / 1_000) - 1 })
    default:
      return signed(claims)
  }
}

type By = 'bearer' | 'cookie'
const headersOf = (asker: Asker, by: By = 'bearer'): Record<string, string> => {
  const token = tokenOf(asker)
  if (token === undefined) return asker === 'screen' ? { accept: 'text/html,*/*;q=0.8' } : {}
  return by === 'bearer' ? { authorization: `Bearer ${token}` } : { cookie: `galop_session=${token}` }
}

const filled = (row: Row, receipt: number): string =>
  (row.ask ?? row.route).replace('{receipt}', String(receipt)).replace('{round}', String(round))
const slashed = (path: string): string => path.replace(/(\?|$)/, '/$1')

const asked = async (row: Pick<Row, 'method' | 'body'>, path: string, headers: Record<string, string>) => {
  const { method, body } = row
  const answer = await ask(`${server.url}${path}`, { method, body, headers })
  pages.push({ what: `${method} ${path}`, answer })
  return answer
}

describe('the list of routes', () => {
  it('has every route that is registered, and no other', () => {
    const own = registered.filter(({ path }) => !path.startsWith(BOARD)).map(named)
    expect(own.length).toBeGreaterThan(25)
    expect([...new Set(own)].sort()).toEqual(
      [...new Set(ROWS.map(({ method, route }) => `${method} ${route}`))].sort(),
    )
  })

  it('says of everybody what they get', () => {
    for (const { expected } of ROWS) expect(Object.keys(expected).sort()).toEqual([...ASKERS].sort())
  })
})

describe.each(['bearer', 'cookie'] as const)('a session by %s', (by) => {
  it.each(ROWS.map((row) => [`${row.method} ${row.ask ?? row.route}`, row] as const))(
    'is let in, or not, at %s',
    async (_title, row) => {
      for (const form of [(path: string) => path, slashed]) {
        const { id } = await stations.get('cashier')!.sold()
        const path = form(filled(row, id))
        if (path.startsWith('//') || (form === slashed && !/^\/(api|health|metrics)/.test(path))) continue
        const seen: Record<string, number> = {}
        for (const asker of ASKERS) seen[asker] = (await asked(row, path, headersOf(asker, by))).status
        expect([path, seen]).toEqual([path, row.expected])
      }
    },
  )
})

describe('the dashboard', () => {
  it('lets admins alone to every route that it brings', async () => {
    const routes = registered.filter(({ path }) => path.startsWith(BOARD))
    expect(routes.length).toBeGreaterThan(10)
    for (const { method, path } of routes) {
      const one = path.replace(/:[\w]+(\{[^}]*\})?\??/g, 'none').replace('*', 'none.js')
      for (const asker of ASKERS) {
        const { status, code } = await asked({ method: method as Row['method'] }, one, headersOf(asker))
        // The board hides a route of its own from everybody, with a 403 that is not ours.
        const isIn = status !== 302 && !['UNAUTHENTICATED', 'FORBIDDEN'].includes(code ?? '')
        expect([asker, method, one, status, isIn]).toEqual([asker, method, one, status, asker === 'admin'])
      }
    }
  })
})

describe('a page of another site', () => {
  const FOREIGN: readonly Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example', 'content-type': 'application/x-www-form-urlencoded' },
    { origin: 'https://evil.example', 'content-type': 'text/plain' },
    { 'sec-fetch-site': 'cross-site', 'content-type': 'multipart/form-data; boundary=x' },
  ]

  it('changes nothing with the cookie of this one, at any route', async () => {
    const changes = [
      ...ROWS.filter(({ method, route }) => method !== 'GET' && !route.endsWith('/login')),
      ...registered
        .filter(({ method, path }) => path.startsWith(BOARD) && method !== 'GET')
        .map(({ method, path }) => ({
          method: method as Row['method'],
          route: path.replace(/:\w+/g, 'none'),
        })),
    ]
    expect(changes.length).toBeGreaterThan(12)
    const { id } = await stations.get('cashier')!.sold()
    for (const row of changes)
      for (const foreign of FOREIGN) {
        const headers = { ...headersOf('admin', 'cookie'), ...foreign }
        const { status, code } = await asked(row, filled(row as Row, id), headers)
        expect([row.route, foreign, status, code]).toEqual([row.route, foreign, 403, 'CROSS_SITE'])
      }
    expect((await stations.get('cashier')!.receipt(id)).data.status).toBe('pending')
  })

  it('signs nobody in: a form cannot send JSON', async () => {
    const body = JSON.stringify({ name: 'caisse', password: server.passwordOf('caisse') })
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      const headers = { 'content-type': type, origin: 'https://evil.example' }
      const answer = await ask(`${server.url}/api/v1/auth/login`, { method: 'POST', body, headers })
      expect([answer.status, answer.headers.get('set-cookie')]).toEqual([415, null])
    }
  })

  it('opens no socket with the cookie of this one, and one of its own site is signed in', async () => {
    const cookie = `galop_session=${tokenOf('cashier')}`
    for (const foreign of FOREIGN) {
      const listener = new Listener(server, { cookie, headers: foreign })
      expect([foreign, await listener.closed, listener.messages]).toEqual([foreign, 1006, []])
    }
    const own = await Listener.open(server, { cookie, headers: { origin: server.url } })
    expect((await own.heard('welcome')).user).toMatchObject({ name: 'caisse' })
    own.close()
  })

  it('is no page of this one that sends its own origin, nor a program that sends none', async () => {
    for (const own of [
      { origin: server.url.replace('localhost', '127.0.0.1') },
      { 'sec-fetch-site': 'same-origin' },
      {},
    ]) {
      const headers = { ...headersOf('cashier', 'cookie'), ...own }
      const answer = await ask(`${server.url}/api/v1/auth/logout`, { method: 'POST', headers })
      expect([own, answer.status]).toEqual([own, 200])
    }
  })
})

describe('a page', () => {
  it('says what it may load, and is shown in no frame of another site, whoever asked for it', async () => {
    const cashier = headersOf('cashier')
    await asked({ method: 'GET' }, '/admin/jobs', { ...cashier, accept: 'text/html' })
    await asked({ method: 'GET' }, '/admin/jobs/queue/persist', {
      ...headersOf('admin'),
      accept: 'text/html',
    })
    const shown = pages.filter(({ answer }) => answer.headers.get('content-type')?.startsWith('text/html'))
    const whats = new Set(shown.map(({ what }) => what.replace(/id=\d+/, 'id=…')))
    for (const what of [
      'GET /',
      'GET /sign-in',
      'GET /docs',
      'GET /station',
      'GET /screen',
      'GET /desk',
      'GET /verify',
      'GET /admin/jobs',
      'GET /api/v1/receipts?action=print&id=…',
    ])
      expect(whats).toContain(what)
    expect(shown.some(({ what, answer }) => what === 'GET /admin/jobs' && answer.status === 403)).toBe(true)
    for (const { what, answer } of shown) {
      const policy = answer.headers.get('content-security-policy') ?? ''
      expect([what, policy]).toEqual([what, expect.stringMatching(/^default-src '(none|self)'/)])
      // The station prints slips in a frame of its own.
      const isSlip = what.includes('/receipts')
      const frames = isSlip ? "frame-ancestors 'self'" : "frame-ancestors 'none'"
      expect([what, policy]).toEqual([what, expect.stringContaining(frames)])
      expect(policy).not.toMatch(/script-src[^;]*'unsafe|\*/)
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': isSlip ? 'SAMEORIGIN' : 'DENY',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
      })
    }
  })
})

it('met no fault in all this', () => {
  expect(server.errorsLogged).toEqual([])
})
