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

/** Asks Postgres; where it is away, says so in the terms of the ports. */
export const asking = async <T>(question: () => PromiseLike<T>): Promise<T> => {
  try {
    return await question()
  } catch (error) {
    if (!isPassing(error)) throw error
    throw new Unavailable(
      'postgres',
      'Postgres is away at present; nothing was changed, ask again in a moment',
      {
        cause: error,
      },
    )
  }
}
