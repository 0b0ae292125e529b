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

/** Arrays, named here so that no connection begins by asking for them: a driver's own question cannot be answered for. */
const arrayOf = (oid: number, text: (value: unknown) => string): postgres.PostgresType<unknown> => ({
  to: oid,
  from: [oid],
  serialize: (values) =>
    `{${(values as unknown[]).map((value) => (value === null ? 'null' : text(value))).join(',')}}`,
  parse: (value: string) => value,
})
const quoted = (value: unknown): string => `"${String(value).replace(/["\\]/g, '\\$&')}"`
const types = {
  bigint,
  bigints: arrayOf(1016, String),
  texts: arrayOf(1009, quoted),
  times: arrayOf(1185, quoted),
}

const connect = (url: string, options: postgres.Options<typeof types>): Sql =>
  postgres(url, {
    connect_timeout: 5,
    idle_timeout: 60,
    backoff: (attempts) => Math.min(2, 0.1 * 2 ** attempts),
    types,
    fetch_types: false,
    onnotice: () => {},
    connection: { application_name: 'galop', statement_timeout: 30_000, TimeZone: 'UTC' },
    ...options,
  }) as unknown as Sql

/** A pool of connections to Postgres, half of them for transactions. Opens none until it is asked something. */
export const connectPostgres = (url: string, connections: number): Sql => {
  const sql = connect(url, { max: Math.ceil(connections / 2), max_lifetime: 60 * 30 })
  const transactions = new Transactions(url, Math.max(1, Math.floor(connections / 2)))
  const end = sql.end
  return Object.assign(sql, {
    begin: transactions.run,
    end: async (options?: { timeout?: number }) => {
      await Promise.all([end(options), transactions.end(options)])
    },
  })
}

// Transactions, each over a connection that knows when it was cut. With its own the driver sends `rollback` to a
// connection that is no longer there: an error that nobody can catch ends the process, or the connection is
// unusable for good (porsager/postgres#1154, #1208).
//   T1. Nothing is sent to a connection that was cut, and it is not used again.
//   T2. A transaction that takes too long is given up: rolled back, unless its commit was asked for already.

/** What a frozen Postgres may cost whoever asks: to begin, and in all. */
const BEGIN_LIMIT_MS = 5_000
const TRANSACTION_LIMIT_MS = 40_000

type Work<T> = (tx: postgres.TransactionSql<{ bigint: number }>) => T | Promise<T>
/** `sql` has one connection; `isOver` once that is not to be used any more. */
type Line = { readonly sql: Sql; isOver: boolean }

class Transactions {
  readonly #url: string
  #free: number
  readonly #idle: Line[] = []
  readonly #open = new Set<Line>()
  readonly #waiting: (() => void)[] = []

  constructor(url: string, most: number) {
    this.#url = url
    this.#free = most
  }

  readonly run = async <T>(work: Work<T>): Promise<T> => {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#free--
    const line = this.#take()
    const transaction = this.#transact(line, work).finally(() => this.#giveBack(line))
    return within(transaction, TRANSACTION_LIMIT_MS, () => {
      line.isOver = true
      this.#drop(line)
    })
  }

  async end(options?: { timeout?: number }): Promise<void> {
    await Promise.all([...this.#open].map((line) => line.sql.end(options)))
  }

  async #transact<T>(line: Line, work: Work<T>): Promise<T> {
    const unlessOver = (): void => {
      if (line.isOver) throw silence('the connection of this transaction was cut, or it was given up')
    }
    const guarded = (...asked: unknown[]) => {
      unlessOver()
      return (line.sql as unknown as (...asked: unknown[]) => unknown)(...asked)
    }
    const unsafe: Sql['unsafe'] = (...asked) => {
      unlessOver()
      return line.sql.unsafe(...asked)
    }
    const over = (): void => {
      line.isOver = true
    }
    await within(line.sql`begin`, BEGIN_LIMIT_MS, over).catch((error: unknown) => {
      over()
      throw error
    })
    try {
      const result = await work(Object.assign(guarded, { unsafe }) as never)
      unlessOver()
      await line.sql`commit`
      return result
    } catch (error) {
      if (isCut(error)) over()
      if (!line.isOver) await line.sql`rollback`.catch(over)
      throw error
    }
  }

  #take(): Line {
    for (let line = this.#idle.pop(); line; line = this.#idle.pop()) {
      if (!line.isOver) return line
      this.#drop(line)
    }
    const line: Line = {
      isOver: false,
      sql: connect(this.#url, {
        max: 1,
        max_lifetime: null,
        onclose: () => {
          line.isOver = true
        },
      }),
    }
    this.#open.add(line)
    return line
  }

  #giveBack(line: Line): void {
    if (line.isOver) this.#drop(line)
    else this.#idle.push(line)
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }

  #drop(line: Line): void {
    this.#open.delete(line)
    line.sql.end({ timeout: 0 }).catch(() => {})
  }
}

/** Whether the connection itself is gone, and not only what was asked over it. */
const isCut = (error: unknown): boolean => {
  const { code, severity } = error as { code?: unknown; severity?: unknown }
  return severity === 'FATAL' || severity === 'PANIC' || (typeof code === 'string' && PASSING_CODE.test(code))
}

const silence = (message: string): Error => Object.assign(new Error(message), { code: 'CONNECTION_SILENT' })

/** What comes of a promise within a time; `onLimit` is told where that is too long. */
const within = async <T>(promise: PromiseLike<T>, limitMs: number, onLimit: () => void): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      onLimit()
      reject(silence(`Postgres did not answer within ${limitMs} ms`))
    }, limitMs)
  })
  try {
    return await Promise.race([promise, limit])
  } finally {
    clearTimeout(timer)
  }
}

/** SQLSTATE classes of a world that is broken for now: connection, resources, operator intervention, rollback, read-only. */
const PASSING_STATE = /^(08|53|57|40|25006|55P03)/
const PASSING_CODE =
  /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT|CONNECT|CONNECTION_)/

/** Whether the same statement may well succeed later: Postgres is away, busy or starting, and the data is not to blame. */
export const isPassing = (error: unknown): boolean => {
  if (error instanceof AggregateError) return error.errors.some(isPassing)
  if (error instanceof Unavailable) return true
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
