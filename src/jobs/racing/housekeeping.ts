import type { RacingPort } from '../../actors/racing/racing.port.ts'
import type { Round } from '../../domain/racing/round.ts'
import type { Enqueued } from '../queues.ts'
import { reconcileJob } from './fact-batch.ts'
import type { Outbox } from './outbox.ts'
import type { PersistenceLedger } from './persistence.ledger.ts'

// Housekeeping: what has to be looked after from time to time, so that rounds leave when they are stored.

const EVERY_MS = 1_000
/** Facts still not stored so long after their queue had nothing left to do were lost by it: they are handed over again. */
const LOST_AFTER_MS = 15_000

export type HousekeepingPorts = {
  readonly racing: RacingPort
  readonly ledger: PersistenceLedger
  readonly outboxes: { readonly persist: Outbox; readonly cache: Outbox }
  readonly storedFacts: (roundIds: readonly number[]) => Promise<Map<number, number[]>>
  readonly unreconciled: () => Promise<number[]>
  readonly addPersist: (jobs: readonly Enqueued[]) => Promise<void>
  /** Jobs of the persist queue that will still run, and that failed for good. */
  readonly persistJobs: () => Promise<{ readonly left: number; readonly failed: number }>
  readonly forgotten: (roundId: number) => Promise<void>
  /** Looks once a minute whether another data directory has claimed the station. */
  readonly watchStation: () => Promise<void>
  readonly now: () => number
  readonly onError: (error: Error) => void
}

export class Housekeeping {
  readonly #ports: HousekeepingPorts
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  /** The lowest fact of each round that was missing when the queue was seen empty, and since when. */
  #missing = new Map<number, { readonly first: number; readonly since: number }>()
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
      () => this.#slowChores(),
    ]
    for (const chore of chores) await chore().catch(onError)
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
    const { racing, ledger, onError } = this.#ports
    const complete = [...racing.rounds()].filter(
      (round: Round) => round.settled && ledger.isComplete(round.id),
    )
    for (const { id } of complete) {
      // One round that cannot be handed over must not keep the others.
      await racing.retire(id).then((isRetired) => (isRetired ? this.#forget(id) : undefined), onError)
    }
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
    const { racing, ledger, outboxes, persistJobs, now } = this.#ports
    const waiting: { id: number; first: number }[] = []
    let pending = 0
    for (const { id } of racing.rounds()) {
      const { count, first } = ledger.pendingOf(id)
      if (first === undefined || outboxes.persist.position(id) < first) continue
      pending += count
      waiting.push({ id, first })
    }
    const kept = waiting.filter(({ id, first }) => this.#missing.get(id)?.first === first)
    const missing = new Map(kept.map(({ id }) => [id, this.#missing.get(id)!]))
    this.#missing = missing
    const jobs = waiting.length > 0 ? await persistJobs() : undefined
    if (!jobs || pending <= jobs.failed) return missing.clear()
    // A busy queue is seldom seen empty, and once is enough: what was in it before is either stored or lost.
    if (jobs.left === 0)
      for (const { id, first } of waiting) if (!missing.has(id)) missing.set(id, { first, since: now() })
    for (const [id, { first, since }] of missing) {
      if (now() - since < LOST_AFTER_MS) continue
      missing.delete(id)
      outboxes.persist.rewind(id, first - 1)
    }
  }

  async #slowChores(): Promise<void> {
    const { racing, unreconciled, addPersist, watchStation, now } = this.#ports
    if (now() < this.#nextSlow) return
    this.#nextSlow = now() + 60_000
    await racing.forgetOldKeys()
    await watchStation()
    const ids = await unreconciled()
    if (ids.length > 0) await addPersist(ids.map(reconcileJob))
  }
}
