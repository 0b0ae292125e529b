import { Hono } from 'hono'
import { generateSpecs } from 'hono-openapi'
import { pino } from 'pino'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { accountsRoutes } from '../../../src/http/accounts/accounts.routes.ts'
import { createLoginLimiter } from '../../../src/http/accounts/login.limiter.ts'
import { createPasswords, type Passwords } from '../../../src/http/accounts/passwords.ts'
import { createTokens, type Tokens } from '../../../src/http/accounts/tokens.ts'
import { addressesBehind, networkOf } from '../../../src/http/client-address.ts'
import { notFound, onError } from '../../../src/http/guard.ts'
import { MemoryDirectory } from './memory.directory.ts'

const attemptsPerMinute = 5
const rightPassword = 'Right-Horse-1'
const hash = await createPasswords().hash(rightPassword)

let directory: MemoryDirectory
let tokens: Tokens
let passwords: Passwords
let app: Hono
let logged: string
let said: string

beforeEach(() => {
  logged = ''
  said = ''
  directory = new MemoryDirectory()
  directory.add({ name: 'admin', role: 'admin', passwordHash: hash })
  directory.add({ name: 'caisse', role: 'cashier', passwordHash: hash })
  const now = () => Date.now()
  tokens = createTokens({ secret: 's'.repeat(32), lifetimeMs: 12 * 3_600_000, directory, now })
  passwords = createPasswords()
  const write = (line: string) => {
    logged += line
  }
  const log = pino({ level: 'trace' }, { write })
  const limiter = createLoginLimiter(attemptsPerMinute)
  app = new Hono()
  app.onError(onError(log))
  app.notFound(notFound(app))
  const addressOf = addressesBehind(networkOf(['10.9.0.0/16']))
  const accounts = { directory, tokens, sessions: tokens, passwords, limiter, addressOf, now, log }
  app.route('/api/v1', accountsRoutes(accounts))
})

type Said = { success: boolean; data: never; error: { code: string; message: string; details: unknown } }

