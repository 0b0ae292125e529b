import * as v from 'valibot'
import type { FactBatch } from '../../db/racing/rounds.projection.ts'
import { Fact, RoundOpened } from '../../domain/racing/facts.ts'
import type { Enqueued } from '../queues.ts'

// What the jobs carry: facts of one round, complete in themselves.

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(1))
const Batch = v.strictObject({ roundId: whole, opened: RoundOpened, facts: v.array(v.tuple([whole, Fact])) })

/** The door for job payloads. Throws on what is not a batch of facts. */
export const toFactBatch = (data: unknown): FactBatch => v.parse(Batch, data)

export const FACTS = 'facts'
export const ONE_FACT = 'fact'
export const RECONCILE = 'reconcile'
export const FORGET_ROUND = 'forget-round'

/** A job for a batch; the same facts always make the same id. */
export const factsJob = (batch: FactBatch): Enqueued => ({
  name: FACTS,
  data: batch,
  jobId: `facts-${batch.roundId}-${batch.facts[0]![0]}-${batch.facts.at(-1)![0]}`,
})

/** A job for one fact, so that it fails or arrives alone. */
export const oneFactJob = (batch: FactBatch, [number, fact]: FactBatch['facts'][number]): Enqueued => ({
  name: ONE_FACT,
  data: { ...batch, facts: [[number, fact]] },
  jobId: `fact-${batch.roundId}-${number}`,
})

const RoundOnly = v.strictObject({ roundId: whole })
export const toRoundId = (data: unknown): number => v.parse(RoundOnly, data).roundId
export const reconcileJob = (roundId: number): Enqueued => ({
  name: RECONCILE,
  data: { roundId },
  jobId: `reconcile-${roundId}`,
})
export const forgetRoundJob = (roundId: number, receiptId: number): Enqueued => ({
  name: FORGET_ROUND,
  data: { roundId },
  jobId: `forget-${roundId}-${receiptId}`,
})
