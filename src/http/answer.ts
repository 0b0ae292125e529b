// Every JSON answer leaves through here, in one envelope, and every refusal has its status in one table.
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'

export type ErrorCode =
  // racing
  | 'NO_ROUND'
  | 'BETTING_LOCKED'
  | 'RACE_RUNNING'
  | 'ROUND_SETTLED'
  | 'ROUND_VOIDED'
  | 'ROUND_DECIDED'
  | 'ROUND_CHANGED'
  | 'NO_BETS'
  | 'STAKE_OUT_OF_LIMITS'
  | 'PARTICIPANT_UNKNOWN'
  | 'PARTICIPANT_REPEATED'
  | 'PARTICIPANT_CHANGED'
  | 'COEFFICIENT_CHANGED'
  | 'EXPOSURE_REACHED'
  | 'RECEIPT_UNKNOWN'
  | 'RECEIPT_FOREIGN'
  | 'RECEIPT_HISTORICAL'
  | 'RECEIPT_CANCELLED'
  | 'RECEIPT_NOT_SETTLED'
  | 'RECEIPT_NOT_A_WINNER'
  | 'RECEIPT_ALREADY_PAID'
  | 'RECEIPT_ALREADY_REFUNDED'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'TOO_MANY_KEYS'
  // accounts
  | 'WRONG_PASSWORD'
  | 'NAME_TAKEN'
  | 'USER_UNKNOWN'
  | 'LAST_ADMIN'
  // any request
  | 'BAD_JSON'
  | 'BAD_REQUEST'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'CROSS_SITE'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'BODY_TOO_LARGE'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'TOO_MANY_REQUESTS'
  | 'TOO_MANY_COMMANDS'
  | 'INTERNAL'
  | 'JOURNAL_UNAVAILABLE'
  | 'POSTGRES_UNAVAILABLE'

type Entry = {
  readonly status: ContentfulStatusCode
  readonly message: string
  readonly retryAfterSeconds?: number
}

