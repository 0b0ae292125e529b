import postgres from 'postgres'
import { Unavailable } from '../actors/unavailable.port.ts'

export type Sql = postgres.Sql<{ bigint: number }>

/** `bigint` columns come back as numbers that are checked to be safe integers. */
const bigint: postgres.PostgresType<number> = {
  to: 20,
  from: [20],
  serialize: (value) => String(value),
  parse: (text: string) => {
    const value = Number(text)
    if (!Number.isSafeInteger(value))
      throw new RangeError(`Postgres holds ${text}, which is not a safe integer`)
    return value
  },
}

/** A pool of connections to Postgres. Opens none until it is asked something. */
export const connectPostgres = (url: string, connections: number): Sql =>
  postgres(url, {
    max: connections,
    connect_timeout: 5,
    idle_timeout: 60,
    max_lifetime: 60 * 30,
    backoff: (attempts) => Math.min(2, 0.1 * 2 ** attempts),
    types: { bigint },
    onnotice: () => {},
    connection: { application_name: 'galop', statement_timeout: 30_000, TimeZone: 'UTC' },
  }) as Sql

/** SQLSTATE classes of a world that is broken for now: connection, resources, operator intervention, rollback, read-only. */
const PASSING_STATE = /^(08|53|57|40|25006|55P03)/
const PASSING_CODE =
  /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT|CONNECT|CONNECTION_)/

/** Whether the same statement may well succeed later: Postgres is away, busy or starting, and the data is not to blame. */
export const isPassing = (error: unknown): boolean => {
  if (error instanceof AggregateError) return error.errors.some(isPassing)
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' && (PASSING_STATE.test(code) || PASSING_CODE.test(code))
}

/** A Postgres that is frozen, or a proxy without one behind it, takes a question and never answers it. */
const ANSWER_LIMIT_MS = 5_000

/**
 * Asks Postgres; where it is away, or does not answer in time, says so in the terms of the ports. What was asked too
 * late may still be done: only questions that may be asked again belong here.
 */
export const asking = async <T>(question: () => PromiseLike<T>, limitMs = ANSWER_LIMIT_MS): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Unavailable('postgres', 'Postgres does not answer; ask again in a moment')),
      limitMs,
    )
  })
  try {
    return await Promise.race([question(), late])
  } catch (error) {
    if (!isPassing(error)) throw error
    throw new Unavailable('postgres', 'Postgres is away at present; ask again in a moment', { cause: error })
  } finally {
    clearTimeout(timer)
  }
}
