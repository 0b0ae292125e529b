import { HTTPException } from 'hono/http-exception'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import type { Session, Sessions } from './session.ts'

/** Sessions that may ask only so often: each user `perMinute` times, 0 for no limit. */
export const limitedSessions = (sessions: Sessions, perMinute: number): Sessions => {
  if (perMinute === 0) return sessions
  const limiter = new RateLimiterMemory({ points: perMinute, duration: 60, keyPrefix: 'user' })
  return {
    isCurrent: (session) => sessions.isCurrent(session),
    verify: async (token) => {
      const session = await sessions.verify(token)
      if (session) await count(limiter, session)
      return session
    },
  }
}

/** Too many requests of one user. */
export class TooManyRequests extends HTTPException {
  readonly retryAfterSeconds: number
  constructor(retryAfterSeconds: number) {
    super(429)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

const count = async (limiter: RateLimiterMemory, session: Session): Promise<void> => {
  try {
    await limiter.consume(session.userId)
  } catch (error) {
    if (error instanceof RateLimiterRes) throw new TooManyRequests(Math.ceil(error.msBeforeNext / 1000))
    throw error
  }
}
