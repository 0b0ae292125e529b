import { describe, expect, it } from 'vitest'
import { decideVoid } from '../../../src/domain/racing/decide.ts'
import { nextAtOf, replay } from '../../../src/domain/racing/round.ts'
import { viewVoided } from '../../../src/domain/racing/voided.ts'
import {
  ADMIN,
  CASHIER,
  cancel,
  cancelled,
  ENDS_AT,
  given,
  LOCKS_AT,
  locked,
  NEXT_AT,
  OPENED_AT,
  OTHER_CASHIER,
  opened,
  pay,
  ROUND_ID,
  raced,
  refunded,
  STARTS_AT,
  sell,
  sold,
  started,
  voided,
  voidIt,
} from './given.ts'

const ID = 1_000_001
const sale = sold(ID, { 1: 5_000, 2: 2_000 })
const NOON = OPENED_AT + 10_000

describe('voiding a round', () => {
  it.each([
    ['while bets are taken', [], NOON],
    ['while betting is locked', [locked], LOCKS_AT + 1],
    ['while the race runs', [locked, started], ENDS_AT - 1],
  ])('ends it %s', (_, facts, at) => {
    given(sale, ...facts)
      .when(voidIt, at)
      .gives(voided(at))
  })

  it('is too late when the race is over, whether or not the round is settled yet', () => {
    given(locked, started)
      .when(voidIt, ENDS_AT)
      .isRefused('ROUND_DECIDED', { roundId: ROUND_ID, endsAt: ENDS_AT })
    given(...raced)
      .when(voidIt, NEXT_AT)
      .isRefused('ROUND_DECIDED', { roundId: ROUND_ID, endsAt: ENDS_AT })
  })

  it('happens once: asked again, however late, nothing is decided', () => {
    given(sale, voided(NOON))
      .when(voidIt, NOON + 1)
      .givesNothing()
    given(sale, voided(NOON))
      .when(voidIt, NEXT_AT + 1)
      .givesNothing()
  })

  it('is a fault with a seed that the round was not committed to', () => {
    const round = replay(ROUND_ID, [opened])
    expect(() => decideVoid(round, voidIt, '33'.repeat(32), NOON)).toThrow(/not the one it was committed to/)
  })
})

describe('a voided round', () => {
  it('sells and cancels nothing any more', () => {
    const details = { roundId: ROUND_ID, nextAt: NOON + NEXT_AT - ENDS_AT }
    given(sale, voided(NOON))
      .when(sell([{ number: 1, stake: 1_000 }]), NOON + 1)
      .isRefused('ROUND_VOIDED', details)
    given(sale, voided(NOON))
      .when(cancel(ID), NOON + 1)
      .isRefused('ROUND_VOIDED', details)
  })

  it('locks, races and settles no more', () => {
    given(voided(NOON)).when({ type: 'LockBetting' }, LOCKS_AT).givesNothing()
    given(locked, voided(LOCKS_AT)).when({ type: 'StartRace' }, STARTS_AT).givesNothing()
  })

  it('gives each stake back once, to its seller or an admin', () => {
    given(sale, voided(NOON))
      .when(pay(ID), NOON + 5)
      .gives(refunded(sale, CASHIER, NOON + 5))
    given(sale, voided(NOON))
      .when(pay(ID, OTHER_CASHIER), NOON + 5)
      .isRefused('RECEIPT_FOREIGN', { id: ID })
    given(sale, voided(NOON), refunded(sale, ADMIN, NOON + 6))
      .when(pay(ID), NOON + 7)
      .isRefused('RECEIPT_ALREADY_REFUNDED', { id: ID, at: NOON + 6, by: ADMIN.id })
  })

  it('gives nothing back for what was cancelled before', () => {
    given(sale, cancelled(sale, CASHIER, NOON - 1), voided(NOON))
      .when(pay(ID), NOON + 5)
      .isRefused('RECEIPT_CANCELLED', { id: ID, at: NOON - 1, by: CASHIER.id })
  })

  it('says the same of itself before and after its stakes were given back', () => {
    const gone = sold(ID + 1, { 3: 1_000 })
    const before = [opened, sale, gone, cancelled(gone, CASHIER, NOON - 1), voided(NOON)]
    const view = viewVoided(replay(ROUND_ID, before))
    expect(view).toEqual({
      roundId: ROUND_ID,
      track: 'Longchamp',
      at: NOON,
      by: ADMIN.id,
      reason: 'the screen is dark',
      receipts: 1,
      stakes: 7_000,
    })
    expect(viewVoided(replay(ROUND_ID, [...before, refunded(sale, CASHIER, NOON + 5)]))).toEqual(view)
  })

  it('is followed by the next one after the usual time of results, at the latest when that was due', () => {
    expect(nextAtOf(replay(ROUND_ID, [opened, voided(NOON)]))).toBe(NOON + NEXT_AT - ENDS_AT)
    expect(nextAtOf(replay(ROUND_ID, [opened, locked, started, voided(ENDS_AT - 1)]))).toBe(NEXT_AT - 1)
  })
})
