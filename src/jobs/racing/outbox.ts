import type { Journal } from '../../actors/journal.port.ts'
import type { Fact } from '../../domain/racing/facts.ts'
import type { QueueName, Queues } from '../queues.ts'
import { factsJob } from './fact-batch.ts'

// The outbox: facts leave the journal for a queue, in order and at least once, from a durable position.
//   X1. The position moves only after the queue has taken the jobs: a crash between hands them over again.
//   X2. A queue that is away is asked again with growing patience; nothing else waits for it.
//   X3. The counter comes first: while it is busy one small batch leaves every second, unless too many facts wait already;
//       when it is quiet again all of them leave at once.

const BATCH = 500
/** The rows of five hundred facts hold up who sells for some five milliseconds, those of a hundred for one or two. */
const SMALL_BATCH = 100
const LONGEST_YIELD_MS = 1_000
/** Facts that may wait while the counter is busy. */
const MOST_WAITING = 500_000
const LONGEST_PATIENCE_MS = 2_000
const positionNote = (queue: QueueName, roundId: number): string => `outbox/${roundId}/${queue}`

export type OutboxOptions = {
  readonly queue: QueueName
  readonly journal: Journal<Fact>
  readonly queues: Queues
  /** Facts that become ready within this time leave together. */
  readonly gatherMs: number
  readonly isCounterBusy: () => boolean
  readonly onError: (error: Error) => void
}

export class Outbox {
  readonly #options: OutboxOptions
  readonly #rounds = new Map<number, { position: number; rewinds: number }>()
  readonly #ready = new Set<number>()
  #timer: NodeJS.Timeout | undefined
  #pumping: Promise<void> | undefined
  #patienceMs = 0
  /** How long facts have waited for the counter since the last were handed over. */
  #yieldedMs = 0
  #stopped = false

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** There are facts of this round on disk that may not have been handed over. */
  notice(roundId: number): void {
    if (!this.#rounds.has(roundId)) {
      const note = this.#options.journal.note(positionNote(this.#options.queue, roundId)) as
        | number
        | undefined
      this.#rounds.set(roundId, { position: note ?? 0, rewinds: 0 })
    }
    this.#ready.add(roundId)
    this.#schedule()
  }

  /** Number of the last fact handed over. */
  position(roundId: number): number {
    return this.#rounds.get(roundId)?.position ?? 0
  }

  /** Hands over again from after `number`: what was taken by the queue was lost with it. */
  rewind(roundId: number, number: number): void {
    const round = this.#rounds.get(roundId)
    if (!round || round.position <= number) return
    round.position = number
    round.rewinds++
    this.#ready.add(roundId)
    this.#schedule()
  }

  /** The round is no longer in the journal. */
  forget(roundId: number): void {
    this.#rounds.delete(roundId)
    this.#ready.delete(roundId)
  }

  /** Hands over nothing more, once what is under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#pumping
  }

  #schedule(): void {
    if (this.#timer || this.#pumping || this.#stopped || this.#ready.size === 0) return
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        if (this.#yields()) this.#schedule()
        else this.#begin()
      },
      Math.max(this.#options.gatherMs, this.#patienceMs),
    )
  }

  #begin(): void {
    this.#yieldedMs = 0
    this.#pumping = this.#pump().finally(() => {
      this.#pumping = undefined
      this.#schedule()
    })
  }

  /** Whether to wait for the counter once more. */
  #yields(): boolean {
    this.#yieldedMs += this.#options.gatherMs
    return this.#yieldedMs < LONGEST_YIELD_MS && this.#mustYield()
  }

  #mustYield(): boolean {
    if (!this.#options.isCounterBusy()) return false
    const { journal } = this.#options
    let waiting = 0
    for (const [roundId, { position }] of this.#rounds) waiting += journal.last(roundId) - position
    return waiting < MOST_WAITING
  }

  async #pump(): Promise<void> {
    try {
      for (const roundId of [...this.#ready]) {
        this.#ready.delete(roundId)
        while (!this.#stopped && (await this.#handOver(roundId))) {
          if (!this.#mustYield()) continue
          this.#ready.add(roundId)
          break
        }
        // The other rounds have their turn next time.
        if (this.#mustYield()) break
      }
      this.#patienceMs = 0
    } catch (error) {
      this.#patienceMs = Math.min(LONGEST_PATIENCE_MS, this.#patienceMs * 2 || 100)
      this.#options.onError(error as Error)
    }
  }

  /** @returns whether there may be more */
  async #handOver(roundId: number): Promise<boolean> {
    const { journal, queue, queues } = this.#options
    const round = this.#rounds.get(roundId)
    if (!round) return false
    const { position, rewinds } = round
    const full = position + (this.#mustYield() ? SMALL_BATCH : BATCH)
    const last = Math.min(journal.last(roundId), full)
    if (last <= position) return false
    try {
      await queues.add(queue, [factsJob({ roundId, first: position + 1, last }, rewinds)])
      if (!this.#rounds.has(roundId)) return false
      if (round.rewinds !== rewinds) return true
      round.position = last
      await journal.write({ [positionNote(queue, roundId)]: round.position })
    } catch (error) {
      this.#ready.add(roundId)
      throw error
    }
    return last === full
  }
}

/** Names of the notes that go with a round when it leaves the journal. */
export const outboxNotes = (roundId: number): string => `outbox/${roundId}/`
