import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { pino } from 'pino'
import { beforeEach, describe, expect, it } from 'vitest'
import { Unavailable } from '../../src/actors/unavailable.port.ts'
import { ok } from '../../src/http/answer.ts'
import { adminOnly, maybeSignedIn, notFound, onError, signedIn } from '../../src/http/guard.ts'
import { isCrossSite, isForeign, requestToken } from '../../src/http/request-token.ts'
import type { Session, Sessions } from '../../src/http/session.ts'

const sessionOf = (role: Session['role']): Session => ({
  userId: 7,
  name: 'marie',
  role,
  tokenId: 't',
  tokenVersion: 1,
  expiresAt: 1,
})
const known: Record<string, Session> = {
  'cashier-token': sessionOf('cashier'),
  'admin-token': sessionOf('admin'),
}
const sessions: Sessions = { verify: (token) => known[token], isCurrent: () => true }
const late: Sessions = { verify: async (token) => known[token], isCurrent: () => true }

describe('the token of a request', () => {
  it.each([
    [{ authorization: 'Bearer abc.d-e_f' }, { token: 'abc.d-e_f', by: 'bearer' }],
    [{ authorization: 'bearer abc' }, { token: 'abc', by: 'bearer' }],
    [{ authorization: 'BEARER   abc ' }, { token: 'abc', by: 'bearer' }],
    [{ cookie: 'galop_session=abc' }, { token: 'abc', by: 'cookie' }],
    [{ cookie: 'a=1; galop_session=abc; b=2' }, { token: 'abc', by: 'cookie' }],
    [{ cookie: 'a=1;galop_session=abc' }, { token: 'abc', by: 'cookie' }],
    [
      { authorization: 'Bearer one', cookie: 'galop_session=two' },
      { token: 'one', by: 'bearer' },
    ],
    [
      { authorization: 'Basic eDp5', cookie: 'galop_session=two' },
      { token: 'two', by: 'cookie' },
    ],
  ])('is found in %j', (headers, found) => {
    expect(requestToken(new Headers(headers))).toEqual(found)
  })

  it.each([
    {},
    { authorization: 'Bearer' },
    { authorization: 'Bearer ' },
    { authorization: 'Bearer a b' },
    { authorization: 'Token abc' },
    { authorization: 'abc' },
    { cookie: 'galop_session' },
    { cookie: 'galop_session=' },
    { cookie: 'x_galop_session=abc' },
    { cookie: 'galop_sessions=abc' },
  ])('is not found in %j', (headers: Record<string, string>) => {
    expect(requestToken(new Headers(headers))).toBeUndefined()
  })
})

