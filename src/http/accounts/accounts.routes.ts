import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { deleteCookie, setCookie } from 'hono/cookie'
import type { Logger } from 'pino'
import type { Account, UserDirectory } from '../../actors/accounts/users.port.ts'
import { type AccountRefusal, isAccountRefusal, plainName, type User } from '../../domain/accounts/user.ts'
import { ok, refusal } from '../answer.ts'
import { checked, readBody } from '../body.ts'
import type { AddressOf } from '../client-address.ts'
import { adminOnly, admit, type Env, signedIn } from '../guard.ts'
import { sessionCookie } from '../request-token.ts'
import { route } from '../route.ts'
import type { Sessions } from '../session.ts'
import { docs, loginBody, newPasswordBody, newUserBody, userParameters } from './accounts.docs.ts'
import type { LoginLimiter } from './login.limiter.ts'
import type { Passwords } from './passwords.ts'
import type { Tokens } from './tokens.ts'

export type AccountsOptions = {
  readonly directory: UserDirectory
  readonly tokens: Tokens
  /** The same tokens as a door: requests come through it, and are counted there. */
  readonly sessions: Sessions
  readonly passwords: Passwords
  readonly limiter: LoginLimiter
  /** Where a request comes from. */
  readonly addressOf: AddressOf
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Hears who changed whose account. Never what anyone typed. */
  readonly log: Logger
}

/** `/auth/…` and `/users/…`, to be mounted under `/api/v1`. Each answers with and without a slash at its end. */
export const accountsRoutes = ({
  directory,
  tokens,
  sessions,
  passwords,
  limiter,
  addressOf,
  now,
  log,
}: AccountsOptions) => {
  const app = new Hono<Env>()
  const guest = signedIn(sessions)
  const admin = adminOnly(sessions)

  route(app, 'POST', '/auth/login', docs.login, notStored, async (c) => {
    const body = await readBody(c, loginBody)
    if (body instanceof Response) return body
    if (!directory.ready) return refusal(c, 'POSTGRES_UNAVAILABLE')
    const name = plainName(body.name ?? body.username ?? '')
    const address = addressOf(c)

    const wait = await limiter.attempt(address, name)
    if (wait) {
      log.warn({ address }, 'too many attempts to sign in')
      return refusal(c, 'TOO_MANY_REQUESTS', undefined, wait)
    }
    const account = await proven(name, body.password)
    if (account === 'BUSY') {
      await limiter.giveBack(address, name)
      return refusal(c, 'TOO_MANY_REQUESTS', undefined, { retryAfterSeconds: 2 })
    }
    if (account === undefined) return refusal(c, 'WRONG_PASSWORD')
    await limiter.giveBack(address, name)

    const { token, session } = tokens.issue(account)
    setCookie(c, sessionCookie, token, {
      ...cookieOptions(c),
      maxAge: Math.floor((session.expiresAt - now()) / 1000),
    })
    log.info({ userId: account.id, address }, 'signed in')
    return ok(c, { token, expiresAt: session.expiresAt, user: personOf(account) })
  })

  /** The account whose name and password these are, if it may sign in. */
  const proven = async (name: string, password: string): Promise<Account | 'BUSY' | undefined> => {
    const hash = directory.byName(name)?.passwordHash
    const isRight = await passwords.verify(password, hash)
    if (isRight === 'BUSY') return 'BUSY'
    // Much may have happened while the password was checked.
    const account = directory.byName(name)
    const isSame = account !== undefined && account.passwordHash === hash && !account.disabled
    return isRight && isSame ? account : undefined
  }

  route(app, 'POST', '/auth/logout', docs.logout, notStored, async (c) => {
    const admission = await admit(c, tokens)
    if (admission === 'CROSS_SITE') return refusal(c, admission)
    deleteCookie(c, sessionCookie, cookieOptions(c))
    if (admission === 'UNAUTHENTICATED') return refusal(c, admission)
    await directory.revoke(admission.tokenId, admission.expiresAt)
    return ok(c, null)
  })

  route(app, 'GET', '/auth/me', docs.me, notStored, guest, (c) => {
    const { userId, name, role, expiresAt } = c.get('session')
    return ok(c, { expiresAt, user: { id: userId, name, role } })
  })

  route(app, 'GET', '/users/', docs.list, notStored, admin, (c) => ok(c, directory.all().map(viewOf)))

  route(app, 'POST', '/users/', docs.create, notStored, admin, async (c) => {
    const body = await readBody(c, newUserBody)
    if (body instanceof Response) return body
    const { name, role, password } = body
    if (directory.byName(name)) return refusal(c, 'NAME_TAKEN', undefined, { name })
    const passwordHash = await passwords.hash(password)
    const outcome = await directory.create({ name, role, passwordHash }, c.get('session').userId)
    return changed(c, outcome, 'created an account', 201)
  })

  route(app, 'POST', '/users/:id/disable', docs.disable, notStored, admin, (c) => setDisabled(c, true))
  route(app, 'POST', '/users/:id/enable', docs.enable, notStored, admin, (c) => setDisabled(c, false))

  const setDisabled = async (c: Context<Env>, disabled: boolean): Promise<Response> => {
    const parameters = checked(c, userParameters, c.req.param())
    if (parameters instanceof Response) return parameters
    const outcome = await directory.setDisabled(parameters.id, disabled, c.get('session').userId)
    return changed(c, outcome, disabled ? 'disabled an account' : 'enabled an account')
  }

  route(app, 'POST', '/users/:id/password', docs.password, notStored, admin, async (c) => {
    const parameters = checked(c, userParameters, c.req.param())
    if (parameters instanceof Response) return parameters
    const body = await readBody(c, newPasswordBody)
    if (body instanceof Response) return body
    const outcome = await directory.setPassword(parameters.id, await passwords.hash(body.password))
    return changed(c, outcome, 'gave an account a new password')
  })

  const changed = (
    c: Context<Env>,
    outcome: User | AccountRefusal,
    what: string,
    status: 200 | 201 = 200,
  ): Response => {
    if (isAccountRefusal(outcome)) return refusal(c, outcome.refused, undefined, outcome.details)
    log.info({ userId: outcome.id, by: c.get('session').userId }, what)
    return ok(c, viewOf(outcome), status)
  }

  return app
}

const personOf = ({ id, name, role }: User) => ({ id, name, role })
const viewOf = ({ id, name, role, disabled }: User) => ({ id, name, role, disabled })

const notStored: MiddlewareHandler = (c, next) => {
  c.header('Cache-Control', 'no-store')
  return next()
}

const cookieOptions = (c: Context) => ({
  httpOnly: true,
  sameSite: 'Strict' as const,
  path: '/',
  secure: isHttps(c),
})

// A browser drops a Secure cookie that came by plain HTTP, so only those who came by HTTPS are given one. A caller who
// lies in the header spoils nobody's cookie but its own.
const isHttps = (c: Context): boolean => {
  const forwarded = c.req.header('x-forwarded-proto')?.split(',')[0]?.trim().toLowerCase()
  return forwarded === undefined ? c.req.url.startsWith('https:') : forwarded === 'https'
}
