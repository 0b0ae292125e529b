import type { FactBatch } from '../../db/racing/rounds.projection.ts'
import type { Attempt, Enqueued } from '../queues.ts'
import {
  FACTS,
  type FactNumbers,
  ONE_FACT,
  oneFactJob,
  RECONCILE,
  toFactNumbers,
  toOneFact,
  toRoundId,
} from './fact-batch.ts'

// The persist queue: facts become rows.
//   W1. Where Postgres is away the queue rests; the job keeps all its attempts.
//   W2. A fact that Postgres refuses leaves its batch and goes on alone, to be retried and then to fail alone.

const REST_MS = 1_000

export type PersistPorts = {
  /** The facts that a job names; `undefined` where the journal does not hold their round. */
  readonly facts: (numbers: FactNumbers) => FactBatch | undefined
  /** Whether a round that left the journal was stored whole. */
  readonly isRetired: (roundId: number) => Promise<boolean>
  readonly project: (batch: FactBatch) => Promise<void>
  readonly stored: (roundId: number, numbers: readonly number[]) => void
  readonly reconcile: (roundId: number) => Promise<void>
  readonly add: (jobs: readonly Enqueued[]) => Promise<void>
  /** Whether an error is the world's fault and not the data's. */
  readonly isPassing: (error: unknown) => boolean
}

export const persistProcessor =
  ({ facts, isRetired, project, stored, reconcile, add, isPassing }: PersistPorts) =>
  async (attempt: Attempt): Promise<void> => {
    const store = async (batch: FactBatch): Promise<void> => {
      await project(batch)
      stored(
        batch.roundId,
        batch.facts.map(([number]) => number),
      )
    }

    /** Halves what is refused until what is wrong stands alone: of five hundred facts one is found by some twenty tries. */
    const storeParted = async (batch: FactBatch): Promise<void> => {
      try {
        await store(batch)
      } catch (error) {
        if (isPassing(error)) throw error
        if (batch.facts.length === 1) return add([oneFactJob(batch, batch.facts[0]!)])
        const half = Math.ceil(batch.facts.length / 2)
        await storeParted({ ...batch, facts: batch.facts.slice(0, half) })
        await storeParted({ ...batch, facts: batch.facts.slice(half) })
      }
    }

    const storeBatch = async (numbers: FactNumbers): Promise<void> => {
      const batch = facts(numbers)
      if (!batch) {
        if (await isRetired(numbers.roundId)) return
        throw new Error(`the facts of round ${numbers.roundId} are neither in this journal nor in Postgres`)
      }
      await storeParted(batch)
    }

    try {
      if (attempt.name === FACTS) await storeBatch(toFactNumbers(attempt.data))
      else if (attempt.name === ONE_FACT) await store(toOneFact(attempt.data))
      else if (attempt.name === RECONCILE) await reconcile(toRoundId(attempt.data))
      else throw new Error(`the persist queue knows no job named ${attempt.name}`)
    } catch (error) {
      if (isPassing(error)) await attempt.rest(REST_MS)
      throw error
    }
  }
