// Rounds as a story: given what happened, when somebody asks something, then this is the fact or the refusal.
import { expect } from 'vitest'
import type {
  AskedBet,
  ClockCommand,
  Command,
  Person,
  ReceiptCommand,
  SellReceipt,
} from '../../../src/domain/racing/decide.ts'
import {
  decideClock,
  decideReceipt,
  decideSale,
  decideVoid,
  type VoidRound,
} from '../../../src/domain/racing/decide.ts'
import { commitmentOf } from '../../../src/domain/racing/draw.ts'
import type { Fact, ReceiptFact, RoundOpened, Sale } from '../../../src/domain/racing/facts.ts'
import { DEFAULT_FIELD } from '../../../src/domain/racing/field.ts'
import { priceField, prizeOf } from '../../../src/domain/racing/odds.ts'
import type { RefusalCode, RefusalDetails } from '../../../src/domain/racing/refusals.ts'
import { type Round, replay } from '../../../src/domain/racing/round.ts'

export const ROUND_ID = 42
export const SEED = '22'.repeat(32)
/** The order in which the default field arrives under `SEED` in round 42, winner first. */
export const ORDER = [2, 6, 1, 5, 3, 4]
export const WINNER = ORDER[0]!
export const LOSER = ORDER[1]!

export const OPENED_AT = 1_000_000
export const LOCKS_AT = 1_055_000
export const STARTS_AT = 1_060_000
export const ENDS_AT = 1_090_000
export const NEXT_AT = 1_095_000

export const CASHIER: Person = { id: 7, admin: false }
export const OTHER_CASHIER: Person = { id: 8, admin: false }
export const ADMIN: Person = { id: 1, admin: true }

/** Pays 2.50, 4.00, 5.50, 8.00, 10.00 and 12.57. */
export const FIELD = priceField(DEFAULT_FIELD, 0.88)
export const LIMITS = { minStake: 1_000, maxStake: 1_000_000, maxExposure: 3_000_000 }

export const opened: RoundOpened = {
  type: 'RoundOpened',
  at: OPENED_AT,
  track: 'Longchamp',
  locksAt: LOCKS_AT,
  startsAt: STARTS_AT,
  endsAt: ENDS_AT,
  nextAt: NEXT_AT,
  field: FIELD,
  commitment: commitmentOf(SEED),
  chain: { anchor: commitmentOf(SEED), index: 0 },
  limits: LIMITS,
}
export const locked: Fact = { type: 'BettingLocked', at: LOCKS_AT }
export const started: Fact = { type: 'RaceStarted', at: STARTS_AT }
export const settled: Fact = { type: 'RoundSettled', at: ENDS_AT, seed: SEED, order: ORDER }
export const raced: readonly Fact[] = [locked, started, settled]

export const voided = (at: number): Fact => ({
  type: 'RoundVoided',
  at,
  by: ADMIN.id,
  reason: 'the screen is dark',
  seed: SEED,
})

export const coefficientOf = (number: number): number => FIELD.find((one) => one.number === number)!.coeff

/** What a cashier sold, as the facts about it say. */
export const saleOf = (bets: Record<number, number>, by = CASHIER, at = OPENED_AT): Sale => ({
  by: by.id,
  at,
  bets: Object.entries(bets).map(([number, stake]) => ({
    number: Number(number),
    stake,
    prize: prizeOf(stake, coefficientOf(Number(number))),
  })),
})

export const sold = (id: number, bets: Record<number, number>, by = CASHIER): ReceiptFact => ({
  type: 'ReceiptSold',
  at: OPENED_AT,
  by: by.id,
  id,
  sale: saleOf(bets, by),
})
export const cancelled = (sale: ReceiptFact, by: Person, at: number): Fact => ({
  ...sale,
  type: 'ReceiptCancelled',
  at,
  by: by.id,
})
export const paid = (sale: ReceiptFact, by: Person, at: number, prize: number): Fact => ({
  ...sale,
  type: 'ReceiptPaid',
  at,
  by: by.id,
  prize,
})
export const refunded = (sale: ReceiptFact, by: Person, at: number): Fact => ({
  ...sale,
  type: 'ReceiptRefunded',
  at,
  by: by.id,
})
export const printed = (sale: ReceiptFact, by: Person, at: number, copy: number): Fact => ({
  ...sale,
  type: 'ReceiptPrinted',
  at,
  by: by.id,
  copy,
})

export const sell = (bets: readonly AskedBet[], by = CASHIER): SellReceipt => ({
  type: 'SellReceipt',
  by,
  bets,
})
export const cancel = (id: number, by = CASHIER): ReceiptCommand => ({ type: 'CancelReceipt', by, id })
export const print = (id: number, by = CASHIER): ReceiptCommand => ({ type: 'PrintReceipt', by, id })
export const pay = (id: number, by = CASHIER): ReceiptCommand => ({ type: 'PayReceipt', by, id })

export const voidIt: VoidRound = { type: 'VoidRound', by: ADMIN.id, reason: 'the screen is dark' }

/** The id that the next sale gets in these stories. */
export const NEXT_ID = 1034521

const isReceiptCommand = (command: Command | ClockCommand): command is ReceiptCommand => 'id' in command

const decide = (round: Round, command: Command | ClockCommand | VoidRound, now: number) => {
  if (command.type === 'VoidRound') return decideVoid(round, command, SEED, now)
  if (command.type === 'SellReceipt') return decideSale(round, command, NEXT_ID, now)
  if (isReceiptCommand(command)) return decideReceipt(round, command, now)
  return decideClock(round, command, now)
}

export const given = (...facts: readonly Fact[]) => {
  const round = replay(ROUND_ID, [opened, ...facts])
  return {
    when: (command: Command | ClockCommand | VoidRound, now: number) => ({
      gives: (fact: Fact) => expect(decide(round, command, now)).toEqual(fact),
      givesNothing: () => expect(decide(round, command, now)).toBeUndefined(),
      isRefused: <C extends RefusalCode>(refused: C, details: RefusalDetails[C]) =>
        expect(decide(round, command, now)).toEqual({ refused, details }),
      isAFault: (message: RegExp) => expect(() => decide(round, command, now)).toThrow(message),
    }),
  }
}
