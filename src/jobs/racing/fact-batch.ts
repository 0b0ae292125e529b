import * as v from 'valibot'
import type { Journal } from '../../actors/journal.port.ts'
import type { FactBatch } from '../../db/racing/rounds.projection.ts'
import { Fact, RoundOpened } from '../../domain/racing/facts.ts'
import type { Enqueued } from '../queues.ts'

// What the jobs say. A batch names its facts by number and the worker reads them from the journal, which keeps them
// until they are stored: carried along, each fact would be written and parsed four more times on its way through the
// queue. A fact that failed goes on alone and is carried, so that whoever opens its job sees what is in it.

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(1))
const Numbers = v.strictObject({ roundId: whole, first: whole, last: whole })
const OneFact = v.strictObject({
  roundId: whole,
  opened: RoundOpened,
  facts: v.tuple([v.tuple([whole, Fact])]),
})
const RoundOnly = v.strictObject({ roundId: whole })

export type FactNumbers = v.InferOutput<typeof Numbers>

/** The doors for job payloads. They throw on anything else. */
export const toFactNumbers = (data: unknown): FactNumbers => v.parse(Numbers, data)
export const toOneFact = (data: unknown): FactBatch => v.parse(OneFact, data)
export const toRoundId = (data: unknown): number => v.parse(RoundOnly, data).roundId

export const FACTS = 'facts'
export const ONE_FACT = 'fact'
export const RECONCILE = 'reconcile'
export const FORGET_ROUND = 'forget-round'

/** A job for a batch; the same facts always make the same id. */
export const factsJob = ({ roundId, first, last }: FactNumbers): Enqueued => ({
  name: FACTS,
  data: { roundId, first, last },
  jobId: `facts-${roundId}-${first}-${last}`,
})

/** A job for one fact, so that it fails or arrives alone. */
export const oneFactJob = (batch: FactBatch, [number, fact]: FactBatch['facts'][number]): Enqueued => ({
  name: ONE_FACT,
  data: { ...batch, facts: [[number, fact]] },
  jobId: `fact-${batch.roundId}-${number}`,
})

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

/**
 * The facts that a job names, with their round's opening.
 * @returns `undefined` where the round left the journal: all of its facts are stored
 */
export const factsOf = (
  journal: Journal<Fact>,
  { roundId, first, last }: FactNumbers,
): FactBatch | undefined => {
  const [opened] = journal.read(roundId, 0, 1)
  if (opened?.type !== 'RoundOpened') return undefined
  const facts = journal.read(roundId, first - 1, last - first + 1)
  return { roundId, opened, facts: facts.map((fact, i) => [first + i, fact]) }
}
