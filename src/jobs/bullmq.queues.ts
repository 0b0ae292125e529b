import { createPostgresBackend, type Job, type JobsOptions, type Processor, Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import pg from 'pg'
import { AT_A_TIME, QUEUE_NAMES, type QueueName, type QueueStore, type Queues } from './queues.ts'

// The queues on BullMQ. It is loaded when it is used: selling does not wait for it at a start.

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
}

/**
 * A client that breaks says so, and Node ends the whole process where nobody listens. A pool of pg does not listen to a client
 * that is in use, and BullMQ not to the one that waits for jobs once it closes it. Nothing is lost: the query that was under
 * way is rejected all the same.
 */
class Client extends pg.Client {
  // biome-ignore lint/suspicious/noExplicitAny: whatever an event brings
  override emit(event: string | symbol, ...brings: any[]): boolean {
    return event === 'error' && this.listenerCount('error') === 0 ? false : super.emit(event, ...brings)
  }
}
// For the client that waits for jobs BullMQ takes what the module has.
Object.assign(pg, { Client })

const LONGEST_REASON = 500

/** How long Postgres may take for a question, and all of the queues to close. */
const ANSWER_LIMIT_MS = 20_000
const CLOSE_LIMIT_MS = 5_000

/**
 * Opens the queues, and resolves when they can be used. Rejects where Postgres went away meanwhile: a queue that does
 * not find it at its first question never does, and its worker keeps the whole process busy with asking.
 */
export const openQueues = async (
  store: QueueStore,
  onError: (error: Error) => void,
  /** An attempt failed; the job is tried again, or stays in the failed set. */
  onFailed: (queue: QueueName, job: string, error: Error) => void,
): Promise<Queues> => {
  const opened: { close(): Promise<unknown> }[] = []
  const connections: Redis[] = []

  const connection = (role: 'queue' | 'worker') => {
    if ('postgresUrl' in store)
      return {
        connectionString: store.postgresUrl,
        schema: `jobs_${store.station}`,
        migrate: true,
        max: 2,
        connectionTimeoutMillis: ANSWER_LIMIT_MS,
        query_timeout: ANSWER_LIMIT_MS,
        Client,
      }
    const redis = new Redis(store.redisUrl, {
      maxRetriesPerRequest: role === 'worker' ? null : 1,
      enableOfflineQueue: role === 'worker',
      retryStrategy: (attempts) => Math.min(2_000, 100 * attempts),
    })
    redis.on('error', onError)
    connections.push(redis)
    return redis
  }
  const prefix = `galop-${store.station}`
  const backend = 'postgresUrl' in store ? createPostgresBackend : undefined
  // Redis may be away for now: its connections come back by themselves.
  const untilReady = async (one: { waitUntilReady(): Promise<unknown> }): Promise<void> => {
    if (backend) await one.waitUntilReady()
  }
  const close = async (): Promise<void> => {
    let late: NodeJS.Timeout | undefined
    const limit = new Promise<void>((resolve) => {
      late = setTimeout(resolve, CLOSE_LIMIT_MS)
    })
    const closed = Promise.allSettled(opened.map((one) => one.close()))
    await Promise.race([closed, limit])
    clearTimeout(late)
    for (const redis of connections) redis.disconnect()
  }

  const openQueue = (name: QueueName): Queue => {
    const options = { connection: connection('queue') as never, prefix, defaultJobOptions: JOB_OPTIONS }
    const queue = new Queue(name, options, backend as never) as unknown as Queue
    queue.on('error', onError)
    opened.push(queue)
    return queue
  }
  const queues: Record<QueueName, Queue> = { persist: openQueue('persist'), cache: openQueue('cache') }
  try {
    for (const name of QUEUE_NAMES) await untilReady(queues[name])
  } catch (error) {
    await close()
    throw error
  }

  return {
    boards: QUEUE_NAMES.map((name) => queues[name]),
    add: async (name, jobs) => {
      await queues[name].addBulk(jobs.map(({ name, data, jobId }) => ({ name, data, opts: { jobId } })))
    },
    work: async (name, process) => {
      const run: Processor = (job: Job) =>
        process({
          name: job.name,
          data: job.data,
          rest: async (ms) => {
            // Where the queue's own store is away it cannot be told to rest, but the job must keep its attempts.
            await queues[name].rateLimit(ms).catch(onError)
            throw Worker.RateLimitError()
          },
        })
      const options = {
        connection: connection('worker') as never,
        prefix,
        autorun: false,
        concurrency: AT_A_TIME[name],
        ...WORKER_OPTIONS,
      }
      const worker = new Worker(name, run, options, backend as never)
      worker.on('error', onError)
      worker.on('failed', (job, error) => onFailed(name, job?.name ?? 'unknown', error))
      opened.unshift(worker)
      await untilReady(worker)
      worker.run().catch(onError)
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
    failed: async (name, most) => {
      const jobs = await queues[name].getFailed(0, most - 1)
      return jobs.map((job) => ({
        id: job.id ?? '',
        name: job.name,
        data: job.data,
        reason: (job.failedReason ?? '').slice(0, LONGEST_REASON),
        attempts: job.attemptsMade,
        failedAt: job.finishedOn ?? null,
      }))
    },
    retry: async (name, id) => {
      const job: Job | undefined = await queues[name].getJob(id)
      if (!job) return 'gone'
      if (!(await job.isFailed())) return 'not-failed'
      try {
        await job.retry('failed', { resetAttemptsMade: true })
        return 'retried'
      } catch (error) {
        // Somebody else was quicker.
        if (await job.isFailed()) throw error
        return 'not-failed'
      }
    },
    close,
  }
}
