import type { Journal } from '../../actors/journal.port.ts'
import { Unavailable } from '../../actors/unavailable.port.ts'
import type { AskedRetry, JobRetry, RetryResult } from '../../db/job-retries.queries.ts'
import { type Fact, isReceiptFact, stakeOf } from '../../domain/racing/facts.ts'
import type { FailedJob, QueueName, Queues } from '../queues.ts'
import { numbersIn, oneFactIn, roundIn } from './fact-batch.ts'

// Jobs that failed for good: what is in them, and trying them again.
//   Y1. Who tries what again is written down before it is done, and what came of it afterwards.
//   Y2. A retry is safe to repeat: what is tried again already, or is gone, is left as it is.

/** How many are looked at: whoever has more failed jobs than this has one cause to mend, not a list to read. */
const MOST = 1_000

/** A failed job with the receipts that its facts are about, and their stakes in the smallest unit. */
export type FailedWithMoney = Omit<FailedJob, 'data'> & {
  readonly queue: QueueName
  readonly roundId: number | null
  readonly facts: { readonly first: number; readonly last: number } | null
  readonly receipts: number
  readonly amount: number
}
export type FailedList = {
  readonly jobs: readonly FailedWithMoney[]
  readonly totals: { readonly jobs: number; readonly receipts: number; readonly amount: number }
  /** Whether there are more than are looked at. */
  readonly truncated: boolean
}
export type Retried = { readonly id: string; readonly result: Exclude<RetryResult, 'asked'> }

export type FailedJobsPorts = {
  /** `undefined` until they are open. */
  readonly queues: () => Queues | undefined
  readonly journal: Pick<Journal<Fact>, 'read'>
  readonly record: {
    readonly ask: (asked: readonly AskedRetry[]) => Promise<number[]>
    readonly conclude: (results: readonly { id: number; result: RetryResult }[]) => Promise<void>
    readonly list: (before: number | undefined, limit: number) => Promise<JobRetry[]>
  }
  readonly now: () => number
}

export class FailedJobs {
  readonly #ports: FailedJobsPorts

  constructor(ports: FailedJobsPorts) {
    this.#ports = ports
  }

  /** The jobs that failed, latest first. @throws Unavailable while the queues cannot be asked */
  async list(queue: QueueName): Promise<FailedList> {
    const found = await this.#failed(queue, MOST + 1)
    const jobs = found.slice(0, MOST).map((job) => this.#withMoney(queue, job))
    // A receipt may be in several jobs: it is one receipt all the same.
    const stakes = new Map<number, number>()
    for (const job of found.slice(0, MOST))
      for (const [id, stake] of this.#receiptsIn(job)) stakes.set(id, stake)
    return {
      jobs,
      totals: { jobs: jobs.length, receipts: stakes.size, amount: sum(stakes.values()) },
      truncated: found.length > MOST,
    }
  }

  /** Tries jobs again: those of these ids, or all that failed. @throws Unavailable where nothing could be written down */
  async retry(queue: QueueName, which: readonly string[] | 'all', by: number): Promise<Retried[]> {
    const { record, now } = this.#ports
    const failed = new Map((await this.#failed(queue, MOST)).map((job) => [job.id, job]))
    const ids = which === 'all' ? [...failed.keys()] : [...new Set(which)]
    if (ids.length === 0) return []
    const at = now()
    const rows = await record.ask(
      ids.map((jobId) => {
        const job = failed.get(jobId)
        const { roundId = null, receipts = 0, amount = 0 } = job ? this.#withMoney(queue, job) : {}
        return { at, by, queue, jobId, jobName: job?.name ?? 'unknown', roundId, receipts, amount }
      }),
    )
    const results: Retried[] = []
    try {
      for (const id of ids)
        results.push({ id, result: await this.#asked((queues) => queues.retry(queue, id)) })
    } finally {
      await record.conclude(results.map(({ result }, i) => ({ id: rows[i]!, result })))
    }
    return results
  }

  /** Who tried what again, latest first. */
  retries(before: number | undefined, limit: number): Promise<JobRetry[]> {
    return this.#ports.record.list(before, limit)
  }

  #failed(queue: QueueName, most: number): Promise<FailedJob[]> {
    return this.#asked((queues) => queues.failed(queue, most))
  }

  async #asked<T>(ask: (queues: Queues) => Promise<T>): Promise<T> {
    const queues = this.#ports.queues()
    if (!queues) throw new Unavailable('postgres', 'the background jobs wait for their stores')
    try {
      return await ask(queues)
    } catch (cause) {
      throw new Unavailable('postgres', 'the queues do not answer; ask again in a moment', { cause })
    }
  }

  #withMoney(queue: QueueName, job: FailedJob): FailedWithMoney {
    const { id, name, reason, attempts, failedAt } = job
    const stakes = this.#receiptsIn(job)
    return {
      queue,
      id,
      name,
      roundId: roundIn(job) ?? null,
      facts: spanOf(job),
      receipts: stakes.size,
      amount: sum(stakes.values()),
      reason,
      attempts,
      failedAt,
    }
  }

  /** Stakes of the receipts that a job is about. Its facts are carried, or still in the journal. */
  #receiptsIn(job: FailedJob): Map<number, number> {
    const numbers = numbersIn(job)
    const facts = numbers
      ? this.#ports.journal.read(numbers.roundId, numbers.first - 1, numbers.last - numbers.first + 1)
      : (oneFactIn(job)?.facts.map(([, fact]) => fact) ?? [])
    const stakes = new Map<number, number>()
    for (const fact of facts) if (isReceiptFact(fact)) stakes.set(fact.id, stakeOf(fact.sale))
    return stakes
  }
}

/** Numbers of the facts that a job is about. */
const spanOf = (job: FailedJob): FailedWithMoney['facts'] => {
  const numbers = numbersIn(job)
  if (numbers) return { first: numbers.first, last: numbers.last }
  const one = oneFactIn(job)?.facts[0][0]
  return one === undefined ? null : { first: one, last: one }
}

const sum = (amounts: Iterable<number>): number => [...amounts].reduce((total, one) => total + one, 0)
