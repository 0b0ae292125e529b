import { describe, it } from 'vitest'
import {
  ADMIN,
  CASHIER,
  cancel,
  cancelled,
  coefficientOf,
  ENDS_AT,
  FIELD,
  given,
  LIMITS,
  LOCKS_AT,
  LOSER,
  locked,
  NEXT_AT,
  NEXT_ID,
  OPENED_AT,
  ORDER,
  OTHER_CASHIER,
  paid,
  pay,
  print,
  printed,
  ROUND_ID,
  raced,
  SEED,
  STARTS_AT,
  saleOf,
  sell,
  settled,
  sold,
  started,
  WINNER,
} from './given.ts'

const RECEIPT = 1_000_001
const WINS = (5_000 * coefficientOf(WINNER)) / 100
const winning = sold(RECEIPT, { [WINNER]: 5_000, [LOSER]: 2_000 })
const losing = sold(RECEIPT, { [LOSER]: 5_000 })
const now = OPENED_AT + 1_000

describe('selling', () => {
  it('gives a receipt with the prize of each bet at the round’s own odds', () => {
    given()
      .when(
        sell([
          { number: 1, stake: 5_000 },
          { number: 6, stake: 1_001 },
        ]),
        now,
      )
      .gives({
        type: 'ReceiptSold',
        at: now,
        by: CASHIER.id,
        id: NEXT_ID,
        sale: {
          by: CASHIER.id,
          at: now,
          bets: [
            { number: 1, stake: 5_000, prize: 12_500 },
            { number: 6, stake: 1_001, prize: 12_582 },
          ],
        },
      })
  })

  it('accepts the name and the coefficient that the station showed, where they are right', () => {
    given()
      .when(sell([{ number: 6, stake: 1_000, name: 'Cheval 6', coeff: 12.57 }]), now)
      .gives({
        type: 'ReceiptSold',
        at: now,
        by: CASHIER.id,
        id: NEXT_ID,
        sale: saleOf({ 6: 1_000 }, CASHIER, now),
      })
  })

  it('goes on until the last millisecond before the lock', () => {
    given()
      .when(sell([{ number: 1, stake: 1_000 }]), LOCKS_AT - 1)
      .gives({
        type: 'ReceiptSold',
        at: LOCKS_AT - 1,
        by: CASHIER.id,
        id: NEXT_ID,
        sale: saleOf({ 1: 1_000 }, CASHIER, LOCKS_AT - 1),
      })
  })

  const bet = sell([{ number: 1, stake: 5_000 }])

  it('refuses a bet decided after the lock, even if the timer is late', () => {
    given().when(bet, LOCKS_AT).isRefused('BETTING_LOCKED', { roundId: ROUND_ID, lockedAt: LOCKS_AT })
  })

  it('refuses a bet decided after the start or the end, even if all timers are late', () => {
    given().when(bet, STARTS_AT).isRefused('RACE_RUNNING', { roundId: ROUND_ID, endsAt: ENDS_AT })
    given(locked)
      .when(bet, ENDS_AT + 1)
      .isRefused('RACE_RUNNING', { roundId: ROUND_ID, endsAt: ENDS_AT })
  })

  it('refuses a bet once betting is locked, even if the clock was set back', () => {
    given(locked).when(bet, OPENED_AT).isRefused('BETTING_LOCKED', { roundId: ROUND_ID, lockedAt: LOCKS_AT })
  })

  it('refuses a bet while the race runs', () => {
    given(locked, started)
      .when(bet, STARTS_AT + 1)
      .isRefused('RACE_RUNNING', { roundId: ROUND_ID, endsAt: ENDS_AT })
  })

  it('refuses a bet on a race that is over, and says when the next round opens', () => {
    given(...raced)
      .when(bet, ENDS_AT + 1)
      .isRefused('ROUND_SETTLED', { roundId: ROUND_ID, nextAt: NEXT_AT })
  })

  it('refuses a sale that was meant for another round, whatever this one would say', () => {
    const meant = { ...sell([{ number: 1, stake: 1_000 }]), roundId: ROUND_ID - 1 }
    given()
      .when(meant, now)
      .isRefused('ROUND_CHANGED', { roundId: ROUND_ID, asked: ROUND_ID - 1 })
    given(locked)
      .when(meant, LOCKS_AT)
      .isRefused('ROUND_CHANGED', { roundId: ROUND_ID, asked: ROUND_ID - 1 })
    const own = { ...sell([{ number: 1, stake: 1_000 }]), roundId: ROUND_ID }
    given(locked).when(own, LOCKS_AT).isRefused('BETTING_LOCKED', { roundId: ROUND_ID, lockedAt: LOCKS_AT })
  })

  it('refuses a participant that is not in the field, and names those that are', () => {
    given()
      .when(
        sell([
          { number: 1, stake: 1_000 },
          { number: 7, stake: 1_000 },
        ]),
        now,
      )
      .isRefused('PARTICIPANT_UNKNOWN', { number: 7, known: [1, 2, 3, 4, 5, 6] })
  })

  it('refuses a receipt without bets', () => {
    given().when(sell([]), now).isRefused('NO_BETS', { roundId: ROUND_ID })
  })

  it('refuses a participant that stands twice on one receipt', () => {
    given()
      .when(
        sell([
          { number: 3, stake: 1_000 },
          { number: 1, stake: 1_000 },
          { number: 3, stake: 2_000 },
        ]),
        now,
      )
      .isRefused('PARTICIPANT_REPEATED', { number: 3 })
  })

  it('refuses another name than the round’s, and says the right one', () => {
    given()
      .when(sell([{ number: 3, stake: 1_000, name: 'Éclair' }]), now)
      .isRefused('PARTICIPANT_CHANGED', { number: 3, name: 'Cheval 3' })
  })

  it('refuses another coefficient than the round’s, higher or lower, and says the right one', () => {
    for (const coeff of [5.51, 5.49, 550, 0])
      given()
        .when(sell([{ number: 3, stake: 1_000, coeff }]), now)
        .isRefused('COEFFICIENT_CHANGED', { number: 3, coeff: 5.5 })
  })

  it('refuses stakes out of the limits, and stakes that are no whole numbers', () => {
    const { minStake: min, maxStake: max } = LIMITS
    for (const value of [min - 1, max + 1, 0, -5_000, 1_000.5, Number.NaN, Number.POSITIVE_INFINITY])
      given()
        .when(sell([{ number: 2, stake: value }]), now)
        .isRefused('STAKE_OUT_OF_LIMITS', { number: 2, value, min, max })
  })

  it('accepts stakes of exactly the smallest and the largest amount', () => {
    for (const stake of [LIMITS.minStake, LIMITS.maxStake])
      given()
        .when(sell([{ number: 1, stake }]), now)
        .gives({
          type: 'ReceiptSold',
          at: now,
          by: CASHIER.id,
          id: NEXT_ID,
          sale: saleOf({ 1: stake }, CASHIER, now),
        })
  })

  it('refuses a bet that the round could not pay, and says what stake it could', () => {
    // 3,000,000 at most: 2,500,000 are due already if 1 wins, so 500,000 more, at 2.50 a stake of 200,000.
    const sale = sold(RECEIPT, { 1: 1_000_000 })
    given(sale)
      .when(sell([{ number: 1, stake: 200_001 }]), now)
      .isRefused('EXPOSURE_REACHED', { number: 1, maxStake: 200_000 })
    given(sale)
      .when(sell([{ number: 1, stake: 200_000 }]), now)
      .gives({
        type: 'ReceiptSold',
        at: now,
        by: CASHIER.id,
        id: NEXT_ID,
        sale: saleOf({ 1: 200_000 }, CASHIER, now),
      })
  })

  it('has room again when a receipt was cancelled, and room on others all the time', () => {
    const full = sold(RECEIPT, { 1: 1_000_000 })
    const again = sell([{ number: 1, stake: 1_000_000 }])
    given(full).when(again, now).isRefused('EXPOSURE_REACHED', { number: 1, maxStake: 200_000 })
    given(full, cancelled(full, CASHIER, now))
      .when(again, now)
      .gives({
        type: 'ReceiptSold',
        at: now,
        by: CASHIER.id,
        id: NEXT_ID,
        sale: saleOf({ 1: 1_000_000 }, CASHIER, now),
      })
    given(full)
      .when(sell([{ number: 2, stake: 700_000 }]), now)
      .gives({
        type: 'ReceiptSold',
        at: now,
        by: CASHIER.id,
        id: NEXT_ID,
        sale: saleOf({ 2: 700_000 }, CASHIER, now),
      })
  })

  it('judges the lock before anything else that is wrong with a bet', () => {
    given(locked)
      .when(sell([{ number: 99, stake: -1 }]), LOCKS_AT)
      .isRefused('BETTING_LOCKED', { roundId: ROUND_ID, lockedAt: LOCKS_AT })
  })
})

