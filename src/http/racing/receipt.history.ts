import type { NumberedFact } from '../../db/racing/audit.queries.ts'
import { type Fact, stakeOf } from '../../domain/racing/facts.ts'
import type { NameOf } from './receipts.routes.ts'

/** What happened to a receipt, as the desk calls it. */
export type FactOfReceipt =
  | 'sold'
  | 'cancelled'
  | 'printed'
  | 'paid'
  | 'refunded'
  | 'round_settled'
  | 'round_voided'

const NAMES: Partial<Record<Fact['type'], FactOfReceipt>> = {
  ReceiptSold: 'sold',
  ReceiptCancelled: 'cancelled',
  ReceiptPrinted: 'printed',
  ReceiptPaid: 'paid',
  ReceiptRefunded: 'refunded',
  RoundSettled: 'round_settled',
  RoundVoided: 'round_voided',
}

export const isAboutReceipt = ({ fact }: NumberedFact): boolean => fact.type in NAMES

/** A fact for the desk. `amount` is what changed hands, in the smallest unit. */
export const shownFact = ({ number, fact }: NumberedFact, nameOf: NameOf) => {
  const by = 'by' in fact ? fact.by : null
  return {
    number,
    type: NAMES[fact.type]!,
    at: fact.at,
    by,
    byName: by === null ? null : (nameOf(by) ?? null),
    ...about(fact),
  }
}

const about = (fact: Fact): { amount?: number; copy?: number; winner?: number; reason?: string } => {
  switch (fact.type) {
    case 'ReceiptSold':
    case 'ReceiptCancelled':
    case 'ReceiptRefunded':
      return { amount: stakeOf(fact.sale) }
    case 'ReceiptPaid':
      return { amount: fact.prize }
    case 'ReceiptPrinted':
      return { copy: fact.copy }
    case 'RoundSettled':
      return { winner: fact.order[0]! }
    case 'RoundVoided':
      return { reason: fact.reason }
    default:
      return {}
  }
}