describe('a request of another site', () => {
  const host = 'shop.example:3000'

  it.each([
    { origin: 'http://evil.example' },
    { origin: 'http://shop.example' },
    { origin: 'http://shop.example:3000.evil.example' },
    { origin: 'null' },
    { origin: 'not a url' },
    { origin: 'file://' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', origin: `http://${host}` },
    { 'sec-fetch-site': 'same-origin', origin: 'http://evil.example' },
  ])('is known by %j', (headers: Record<string, string>) => {
    expect(isCrossSite('POST', new Headers({ host, ...headers }))).toBe(true)
    expect(isCrossSite('DELETE', new Headers({ host, ...headers }))).toBe(true)
    expect(isForeign(new Headers({ host, ...headers }))).toBe(true)
    expect(isCrossSite('GET', new Headers({ host, ...headers }))).toBe(false)
  })

  it.each([
    {},
    { origin: `http://${host}` },
    { origin: `https://${host}` },
    { origin: 'http://SHOP.example:3000' },
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none' },
  ])('is not suspected for %j', (headers: Record<string, string>) => {
    expect(isCrossSite('POST', new Headers({ host, ...headers }))).toBe(false)
  })
})

let lines: string[]
let app: Hono

beforeEach(() => {
  lines = []
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
  app = new Hono()
  app.onError(onError(log))
  app.notFound(notFound(app))
  app.all('/any', signedIn(sessions), (c) => ok(c, c.get('session').name))
  app.get('/late', signedIn(late), (c) => ok(c, c.get('session').name))
  app.post('/admin', adminOnly(sessions), (c) => ok(c, c.get('session').role))
  app.get('/open', maybeSignedIn(sessions), (c) => ok(c, c.get('session')?.name ?? 'nobody'))
  app.get('/journal', () => {
    throw new Unavailable('journal', 'away')
  })
  app.get('/postgres', () => {
    throw new Unavailable('postgres', 'away', { cause: new Error('ECONNREFUSED') })
  })
  app.get('/http/:status', (c) => {
    throw new HTTPException(Number(c.req.param('status')) as 400, { message: 'internal words' })
  })
  app.get('/fault', () => {
    const fault = Object.assign(new Error('it broke', { cause: new Error('deep inside') }), {
      detail: 'Failing row contains (marie, hunter22)',
    })
    throw fault
  })
})

const ask = async (path: string, method = 'GET', headers: Record<string, string> = {}) => {
  const answer = await app.request(path, { method, headers: { host: 'shop.example', ...headers } })
  const body = (await answer.json()) as { data?: unknown; error?: { code: string; details: unknown } }
  return { status: answer.status, headers: answer.headers, body, said: body.data ?? body.error?.code }
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const cookie = (token: string) => ({ cookie: `galop_session=${token}` })

describe('the guard', () => {
  it('lets in who is signed in, by header or cookie', async () => {
    expect(await ask('/any', 'GET', bearer('cashier-token'))).toMatchObject({ status: 200, said: 'marie' })
    expect(await ask('/any', 'POST', cookie('cashier-token'))).toMatchObject({ status: 200, said: 'marie' })
    expect(await ask('/late', 'GET', bearer('cashier-token'))).toMatchObject({ status: 200, said: 'marie' })
  })

  it('keeps out who is not', async () => {
    for (const headers of [{}, bearer('forged'), cookie('forged')]) {
      expect(await ask('/any', 'GET', headers)).toMatchObject({ status: 401, said: 'UNAUTHENTICATED' })
      expect(await ask('/admin', 'POST', headers)).toMatchObject({ status: 401, said: 'UNAUTHENTICATED' })
    }
    expect(await ask('/late', 'GET', bearer('forged'))).toMatchObject({ status: 401 })
  })

  it('lets only admins in where they alone may', async () => {
    expect(await ask('/admin', 'POST', bearer('cashier-token'))).toMatchObject({
      status: 403,
      said: 'FORBIDDEN',
    })
    expect(await ask('/admin', 'POST', bearer('admin-token'))).toMatchObject({ status: 200, said: 'admin' })
  })

  it('refuses a change that another site asks for with the cookie, and no other', async () => {
    const evil = { origin: 'http://evil.example' }
    const refused = { status: 403, said: 'CROSS_SITE' }
    expect(await ask('/any', 'POST', { ...cookie('cashier-token'), ...evil })).toMatchObject(refused)
    expect(await ask('/admin', 'POST', { ...cookie('admin-token'), ...evil })).toMatchObject(refused)
    expect(await ask('/any', 'POST', { ...bearer('cashier-token'), ...evil })).toMatchObject({ status: 200 })
    expect(await ask('/any', 'GET', { ...cookie('cashier-token'), ...evil })).toMatchObject({ status: 200 })
  })

  it('lets everybody in where the door is open, and knows who has a session', async () => {
    expect(await ask('/open')).toMatchObject({ status: 200, said: 'nobody' })
    expect(await ask('/open', 'GET', bearer('forged'))).toMatchObject({ status: 200, said: 'nobody' })
    expect(await ask('/open', 'GET', cookie('cashier-token'))).toMatchObject({ status: 200, said: 'marie' })
  })
})

describe('a fault', () => {
  it('is a 503 that says when to come back while a store is away', async () => {
    const journal = await ask('/journal')
    expect(journal).toMatchObject({ status: 503, said: 'JOURNAL_UNAVAILABLE' })
    expect(journal.headers.get('retry-after')).toBe('1')
    expect(await ask('/postgres')).toMatchObject({ status: 503, said: 'POSTGRES_UNAVAILABLE' })
  })

  it.each([
    [400, 'BAD_REQUEST'],
    [404, 'NOT_FOUND'],
    [413, 'BODY_TOO_LARGE'],
    [418, 'BAD_REQUEST'],
    [429, 'TOO_MANY_REQUESTS'],
    [500, 'INTERNAL'],
  ])('of status %i keeps it, in the envelope and in our words', async (status, code) => {
    const answer = await ask(`/http/${status}`)
    expect(answer).toMatchObject({ status, said: code })
    expect(JSON.stringify(answer.body)).not.toContain('internal words')
  })

  it('tells the caller an id and nothing else, and the log what happened without the values in it', async () => {
    const answer = await ask('/fault?password=hunter22')
    expect(answer).toMatchObject({ status: 500, said: 'INTERNAL' })
    expect(JSON.stringify(answer.body)).not.toMatch(/it broke|deep|hunter22/)
    const { id } = answer.body.error!.details as { id: string }
    const logged = lines.find((line) => line.includes(id))
    expect(logged).toContain('it broke')
    expect(logged).toContain('deep inside')
    expect(lines.join('')).not.toContain('hunter22')
  })
})

describe('an unknown address', () => {
  it('is a 404, and a 405 with Allow where only the method is wrong', async () => {
    expect(await ask('/nowhere')).toMatchObject({ status: 404, said: 'NOT_FOUND' })
    const wrong = await ask('/admin', 'GET')
    expect(wrong).toMatchObject({ status: 405, said: 'METHOD_NOT_ALLOWED' })
    expect(wrong.headers.get('allow')).toBe('POST')
    expect((await ask('/open', 'DELETE')).headers.get('allow')).toBe('GET, HEAD')
  })
})
