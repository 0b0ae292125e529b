import { commitmentOf, drawOrder } from './draw.ts'
import type { Bet, Fact } from './facts.ts'
import { prizeOf } from './odds.ts'
import type { Receipt } from './receipts.ts'
import { type Refusal, refuse } from './refusals.ts'
import { nextAtOf, type Round } from './round.ts'

// What a round answers to a command, decided from the round, the command and the time alone.
//   C1. A bet is judged by its time of decision against `locksAt`, whether or not the lock's timer has fired.
//   C2. Odds are the round's own; what a client says of them is compared, never used.
//   C3. A receipt is paid once, only if it won, for the prize that its bets say. One of a voided round gets its stake
//       back instead, once.
//   C4. A cashier touches only the receipts that it sold; an admin touches all.
//   C5. The order of arrival follows from the committed seed; any other seed is a fault.
//   C6. A round is voided before its race is over or never, and once; asked again, the first word stands.

/** Who asks: a user, and whether it may touch receipts that others sold. */
export type Person = { readonly id: number; readonly admin: boolean }

/** A bet as a station asks for it. `name` and `coeff` (public, 2.5) are what the station showed, where it says so. */
export type AskedBet = {
  readonly number: number
  readonly stake: number
  readonly name?: string | undefined
  readonly coeff?: number | undefined
}

export type SellReceipt = {
  readonly type: 'SellReceipt'
  readonly by: Person
  readonly bets: readonly AskedBet[]
  /** The round that the customer saw, where the station says so: the sale is for that one or for none. */
  readonly roundId?: number | undefined
}
export type ReceiptCommand = {
  readonly type: 'CancelReceipt' | 'PrintReceipt' | 'PayReceipt'
  readonly by: Person
  readonly id: number
}
/** What people ask of a round. */
export type Command = SellReceipt | ReceiptCommand
/** An admin ends a round without a winner. */
export type VoidRound = { readonly type: 'VoidRound'; readonly by: number; readonly reason: string }
/** What the clock asks of a round. */
export type ClockCommand =
  | { readonly type: 'LockBetting' | 'StartRace' }
  | { readonly type: 'SettleRound'; readonly seed: string }

/** Sells: the fact, with the receipt id that the caller set aside, or why not. */
export const decideSale = (
  round: Round,
  command: SellReceipt,
  receiptId: number,
  now: number,
): Fact | Refusal => {
  if (command.roundId !== undefined && command.roundId !== round.id)
    return refuse('ROUND_CHANGED', { roundId: round.id, asked: command.roundId })
  const closed = bettingClosed(round, now)
  if (closed) return closed
  if (command.bets.length === 0) return refuse('NO_BETS', { roundId: round.id })
  const bets: Bet[] = []
  for (const asked of command.bets) {
    const bet = decideBet(round, asked, bets)
    if ('refused' in bet) return bet
    bets.push(bet)
  }
  return {
    type: 'ReceiptSold',
    at: now,
    by: command.by.id,
    id: receiptId,
    // A copy is as long as it must be; what was pushed has room for more, 120 bytes for every receipt that lives.
    sale: { by: command.by.id, at: now, bets: bets.slice() },
  }
}

/** Why nothing may be sold or cancelled any more, if so. */
const bettingClosed = (round: Round, now: number): Refusal | undefined => {
  const { locksAt, startsAt, endsAt } = round.opened
  if (round.phase === 'settled')
    return refuse(round.voided ? 'ROUND_VOIDED' : 'ROUND_SETTLED', {
      roundId: round.id,
      nextAt: nextAtOf(round),
    })
  if (round.phase === 'running' || now >= startsAt)
    return refuse('RACE_RUNNING', { roundId: round.id, endsAt })
  if (round.phase === 'betting-locked' || now >= locksAt)
    return refuse('BETTING_LOCKED', { roundId: round.id, lockedAt: locksAt })
  return undefined
}

const decideBet = (round: Round, asked: AskedBet, earlier: readonly Bet[]): Bet | Refusal => {
  const { field, limits } = round.opened
  const { number, stake } = asked
  const participant = field.find((one) => one.number === number)
  if (!participant) return refuse('PARTICIPANT_UNKNOWN', { number, known: field.map((one) => one.number) })
  if (earlier.some((bet) => bet.number === number)) return refuse('PARTICIPANT_REPEATED', { number })
  if (asked.name !== undefined && asked.name !== participant.name)
    return refuse('PARTICIPANT_CHANGED', { number, name: participant.name })
  if (asked.coeff !== undefined && asked.coeff !== participant.coeff / 100)
    return refuse('COEFFICIENT_CHANGED', { number, coeff: participant.coeff / 100 })
  if (!Number.isSafeInteger(stake) || stake < limits.minStake || stake > limits.maxStake)
    return refuse('STAKE_OUT_OF_LIMITS', { number, value: stake, min: limits.minStake, max: limits.maxStake })
  const prize = prizeOf(stake, participant.coeff)
  const room = limits.maxExposure - (round.liabilities.get(number) ?? 0)
  if (prize > room)
    return refuse('EXPOSURE_REACHED', { number, maxStake: stakeWithin(room, participant.coeff) })
  return { number, stake, prize }
}

