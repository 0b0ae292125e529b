import { HTTPException } from 'hono/http-exception'
import { type AddressOf, limitKey } from './client-address.ts'
import type { Session, Sessions } from './session.ts'

// Every request that is signed in passes here, so this is own code: counting by promises, as the limiter of log-ins
// does, took a sixth of the time of a sale.

/** Many screens may share one address, so it gets more than one user does. */
export const strangersPerUser = 2

export type LimitedSessions = Sessions & {
  /** Counts what a user asks for in another way than by a request. @throws TooManyRequests */
  countUser(session: Session): void
}

const MINUTE_MS = 60_000

/**
 * Sessions that may ask only so often: each user `perMinute` times, and all that nobody is signed in for twice as often
 * from each address. 0 for no limit. `now` in milliseconds, of a clock that nobody sets.
 */
export const limitedSessions = (
  sessions: Sessions,
  perMinute: number,
  addressOf: AddressOf,
  now: () => number = () => performance.now(),
): LimitedSessions => {
  const isCurrent = (session: Session): boolean => sessions.isCurrent(session)
  if (perMinute === 0) return { isCurrent, verify: (token) => sessions.verify(token), countUser: () => {} }
  const countUser = minuteCounter<number>(perMinute, now)
  const countAddress = minuteCounter<string>(strangersPerUser * perMinute, now)
  const counted = (session: Session | undefined): Session | undefined => {
    if (session) countUser(session.userId)
    return session
  }
  return {
    isCurrent,
    verify: (token) => {
      const session = sessions.verify(token)
      return session instanceof Promise ? session.then(counted) : counted(session)
    },
    countStranger: async (c) => countAddress(limitKey(addressOf(c))),
    countUser: ({ userId }) => countUser(userId),
  }
}

/** Counts by key, throws where a key comes too often, and forgets it a minute after it came first. */
const minuteCounter = <Key>(limit: number, now: () => number): ((key: Key) => void) => {
  const minutes = new Map<Key, { count: number; endsAt: number }>()
  let sweepAt = now() + MINUTE_MS
  const sweep = (at: number): void => {
    for (const [key, { endsAt }] of minutes) if (at >= endsAt) minutes.delete(key)
    sweepAt = at + MINUTE_MS
  }
  return (key) => {
    const at = now()
    if (at >= sweepAt) sweep(at)
    let minute = minutes.get(key)
    if (minute === undefined || at >= minute.endsAt) {
      minute = { count: 0, endsAt: at + MINUTE_MS }
      minutes.set(key, minute)
    }
    minute.count++
    if (minute.count > limit) throw new TooManyRequests(Math.ceil((minute.endsAt - at) / 1000))
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
