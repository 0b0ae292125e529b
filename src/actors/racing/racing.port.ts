import type { ReceiptCommand, SellReceipt, VoidRound } from '../../domain/racing/decide.ts'
import type { Fact } from '../../domain/racing/facts.ts'
import type { ReceiptView } from '../../domain/racing/receipt-view.ts'
import type { Refusal } from '../../domain/racing/refusals.ts'
import type { Round } from '../../domain/racing/round.ts'
import type { Voided } from '../../domain/racing/voided.ts'

/** A fact on disk, with the round's totals as they were just after it. */
export type Heard = {
  readonly roundId: number
  readonly number: number
  readonly fact: Fact
  readonly receiptCount: number
  readonly totalPrize: number
  readonly round: Round
}

/** A key of one user, and a digest of what was asked under it. */
export type OnceKey = { readonly user: number; readonly key: string; readonly digest: string }

/** What a command is answered: the receipt as it is now, or why not. */
export type Outcome = ReceiptView | Refusal

/** Whether a track opens rounds, and who said so last and when, if anybody did. */
export type TrackState = {
  readonly track: string
  readonly paused: boolean
  readonly changedAt: number | null
  readonly changedBy: number | null
}

/** Where everyone in a race is at some of its pieces, one after another. The same of every start of the server. */
export type RaceProgress = {
  readonly roundId: number
  readonly track: string
  /** How many pieces the race has. Piece k is shown at k ÷ pieces of its time; piece 0 is the start. */
  readonly pieces: number
  /** The first of those that are told here. */
  readonly first: number
  /** Of each piece, and of each participant in the order of the field. */
  readonly positions: readonly (readonly number[])[]
}

/** Racing, as those outside the actors' room know it. Every method that decides may throw `Unavailable`. */
export interface RacingPort {
  readonly tracks: readonly string[]
  /** Sells on a track's current round. */
  sell(track: string, command: SellReceipt, once?: OnceKey): Promise<Outcome>
  /** Cancels, prints or pays a receipt: asks its owner. */
  change(command: ReceiptCommand, once?: OnceKey): Promise<Outcome>
  /** Ends a round without a winner: every receipt gets its stake back. `undefined` where no actor owns the round. */
  voidRound(roundId: number, command: VoidRound): Promise<Voided | Refusal | undefined>
  /** Whether a track is paused: then it opens no round after the current one. */
  trackState(track: string): TrackState
  /** Pauses or resumes a track. */
  pause(track: string, paused: boolean, by: number): Promise<TrackState>
  /** A receipt, from whoever owns it. */
  find(id: number): Promise<ReceiptView | undefined>
  current(track: string): Round | undefined
  /** A round that an actor owns. */
  round(id: number): Round | undefined
  /** Rounds that an actor owns, oldest first. */
  rounds(): Iterable<Round>
  /**
   * Wait for it, where there is one, before telling anybody what was read here: ask for it in the same turn as reading.
   * Rejects with `Unavailable` where what was read may never have been.
   */
  settled(): Promise<void> | undefined
  /** Calls `listener` with every fact once it is on disk, in order for each round. */
  listen(listener: (heard: Heard) => void): () => void
  /** Calls `listener` when a track was paused or resumed. */
  listenTracks(listener: (state: TrackState) => void): () => void
  /** Calls `listener` with where everyone in a race is, shortly before it is to be shown. After a restart from piece 0. */
  listenRaces(listener: (progress: RaceProgress) => void): () => void
  /** Calls `listener` with every receipt of a retired round once it is paid or refunded. */
  listenArchive(listener: (paid: ReceiptView) => void): () => void
  /**
   * Waits until no round is being handed over, and tells how many were so far: the same number before and after means
   * that what was read between came from one owner each. @throws Unavailable while nobody knows who owns a round
   */
  betweenHandOvers(): Promise<number>
  /** Hands a settled round over to the archive, if the archive has all of its facts. Says whether it is retired now. */
  retire(roundId: number): Promise<boolean>
  /** Asks the archive about rounds of which nobody knows yet whether it took them. @returns those that it did take */
  resolveHandOvers(): Promise<number[]>
  /** Forgets idempotency keys of days gone by. */
  forgetOldKeys(): Promise<void>
}
