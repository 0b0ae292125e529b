import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { limitKey } from '../client-address.ts'

const windowSeconds = 60
/** Many stations may share one address, so it gets more than one name does. */
const namesPerAddress = 20

export type LoginLimiter = {
  /** Counts an attempt. @returns how long to wait where it is one too many */
  attempt(address: string, name: string): Promise<{ retryAfterSeconds: number } | undefined>
  /** Takes an attempt back that proved right. */
  giveBack(address: string, name: string): Promise<void>
}

/** Slows down who guesses passwords: so many attempts a minute per address and name, and 20 times as many per address. */
export const createLoginLimiter = (attemptsPerMinute: number): LoginLimiter => {
  const perAddress = new RateLimiterMemory({
    points: attemptsPerMinute * namesPerAddress,
    duration: windowSeconds,
    keyPrefix: 'login-address',
  })
  const perName = new RateLimiterMemory({
    points: attemptsPerMinute,
    duration: windowSeconds,
    keyPrefix: 'login-name',
  })
  return {
    async attempt(address, name) {
      const key = limitKey(address)
      return (await consume(perAddress, key)) ?? (await consume(perName, `${key} ${name}`))
    },
    async giveBack(address, name) {
      const key = limitKey(address)
      await perAddress.reward(key)
      await perName.reward(`${key} ${name}`)
    },
  }
}

const consume = async (
  limiter: RateLimiterMemory,
  key: string,
): Promise<{ retryAfterSeconds: number } | undefined> => {
  try {
    await limiter.consume(key)
    return undefined
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error
    return { retryAfterSeconds: Math.max(1, Math.ceil(error.msBeforeNext / 1000)) }
  }
}
