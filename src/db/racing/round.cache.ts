import { prizeWon } from '../../domain/racing/facts.ts'
import type { ReceiptStatus } from '../../domain/racing/receipts.ts'

// The cache of a round: its receipts and their sums, for a while, for readers that may do without.
//   H1. A change is applied whole or not at all; sums change with the receipts they count.
//   H2. Each receipt carries the number of the fact that wrote it; an older one never overwrites a newer one.
//   H3. It may forget a round at any time, but only whole: changes to a round that it does not have are passed over.
//   H4. Nothing is decided from it.

export const CACHE_TTL_S = 3600
/**
 * A round with more receipts is not cached. Its document is written whole at each change, which for a round of 100,000
 * would keep a Redis, and the queues on it, from everything else; and a server's own memory has better uses.
 */
export const MOST_RECEIPTS = 10_000

/** A receipt as callers of the cache know it: amounts in the smallest unit, times in milliseconds, `coeff` as shown (2.5). */
export type CachedReceipt = {
  readonly id: number
  readonly user_id: number
  readonly created_at: number
  readonly total_amount: number
  readonly bets: readonly {
    readonly number: number
    readonly value: number
    readonly participant: { readonly number: number; readonly name: string; readonly coeff: number }
    readonly prize: number
  }[]
  readonly status: ReceiptStatus
  readonly prize: number
}

/** What `round:{roundId}:data` holds. */
export type CachedRound = {
  readonly receipts: readonly CachedReceipt[]
  readonly stats: {
    readonly totalReceipts: number
    readonly totalMise: number
    readonly participantMise: Readonly<Record<string, number>>
  }
}

/** A receipt as fact `number` left it; `gone` once it is cancelled. */
export type CacheChange = { readonly number: number; readonly receipt: CachedReceipt; readonly gone: boolean }

/** The cache does not answer: the same change may well be taken later. */
export class CacheAway extends Error {
  constructor(cause: unknown) {
    super('the cache does not answer at present', { cause })
    this.name = 'CacheAway'
  }
}

/** Every method may throw `CacheAway`. */
export interface RoundCache {
  /** Begins an empty round; does nothing where it is there. */
  open(roundId: number): Promise<void>
  /** Whether changes to this round would be taken. */
  has(roundId: number): Promise<boolean>
  change(roundId: number, changes: readonly CacheChange[]): Promise<void>
  /** Gives every pending receipt its outcome; without a winner the round was voided. */
  settle(roundId: number, winner: number | null): Promise<void>
  drop(roundId: number): Promise<void>
  read(roundId: number): Promise<CachedRound | undefined>
  close(): Promise<void>
}

/**
 * The number that a receipt carries once it has its outcome: after the fact that wrote it and before any other, so that a
 * cancellation that was held up on its way still takes it out.
 */
export const numberWithOutcome = (number: number): number => Math.floor(number) + 0.5

/** The receipt once the race is over, or its round was voided. */
export const withOutcome = (receipt: CachedReceipt, winner: number | null): CachedReceipt => {
  if (receipt.status !== 'pending') return receipt
  if (winner === null) return { ...receipt, status: 'refundable', prize: 0 }
  const bets = receipt.bets.map((bet) => ({ number: bet.number, stake: bet.value, prize: bet.prize }))
  const prize = prizeWon({ by: 0, at: 0, bets }, winner)
  return { ...receipt, status: prize > 0 ? 'won' : 'lost', prize }
}
