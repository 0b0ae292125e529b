import { NOTHING } from '../money.ts'
import type { Fact, ReceiptFact, RoundOpened, RoundSettled, RoundVoided, Sale } from './facts.ts'
import { type Receipt, Receipts } from './receipts.ts'

// A round as its facts tell it. Folding facts is the only way it changes.
//   R1. The same facts, folded in the same order, give the same round.
//   R2. stakes in = stakes held + stakes refunded, after every fact.
//   R3. The fold changes the receipts in place: a copy per receipt would make a round quadratic.

export type Phase = 'waiting' | 'betting-locked' | 'running' | 'settled'
/** What one user sold in a round. */
export type Seller = {
  /** Of its receipts, in the order of their sale. */
  readonly ids: number[]
  /** Its receipts that are not cancelled, and the sum of their prizes. */
  receiptCount: number
  totalPrize: number
}

export type Round = {
  readonly id: number
  readonly opened: RoundOpened
  phase: Phase
  readonly receipts: Receipts
  /** Of all receipts, in the order of their sale: whoever lists the latest walks from its end. */
  readonly ids: number[]
  readonly byUser: Map<number, Seller>
  /** What was bet on each participant of the field, and what it would cost if it won. Cancelled receipts are in neither. */
  readonly stakes: Map<number, number>
  readonly liabilities: Map<number, number>
  stakesIn: number
  refunded: number
  prizesPaid: number
  /** Receipts that are not cancelled, and the sum of their prizes. */
  receiptCount: number
  totalPrize: number
  /** How it ended, once it did: by its race or by an admin. Its phase is `settled` either way. */
  settled: RoundSettled | undefined
  voided: RoundVoided | undefined
  /** How many facts were folded: the number of the last one. */
  factCount: number
}

export const openRound = (id: number, opened: RoundOpened): Round => ({
  id,
  opened,
  phase: 'waiting',
  receipts: new Receipts(),
  ids: [],
  byUser: new Map(),
  stakes: new Map(opened.field.map((one) => [one.number, 0])),
  liabilities: new Map(opened.field.map((one) => [one.number, 0])),
  stakesIn: 0,
  refunded: 0,
  prizesPaid: 0,
  receiptCount: 0,
  totalPrize: 0,
  settled: undefined,
  voided: undefined,
  factCount: 1,
})

/** Rebuilds a round from all its facts, the opening first. */
export const replay = (id: number, facts: Iterable<Fact>): Round => {
  let round: Round | undefined
  for (const fact of facts) round = replayNext(id, round, fact)
  if (!round) throw new Error(`round ${id} has no facts`)
  return round
}

/** Rebuilds it by one fact more; there is none before the opening. */
export const replayNext = (id: number, round: Round | undefined, fact: Fact): Round => {
  if (round) fold(round, fact)
  else if (fact.type === 'RoundOpened') return openRound(id, fact)
  else throw new Error(`round ${id} does not begin with its opening but with ${fact.type}`)
  return round
}

export const stakesHeld = (round: Round): number => round.stakesIn - round.refunded

/** When the track's next round opens: after a void, the results' time later. */
export const nextAtOf = ({ opened, voided }: Pick<Round, 'opened' | 'voided'>): number =>
  voided ? Math.min(opened.nextAt, voided.at + opened.nextAt - opened.endsAt) : opened.nextAt

/** What the round costs at worst: the prizes due if the most expensive participant wins. */
export const exposureOf = (round: Round): number => Math.max(...round.liabilities.values())

export const fold = (round: Round, fact: Fact): void => {
  round.factCount++
  switch (fact.type) {
    case 'RoundOpened':
      throw new Error(`round ${round.id} was opened twice`)
    case 'ReceiptSold':
      sold(round, fact.id, fact.sale)
      break
    case 'ReceiptCancelled':
      cancelled(round, fact)
      break
    case 'ReceiptPrinted':
      known(round, fact).prints = fact.copy
      break
    case 'ReceiptPaid':
      paid(round, fact)
      break
    case 'ReceiptRefunded':
      refunded(round, fact)
      break
    case 'BettingLocked':
      round.phase = 'betting-locked'
      break
    case 'RaceStarted':
      round.phase = 'running'
      break
    case 'RoundSettled':
      settled(round, fact)
      break
    case 'RoundVoided':
      voided(round, fact)
      break
  }
}

const known = (round: Round, fact: ReceiptFact): Receipt => {
  const receipt = round.receipts.get(fact.id)
  if (!receipt) throw new Error(`round ${round.id} has no receipt ${fact.id} for ${fact.type}`)
  return receipt
}

const sold = (round: Round, id: number, sale: Sale): void => {
  const { total, prize } = round.receipts.add(id, sale)
  round.ids.push(id)
  const seller = sellerOf(round, sale.by)
  seller.ids.push(id)
  seller.receiptCount++
  seller.totalPrize += prize
  bear(round, sale, 1)
  round.stakesIn += total
  round.receiptCount++
  round.totalPrize += prize
}

const sellerOf = (round: Round, userId: number): Seller => {
  let seller = round.byUser.get(userId)
  if (!seller) {
    seller = { ids: [], receiptCount: 0, totalPrize: 0 }
    round.byUser.set(userId, seller)
  }
  return seller
}

const bear = (round: Round, sale: Sale, sign: 1 | -1): void => {
  for (const { number, stake, prize } of sale.bets) {
    round.stakes.set(number, (round.stakes.get(number) ?? 0) + sign * stake)
    round.liabilities.set(number, (round.liabilities.get(number) ?? 0) + sign * prize)
  }
}

const cancelled = (round: Round, fact: ReceiptFact): void => {
  const receipt = known(round, fact)
  receipt.status = 'cancelled'
  receipt.closed = { by: fact.by, at: fact.at }
  bear(round, receipt, -1)
  round.refunded += receipt.total
  round.receiptCount--
  round.totalPrize -= receipt.prize
  const seller = sellerOf(round, receipt.by)
  seller.receiptCount--
  seller.totalPrize -= receipt.prize
}

const paid = (round: Round, fact: ReceiptFact): void => {
  const receipt = known(round, fact)
  receipt.status = 'paid'
  receipt.closed = { by: fact.by, at: fact.at }
  round.prizesPaid += receipt.prize
}

const refunded = (round: Round, fact: ReceiptFact): void => {
  const receipt = known(round, fact)
  receipt.status = 'refunded'
  receipt.closed = { by: fact.by, at: fact.at }
  round.refunded += receipt.total
}

const settled = (round: Round, fact: RoundSettled): void => {
  const winner = fact.order[0]!
  round.phase = 'settled'
  round.settled = fact
  forgetPrizes(round)
  round.receipts.settle(winner, (by, prize) => {
    round.totalPrize += prize
    sellerOf(round, by).totalPrize += prize
  })
}

const forgetPrizes = (round: Round): void => {
  round.totalPrize = 0
  for (const seller of round.byUser.values()) seller.totalPrize = 0
}

const voided = (round: Round, fact: RoundVoided): void => {
  round.phase = 'settled'
  round.voided = fact
  forgetPrizes(round)
  for (const number of round.liabilities.keys()) round.liabilities.set(number, 0)
  for (const receipt of round.receipts.values()) {
    if (receipt.status === 'cancelled') continue
    receipt.prize = NOTHING
    receipt.status = 'refundable'
  }
}
