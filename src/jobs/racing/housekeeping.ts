import type { RacingPort } from '../../actors/racing/racing.port.ts'
import type { Round } from '../../domain/racing/round.ts'
import type { Enqueued } from '../queues.ts'
import { reconcileJob } from './fact-batch.ts'
import type { Outbox } from './outbox.ts'
import type { PersistenceLedger } from './persistence.ledger.ts'

// Housekeeping: what has to be looked after from time to time, so that rounds leave when they are stored.

const EVERY_MS = 1_000
const SLOW_MS = 60_000
const SOON_MS = 5_000
/** A round is handed over so long after its race at the latest, however busy the counter is. */
const LONGEST_REST_MS = 60_000
/** Facts still not stored so long after their queue had nothing left to do were lost by it: they are handed over again. */
const LOST_AFTER_MS = 15_000

/** Comparisons that were lost with their queue are asked for again so often at most. */
const COMPARE_AGAIN_MS = 600_000

export type HousekeepingPorts = {
  readonly racing: RacingPort
  readonly ledger: PersistenceLedger
  readonly outboxes: { readonly persist: Outbox; readonly cache: Outbox }
  readonly storedFacts: (roundIds: readonly number[]) => Promise<Map<number, number[]>>
  readonly unreconciled: () => Promise<number[]>
  readonly addPersist: (jobs: readonly Enqueued[]) => Promise<void>
  /** How many jobs of the persist queue will still run. */
  readonly persistJobs: () => Promise<number>
  /** Numbers of the facts whose jobs failed for good, by round: those are not lost. */
  readonly failedFacts: () => Promise<ReadonlyMap<number, ReadonlySet<number>>>
  /** Lets the cache forget what it may not know the truth of. */
  readonly settleCacheDebts: () => Promise<void>
  readonly forgotten: (roundId: number) => Promise<void>
  /** Tells once a second how many receipts were sold. */
  readonly tellReceipts: () => Promise<void>
  /** Looks once a minute whether another data directory has claimed the station. */
  readonly watchStation: () => Promise<void>
  /** Large rounds keep Postgres busy for seconds when they are handed over: they wait for the counter. */
  readonly isCounterBusy: () => boolean
  readonly now: () => number
  readonly onError: (error: Error) => void
}

export class Housekeeping {
  readonly #ports: HousekeepingPorts
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  /** The lowest fact of each round that was missing when the queue was seen empty, and since when. */
  readonly #missing = new Map<number, { readonly first: number; readonly since: number }>()
  #nextSlow = 0

  constructor(ports: HousekeepingPorts) {
    this.#ports = ports
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#running ??= this.#round().finally(() => {
        this.#running = undefined
      })
    }, EVERY_MS)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
  }

  async #round(): Promise<void> {
    const { onError } = this.#ports
    const chores = [
      () => this.#resolve(),
      () => this.#verify(),
      () => this.#retire(),
      () => this.#findLost(),
      () => this.#ports.settleCacheDebts(),
      () => this.#ports.tellReceipts(),
      () => this.#slowChores(),
    ]
    for (const chore of chores) {
      await chore().catch(onError)
      // A connection that just failed needs a turn to be seen as closed.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async #verify(): Promise<void> {
    const { racing, ledger, storedFacts } = this.#ports
    const ids = ledger.unverified()
    if (ids.length === 0) return
    const stored = await storedFacts(ids)
    for (const id of ids) {
      const round = racing.round(id)
      if (round) ledger.verify(round, stored.get(id) ?? [])
      else ledger.forget(id)
    }
  }

  async #resolve(): Promise<void> {
    for (const id of await this.#ports.racing.resolveHandOvers()) await this.#forget(id)
  }

  async #retire(): Promise<void> {
    const { racing, ledger, outboxes, isCounterBusy, now, onError } = this.#ports
    const isBusy = isCounterBusy()
    // The cache's jobs are on their way too: one that finds its round gone knows that the cache has to forget it.
    const isDue = (round: Round): boolean =>
      round.phase === 'settled' &&
      !(isBusy && now() - round.opened.endsAt < LONGEST_REST_MS) &&
      racing.current(round.opened.track)?.id !== round.id &&
      ledger.isComplete(round.id) &&
      outboxes.cache.position(round.id) >= round.factCount
    const complete = [...racing.rounds()].filter(isDue)
    for (const { id } of complete) {
      // One round that cannot be handed over must not keep the others.
      await racing.retire(id).then((isRetired) => (isRetired ? this.#forget(id) : this.#doubt(id)), onError)
    }
  }

  /** The archive has not all of the facts that it once had: it is asked again which. */
  #doubt(id: number): void {
    const round = this.#ports.racing.round(id)
    if (round) this.#ports.ledger.recover(round)
  }

  /** The archive owns the round: nothing of it stays here, and its rows are compared with its facts. */
  async #forget(id: number): Promise<void> {
    const { ledger, outboxes, addPersist, forgotten } = this.#ports
    ledger.forget(id)
    outboxes.persist.forget(id)
    outboxes.cache.forget(id)
    await forgotten(id)
    await addPersist([reconcileJob(id)])
  }

  async #findLost(): Promise<void> {
    const { racing, ledger, outboxes, persistJobs, failedFacts, now } = this.#ports
    const waiting = new Map<number, number>()
    for (const { id } of racing.rounds()) {
      const first = ledger.firstMissing(id)
      if (first !== undefined && first <= outboxes.persist.position(id)) waiting.set(id, first)
    }
    for (const [id, { first }] of this.#missing) if (waiting.get(id) !== first) this.#missing.delete(id)
    if (waiting.size === 0) return
    // A busy queue is seldom seen empty, and once is enough: what was in it before is either stored or lost.
    if ((await persistJobs()) === 0)
      for (const [id, first] of waiting)
        if (!this.#missing.has(id)) this.#missing.set(id, { first, since: now() })
    const due = [...this.#missing].filter(([, { since }]) => now() - since >= LOST_AFTER_MS)
    if (due.length === 0) return
    const failed = await failedFacts()
    for (const [id] of due) {
      this.#missing.delete(id)
      const lost = ledger.firstMissing(id, failed.get(id))
      if (lost !== undefined) outboxes.persist.rewind(id, lost - 1)
    }
  }

  async #slowChores(): Promise<void> {
    const { racing, unreconciled, addPersist, watchStation, now } = this.#ports
    if (now() < this.#nextSlow) return
    // Where one of them fails, all are asked for again soon.
    this.#nextSlow = now() + SOON_MS
    await racing.forgetOldKeys()
    await watchStation()
    const ids = await unreconciled()
    if (ids.length > 0)
      await addPersist(ids.map((id) => reconcileJob(id, Math.floor(now() / COMPARE_AGAIN_MS))))
    this.#nextSlow = now() + SLOW_MS
  }
}