describe('cancelling', () => {
  it('is for whoever sold the receipt', () => {
    given(losing)
      .when(cancel(RECEIPT), now)
      .gives(cancelled(losing, CASHIER, now))
  })

  it('is for admins too, and says that it was them', () => {
    given(losing)
      .when(cancel(RECEIPT, ADMIN), now)
      .gives(cancelled(losing, ADMIN, now))
  })

  it('refuses a receipt that another cashier sold', () => {
    given(losing).when(cancel(RECEIPT, OTHER_CASHIER), now).isRefused('RECEIPT_FOREIGN', { id: RECEIPT })
  })

  it('refuses a receipt that nobody sold', () => {
    given().when(cancel(RECEIPT), now).isRefused('RECEIPT_UNKNOWN', { id: RECEIPT })
  })

  it('refuses a second time, and says when and by whom it was cancelled', () => {
    given(losing, cancelled(losing, ADMIN, now))
      .when(cancel(RECEIPT), now + 5)
      .isRefused('RECEIPT_CANCELLED', { id: RECEIPT, at: now, by: ADMIN.id })
  })

  it('refuses after the lock, even if the timer is late', () => {
    given(losing)
      .when(cancel(RECEIPT), LOCKS_AT)
      .isRefused('BETTING_LOCKED', { roundId: ROUND_ID, lockedAt: LOCKS_AT })
  })

  it('refuses while the race runs and when it is over', () => {
    given(losing, locked, started)
      .when(cancel(RECEIPT), STARTS_AT)
      .isRefused('RACE_RUNNING', { roundId: ROUND_ID, endsAt: ENDS_AT })
    given(losing, ...raced)
      .when(cancel(RECEIPT, ADMIN), ENDS_AT)
      .isRefused('ROUND_SETTLED', { roundId: ROUND_ID, nextAt: NEXT_AT })
  })
})

