import type { ReceiptCommand } from '../../domain/racing/decide.ts'
import type { ReceiptView } from '../../domain/racing/receipt-view.ts'
import type { Refusal } from '../../domain/racing/refusals.ts'

/** A retired round's receipts belong to the archive: it decides what its receipts are asked. */
export interface Archive {
  /** @throws Unavailable */
  find(id: number): Promise<ReceiptView | undefined>
  /**
   * Pays, refunds or prints a receipt, or says why not. A payment under a key that already paid it is that payment again.
   * @throws Unavailable
   */
  ask(command: ReceiptCommand, now: number, key: string | undefined): Promise<ReceiptView | Refusal>
  /** Receives a round: verifies that all its facts arrived, settles its rows and takes it over, in one transaction. */
  takeOver(round: RoundToRetire): Promise<'taken' | 'incomplete'>
  /** Which of these rounds the archive owns already. */
  owned(roundIds: readonly number[]): Promise<number[]>
}

/** `winner` is null where the round was voided. */
export type RoundToRetire = {
  readonly id: number
  readonly factCount: number
  readonly winner: number | null
}
