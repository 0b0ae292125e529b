import * as v from 'valibot'
import { Fact, isReceiptFact, stakeOf } from '../../domain/racing/facts.ts'
import { faultsOf } from '../journal.check.ts'

/** What is intact of a round in a journal. Amounts are in the smallest unit. */
export type RoundReport = {
  readonly id: number
  readonly track: string | undefined
  readonly phase: string
  readonly facts: number
  /** Numbers of facts that should be there: `3` or `3-7`. What is lost at the end is not known here. */
  readonly missing: readonly string[]
  /** Receipts of which at least one fact is there. */
  readonly receipts: number
  readonly cancelled: number
  readonly paid: number
  readonly refunded: number
  /** Stakes of the receipts that are not cancelled. */
  readonly stakes: number
  readonly prizesPaid: number
}

export type JournalReport = {
  readonly faults: readonly string[]
  readonly rounds: readonly RoundReport[]
  readonly notes: number
}

/** Reads a journal without opening or changing it. `hear` gets every intact fact, in no order between rounds. */
export const reportJournal = (
  directory: string,
  hear: (round: number, number: number, fact: Fact) => void = () => {},
): JournalReport => {
  const rounds = new Map<number, Map<number, Fact>>()
  const strange: string[] = []
  let notes = 0
  const faults = faultsOf(directory, {
    note: () => notes++,
    record: (stream, last, values) => {
      const round = rounds.get(stream) ?? new Map<number, Fact>()
      rounds.set(stream, round)
      for (const [i, value] of values.entries()) {
        const number = last - values.length + 1 + i
        const fact = v.safeParse(Fact, value)
        if (fact.success) round.set(number, fact.output)
        else strange.push(`fact ${number} of round ${stream} is none that this release knows`)
      }
    },
  })
  const inOrder = [...rounds].sort(([one], [other]) => one - other)
  for (const [id, facts] of inOrder) for (const [number, fact] of facts) hear(id, number, fact)
  const reports = inOrder.map(([id, facts]) => reportRound(id, facts))
  const gaps = reports
    .filter(({ missing }) => missing.length > 0)
    .map(({ id, missing }) => `round ${id} lacks facts ${missing.join(', ')}`)
  return { faults: [...faults, ...strange, ...gaps], rounds: reports, notes }
}

const PHASES: Readonly<Partial<Record<Fact['type'], string>>> = {
  RoundOpened: 'waiting',
  BettingLocked: 'betting-locked',
  RaceStarted: 'running',
  RoundSettled: 'settled',
  RoundVoided: 'voided',
}

const reportRound = (id: number, facts: ReadonlyMap<number, Fact>): RoundReport => {
  const stakes = new Map<number, number>()
  const cancelled = new Set<number>()
  const paid = new Map<number, number>()
  const refunded = new Set<number>()
  let phase = 'unknown'
  let track: string | undefined
  for (const [, fact] of [...facts].sort(([one], [other]) => one - other)) {
    phase = PHASES[fact.type] ?? phase
    if (fact.type === 'RoundOpened') track = fact.track
    if (isReceiptFact(fact)) stakes.set(fact.id, stakeOf(fact.sale))
    if (fact.type === 'ReceiptCancelled') cancelled.add(fact.id)
    if (fact.type === 'ReceiptPaid') paid.set(fact.id, fact.prize)
    if (fact.type === 'ReceiptRefunded') refunded.add(fact.id)
  }
  const sum = (amounts: Iterable<number>): number => [...amounts].reduce((total, one) => total + one, 0)
  return {
    id,
    track,
    phase,
    facts: facts.size,
    missing: missingOf([...facts.keys()]),
    receipts: stakes.size,
    cancelled: cancelled.size,
    paid: paid.size,
    refunded: refunded.size,
    stakes: sum([...stakes].map(([receipt, stake]) => (cancelled.has(receipt) ? 0 : stake))),
    prizesPaid: sum(paid.values()),
  }
}

/** The gaps in numbers that should go 1, 2, 3 …, as far as they are known. */
const missingOf = (numbers: readonly number[]): string[] => {
  const gaps: string[] = []
  let next = 1
  for (const number of [...numbers].sort((one, other) => one - other)) {
    if (number > next) gaps.push(number - 1 === next ? `${next}` : `${next}-${number - 1}`)
    next = number + 1
  }
  return gaps
}
