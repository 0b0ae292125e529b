import * as v from 'valibot'
import type { Journal } from '../../actors/journal.port.ts'
import type { FactBatch } from '../../db/racing/rounds.projection.ts'
import { Fact, RoundOpened } from '../../domain/racing/facts.ts'
import type { Enqueued } from '../queues.ts'
import type { Outcomes } from './outcomes.ts'

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
export const toFactNumbers = (data: unknown): FactNumbers => checked(Numbers, data)
export const toOneFact = (data: unknown): FactBatch => checked(OneFact, data)
export const toRoundId = (data: unknown): number => checked(RoundOnly, data).roundId

const checked = <S extends v.GenericSchema>(schema: S, data: unknown): v.InferOutput<S> => {
  const parsed = v.safeParse(schema, data)
  if (parsed.success) return parsed.output
  const [issue] = parsed.issues
  throw new Error(`the job's data are damaged, at ${v.getDotPath(issue) ?? 'their top'}: ${issue.message}`)
}

type JobSeen = { readonly name: string; readonly data: unknown }
/** What a job names, as far as its data are those of such a job. */
export const numbersIn = ({ name, data }: JobSeen): FactNumbers | undefined =>
  name === FACTS && v.is(Numbers, data) ? data : undefined
export const oneFactIn = ({ name, data }: JobSeen): v.InferOutput<typeof OneFact> | undefined =>
  name === ONE_FACT && v.is(OneFact, data) ? data : undefined
export const roundIn = ({ data }: JobSeen): number | undefined =>
  v.is(v.object({ roundId: whole }), data) ? data.roundId : undefined

export const FACTS = 'facts'
export const ONE_FACT = 'fact'
export const RECONCILE = 'reconcile'

/**
 * A job for a batch; the same facts always make the same id.
 * @param again how often they were found lost: the queue may still remember a job of theirs that came to nothing
 */
export const factsJob = ({ roundId, first, last }: FactNumbers, again = 0): Enqueued => ({
  name: FACTS,
  data: { roundId, first, last },
  jobId: `facts-${roundId}-${first}-${last}${again > 0 ? `-again-${again}` : ''}`,
})

/** A job for one fact, so that it fails or arrives alone. */
export const oneFactJob = (batch: FactBatch, [number, fact]: FactBatch['facts'][number]): Enqueued => ({
  name: ONE_FACT,
  data: { ...batch, facts: [[number, fact]] },
  jobId: `fact-${batch.roundId}-${number}`,
})

/** @param again tells a comparison that is asked for anew from those that the queue remembers */
export const reconcileJob = (roundId: number, again?: number): Enqueued => ({
  name: RECONCILE,
  data: { roundId },
  jobId: `reconcile-${roundId}${again === undefined ? '' : `-${again}`}`,
})

/**
 * The facts that a job names, with their round's opening.
 * @returns `undefined` where the journal does not hold all of them: the round left, or leaves just now, or never was here
 */
export const factsOf = (
  journal: Journal<Fact>,
  { roundId, first, last }: FactNumbers,
): FactBatch | undefined => {
  const [opened] = journal.read(roundId, 0, 1)
  if (opened?.type !== 'RoundOpened') return undefined
  const facts = journal.read(roundId, first - 1, last - first + 1)
  if (facts.length <= last - first) return undefined
  return { roundId, opened, facts: facts.map((fact, i) => [first + i, fact]) }
}

/** Facts that are read and parsed in one go: some ten milliseconds. */
const SLICE = 1_000

/**
 * The same for the cache, which passes over what it cannot place: whoever brings the opening brings all that is on disk by
 * then, and whoever comes after the round has ended brings its end once more. Slice by slice, read when it is asked for:
 * all of a large round at once would hold up whoever sells. Where facts are missing the last one is `undefined`.
 */
export function* factsForCache(
  journal: Journal<Fact>,
  outcomes: Pick<Outcomes, 'of'>,
  { roundId, first, last: named }: FactNumbers,
): Generator<FactBatch | undefined> {
  const last = first === 1 ? Math.max(named, journal.last(roundId)) : named
  for (let from = first; from <= last; from += SLICE) {
    const batch = factsOf(journal, { roundId, first: from, last: Math.min(last, from + SLICE - 1) })
    const end = from + SLICE > last ? outcomes.of(roundId) : undefined
    yield batch && end && end[0] > last ? { ...batch, facts: [...batch.facts, end] } : batch
    if (!batch) return
  }
}

/** Numbers of the facts that these jobs are about, by round. Jobs whose data are damaged are about none. */
export const factsIn = (
  jobs: Iterable<{ readonly name: string; readonly data: unknown }>,
): Map<number, Set<number>> => {
  const found = new Map<number, Set<number>>()
  for (const { name, data } of jobs) {
    const read = v.safeParse(name === FACTS ? Numbers : OneFact, data)
    if (!read.success) continue
    const { roundId } = read.output
    const known = found.get(roundId) ?? new Set()
    found.set(roundId, known)
    if ('facts' in read.output) known.add(read.output.facts[0][0])
    else for (let number = read.output.first; number <= read.output.last; number++) known.add(number)
  }
  return found
}
