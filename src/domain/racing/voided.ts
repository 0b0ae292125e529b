import type { Round } from './round.ts'

/** A round that an admin ended without a winner: who, when and why, and what is owed to those who hold its receipts. */
export type Voided = {
  readonly roundId: number
  readonly track: string
  readonly at: number
  readonly by: number
  readonly reason: string
  /** Receipts that get their stake back, whether or not they have it already, and the sum of those stakes. */
  readonly receipts: number
  readonly stakes: number
}

/** The round must be voided. Says the same whenever it is asked: a refund changes nothing of it. */
export const viewVoided = ({ id, opened, voided, receipts }: Round): Voided => {
  const { at, by, reason } = voided!
  let count = 0
  let stakes = 0
  for (const { status, total } of receipts.values()) {
    if (status === 'cancelled') continue
    count++
    stakes += total
  }
  return { roundId: id, track: opened.track, at, by, reason, receipts: count, stakes }
}
