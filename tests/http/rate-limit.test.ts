import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { limitedSessions, strangersPerUser, TooManyRequests } from '../../src/http/rate-limit.ts'
import type { Session, Sessions } from '../../src/http/session.ts'

const sessionOf = (userId: number): Session => ({
  userId,
  name: 'marie',
  role: 'cashier',
  tokenId: 't',
  tokenVersion: 1,
  expiresAt: 1,
})
const known: Record<string, Session> = { one: sessionOf(1), other: sessionOf(2) }
const sessions: Sessions = { verify: (token) => known[token], isCurrent: () => true }
const MINUTE_MS = 60_000

const limited = (perMinute: number, inner = sessions) => {
  const clock = { now: 1_000 }
  return {
    clock,
    sessions: limitedSessions(
      inner,
      perMinute,
      () => '10.0.0.1',
      () => clock.now,
    ),
  }
}
const refusedFor = (ask: () => unknown): number | undefined => {
  try {
    ask()
  } catch (error) {
    if (error instanceof TooManyRequests) return error.retryAfterSeconds
    throw error
  }
  return undefined
}

describe('a user', () => {
  it('may ask as often as the limit says within a minute, and is then told how long to wait', () => {
    const { clock, sessions } = limited(3)
    for (let count = 0; count < 3; count++) expect(sessions.verify('one')).toBe(known.one)
    clock.now += 20_500
    expect(refusedFor(() => sessions.verify('one'))).toBe(40)
    clock.now += 39_499
    expect(refusedFor(() => sessions.verify('one'))).toBe(1)
    clock.now += 1
    expect(sessions.verify('one')).toBe(known.one)
  })

  it('does not wait for another', () => {
    const { sessions } = limited(1)
    void sessions.verify('one')
    expect(refusedFor(() => sessions.verify('one'))).toBe(60)
    expect(sessions.verify('other')).toBe(known.other)
  })

  it('is counted from its own first request, also after others were forgotten', () => {
    const { clock, sessions } = limited(1)
    void sessions.verify('one')
    clock.now += 50_000
    void sessions.verify('other')
    clock.now += 10_000
    void sessions.verify('one')
    expect(refusedFor(() => sessions.verify('other'))).toBe(50)
  })

  it('is counted where its session is late too', async () => {
    const { sessions: late } = limited(1, { ...sessions, verify: async (token) => known[token] })
    await late.verify('one')
    await expect(late.verify('one')).rejects.toThrow(TooManyRequests)
  })

  it('that nobody is costs nothing', () => {
    const { sessions } = limited(1)
    for (let count = 0; count < 5; count++) expect(sessions.verify('nobody')).toBeUndefined()
  })

  it('is not counted where there is no limit', () => {
    const { sessions } = limited(0)
    for (let count = 0; count < 10_000; count++) {
      expect(sessions.verify('one')).toBe(known.one)
      sessions.countUser(known.one!)
    }
    expect(sessions.countStranger).toBeUndefined()
  })

  it('is counted together for requests and for what comes in another way', () => {
    const { sessions } = limited(2)
    void sessions.verify('one')
    sessions.countUser(known.one!)
    expect(refusedFor(() => sessions.verify('one'))).toBe(60)
    expect(refusedFor(() => sessions.countUser(known.one!))).toBe(60)
    sessions.countUser(known.other!)
  })
})

describe('an address', () => {
  it('may ask twice as often for nobody, and a minute later again', async () => {
    const { clock, sessions } = limited(2)
    const app = new Hono()
    app.get('/', async (c) => {
      await sessions.countStranger!(c)
      return c.text('in')
    })
    app.onError((error) => (error as TooManyRequests).getResponse())
    const ask = async () => (await app.request('/')).status
    for (let count = 0; count < 2 * strangersPerUser; count++) expect(await ask()).toBe(200)
    expect(await ask()).toBe(429)
    clock.now += MINUTE_MS
    expect(await ask()).toBe(200)
  })
})
