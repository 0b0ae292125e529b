// Histories of rounds, made by the domain: a test says what people try, the domain says what happens.
import fc from 'fast-check'
import {
  type ClockCommand,
  decideClock,
  decideReceipt,
  decideSale,
  decideVoid,
} from '../../../src/domain/racing/decide.ts'
import { commitmentOf } from '../../../src/domain/racing/draw.ts'
import type { Fact, RoundOpened } from '../../../src/domain/racing/facts.ts'
import { DEFAULT_FIELD } from '../../../src/domain/racing/field.ts'
import { priceField } from '../../../src/domain/racing/odds.ts'
import { isRefusal } from '../../../src/domain/racing/refusals.ts'
import { fold, openRound, type Round } from '../../../src/domain/racing/round.ts'

export const FIELD = priceField(DEFAULT_FIELD, 0.88)
export const SEED = '22'.repeat(32)
const LIMITS = { minStake: 1_000, maxStake: 1_000_000, maxExposure: 1_000_000_000 }
const DURATIONS_MS = { lock: 55_000, start: 60_000, end: 90_000, next: 95_000 }

/** What somebody tries. `which` picks one of the receipts sold so far, `at` is a share of the phase's time in percent. */
export type Move =
  | { readonly do: 'sell'; readonly by: number; readonly bets: readonly { number: number; stake: number }[] }
  | { readonly do: 'cancel' | 'print' | 'pay'; readonly by: number; readonly which: number }

export type Attempts = {
  readonly whileOpen: readonly Move[]
  readonly whileRunning: readonly Move[]
  readonly afterwards: readonly Move[]
}

export type History = { readonly roundId: number; readonly facts: readonly Fact[]; readonly round: Round }

export type HistoryOptions = {
  readonly roundId: number
  readonly openedAt?: number
  readonly track?: string
  readonly seed?: string
  /** How far it gets. */
  readonly until?: 'locked' | 'running' | 'settled' | 'voided' | undefined
}

/** Ids of the receipts of a round, in the order of their sale. */
export const receiptId = (roundId: number, place: number): number => roundId * 100_000 + place

export const historyOf = (attempts: Partial<Attempts>, options: HistoryOptions): History => {
  const { roundId, openedAt = 1_000_000, track = 'main', seed = SEED, until = 'settled' } = options
  const opened: RoundOpened = {
    type: 'RoundOpened',
    at: openedAt,
    track,
    locksAt: openedAt + DURATIONS_MS.lock,
    startsAt: openedAt + DURATIONS_MS.start,
    endsAt: openedAt + DURATIONS_MS.end,
    nextAt: openedAt + DURATIONS_MS.next,
    field: FIELD,
    commitment: commitmentOf(seed),
    chain: { anchor: commitmentOf(seed), index: 0 },
    limits: LIMITS,
  }
  const round = openRound(roundId, opened)
  const facts: Fact[] = [opened]
  let now = openedAt
  const happen = (decided: Fact | undefined | object): void => {
    if (decided === undefined || isRefusal(decided)) return
    fold(round, decided as Fact)
    facts.push(decided as Fact)
  }
  const attempt = (move: Move): void => {
    now++
    const by = { id: move.by, admin: move.by === 1 }
    if (move.do === 'sell') {
      const id = receiptId(roundId, round.receipts.size + 1)
      return happen(decideSale(round, { type: 'SellReceipt', by, bets: move.bets }, id, now))
    }
    const ids = [...round.receipts.keys()]
    if (ids.length === 0) return
    const type = ({ cancel: 'CancelReceipt', print: 'PrintReceipt', pay: 'PayReceipt' } as const)[move.do]
    happen(decideReceipt(round, { type, by, id: ids[move.which % ids.length]! }, now))
  }
  const windTo = (at: number, command: ClockCommand): void => {
    now = at
    happen(decideClock(round, command, now))
  }
  for (const move of attempts.whileOpen ?? []) attempt(move)
  windTo(opened.locksAt, { type: 'LockBetting' })
  if (until === 'locked') return { roundId, facts, round }
  windTo(opened.startsAt, { type: 'StartRace' })
  for (const move of attempts.whileRunning ?? []) attempt(move)
  if (until === 'running') return { roundId, facts, round }
  if (until === 'voided') {
    now = Math.max(now, opened.startsAt + 1)
    happen(decideVoid(round, { type: 'VoidRound', by: 1, reason: 'the screen is dark' }, seed, now))
  } else windTo(opened.endsAt, { type: 'SettleRound', seed })
  for (const move of attempts.afterwards ?? []) attempt(move)
  return { roundId, facts, round }
}

const person = fc.constantFrom(1, 7, 8)
const sale: fc.Arbitrary<Move> = fc.record({
  do: fc.constant('sell' as const),
  by: person,
  bets: fc
    .uniqueArray(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 })
    .chain((numbers) =>
      fc.tuple(
        ...numbers.map((number) =>
          fc.record({ number: fc.constant(number), stake: fc.integer({ min: 1_000, max: 50_000 }) }),
        ),
      ),
    ),
})
const change = (...kinds: ('cancel' | 'print' | 'pay')[]): fc.Arbitrary<Move> =>
  fc.record({ do: fc.constantFrom(...kinds), by: person, which: fc.nat(30) })

/** What people may try on one round. */
export const attempts = (most = 25): fc.Arbitrary<Attempts> =>
  fc.record({
    whileOpen: fc.array(
      fc.oneof({ weight: 3, arbitrary: sale }, { weight: 2, arbitrary: change('cancel', 'print') }),
      {
        maxLength: most,
      },
    ),
    whileRunning: fc.array(change('print', 'pay', 'cancel'), { maxLength: 5 }),
    afterwards: fc.array(change('pay', 'print'), { maxLength: most }),
  })

/** A round on which each of some cashiers sold a number of receipts on all participants: each of them wins. */
export const winners = (count: number, options: HistoryOptions, by: readonly number[] = [7]): History =>
  historyOf(
    {
      whileOpen: Array.from({ length: count }, (_, i) => ({
        do: 'sell' as const,
        by: by[i % by.length]!,
        bets: FIELD.map(({ number }) => ({ number, stake: 1_000 + i })),
      })),
    },
    options,
  )
