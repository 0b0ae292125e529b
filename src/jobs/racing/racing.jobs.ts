import type { Journal } from '../../actors/journal.port.ts'
import type { RacingPort } from '../../actors/racing/racing.port.ts'
import { isPassing } from '../../db/postgres.ts'
import type { RacingStore } from '../../db/racing/racing.store.ts'
import { CacheAway, type RoundCache } from '../../db/racing/round.cache.ts'
import type { Fact } from '../../domain/racing/facts.ts'
import type { QueueCounts, QueueName, Queues } from '../queues.ts'
import { QUEUE_NAMES } from '../queues.ts'
import { BusyCounter } from './busy-counter.ts'
import type { CacheDebts } from './cache.debts.ts'
import { cacheProcessor } from './cache.worker.ts'
import { type FactNumbers, factsForCache, factsIn, factsOf } from './fact-batch.ts'
import { Housekeeping } from './housekeeping.ts'
import { Outbox, outboxNotes } from './outbox.ts'
import { Outcomes } from './outcomes.ts'
import { persistProcessor } from './persist.worker.ts'
import { PersistenceLedger } from './persistence.ledger.ts'

// What follows from facts: rows in Postgres, the cache, and the watch over both.

/** Facts are gathered for this long before they go into one job. */
const GATHER_MS = 100

/** Failed jobs that are looked at for facts that are not lost. */
const MOST_FAILED = 1_000

export type RacingJobsOptions = {
  readonly racing: RacingPort
  readonly journal: Journal<Fact>
  readonly store: RacingStore
  readonly cache: RoundCache
  readonly cacheDebts: CacheDebts
  readonly now: () => number
  /** Trouble in the background; it is tried again. */
  readonly onTrouble: (what: string, error: Error) => void
  /** Another data directory has claimed the station; told once. */
  readonly onSuperseded: () => void
  /** A retired round's rows and facts differ. */
  readonly onDiscrepancy: (roundId: number, found: readonly string[]) => void
  /** Facts a second from which on the counter may be busy, where another number than the usual is wanted. */
  readonly manyFacts?: number
}

export class RacingJobs {
  readonly ledger: PersistenceLedger
  readonly #options: RacingJobsOptions
  readonly #outcomes: Outcomes
  readonly #counter: BusyCounter
  readonly #differing = new Map<number, string>()
  #isSuperseded = false
  #receiptsTold = 0
  #queues: Queues | undefined
  #outboxes: { readonly persist: Outbox; readonly cache: Outbox } | undefined
  #housekeeping: Housekeeping | undefined

  /** Listens to racing from now on; hands nothing over before `start`. */
  constructor(options: RacingJobsOptions) {
    this.#options = options
    const { racing, journal } = options
    this.ledger = new PersistenceLedger(journal)
    this.#outcomes = new Outcomes(racing, journal)
    this.#counter = new BusyCounter(options.manyFacts)
    for (const round of racing.rounds()) this.ledger.recover(round)
    racing.listen(({ roundId, number, fact }) => {
      this.#counter.heard()
      this.ledger.written(roundId, number, fact)
      this.#outboxes?.persist.notice(roundId)
      this.#outboxes?.cache.notice(roundId)
    })
  }

  /** The queues are open, and Postgres has answered. May be called again with others where it throws. */
  async start(queues: Queues): Promise<void> {
    const { racing, journal, store, cache, cacheDebts, now, onTrouble } = this.#options
    for (const { roundId, discrepancy } of await store.withDiscrepancy())
      this.#differing.set(roundId, discrepancy)
    const addPersist = (jobs: Parameters<Queues['add']>[1]) => queues.add('persist', jobs)
    const facts = (numbers: FactNumbers) => factsOf(journal, numbers)
    await queues.work(
      'persist',
      persistProcessor({
        facts,
        isRetired: async (roundId) => (await store.archive.owned([roundId])).length > 0,
        project: store.project,
        stored: (roundId, numbers) => this.ledger.stored(roundId, numbers),
        reconcile: (roundId) => this.#reconcile(roundId),
        add: addPersist,
        isPassing,
      }),
    )
    await queues.work(
      'cache',
      cacheProcessor(
        cache,
        (numbers) => factsForCache(journal, this.#outcomes, numbers),
        (error) => error instanceof CacheAway,
      ),
    )
    this.#queues = queues

    const isCounterBusy = () => this.#counter.isBusy()
    const outbox = (queue: QueueName): Outbox => {
      const onError = (error: Error) => onTrouble(`facts could not be handed to the ${queue} queue`, error)
      return new Outbox({ queue, journal, queues, gatherMs: GATHER_MS, isCounterBusy, onError })
    }
    const outboxes = { persist: outbox('persist'), cache: outbox('cache') }
    this.#outboxes = outboxes
    for (const round of racing.rounds()) for (const name of QUEUE_NAMES) outboxes[name].notice(round.id)

    this.#housekeeping = new Housekeeping({
      racing,
      ledger: this.ledger,
      outboxes,
      storedFacts: store.storedFacts,
      unreconciled: store.unreconciled,
      addPersist,
      persistJobs: async () => {
        const { waiting, active, delayed } = await queues.counts('persist')
        return waiting + active + delayed
      },
      failedFacts: async () => factsIn(await queues.failed('persist', MOST_FAILED)),
      settleCacheDebts: () => cacheDebts.settle(),
      forgotten: (roundId) => {
        this.#outcomes.forget(roundId)
        return journal.forget(outboxNotes(roundId))
      },
      tellReceipts: async () => {
        this.#receiptsTold = await store.tellReceipts(journal, this.#receiptsTold)
      },
      watchStation: () => this.#watchStation(),
      isCounterBusy,
      now,
      onError: (error) => onTrouble('housekeeping', error),
    })
    this.#housekeeping.start()
  }

  async stop(): Promise<void> {
    await this.#housekeeping?.stop()
    await Promise.all([this.#outboxes?.persist.stop(), this.#outboxes?.cache.stop()])
    await this.#queues?.close()
  }

  /** Rounds found to differ from their facts, with what differs. */
  differing(): ReadonlyMap<number, string> {
    return this.#differing
  }

  /** The queues, once they are open. */
  get queues(): Queues | undefined {
    return this.#queues
  }

  /** Jobs by queue, or `undefined` while the queues cannot be asked. */
  async counts(): Promise<Record<QueueName, QueueCounts> | undefined> {
    const queues = this.#queues
    if (!queues) return undefined
    try {
      const [persist, cache] = await Promise.all([queues.counts('persist'), queues.counts('cache')])
      return { persist, cache }
    } catch {
      // Their store is away: that is the answer, and the store's own check tells why.
      return undefined
    }
  }

  handedOver(roundId: number): { persist: number; cache: number } {
    return {
      persist: this.#outboxes?.persist.position(roundId) ?? 0,
      cache: this.#outboxes?.cache.position(roundId) ?? 0,
    }
  }

  /** Whether another data directory sells for this station now. */
  isSuperseded(): boolean {
    return this.#isSuperseded
  }

  async #watchStation(): Promise<void> {
    if (this.#isSuperseded) return
    const { store, journal, onSuperseded } = this.#options
    this.#isSuperseded = await store.isSuperseded(journal)
    if (this.#isSuperseded) onSuperseded()
  }

  async #reconcile(roundId: number): Promise<void> {
    const { store, onDiscrepancy } = this.#options
    const found = await store.reconcile(roundId)
    if (found.length === 0) this.#differing.delete(roundId)
    else {
      this.#differing.set(roundId, found.join(', '))
      onDiscrepancy(roundId, found)
    }
  }
}
