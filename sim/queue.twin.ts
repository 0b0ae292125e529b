// The simulated queues behind the product's own port: jobs that outlive the server, are delivered at least once, and
// sometimes late, twice, out of order, or not at all.
import {
  AT_A_TIME,
  type Attempt,
  type Enqueued,
  type QueueCounts,
  type QueueName,
  type Queues,
} from '../src/jobs/queues.ts'
import type { Chance } from './chance.ts'
import type { Faults } from './faults.ts'
import { Injected } from './injected.ts'
import { type Owner, type Scheduler, WORLD } from './scheduler.ts'

const ATTEMPTS = 10
const BACKOFF_MS = 500
/** A job whose worker vanished is taken up again about so long after. */
const STALLED_MS = [3_000, 12_000] as const
/** How often a worker without work looks for some that became due. */
const KEPT_COMPLETED = 200

type Job = {
  readonly id: string
  readonly name: string
  /** As text: nothing of a program's memory outlives it in a queue. */
  readonly data: string
  state: 'waiting' | 'active' | 'delayed' | 'failed' | 'completed'
  attempts: number
  /** Tells the present attempt from those of workers that are gone. */
  lease: number
}

type Worker = {
  readonly owner: Owner
  readonly process: (attempt: Attempt) => Promise<void>
  /** Jobs that it is at. */
  busy: number
}
type Shelf = { jobs: Map<string, Job>; worker: Worker | undefined; restsUntilMs: number; wake: boolean }

/** Thrown by an attempt that gave its job back. */
class Rested extends Error {}

export class QueueStore {
  readonly #station: string
  readonly #scheduler: Scheduler
  readonly #chance: Chance
  readonly #faults: Faults
  readonly #shelves: Record<QueueName, Shelf> = { persist: emptyShelf(), cache: emptyShelf() }
  #leases = 0

  constructor(station: string, scheduler: Scheduler, chance: Chance, faults: Faults) {
    this.#station = station
    this.#scheduler = scheduler
    this.#chance = chance
    this.#faults = faults
  }

