import type { Queue } from 'bullmq'

// The queues, on Redis where there is one, on Postgres where there is none. Nothing above knows which; `bullmq.queues.ts`
// opens them.

export type QueueName = 'persist' | 'cache'
export const QUEUE_NAMES: readonly QueueName[] = ['persist', 'cache']

/** Where the queues are kept, and whose they are: jobs name facts of one journal, and no other server may take them. */
export type QueueStore = ({ readonly redisUrl: string } | { readonly postgresUrl: string }) & {
  /** The station's number. */
  readonly station: string
}

export type Enqueued = { readonly name: string; readonly data: unknown; readonly jobId: string }

/** What a processor may do besides finishing or throwing. */
export type Attempt = {
  readonly name: string
  readonly data: unknown
  /** Gives the job back untried and lets the whole queue rest: the world is broken, not the job. */
  rest(ms: number): Promise<never>
}

export type Queues = {
  readonly boards: readonly Queue[]
  add(queue: QueueName, jobs: readonly Enqueued[]): Promise<void>
  work(queue: QueueName, process: (attempt: Attempt) => Promise<void>): Promise<void>
  counts(queue: QueueName): Promise<QueueCounts>
  /** Jobs that failed for good, latest first, at most so many. */
  failed(queue: QueueName, most: number): Promise<FailedJob[]>
  /** Tries a failed job again, with all its attempts. */
  retry(queue: QueueName, id: string): Promise<'retried' | 'gone' | 'not-failed'>
  close(): Promise<void>
}
export type FailedJob = {
  readonly id: string
  readonly name: string
  readonly data: unknown
  readonly reason: string
  readonly attempts: number
  readonly failedAt: number | null
}
export type QueueCounts = {
  waiting: number
  active: number
  delayed: number
  failed: number
  completed: number
}

/**
 * Jobs of a queue at work at a time. Rows do not care for order, and while Postgres writes those of one batch the next is
 * made ready. What the cache hears stays in order.
 */
export const AT_A_TIME: Readonly<Record<QueueName, number>> = { persist: 2, cache: 1 }