const call = async (
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
  address = '10.0.0.1',
) => {
  const request = {
    method,
    headers: { host: 'shop', ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }
  const socket = { remoteAddress: address, remotePort: 1, remoteFamily: 'IPv4' }
  const answer = await app.request(`/api/v1${path}`, request, { incoming: { socket } })
  const text = await answer.text()
  said += text
  const json = JSON.parse(text) as Said
  return { status: answer.status, headers: answer.headers, data: json.data as unknown, error: json.error }
}
const login = (name: string, password: string, headers = {}, address?: string) =>
  call('POST', '/auth/login', { name, password }, headers, address)
const bearerOf = (id: number) => {
  const { token } = tokens.issue(directory.byId(id)!)
  return { authorization: `Bearer ${token}` }
}
const asAdmin = () => bearerOf(1)
const asCashier = () => bearerOf(2)

describe('signing in', () => {
  it('answers with a token and says whose it is, until when', async () => {
    const { status, data, headers } = await login('caisse', rightPassword)
    expect(status).toBe(200)
    expect(data).toEqual({
      token: expect.any(String),
      expiresAt: expect.any(Number),
      user: { id: 2, name: 'caisse', role: 'cashier' },
    })
    const { token, expiresAt } = data as { token: string; expiresAt: number }
    expect(tokens.verify(token)).toMatchObject({ userId: 2, expiresAt })
    expect(headers.get('cache-control')).toBe('no-store')
    const me = await call('GET', '/auth/me', undefined, { authorization: `Bearer ${token}` })
    expect(me.data).toEqual({ expiresAt, user: { id: 2, name: 'caisse', role: 'cashier' } })
  })

  it('takes the field username, capitals and blanks around the name, and a slash at the end', async () => {
    const body = { username: ' Caisse ', password: rightPassword }
    expect(await call('POST', '/auth/login', body)).toMatchObject({ status: 200 })
    expect(await call('POST', '/auth/login/', body)).toMatchObject({ status: 200 })
  })

  it('sets a cookie that no script reads, no other site sends and plain HTTP keeps', async () => {
    const cookie = (await login('caisse', rightPassword)).headers.get('set-cookie')!
    expect(cookie).toMatch(/^galop_session=[\w.-]+; /)
    expect(cookie).toMatch(/; HttpOnly(;|$)/)
    expect(cookie).toMatch(/; SameSite=Strict(;|$)/)
    expect(cookie).toMatch(/; Path=\/(;|$)/)
    expect(Number(/; Max-Age=(\d+)/.exec(cookie)![1])).toBeGreaterThan(12 * 3_600 - 10)
    expect(cookie).not.toMatch(/Secure|Domain/)
    const me = await call('GET', '/auth/me', undefined, { cookie: cookie.split(';')[0]! })
    expect(me.status).toBe(200)
  })

  it('sets a cookie that is Secure where the browser came by HTTPS', async () => {
    const { headers } = await login('caisse', rightPassword, { 'x-forwarded-proto': 'https, http' })
    expect(headers.get('set-cookie')).toMatch(/; Secure(;|$)/)
  })

  it('says the same of a wrong password, an unknown name and a disabled account, after the same work', async () => {
    directory.change(2, { disabled: true })
    const verify = vi.spyOn(passwords, 'verify')
    const wrong = await login('admin', 'Wrong-Horse-2')
    const unknown = await login('nobody', rightPassword)
    const disabled = await login('caisse', rightPassword)
    expect(wrong).toMatchObject({ status: 401, error: { code: 'WRONG_PASSWORD', details: null } })
    expect(unknown.error).toEqual(wrong.error)
    expect(disabled.error).toEqual(wrong.error)
    expect(wrong.headers.get('set-cookie')).toBeNull()
    expect(verify.mock.calls).toEqual([
      ['Wrong-Horse-2', hash],
      [rightPassword, undefined],
      [rightPassword, hash],
    ])
  })

  it('refuses whom an admin disabled or gave a new password while the old one was checked', async () => {
    const verify = passwords.verify
    for (const change of [{ disabled: true }, { disabled: false, passwordHash: 'another' }]) {
      vi.spyOn(passwords, 'verify').mockImplementationOnce(async (password, kept) => {
        const isRight = await verify(password, kept)
        directory.change(2, change)
        return isRight
      })
      expect(await login('caisse', rightPassword)).toMatchObject({ status: 401 })
    }
  })

  it('refuses more wrong attempts a minute than allowed, by address and name', async () => {
    for (let count = 0; count < attemptsPerMinute; count += 1) {
      expect(await login('caisse', `Wrong-Horse-${count}`)).toMatchObject({ status: 401 })
    }
    const verify = vi.spyOn(passwords, 'verify')
    const refused = await login('caisse', rightPassword)
    expect(refused).toMatchObject({ status: 429, error: { code: 'TOO_MANY_REQUESTS' } })
    const seconds = Number(refused.headers.get('retry-after'))
    expect(seconds).toBeGreaterThanOrEqual(1)
    expect(seconds).toBeLessThanOrEqual(60)
    expect(verify).not.toHaveBeenCalled()
    expect(await login('CAISSE ', rightPassword)).toMatchObject({ status: 429 })
    expect(await login('admin', rightPassword)).toMatchObject({ status: 200 })
    expect(await login('caisse', rightPassword, {}, '10.0.0.2')).toMatchObject({ status: 200 })
  })

  it('counts attempts on names that nobody has alike', async () => {
    for (let count = 0; count < attemptsPerMinute; count += 1)
      expect(await login('nobody', `Wrong-Horse-${count}`)).toMatchObject({ status: 401 })
    expect(await login('nobody', 'Wrong-Horse')).toMatchObject({ status: 429 })
  })

  it('counts names tried one after another by their address, 20 times as many', async () => {
    vi.spyOn(passwords, 'verify').mockResolvedValue(false)
    const answers = []
    for (let count = 0; count <= attemptsPerMinute * 20; count += 1)
      answers.push((await login(`name-${count}`, 'Wrong-Horse')).status)
    expect(answers.slice(0, -1).every((status) => status === 401)).toBe(true)
    expect(answers.at(-1)).toBe(429)
  })

  it('counts by the address that a trusted proxy names, and by no other', async () => {
    const from = (client: string, proxy: string) =>
      login('caisse', 'Wrong-Horse', { 'x-forwarded-for': client }, proxy)
    for (let count = 0; count < attemptsPerMinute; count += 1)
      expect(await from('192.0.2.1', '10.9.0.1')).toMatchObject({ status: 401 })
    expect(await from('192.0.2.1', '10.9.0.1')).toMatchObject({ status: 429 })
    expect(await from('192.0.2.2', '10.9.0.1')).toMatchObject({ status: 401 })
    // Whoever adds an address before the proxy does, has none but its own.
    expect(await from('198.51.100.7, 192.0.2.1', '10.9.0.1')).toMatchObject({ status: 429 })
    // Not of a proxy: what it says of itself is nothing.
    for (let count = 0; count < attemptsPerMinute; count += 1)
      expect(await from(`192.0.2.${count + 9}`, '10.0.0.7')).toMatchObject({ status: 401 })
    expect(await from('192.0.2.99', '10.0.0.7')).toMatchObject({ status: 429 })
  })

  it('counts attempts that arrive together', async () => {
    const answers = await Promise.all(
      Array.from({ length: attemptsPerMinute * 2 }, (_, count) => login('caisse', `Wrong-Horse-${count}`)),
    )
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(attemptsPerMinute)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(attemptsPerMinute)
  })

  it('does not count attempts that were right', async () => {
    for (let count = 0; count < attemptsPerMinute * 2; count += 1) {
      expect(await login('caisse', rightPassword)).toMatchObject({ status: 200 })
    }
  })

  it('says when to come back where too many passwords are checked already', async () => {
    vi.spyOn(passwords, 'verify').mockResolvedValueOnce('BUSY')
    const busy = await login('caisse', rightPassword)
    expect([busy.status, busy.headers.get('retry-after')]).toEqual([429, '2'])
  })

  it('says that the database is away where no accounts are known', async () => {
    directory.ready = false
    expect(await login('caisse', rightPassword)).toMatchObject({ status: 503 })
  })

  it.each([
    [{ name: 'caisse' }, 'password'],
    [{ password: rightPassword }, ''],
    [{ name: '', password: rightPassword }, 'name'],
    [{ name: 1, password: rightPassword }, 'name'],
    [{ name: 'caisse', password: { $ne: '' } }, 'password'],
    [{ name: 'caisse', password: 'x'.repeat(201) }, 'password'],
    [{ name: 'x'.repeat(101), password: rightPassword }, 'name'],
  ])('refuses the body %j', async (body, path) => {
    const { status, error } = await call('POST', '/auth/login', body)
    expect([status, error.code]).toEqual([400, 'BAD_REQUEST'])
    expect(error.details).toContainEqual({ path, message: expect.any(String) })
  })
})

describe('signing out', () => {
  it('ends the token and clears the cookie', async () => {
    const headers = asCashier()
    const out = await call('POST', '/auth/logout', undefined, headers)
    expect([out.status, out.data]).toEqual([200, null])
    expect(out.headers.get('set-cookie')).toMatch(/^galop_session=; .*Max-Age=0/)
    expect(await call('GET', '/auth/me', undefined, headers)).toMatchObject({ status: 401 })
    expect(await call('POST', '/auth/logout/', undefined, headers)).toMatchObject({ status: 401 })
    expect(await call('GET', '/auth/me', undefined, asCashier())).toMatchObject({ status: 200 })
  })

  it('cannot be done by a page of another site', async () => {
    const cookie = `galop_session=${asCashier().authorization.slice('Bearer '.length)}`
    const out = await call('POST', '/auth/logout', undefined, { cookie, origin: 'http://evil.example' })
    expect([out.status, out.headers.get('set-cookie')]).toEqual([403, null])
    expect(await call('GET', '/auth/me', undefined, { cookie })).toMatchObject({ status: 200 })
  })
})

describe('accounts', () => {
  const marie = { name: 'Marie', password: 'Some-Password-9', role: 'cashier' }

  it('are listed for admins, without anything about passwords', async () => {
    const { data } = await call('GET', '/users/', undefined, asAdmin())
    expect(data).toEqual([
      { id: 1, name: 'admin', role: 'admin', disabled: false },
      { id: 2, name: 'caisse', role: 'cashier', disabled: false },
    ])
    expect(await call('GET', '/users', undefined, asAdmin())).toMatchObject({ status: 200, data })
  })

  it('are created in lower case and can sign in at once', async () => {
    const created = await call('POST', '/users/', marie, asAdmin())
    expect(created).toMatchObject({
      status: 201,
      data: { id: 3, name: 'marie', role: 'cashier', disabled: false },
    })
    expect(await login('marie', marie.password)).toMatchObject({ status: 200 })
    expect(await call('POST', '/users', marie, asAdmin())).toMatchObject({
      status: 409,
      error: { code: 'NAME_TAKEN' },
    })
  })

  it('are disabled and enabled, and lose their sessions', async () => {
    const headers = asCashier()
    const disabled = await call('POST', '/users/2/disable', undefined, asAdmin())
    expect(disabled).toMatchObject({ status: 200, data: { id: 2, disabled: true } })
    expect(await call('GET', '/auth/me', undefined, headers)).toMatchObject({ status: 401 })
    expect(await login('caisse', rightPassword)).toMatchObject({ status: 401 })
    const enabled = await call('POST', '/users/2/enable/', undefined, asAdmin())
    expect(enabled).toMatchObject({ status: 200, data: { id: 2, disabled: false } })
    expect(await call('GET', '/auth/me', undefined, headers)).toMatchObject({ status: 401 })
    expect(await login('caisse', rightPassword)).toMatchObject({ status: 200 })
  })

  it('lose their sessions and their old password with a new one', async () => {
    const headers = asCashier()
    const body = { password: 'New-Password-3' }
    expect(await call('POST', '/users/2/password', body, asAdmin())).toMatchObject({ status: 200 })
    expect(await call('GET', '/auth/me', undefined, headers)).toMatchObject({ status: 401 })
    expect(await login('caisse', rightPassword)).toMatchObject({ status: 401 })
    expect(await login('caisse', body.password)).toMatchObject({ status: 200 })
  })

  it('keep their last enabled admin', async () => {
    const refused = await call('POST', '/users/1/disable', undefined, asAdmin())
    expect(refused).toMatchObject({ status: 409, error: { code: 'LAST_ADMIN' } })
    expect(await call('GET', '/auth/me', undefined, asAdmin())).toMatchObject({ status: 200 })
  })

  it('are unknown where they are', async () => {
    for (const path of ['/users/77/disable', '/users/77/enable']) {
      expect(await call('POST', path, undefined, asAdmin())).toMatchObject({ status: 404 })
    }
    const body = { password: 'New-Password-3' }
    const refused = await call('POST', '/users/77/password', body, asAdmin())
    expect(refused).toMatchObject({ status: 404, error: { code: 'USER_UNKNOWN' } })
    for (const id of ['x', '0', '-1', '1.5', '9'.repeat(30)]) {
      const bad = await call('POST', `/users/${id}/disable`, undefined, asAdmin())
      expect(bad).toMatchObject({ status: 400, error: { code: 'BAD_REQUEST' } })
    }
  })

  it.each([
    [{ ...marie, name: 'a b' }, 'name'],
    [{ ...marie, name: '' }, 'name'],
    [{ ...marie, name: 'x'.repeat(41) }, 'name'],
    [{ ...marie, name: 'ren\u00e9' }, 'name'],
    [{ ...marie, name: '<b>' }, 'name'],
    [{ ...marie, role: 'root' }, 'role'],
    [{ ...marie, password: 'Short-1' }, 'password'],
    [{ ...marie, password: 'x'.repeat(201) }, 'password'],
    [{ ...marie, password: 12345678 }, 'password'],
  ])('are not created from %j', async (body, path) => {
    const { status, error } = await call('POST', '/users/', body, asAdmin())
    expect([status, error.code]).toEqual([400, 'BAD_REQUEST'])
    expect(error.details).toEqual([{ path, message: expect.any(String) }])
  })

  it('are no business of cashiers and of nobody', async () => {
    const routes = [
      ['GET', '/users/'],
      ['POST', '/users/'],
      ['POST', '/users/1/disable'],
      ['POST', '/users/1/enable'],
      ['POST', '/users/1/password'],
    ] as const
    for (const [method, path] of routes) {
      const body = method === 'POST' ? { password: 'New-Password-3' } : undefined
      expect(await call(method, path, body, asCashier()), path).toMatchObject({ status: 403 })
      expect(await call(method, path, body), path).toMatchObject({ status: 401 })
    }
    expect(directory.byId(1)).toMatchObject({ disabled: false, tokenVersion: 1 })
  })
})

describe('a password', () => {
  it('is in no log line and in no answer, right or wrong, however it is sent', async () => {
    const secrets = [rightPassword, 'Wrong-Horse-2', 'Short-1', 'New-Password-3', 'Taken-Password-4']
    await login('admin', rightPassword)
    await login('admin', 'Wrong-Horse-2')
    await login('Wrong-Horse-2', 'Wrong-Horse-2')
    await call('POST', '/users/', { name: 'New-Password-3', password: 'Short-1', role: 'cashier' }, asAdmin())
    await call(
      'POST',
      '/users/',
      { name: 'x', password: ['New-Password-3'], role: 'New-Password-3' },
      asAdmin(),
    )
    await call('POST', '/users/', { name: 'admin', password: 'Taken-Password-4', role: 'admin' }, asAdmin())
    await call('POST', '/users/2/password', { password: 'New-Password-3' }, asAdmin())
    vi.spyOn(directory, 'setPassword').mockRejectedValueOnce(new Error('a bug'))
    const fault = await call('POST', '/users/2/password', { password: 'New-Password-3' }, asAdmin())
    expect(fault.status).toBe(500)
    for (const secret of [...secrets, hash, hash.split('$')[5]!]) {
      expect(logged.toLowerCase()).not.toContain(secret.toLowerCase())
      expect(said.toLowerCase()).not.toContain(secret.toLowerCase())
    }
    expect(logged).toContain('gave an account a new password')
  })
})

describe('the document', () => {
  it('lists each route once, with its body and its answers', async () => {
    const { paths, components } = await generateSpecs(app)
    expect(Object.keys(paths).sort()).toEqual([
      '/api/v1/auth/login',
      '/api/v1/auth/logout',
      '/api/v1/auth/me',
      '/api/v1/users/',
      '/api/v1/users/{id}/disable',
      '/api/v1/users/{id}/enable',
      '/api/v1/users/{id}/password',
    ])
    expect(Object.keys(components?.schemas ?? {})).toEqual(
      expect.arrayContaining(['Failure', 'Login', 'NewUser', 'NewPassword', 'User', 'Person']),
    )
    expect(components?.schemas?.NewUser).toMatchObject({
      required: ['name', 'password', 'role'],
      properties: { password: { type: 'string', minLength: 8, maxLength: 200 } },
    })
    const create = paths['/api/v1/users/']!.post!
    expect(Object.keys(create.responses!)).toEqual(
      expect.arrayContaining(['201', '400', '401', '403', '409', '413', '415', '500', '503']),
    )
  })
})