const stakeWithin = (room: number, coeff: number): number => Math.max(0, Math.floor((room * 100) / coeff))

/** The largest stake that a bet on a participant may have now, by the limit for bets and by the exposure of the round. */
export const largestStake = (
  { opened, liabilities }: Pick<Round, 'opened' | 'liabilities'>,
  { number, coeff }: { readonly number: number; readonly coeff: number },
): number => {
  const { maxExposure, maxStake } = opened.limits
  return Math.min(maxStake, stakeWithin(maxExposure - (liabilities.get(number) ?? 0), coeff))
}

/** Cancels, prints or pays a receipt of the round, or says why not. */
export const decideReceipt = (round: Round, command: ReceiptCommand, now: number): Fact | Refusal => {
  const receipt = round.receipts.get(command.id)
  if (!receipt) return refuse('RECEIPT_UNKNOWN', { id: command.id })
  const barred = untouchable(receipt, receipt.by, command.by)
  if (barred) return barred
  const { id, sale } = receipt
  const fact = { at: now, by: command.by.id, id, sale }
  switch (command.type) {
    case 'CancelReceipt':
      return bettingClosed(round, now) ?? { type: 'ReceiptCancelled', ...fact }
    case 'PrintReceipt':
      return { type: 'ReceiptPrinted', ...fact, copy: receipt.prints + 1 }
    case 'PayReceipt':
      return (
        unpayable(receipt, round.opened.endsAt) ??
        (receipt.status === 'refundable'
          ? { type: 'ReceiptRefunded', ...fact }
          : { type: 'ReceiptPaid', ...fact, prize: receipt.prize })
      )
  }
}

type Closable = Pick<Receipt, 'id' | 'status' | 'closed'>

/** Why this person may do nothing at all with the receipt that `seller` sold, if so. */
export const untouchable = (receipt: Closable, seller: number, by: Person): Refusal | undefined => {
  if (!by.admin && seller !== by.id) return refuse('RECEIPT_FOREIGN', { id: receipt.id })
  if (receipt.status === 'cancelled')
    return refuse('RECEIPT_CANCELLED', { id: receipt.id, ...receipt.closed! })
  return undefined
}

/** Why for the receipt of a race that ends at `endsAt` neither a prize nor its stake is to be handed out, if so. */
export const unpayable = ({ id, status, closed }: Closable, endsAt: number): Refusal | undefined => {
  if (status === 'paid') return refuse('RECEIPT_ALREADY_PAID', { id, ...closed! })
  if (status === 'refunded') return refuse('RECEIPT_ALREADY_REFUNDED', { id, ...closed! })
  if (status === 'pending') return refuse('RECEIPT_NOT_SETTLED', { id, endsAt })
  if (status === 'lost') return refuse('RECEIPT_NOT_A_WINNER', { id })
  return undefined
}

/**
 * Voids the round, or says why not; `undefined` where that was done before.
 * @param seed the one that the round was committed to
 */
export const decideVoid = (
  round: Round,
  { by, reason }: VoidRound,
  seed: string,
  now: number,
): Fact | Refusal | undefined => {
  const { endsAt, commitment } = round.opened
  if (round.voided) return undefined
  if (round.phase === 'settled' || now >= endsAt)
    return refuse('ROUND_DECIDED', { roundId: round.id, endsAt })
  checkSeed(round, seed, commitment)
  return { type: 'RoundVoided', at: now, by, reason, seed }
}

const checkSeed = ({ id }: Round, seed: string, commitment: string): void => {
  if (commitmentOf(seed) !== commitment)
    throw new Error(`the seed offered for round ${id} is not the one it was committed to`)
}

/** What the clock brings: the next phase, or nothing where it is not due. */
export const decideClock = (round: Round, command: ClockCommand, now: number): Fact | undefined => {
  const { locksAt, startsAt, endsAt, field, commitment } = round.opened
  switch (command.type) {
    case 'LockBetting':
      return round.phase === 'waiting' && now >= locksAt ? { type: 'BettingLocked', at: now } : undefined
    case 'StartRace':
      return round.phase === 'betting-locked' && now >= startsAt
        ? { type: 'RaceStarted', at: now }
        : undefined
    case 'SettleRound': {
      if (round.phase !== 'running' || now < endsAt) return undefined
      checkSeed(round, command.seed, commitment)
      const order = drawOrder(command.seed, round.id, field)
      return { type: 'RoundSettled', at: now, seed: command.seed, order }
    }
  }
}