describe('printing', () => {
  it('counts the copies, at any time', () => {
    given(losing)
      .when(print(RECEIPT), now)
      .gives(printed(losing, CASHIER, now, 1))
    given(losing, printed(losing, CASHIER, now, 1), locked, started)
      .when(print(RECEIPT, ADMIN), STARTS_AT)
      .gives(printed(losing, ADMIN, STARTS_AT, 2))
    given(losing, ...raced)
      .when(print(RECEIPT), NEXT_AT)
      .gives(printed(losing, CASHIER, NEXT_AT, 1))
  })

  it('refuses receipts that are unknown, foreign or cancelled', () => {
    given().when(print(RECEIPT), now).isRefused('RECEIPT_UNKNOWN', { id: RECEIPT })
    given(losing).when(print(RECEIPT, OTHER_CASHIER), now).isRefused('RECEIPT_FOREIGN', { id: RECEIPT })
    given(losing, cancelled(losing, CASHIER, now))
      .when(print(RECEIPT), now)
      .isRefused('RECEIPT_CANCELLED', { id: RECEIPT, at: now, by: CASHIER.id })
  })
})

describe('paying', () => {
  const paidAt = ENDS_AT + 500

  it('pays the prize of the bet on the winner, and nothing for the others on the receipt', () => {
    given(winning, ...raced)
      .when(pay(RECEIPT), paidAt)
      .gives(paid(winning, CASHIER, paidAt, WINS))
  })

  it('may be done by an admin for any cashier', () => {
    given(winning, ...raced)
      .when(pay(RECEIPT, ADMIN), paidAt)
      .gives(paid(winning, ADMIN, paidAt, WINS))
  })

  it('refuses a second time, and says when and by whom it was paid', () => {
    for (const by of [CASHIER, ADMIN])
      given(winning, ...raced, paid(winning, ADMIN, paidAt, WINS))
        .when(pay(RECEIPT, by), paidAt + 1)
        .isRefused('RECEIPT_ALREADY_PAID', { id: RECEIPT, at: paidAt, by: ADMIN.id })
  })

  it('refuses before the race is over, and says when it will be', () => {
    given(winning).when(pay(RECEIPT), now).isRefused('RECEIPT_NOT_SETTLED', { id: RECEIPT, endsAt: ENDS_AT })
    given(winning, locked, started)
      .when(pay(RECEIPT), ENDS_AT + 1)
      .isRefused('RECEIPT_NOT_SETTLED', { id: RECEIPT, endsAt: ENDS_AT })
  })

  it('refuses a receipt that did not win', () => {
    given(losing, ...raced)
      .when(pay(RECEIPT), paidAt)
      .isRefused('RECEIPT_NOT_A_WINNER', { id: RECEIPT })
  })

  it('refuses a cancelled receipt, even if it would have won', () => {
    given(winning, cancelled(winning, CASHIER, now), ...raced)
      .when(pay(RECEIPT, ADMIN), paidAt)
      .isRefused('RECEIPT_CANCELLED', { id: RECEIPT, at: now, by: CASHIER.id })
  })

  it('refuses a receipt that another cashier sold, and tells that one nothing about it', () => {
    for (const facts of [[], [cancelled(winning, CASHIER, now)]])
      given(winning, ...facts, ...raced)
        .when(pay(RECEIPT, OTHER_CASHIER), paidAt)
        .isRefused('RECEIPT_FOREIGN', { id: RECEIPT })
  })

  it('refuses a receipt that nobody sold', () => {
    given(...raced)
      .when(pay(RECEIPT), paidAt)
      .isRefused('RECEIPT_UNKNOWN', { id: RECEIPT })
  })
})

