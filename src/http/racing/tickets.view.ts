import { type Amount, toPublic } from '../../domain/money.ts'
import type { ReceiptView } from '../../domain/racing/receipt-view.ts'
import { systemTicket } from './racing.view.ts'

const shown = (system: number): number => toPublic(system as Amount)

/** A receipt with its amounts in the public unit ("publique": 100 is 100.00 HTG), in the members of the reference. */
export const publicTicket = (receipt: ReceiptView) => {
  const ticket = systemTicket(receipt)
  return {
    ...ticket,
    roundId: receipt.roundId,
    track: receipt.track,
    total_amount: shown(receipt.total),
    totalAmount: shown(receipt.total),
    prize: shown(receipt.prize),
    bets: ticket.bets.map((bet) => ({ ...bet, value: shown(bet.value), prize: shown(bet.prize) })),
    ...closing(receipt),
  }
}
export type PublicTicket = ReturnType<typeof publicTicket>

/** Who paid, refunded or cancelled it and when, by the name of what was done. */
const closing = ({ status, closed }: ReceiptView) => {
  if (!closed) return {}
  const at = new Date(closed.at).toISOString()
  if (status === 'paid') return { paidAt: at, paidBy: closed.by }
  if (status === 'refunded') return { refundedAt: at, refundedBy: closed.by }
  return { cancelledAt: at, cancelledBy: closed.by }
}

export const toShown = shown
