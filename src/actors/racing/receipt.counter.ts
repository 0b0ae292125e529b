import type { Fact } from '../../domain/racing/facts.ts'
import type { Hashing } from '../../domain/racing/hashing.ts'
import { receiptNumbers } from '../../domain/racing/receipt-number.ts'
import type { Journal, Notes } from '../journal.port.ts'
import { RECEIPTS_SOLD, type StationNotes } from './station.port.ts'

/** The station's durable counter of receipts, shared by all its tracks. */
export interface ReceiptCounter {
  /** The id that the next receipt gets. */
  next(): number
  /** Uses it up: what to write down together with the sale. */
  take(): Notes
}

export const receiptCounter = (
  journal: Journal<Fact>,
  station: StationNotes,
  numbersOf = receiptNumbers,
  hashing?: Hashing,
): ReceiptCounter => {
  const idOf = numbersOf(station.number, station.key, hashing)
  let sold = (journal.note(RECEIPTS_SOLD) as number | undefined) ?? station.firstReceipt
  let id = idOf(sold)
  return {
    next: () => id,
    take: () => {
      id = idOf(++sold)
      // RECEIPTS_SOLD as a plain literal: a computed name makes a slow object of each.
      return { 'receipts/sold': sold }
    },
  }
}