  /** All jobs are gone, those remembered as done too. */
  lose(): void {
    for (const shelf of Object.values(this.#shelves)) shelf.jobs.clear()
  }

  /** The process died: what it was at is found stalled after a while. */
  crash(): void {
    for (const shelf of Object.values(this.#shelves)) {
      shelf.worker = undefined
      for (const job of shelf.jobs.values())
        if (job.state === 'active') this.#stall(shelf, job, this.#chance.between(...STALLED_MS))
    }
  }

  /** How many jobs there are that will still run, and that failed for good. */
  census(): { open: number; failed: number } {
    const jobs = Object.values(this.#shelves).flatMap(({ jobs }) => [...jobs.values()])
    const failed = jobs.filter(({ state }) => state === 'failed').length
    const done = jobs.filter(({ state }) => state === 'completed').length
    return { open: jobs.length - failed - done, failed }
  }

  /** The queues as one process sees them. */
  connect(owner: Owner): Queues {
    return {
      boards: [],
      add: (queue, jobs) =>
        this.#exchange(owner, `add ${jobs.map(({ jobId }) => jobId)}`, () => this.#add(queue, jobs)),
      work: async (queue, process) => {
        const shelf = this.#shelves[queue]
        shelf.worker = { owner, process, busy: 0 }
        this.#wake(queue)
      },
      counts: (queue) => this.#exchange(owner, `count ${queue}`, () => this.#counts(queue)),
      failed: (queue) =>
        this.#exchange(owner, `failed ${queue}`, () =>
          [...this.#shelves[queue].jobs.values()]
            .filter(({ state }) => state === 'failed')
            .map(({ id, name, data, attempts }) => ({
              id,
              name,
              data: JSON.parse(data) as unknown,
              reason: 'simulated',
              attempts,
              failedAt: null,
            })),
        ),
      // Nobody at the desk of a simulated shop has jobs tried again.
      retry: async () => 'gone',
      close: async () => {
        for (const shelf of Object.values(this.#shelves)) shelf.worker = undefined
      },
    }
  }

  #exchange<T>(owner: Owner, what: string, work: () => T): Promise<T> {
    const fault = this.#faults.ofQueue()
    return new Promise((resolve, reject) => {
      const tell = (run: () => void): void => {
        this.#scheduler.at(this.#faults.queueMs(), `queue ${what} answered`, run, owner)
      }
      const arrive = (): void => {
        if (this.#faults.isQueueAway || fault === 'not taken')
          return tell(() => reject(new Injected('the queue is away', 'ECONNREFUSED')))
        const answer = work()
        if (fault === 'answer lost')
          return tell(() => reject(new Injected('the queue went away', 'ECONNRESET')))
        tell(() => resolve(answer))
      }
      this.#scheduler.at(this.#faults.queueMs(), `queue ${what}`, arrive, WORLD)
    })
  }

  #add(queue: QueueName, jobs: readonly Enqueued[]): void {
    const shelf = this.#shelves[queue]
    for (const { name, data, jobId } of jobs) {
      if (shelf.jobs.has(jobId)) continue
      const job: Job = {
        id: jobId,
        name,
        data: JSON.stringify(data),
        state: 'waiting',
        attempts: 0,
        lease: 0,
      }
      shelf.jobs.set(jobId, job)
      const lateMs = this.#faults.lateJobMs()
      if (lateMs > 0) this.#delay(queue, job, lateMs)
    }
    this.#wake(queue)
  }

  #counts(queue: QueueName): QueueCounts {
    const counts = { waiting: 0, active: 0, delayed: 0, failed: 0, completed: 0 }
    for (const { state } of this.#shelves[queue].jobs.values()) counts[state]++
    return counts
  }

  #delay(queue: QueueName, job: Job, ms: number): void {
    job.state = 'delayed'
    this.#scheduler.at(
      ms,
      `queue job ${job.id} due`,
      () => {
        if (job.state !== 'delayed') return
        job.state = 'waiting'
        this.#wake(queue)
      },
      WORLD,
    )
  }

  #stall(shelf: Shelf, job: Job, ms: number): void {
    const { lease } = job
    const queue: QueueName = shelf === this.#shelves.persist ? 'persist' : 'cache'
    this.#scheduler.at(
      ms,
      `queue job ${job.id} stalled`,
      () => {
        if (job.lease !== lease || (job.state !== 'active' && job.state !== 'completed')) return
        job.state = 'waiting'
        this.#wake(queue)
      },
      WORLD,
    )
  }

  /** Looks for work, once for however many reasons there are to look. */
  #wake(queue: QueueName, delayMs = 0): void {
    const shelf = this.#shelves[queue]
    if (shelf.wake || !shelf.worker) return
    shelf.wake = true
    this.#scheduler.at(
      delayMs,
      `queue ${queue} of ${this.#station} looks`,
      () => {
        shelf.wake = false
        this.#fetch(queue)
      },
      WORLD,
    )
  }

  #fetch(queue: QueueName): void {
    const shelf = this.#shelves[queue]
    const { worker } = shelf
    if (!worker || worker.busy >= AT_A_TIME[queue]) return
    const waiting = [...shelf.jobs.values()].filter(({ state }) => state === 'waiting')
    if (waiting.length === 0) return
    const restMs = shelf.restsUntilMs - this.#scheduler.nowMs
    if (restMs > 0) return this.#wake(queue, restMs)
    if (this.#faults.isQueueAway) return this.#wake(queue, 200)
    const job = this.#faults.isDisordered() ? this.#chance.pick(waiting) : waiting[0]!
    job.state = 'active'
    job.lease = ++this.#leases
    worker.busy++
    this.#scheduler.at(
      this.#faults.queueMs(),
      `queue ${queue} brings ${job.id}`,
      () => void this.#attempt(queue, shelf, worker, job),
      worker.owner,
    )
    if (waiting.length > 1) this.#wake(queue)
  }

  async #attempt(queue: QueueName, shelf: Shelf, worker: Worker, job: Job): Promise<void> {
    const { lease } = job
    let error: unknown
    try {
      await worker.process({
        name: job.name,
        data: JSON.parse(job.data) as unknown,
        rest: async (ms) => {
          shelf.restsUntilMs = Math.max(shelf.restsUntilMs, this.#scheduler.nowMs + ms)
          throw new Rested()
        },
      })
    } catch (thrown) {
      error = thrown ?? new Error('thrown without a word')
    }
    worker.busy--
    if (job.lease === lease && job.state === 'active') this.#end(queue, shelf, job, error)
    this.#wake(queue)
  }

  #end(queue: QueueName, shelf: Shelf, job: Job, error: unknown): void {
    // The store is not told of the end where it is away: it finds the job stalled.
    if (this.#faults.isQueueAway) return this.#stall(shelf, job, this.#chance.between(...STALLED_MS))
    if (error instanceof Rested) job.state = 'waiting'
    else if (error !== undefined) {
      this.#faults.jobFailed(error)
      job.attempts++
      if (job.attempts >= ATTEMPTS) job.state = 'failed'
      else this.#delay(queue, job, BACKOFF_MS * 2 ** (job.attempts - 1))
    } else {
      job.state = 'completed'
      const againMs = this.#faults.againMs()
      if (againMs > 0) this.#stall(shelf, job, againMs)
      this.#forgetCompleted(shelf)
    }
  }

  #forgetCompleted(shelf: Shelf): void {
    const completed = [...shelf.jobs.values()].filter(({ state }) => state === 'completed')
    for (const job of completed.slice(0, -KEPT_COMPLETED)) shelf.jobs.delete(job.id)
  }
}

const emptyShelf = (): Shelf => ({ jobs: new Map(), worker: undefined, restsUntilMs: 0, wake: false })