/** From a code to its status, and to what happened and what to do, for the cashier or the developer. */
export const errors: Readonly<Record<ErrorCode, Entry>> = {
  NO_ROUND: { status: 409, message: 'No round is open on this track; wait for the next one.' },
  BETTING_LOCKED: { status: 409, message: 'Betting on this round is closed; sell on the next round.' },
  RACE_RUNNING: { status: 409, message: 'The race is running; wait until it is over.' },
  ROUND_SETTLED: { status: 409, message: 'This round is over and settled; sell on the next round.' },
  ROUND_VOIDED: {
    status: 409,
    message: 'This round was voided; its receipts get their stakes back. Sell on the next round.',
  },
  ROUND_DECIDED: {
    status: 409,
    message: 'The race of this round is over and its result is known; it can no longer be voided.',
  },
  ROUND_CHANGED: {
    status: 409,
    message: 'Another round is open than the one that was asked for; ask the customer and sell again.',
  },
  NO_BETS: { status: 400, message: 'A receipt without bets is not sold; add at least one.' },
  STAKE_OUT_OF_LIMITS: {
    status: 400,
    message: 'A stake is outside of the limits; take an amount between min and max of the details.',
  },
  PARTICIPANT_UNKNOWN: {
    status: 400,
    message: 'A bet names a participant who does not run in this round; read the current round again.',
  },
  PARTICIPANT_REPEATED: {
    status: 400,
    message: 'Two bets of this receipt are on the same participant; put them together into one.',
  },
  PARTICIPANT_CHANGED: {
    status: 409,
    message: 'This number has another name in this round; read the current round again and ask the customer.',
  },
  COEFFICIENT_CHANGED: {
    status: 409,
    message:
      'The odds of this participant are different now; read the current round again and ask the customer.',
  },
  EXPOSURE_REACHED: {
    status: 409,
    message: 'This round takes no larger stake on this participant; offer at most maxStake of the details.',
  },
  RECEIPT_UNKNOWN: { status: 404, message: 'There is no receipt with this number; check the number.' },
  RECEIPT_FOREIGN: { status: 403, message: 'This receipt was sold by someone else; ask them or an admin.' },
  RECEIPT_HISTORICAL: {
    status: 409,
    message: 'This receipt belongs to an earlier round and cannot be cancelled any more.',
  },
  RECEIPT_CANCELLED: { status: 409, message: 'This receipt was cancelled and is worth nothing.' },
  RECEIPT_NOT_SETTLED: { status: 409, message: 'The race of this receipt is not over; try again after it.' },
  RECEIPT_NOT_A_WINNER: { status: 409, message: 'This receipt did not win; there is nothing to pay.' },
  RECEIPT_ALREADY_PAID: {
    status: 409,
    message: 'This receipt was paid already, when and by whom is in the details; do not pay it again.',
  },
  RECEIPT_ALREADY_REFUNDED: {
    status: 409,
    message:
      'The stake of this receipt was given back already, when and by whom is in the details; do not give it again.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    message: 'This Idempotency-Key was used with another body; take a new key for a new request.',
  },
  TOO_MANY_KEYS: {
    status: 429,
    message:
      'This account has used as many Idempotency-Keys today as it may; wait for tomorrow, or send no key.',
    retryAfterSeconds: 60,
  },

  WRONG_PASSWORD: {
    status: 401,
    message: 'The name or the password is wrong, or the account is disabled; try again or ask an admin.',
  },
  NAME_TAKEN: { status: 409, message: 'There is an account with this name already; choose another name.' },
  USER_UNKNOWN: {
    status: 404,
    message: 'There is no account with this id; read the list of accounts again.',
  },
  LAST_ADMIN: {
    status: 409,
    message: 'This is the last enabled admin; enable or create another admin before you disable this one.',
  },

  BAD_JSON: { status: 400, message: 'The body of the request is not valid JSON.' },
  BAD_REQUEST: { status: 400, message: 'The request is not as this route needs it; see the details.' },
  UNAUTHENTICATED: { status: 401, message: 'Nobody is signed in, or no longer; sign in and try again.' },
  FORBIDDEN: { status: 403, message: 'This account may not do that; ask an admin.' },
  CROSS_SITE: {
    status: 403,
    message:
      'A page of another site sent this request with the cookie of this one; open the page of this server.',
  },
  NOT_FOUND: { status: 404, message: 'There is nothing at this address; /openapi.json lists the routes.' },
  METHOD_NOT_ALLOWED: {
    status: 405,
    message: 'This address does not take this method; the Allow header lists those that it takes.',
  },
  BODY_TOO_LARGE: { status: 413, message: 'The body of the request is too large; send less at once.' },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    message: 'The body must be JSON; send it with Content-Type: application/json.',
  },
  TOO_MANY_REQUESTS: {
    status: 429,
    message:
      'That was too often; wait as many seconds as the Retry-After header or the details say, then try again.',
    retryAfterSeconds: 1,
  },
  TOO_MANY_COMMANDS: {
    status: 429,
    message:
      'As many commands of this socket are under way as may be; wait for one of their answers, then send this again.',
    retryAfterSeconds: 1,
  },
  INTERNAL: {
    status: 500,
    message: 'Something broke in the server; it was logged under the id of the details.',
  },
  JOURNAL_UNAVAILABLE: {
    status: 503,
    message: 'The server cannot write to its disk at present, so nothing was done; try again in a moment.',
    retryAfterSeconds: 1,
  },
  POSTGRES_UNAVAILABLE: {
    status: 503,
    message: 'The database is away at present; try again in a moment.',
    retryAfterSeconds: 1,
  },
}

export type Success<T> = { readonly success: true; readonly data: T }
export type Failure = {
  readonly success: false
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly details: unknown }
}

/** Answers `{success: true, data}`. */
export const ok = <T>(c: Context, data: T, status: ContentfulStatusCode = 200): Response =>
  c.json({ success: true, data }, status)

/** The same, where the data are JSON text already. */
export const okText = (c: Context, data: string): Response =>
  c.body(`{"success":true,"data":${data}}`, 200, JSON_TEXT)
const JSON_TEXT = { 'Content-Type': 'application/json' }

/** What a refusal says, for those who do not answer by HTTP: the same words go through the socket. */
export const failure = (code: ErrorCode, message?: string, details: unknown = null): Failure => ({
  success: false,
  error: { code, message: message ?? errors[code].message, details },
})

/**
 * Answers `{success: false, error: {code, message, details}}` with the status of the code.
 * Where the details carry `retryAfterSeconds`, the Retry-After header says it too.
 */
export const refusal = (c: Context, code: ErrorCode, message?: string, details: unknown = null): Response => {
  const seconds = secondsIn(details) ?? errors[code].retryAfterSeconds
  if (seconds !== undefined) c.header('Retry-After', String(Math.max(1, Math.ceil(seconds))))
  if (errors[code].status === 401) c.header('WWW-Authenticate', 'Bearer realm="galop"')
  return c.json(failure(code, message, details), errors[code].status)
}

const secondsIn = (details: unknown): number | undefined => {
  if (typeof details !== 'object' || details === null || !('retryAfterSeconds' in details)) return undefined
  return typeof details.retryAfterSeconds === 'number' ? details.retryAfterSeconds : undefined
}
