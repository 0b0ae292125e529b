import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto'
import * as v from 'valibot'
import type { UserDirectory } from '../../actors/accounts/users.port.ts'
import { roleSchema, type User } from '../../domain/accounts/user.ts'
import type { Session, Sessions } from '../session.ts'

// Tokens are JWTs signed by HMAC-SHA256.
//   T1. Only HS256 is taken, whatever a token's header asks for, and only a signature made with our secret.
//   T2. A token is as good as its user: a disabled account, a new password or a log-out ends it at once.
//   T3. What was verified is remembered, so that the next request costs two look-ups; T2 is asked each time.

export const rememberedTokens = 10_000
/** Ours have about 300 characters. */
const longestToken = 2_048

export type Tokens = Sessions & {
  issue(user: Pick<User, 'id' | 'name' | 'role' | 'tokenVersion'>): { token: string; session: Session }
  verify(token: string): Session | undefined
}

export type TokensOptions = {
  readonly secret: string
  readonly lifetimeMs: number
  readonly directory: Pick<UserDirectory, 'byId' | 'isRevoked'>
  /** Milliseconds since 1970. */
  readonly now: () => number
}

const header = v.object({ alg: v.literal('HS256'), crit: v.optional(v.never()) })
const integer = v.pipe(v.number(), v.safeInteger())
const claims = v.object({
  sub: v.pipe(v.string(), v.regex(/^[1-9]\d{0,14}$/)),
  name: v.string(),
  role: roleSchema,
  ver: integer,
  jti: v.pipe(v.string(), v.minLength(1), v.maxLength(100)),
  iat: integer,
  exp: integer,
})

export const createTokens = ({ secret, lifetimeMs, directory, now }: TokensOptions): Tokens => {
  const remembered = new Map<string, Session>()

  const signatureOf = (signed: string): string =>
    createHmac('sha256', secret).update(signed).digest('base64url')

  const isCurrent = (session: Session): boolean => {
    if (now() >= session.expiresAt) return false
    const user = directory.byId(session.userId)
    return (
      user !== undefined &&
      !user.disabled &&
      user.tokenVersion === session.tokenVersion &&
      user.role === session.role &&
      user.name === session.name &&
      !directory.isRevoked(session.tokenId)
    )
  }

  const remember = (token: string, session: Session): void => {
    if (remembered.size >= rememberedTokens) {
      const oldest = remembered.keys().next().value
      if (oldest !== undefined) remembered.delete(oldest)
    }
    remembered.set(token, session)
  }

  const read = (token: string): Session | undefined => {
    if (token.length > longestToken) return undefined
    const parts = token.split('.')
    if (parts.length !== 3) return undefined
    const [head, payload, signature] = parts as [string, string, string]
    if (!areEqual(signature, signatureOf(`${head}.${payload}`))) return undefined
    if (!v.is(header, jsonOf(head))) return undefined
    const parsed = v.safeParse(claims, jsonOf(payload))
    if (!parsed.success) return undefined
    const { sub, name, role, ver, jti, exp } = parsed.output
    return {
      userId: Number(sub),
      name,
      role,
      tokenId: jti,
      tokenVersion: ver,
      expiresAt: exp * 1000,
    }
  }

  return {
    issue({ id, name, role, tokenVersion }) {
      const issuedAt = Math.floor(now() / 1000)
      const expiresAt = issuedAt + Math.ceil(lifetimeMs / 1000)
      const tokenId = randomUUID()
      const signed = [
        { alg: 'HS256', typ: 'JWT' },
        { sub: String(id), name, role, ver: tokenVersion, jti: tokenId, iat: issuedAt, exp: expiresAt },
      ]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.')
      const session = { userId: id, name, role, tokenId, tokenVersion, expiresAt: expiresAt * 1000 }
      return { token: `${signed}.${signatureOf(signed)}`, session }
    },

    verify(token) {
      const known = remembered.get(token)
      if (known !== undefined) {
        if (isCurrent(known)) return known
        remembered.delete(token)
        return undefined
      }
      const session = read(token)
      if (session === undefined || !isCurrent(session)) return undefined
      remember(token, session)
      return session
    },

    isCurrent,
  }
}

// As text: bytes have several spellings in base64url, and only ours is taken.
const areEqual = (given: string, right: string): boolean => {
  const a = Buffer.from(given)
  const b = Buffer.from(right)
  return a.length === b.length && timingSafeEqual(a, b)
}

const jsonOf = (part: string): unknown => {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