describe('the clock', () => {
  it('locks betting when it is time, not before, and once', () => {
    given()
      .when({ type: 'LockBetting' }, LOCKS_AT - 1)
      .givesNothing()
    given().when({ type: 'LockBetting' }, LOCKS_AT).gives(locked)
    given(locked).when({ type: 'LockBetting' }, LOCKS_AT).givesNothing()
  })

  it('starts the race when it is time, not before, once, and never before the lock', () => {
    given(locked)
      .when({ type: 'StartRace' }, STARTS_AT - 1)
      .givesNothing()
    given(locked).when({ type: 'StartRace' }, STARTS_AT).gives(started)
    given(locked, started).when({ type: 'StartRace' }, STARTS_AT).givesNothing()
    given().when({ type: 'StartRace' }, STARTS_AT).givesNothing()
  })

  it('settles the round when it is time, not before, and once, in the order that the seed says', () => {
    given(locked, started)
      .when({ type: 'SettleRound', seed: SEED }, ENDS_AT - 1)
      .givesNothing()
    given(locked, started).when({ type: 'SettleRound', seed: SEED }, ENDS_AT).gives(settled)
    given(...raced)
      .when({ type: 'SettleRound', seed: SEED }, ENDS_AT)
      .givesNothing()
    given(locked).when({ type: 'SettleRound', seed: SEED }, ENDS_AT).givesNothing()
  })

  it('says the time at which it happened, not the time at which it was due', () => {
    given(locked, started)
      .when({ type: 'SettleRound', seed: SEED }, ENDS_AT + 3_600_000)
      .gives({ type: 'RoundSettled', at: ENDS_AT + 3_600_000, seed: SEED, order: ORDER })
  })

  it('settles with no other seed than the one that was committed to', () => {
    given(locked, started)
      .when({ type: 'SettleRound', seed: '33'.repeat(32) }, ENDS_AT)
      .isAFault(/round 42 is not the one it was committed to/)
  })

  it('arrives at the same order whatever was bet', () => {
    const everything = sold(RECEIPT, Object.fromEntries(FIELD.map(({ number }) => [number, 100_000])))
    given(everything, locked, started).when({ type: 'SettleRound', seed: SEED }, ENDS_AT).gives(settled)
  })
})
