import { HTTPException } from 'hono/http-exception'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { type AddressOf, limitKey } from './client-address.ts'
import type { Sessions } from './session.ts'

/** Many screens may share one address, so it gets more than one user does. */
export const strangersPerUser = 2

/**
 * Sessions that may ask only so often: each user `perMinute` times, and all that nobody is signed in for twice as often
 * from each address. 0 for no limit.
 */
export const limitedSessions = (sessions: Sessions, perMinute: number, addressOf: AddressOf): Sessions => {
  if (perMinute === 0) return sessions
  const users = new RateLimiterMemory({ points: perMinute, duration: 60, keyPrefix: 'user' })
  const strangers = new RateLimiterMemory({
    points: strangersPerUser * perMinute,
    duration: 60,
    keyPrefix: 'stranger',
  })
  return {
    isCurrent: (session) => sessions.isCurrent(session),
    verify: async (token) => {
      const session = await sessions.verify(token)
      if (session) await count(users, session.userId)
      return session
    },
    countStranger: (c) => count(strangers, limitKey(addressOf(c))),
  }
}

/** Too many requests of one user, or of an address. */
export class TooManyRequests extends HTTPException {
  readonly retryAfterSeconds: number
  constructor(retryAfterSeconds: number) {
    super(429)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

const count = async (limiter: RateLimiterMemory, whose: number | string): Promise<void> => {
  try {
    await limiter.consume(whose)
  } catch (error) {
    if (error instanceof RateLimiterRes) throw new TooManyRequests(Math.ceil(error.msBeforeNext / 1000))
    throw error
  }
}
