import type { Sql } from './postgres.ts'

/** A failed job that somebody has tried again. Amount in the smallest unit, time in milliseconds. */
export type AskedRetry = {
  readonly at: number
  readonly by: number
  readonly queue: string
  readonly jobId: string
  readonly jobName: string
  readonly roundId: number | null
  readonly receipts: number
  readonly amount: number
}
export type RetryResult = 'asked' | 'retried' | 'gone' | 'not-failed'
export type JobRetry = AskedRetry & { readonly id: number; readonly result: RetryResult }

/** Writes down what is going to be tried again. @returns the ids of the rows, in the order asked */
export const recordRetries = async (
  sql: Sql,
  station: string,
  asked: readonly AskedRetry[],
): Promise<number[]> => {
  const rows = await sql<{ retry_id: number }[]>`
    insert into job_retries (station_number, asked_at, asked_by, queue, job_id, job_name, round_id, receipts, amount)
    select ${station}, at, by, queue, job_id, job_name, round_id, receipts, amount from unnest(
      ${asked.map(({ at }) => new Date(at).toISOString())}::timestamptz[], ${asked.map(({ by }) => by)}::bigint[],
      ${asked.map(({ queue }) => queue)}::text[], ${asked.map(({ jobId }) => jobId)}::text[],
      ${asked.map(({ jobName }) => jobName)}::text[], ${asked.map(({ roundId }) => roundId)}::bigint[],
      ${asked.map(({ receipts }) => receipts)}::bigint[], ${asked.map(({ amount }) => amount)}::bigint[]
    ) with ordinality as one (at, by, queue, job_id, job_name, round_id, receipts, amount, place)
    order by place
    returning retry_id`
  return rows.map((row) => row.retry_id).sort((one, other) => one - other)
}

/** Writes down what came of retries. */
export const concludeRetries = async (
  sql: Sql,
  results: readonly { readonly id: number; readonly result: RetryResult }[],
): Promise<void> => {
  await sql`
    update job_retries set result = known.result
    from unnest(${results.map(({ id }) => id)}::bigint[], ${results.map(({ result }) => result)}::text[])
      as known (retry_id, result)
    where job_retries.retry_id = known.retry_id`
}

/** Retries of a station's jobs, latest first, from before a row on. */
export const jobRetries = async (
  sql: Sql,
  station: string,
  before: number | undefined,
  limit: number,
): Promise<JobRetry[]> => {
  type Row = Omit<JobRetry, 'at'> & { at: Date }
  const rows = await sql<Row[]>`
    select retry_id as id, asked_at as at, asked_by as by, queue, job_id as "jobId", job_name as "jobName",
      round_id as "roundId", receipts, amount, result
    from job_retries
    where station_number = ${station} ${before === undefined ? sql`` : sql`and retry_id < ${before}`}
    order by retry_id desc limit ${limit}`
  return rows.map((row) => ({ ...row, at: row.at.getTime() }))
}
