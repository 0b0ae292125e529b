import * as v from 'valibot'

// Facts: all that can happen to a round, in the past tense. They are what the journal keeps and what jobs carry.
//   F1. A fact about a receipt carries its whole sale, so that whoever gets it first can write the whole row.
//   F2. Times are milliseconds since 1970; amounts are in the smallest unit; coefficients in hundredths; `by` is a user's id.

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const text = v.string()

const Bet = v.strictObject({ number: whole, stake: whole, prize: whole })
/** A stake on a participant, and its prize should that one win. */
export type Bet = Readonly<v.InferOutput<typeof Bet>>

const Sale = v.strictObject({ by: whole, at: whole, bets: v.array(Bet) })
export type Sale = Readonly<v.InferOutput<typeof Sale>>

export const RoundOpened = v.strictObject({
  type: v.literal('RoundOpened'),
  at: whole,
  track: text,
  /** Betting closes at `locksAt`, the race runs from `startsAt` to `endsAt`, the next round opens at `nextAt`. */
  locksAt: whole,
  startsAt: whole,
  endsAt: whole,
  nextAt: whole,
  field: v.array(v.strictObject({ number: whole, name: text, chance: whole, coeff: whole })),
  /** sha256 of the seed, and the seed's place in its chain. */
  commitment: text,
  chain: v.strictObject({ anchor: text, index: whole }),
  limits: v.strictObject({ minStake: whole, maxStake: whole, maxExposure: whole }),
})
export type RoundOpened = v.InferOutput<typeof RoundOpened>

const ReceiptSold = v.strictObject({
  type: v.literal('ReceiptSold'),
  at: whole,
  by: whole,
  id: whole,
  sale: Sale,
})
export type ReceiptSold = v.InferOutput<typeof ReceiptSold>

const ReceiptCancelled = v.strictObject({
  type: v.literal('ReceiptCancelled'),
  at: whole,
  by: whole,
  id: whole,
  sale: Sale,
})
export type ReceiptCancelled = v.InferOutput<typeof ReceiptCancelled>

const ReceiptPrinted = v.strictObject({
  type: v.literal('ReceiptPrinted'),
  at: whole,
  by: whole,
  id: whole,
  /** 1 for the original, 2 and more for reprints. */
  copy: whole,
  sale: Sale,
})
export type ReceiptPrinted = v.InferOutput<typeof ReceiptPrinted>

const ReceiptPaid = v.strictObject({
  type: v.literal('ReceiptPaid'),
  at: whole,
  by: whole,
  id: whole,
  prize: whole,
  sale: Sale,
})
export type ReceiptPaid = v.InferOutput<typeof ReceiptPaid>

/** The stake of a receipt whose round was voided, given back. */
const ReceiptRefunded = v.strictObject({
  type: v.literal('ReceiptRefunded'),
  at: whole,
  by: whole,
  id: whole,
  sale: Sale,
})
export type ReceiptRefunded = v.InferOutput<typeof ReceiptRefunded>

const BettingLocked = v.strictObject({ type: v.literal('BettingLocked'), at: whole })
const RaceStarted = v.strictObject({ type: v.literal('RaceStarted'), at: whole })
const RoundSettled = v.strictObject({
  type: v.literal('RoundSettled'),
  at: whole,
  /** The seed, now revealed, and the order of arrival that follows from it, winner first. */
  seed: text,
  order: v.array(whole),
})
export type RoundSettled = v.InferOutput<typeof RoundSettled>

/** The round ends without a winner: every receipt that is not cancelled is worth its stake. */
const RoundVoided = v.strictObject({
  type: v.literal('RoundVoided'),
  at: whole,
  by: whole,
  reason: text,
  /** Revealed as if it had settled: it is the commitment of the track's next round. */
  seed: text,
})
export type RoundVoided = v.InferOutput<typeof RoundVoided>

export const Fact = v.variant('type', [
  RoundOpened,
  ReceiptSold,
  ReceiptCancelled,
  ReceiptPrinted,
  ReceiptPaid,
  ReceiptRefunded,
  BettingLocked,
  RaceStarted,
  RoundSettled,
  RoundVoided,
])
export type Fact = v.InferOutput<typeof Fact>

/**
 * The door for facts. Nearly all are sales: those are looked at member by member, exactly as strictly as the schema does it,
 * and taken as they are. The schema would make a copy of each, which is half of the time that a large round takes at a start.
 * @throws where it is none that this release knows
 */
export const toFact = (row: unknown): Fact => (isSold(row) ? row : v.parse(Fact, row))

const isSold = (row: unknown): row is ReceiptSold =>
  has(row, 5) &&
  row.type === 'ReceiptSold' &&
  isWhole(row.at) &&
  isWhole(row.by) &&
  isWhole(row.id) &&
  has(row.sale, 3) &&
  isWhole(row.sale.by) &&
  isWhole(row.sale.at) &&
  Array.isArray(row.sale.bets) &&
  row.sale.bets.every(isBet)

const isBet = (bet: unknown): boolean =>
  has(bet, 3) && isWhole(bet.number) && isWhole(bet.stake) && isWhole(bet.prize)
const has = (value: unknown, members: number): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.keys(value).length === members
const isWhole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0

/** Facts about one receipt. */
export type ReceiptFact = ReceiptSold | ReceiptCancelled | ReceiptPrinted | ReceiptPaid | ReceiptRefunded

export const isReceiptFact = (fact: Fact): fact is ReceiptFact => 'sale' in fact

/** What a sale took in. */
export const stakeOf = (sale: Sale): number => sale.bets.reduce((sum, bet) => sum + bet.stake, 0)

/** The most a sale can win: only one participant wins, and nobody stands twice on a receipt. */
export const potentialPrize = (sale: Sale): number =>
  sale.bets.reduce((most, bet) => Math.max(most, bet.prize), 0)

/** What a sale won, once the winner is known. */
export const prizeWon = (sale: Sale, winner: number): number =>
  sale.bets.reduce((sum, bet) => (bet.number === winner ? sum + bet.prize : sum), 0)
