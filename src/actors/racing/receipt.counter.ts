import type { Fact } from '../../domain/racing/facts.ts'
import { receiptNumbers } from '../../domain/racing/receipt-number.ts'
import type { Journal, Notes } from '../journal.port.ts'

const SOLD = 'receipts/sold'

/** What a station needs to number its receipts; kept in the journal under `station`. */
export type StationNotes = {
  readonly number: string
  /** Secret key of the permutation that scatters the numbers, in hexadecimal. */
  readonly key: string
  /** Counters below this one may be in use already, from a journal before this. */
  readonly firstReceipt: number
  /** Ids of rounds begin here, so that no two journals of a network share one. */
  readonly firstRound: number
}

/** The station's durable counter of receipts, shared by all its tracks. */
export interface ReceiptCounter {
  /** The id that the next receipt gets. */
  next(): number
  /** Uses it up: what to write down together with the sale. */
  take(): Notes
}

export const receiptCounter = (journal: Journal<Fact>, station: StationNotes): ReceiptCounter => {
  const idOf = receiptNumbers(station.number, station.key)
  let sold = (journal.note(SOLD) as number | undefined) ?? station.firstReceipt
  let id = idOf(sold)
  return {
    next: () => id,
    take: () => {
      id = idOf(++sold)
      return { [SOLD]: sold }
    },
  }
}
