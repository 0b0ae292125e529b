import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import type { Session, Sessions } from '../../src/http/session.ts'
import { watchersOnly } from '../../src/http/watchers.ts'

const sessionOf = (role: string): Session => ({
  userId: 1,
  name: role,
  role: role as Session['role'],
  tokenId: role,
  tokenVersion: 1,
  expiresAt: Number.MAX_SAFE_INTEGER,
})
const sessions: Sessions = {
  verify: (token) => (['admin', 'cashier'].includes(token) ? sessionOf(token) : undefined),
  isCurrent: () => true,
}

const asked = async (
  from: readonly string[],
  proxies: readonly string[],
  connection: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<number> => {
  const app = new Hono()
  app.get('/metrics', watchersOnly(from, proxies, sessions), (c) => c.text('figures'))
  const socket = { remoteAddress: connection, remotePort: 1, remoteFamily: 'IPv4' }
  return (await app.request('/metrics', { headers }, { incoming: { socket } })).status
}

describe('the figures', () => {
  it('are for this machine unless a setting says otherwise', async () => {
    expect(await asked(['loopback'], [], '127.0.0.1')).toBe(200)
    expect(await asked(['loopback'], [], '::1')).toBe(200)
    expect(await asked(['loopback'], [], '192.0.2.1')).toBe(401)
    expect(await asked(['loopback', '10.1.0.0/16'], [], '10.1.2.3')).toBe(200)
    expect(await asked(['anyone'], [], '192.0.2.1')).toBe(200)
  })

  it('are for admins from anywhere, and for no cashier', async () => {
    expect(await asked(['loopback'], [], '192.0.2.1', { authorization: 'Bearer admin' })).toBe(200)
    expect(await asked(['loopback'], [], '192.0.2.1', { authorization: 'Bearer cashier' })).toBe(403)
    expect(await asked(['loopback'], [], '192.0.2.1', { authorization: 'Bearer forged' })).toBe(401)
  })

  it.each(['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'])(
    'are not for those whom a proxy on this machine brings, as %s tells',
    async (name) => {
      expect(await asked(['loopback'], [], '127.0.0.1', { [name]: '127.0.0.1' })).toBe(401)
      expect(await asked(['loopback'], ['loopback'], '127.0.0.1', { [name]: '127.0.0.1' })).toBe(401)
    },
  )

  it('are for those whom a trusted proxy names, if they are in the networks', async () => {
    const via = (address: string) =>
      asked(['192.0.2.0/24'], ['loopback'], '127.0.0.1', { 'x-forwarded-for': address })
    expect(await via('192.0.2.9')).toBe(200)
    expect(await via('198.51.100.1')).toBe(401)
    expect(await via('192.0.2.9, 198.51.100.1')).toBe(401)
  })
})
