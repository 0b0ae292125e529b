// Who comes in, and what those hear who do not, or who meet a fault.
//   G1. A route behind `signedIn` or `adminOnly` runs only with a session that holds at this moment.
//   G2. A cookie opens nothing to a change that a page of another site asked for.
//   G3. A fault tells the caller an id and nothing else; the log tells the rest, and no value of a request.
import { randomUUID } from 'node:crypto'
import type { Context, ErrorHandler, Hono, MiddlewareHandler, Next, NotFoundHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { Logger } from 'pino'
import { Unavailable } from '../actors/unavailable.port.ts'
import { type ErrorCode, failure, refusal } from './answer.ts'
import { isCrossSite, requestToken } from './request-token.ts'
import { isAdmin, type Session, type Sessions } from './session.ts'

/** The context behind `signedIn` and `adminOnly`. */
export type Env = { Variables: { session: Session } }

/** The context behind `maybeSignedIn`. */
export type OpenEnv = { Variables: { session: Session | undefined } }

export type Admission = Session | Extract<ErrorCode, 'UNAUTHENTICATED' | 'CROSS_SITE'>

/** Whose request this is, or why it is nobody's. Without waiting wherever the sessions answer without. */
export const admit = (c: Context, sessions: Sessions): Admission | Promise<Admission> => {
  const { headers } = c.req.raw
  const found = requestToken(headers)
  if (found === undefined) return 'UNAUTHENTICATED'
  if (found.by === 'cookie' && isCrossSite(c.req.method, headers)) return 'CROSS_SITE'
  const session = sessions.verify(found.token)
  if (session instanceof Promise) return session.then((late) => late ?? 'UNAUTHENTICATED')
  return session ?? 'UNAUTHENTICATED'
}

/** Lets those in who are signed in, and puts `session` into the context. Without waiting where nothing has to be awaited. */
export const signedIn = (sessions: Sessions): MiddlewareHandler<Env> => {
  const enter = (c: Context<Env>, admission: Admission, next: Next): ReturnType<MiddlewareHandler<Env>> => {
    if (typeof admission === 'string') return turnAway(c, sessions, admission)
    c.set('session', admission)
    return next()
  }
  return (c, next) => {
    const asked = admit(c, sessions)
    return asked instanceof Promise ? asked.then((late) => enter(c, late, next)) : enter(c, asked, next)
  }
}

/**
 * The same door for a handler that is handed the session: one call instead of two layers around it, each of which costs
 * every request some promises.
 */
export const forSignedIn = (
  sessions: Sessions,
  handler: (c: Context, session: Session) => Response | Promise<Response>,
): ((c: Context) => Response | Promise<Response>) => {
  const enter = (c: Context, admission: Admission): Response | Promise<Response> =>
    typeof admission === 'string' ? turnAway(c, sessions, admission) : handler(c, admission)
  return (c) => {
    const asked = admit(c, sessions)
    return asked instanceof Promise ? asked.then((late) => enter(c, late)) : enter(c, asked)
  }
}

const turnAway = async (c: Context, sessions: Sessions, why: ErrorCode): Promise<Response> => {
  await sessions.countStranger?.(c)
  return refusal(c, why)
}

/** Lets admins in, and puts `session` into the context. */
export const adminOnly =
  (sessions: Sessions): MiddlewareHandler<Env> =>
  async (c, next) => {
    const admission = await admit(c, sessions)
    if (typeof admission === 'string') return turnAway(c, sessions, admission)
    if (!isAdmin(admission)) return refusal(c, 'FORBIDDEN')
    c.set('session', admission)
    return next()
  }

/** Lets everybody in, and puts the `session` of those who have one into the context. */
export const maybeSignedIn =
  (sessions: Sessions): MiddlewareHandler<OpenEnv> =>
  async (c, next) => {
    const admission = await admit(c, sessions)
    if (typeof admission === 'string') await sessions.countStranger?.(c)
    c.set('session', typeof admission === 'string' ? undefined : admission)
    return next()
  }

/** For `app.onError`. */
export const onError =
  (log: Logger): ErrorHandler =>
  (error, c) => {
    if (error instanceof Unavailable) {
      log.debug({ fault: describeFault(error), ...whereOf(c) }, 'a store is away')
      return refusal(c, codeOfAway(error))
    }
    if (error instanceof HTTPException && error.status < 500) {
      const code = codeOfStatus[error.status]
      const { retryAfterSeconds } = error as { retryAfterSeconds?: unknown }
      const details = retryAfterSeconds === undefined ? null : { retryAfterSeconds }
      return code ? refusal(c, code, undefined, details) : c.json(failure('BAD_REQUEST'), error.status)
    }
    const id = randomUUID()
    log.error({ id, fault: describeFault(error), ...whereOf(c) }, 'a request met a fault')
    return refusal(c, 'INTERNAL', undefined, { id })
  }

/** Which store an answer needed in vain. */
export const codeOfAway = ({ store }: Unavailable): ErrorCode =>
  store === 'journal' ? 'JOURNAL_UNAVAILABLE' : 'POSTGRES_UNAVAILABLE'

const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  413: 'BODY_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  429: 'TOO_MANY_REQUESTS',
}

// The path without its query, and of the fault no more than its words and its place: Postgres hangs whole rows on
// its errors.
const whereOf = (c: Context) => ({ method: c.req.method, path: c.req.path.slice(0, 200) })

/** What of a fault may be logged. */
export const describeFault = (error: unknown, depth = 0): unknown => {
  if (!(error instanceof Error)) return { type: typeof error }
  const { code } = error as { code?: unknown }
  return {
    type: error.name,
    message: error.message,
    ...(typeof code === 'string' && { code }),
    stack: error.stack,
    ...(error.cause !== undefined && depth < 5 && { cause: describeFault(error.cause, depth + 1) }),
  }
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** For `app.notFound`: 405 with `Allow` where the address takes other methods, 404 elsewhere. */
export const notFound =
  (app: Pick<Hono, 'router'>): NotFoundHandler =>
  (c) => {
    const allowed = methods.filter((method) =>
      app.router.match(method, c.req.path)[0].some(([[, route]]) => route.method === method),
    )
    // A route that takes the method and found nothing, as one that serves files.
    const isTaken = allowed.some((method) => method === (c.req.method === 'HEAD' ? 'GET' : c.req.method))
    if (allowed.length === 0 || isTaken) return refusal(c, 'NOT_FOUND')
    c.header('Allow', [...allowed, ...(allowed.includes('GET') ? ['HEAD'] : [])].join(', '))
    return refusal(c, 'METHOD_NOT_ALLOWED')
  }
