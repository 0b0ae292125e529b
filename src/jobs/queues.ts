import { createPostgresBackend, type Job, type JobsOptions, type Processor, Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'

// The queues, on Redis where there is one, on Postgres where there is none. Nothing above knows which.

export type QueueName = 'persist' | 'cache'
export const QUEUE_NAMES: readonly QueueName[] = ['persist', 'cache']

export type QueueStore = { readonly redisUrl: string } | { readonly postgresUrl: string }

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
  work(queue: QueueName, process: (attempt: Attempt) => Promise<void>): void
  counts(queue: QueueName): Promise<QueueCounts>
  close(): Promise<void>
}
export type QueueCounts = {
  waiting: number
  active: number
  delayed: number
  failed: number
  completed: number
}

/** Retried with exponential back-off for some five minutes, then kept in the failed set until somebody looks. */
const JOB_OPTIONS: JobsOptions = {
  attempts: 10,
  backoff: { type: 'exponential', delay: 500, jitter: 0.2 },
  removeOnComplete: { count: 200, age: 3600 },
  removeOnFail: false,
  stackTraceLimit: 5,
}
/** A job whose worker vanished is taken up again after this long, however often that happens. */
const WORKER_OPTIONS = {
  lockDuration: 10_000,
  stalledInterval: 5_000,
  maxStalledCount: 1_000_000,
  concurrency: 1,
}

/** Opens the queues. Their store must be there: on Postgres a queue that is made while it is away never recovers. */
export const openQueues = (
  store: QueueStore,
  onError: (error: Error) => void,
  /** An attempt failed; the job is tried again, or stays in the failed set. */
  onFailed: (queue: QueueName, job: string, error: Error) => void,
): Queues => {
  const opened: { close(): Promise<unknown> }[] = []
  const connections: Redis[] = []

  const connection = (role: 'queue' | 'worker') => {
    if ('postgresUrl' in store) return { connectionString: store.postgresUrl, migrate: true, max: 2 }
    const redis = new Redis(store.redisUrl, {
      maxRetriesPerRequest: role === 'worker' ? null : 1,
      enableOfflineQueue: role === 'worker',
      retryStrategy: (attempts) => Math.min(2_000, 100 * attempts),
    })
    redis.on('error', onError)
    connections.push(redis)
    return redis
  }
  const backend = 'postgresUrl' in store ? createPostgresBackend : undefined

  const openQueue = (name: QueueName): Queue => {
    const options = { connection: connection('queue') as never, defaultJobOptions: JOB_OPTIONS }
    const queue = new Queue(name, options, backend as never) as unknown as Queue
    queue.on('error', onError)
    opened.push(queue)
    return queue
  }
  const queues: Record<QueueName, Queue> = { persist: openQueue('persist'), cache: openQueue('cache') }

  return {
    boards: QUEUE_NAMES.map((name) => queues[name]),
    add: async (name, jobs) => {
      await queues[name].addBulk(jobs.map(({ name, data, jobId }) => ({ name, data, opts: { jobId } })))
    },
    work: (name, process) => {
      const run: Processor = (job: Job) =>
        process({
          name: job.name,
          data: job.data,
          rest: async (ms) => {
            await queues[name].rateLimit(ms)
            throw Worker.RateLimitError()
          },
        })
      const options = { connection: connection('worker') as never, ...WORKER_OPTIONS }
      const worker = new Worker(name, run, options, backend as never)
      worker.on('error', onError)
      worker.on('failed', (job, error) => onFailed(name, job?.name ?? 'unknown', error))
      opened.unshift(worker)
    },
    counts: async (name) => {
      const { waiting, active, delayed, failed, completed } = await queues[name].getJobCounts()
      return {
        waiting: waiting ?? 0,
        active: active ?? 0,
        delayed: delayed ?? 0,
        failed: failed ?? 0,
        completed: completed ?? 0,
      }
    },
    close: async () => {
      await Promise.all(opened.map((one) => one.close()))
      for (const redis of connections) redis.disconnect()
    },
  }
}
