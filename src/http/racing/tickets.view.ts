import { type Amount, toPublic } from '../../domain/money.ts'
import type { ReceiptView } from '../../domain/racing/receipt-view.ts'

const shown = (system: number): number => toPublic(system as Amount)

/**
 * A receipt with its amounts in the public unit ("publique": 100 is 100.00 HTG), in the members of the reference; those that
 * say who closed it and when are named by what was done. Member by member, in one literal: a copy with members changed or
 * added costs V8 a hidden class for each receipt, and took half of the time of a list.
 */
export const publicTicket = (receipt: ReceiptView, source?: 'memory') => {
  const { status, closed } = receipt
  const closedAt = closed && new Date(closed.at).toISOString()
  const isPaid = status === 'paid'
  const isRefunded = status === 'refunded'
  const isCancelled = status === 'cancelled'
  return {
    id: receipt.id,
    receipt_id: receipt.id,
    round_id: receipt.roundId,
    user_id: receipt.by,
    total_amount: shown(receipt.total),
    status,
    prize: shown(receipt.prize),
    created_at: new Date(receipt.at).toISOString(),
    bets: receipt.bets.map(({ number, name, coeff, stake, prize }) => ({
      number,
      value: shown(stake),
      participant: { number, name, coeff: coeff / 100 },
      prize: shown(prize),
    })),
    roundId: receipt.roundId,
    track: receipt.track,
    totalAmount: shown(receipt.total),
    paidAt: isPaid ? closedAt : undefined,
    paidBy: isPaid ? closed?.by : undefined,
    refundedAt: isRefunded ? closedAt : undefined,
    refundedBy: isRefunded ? closed?.by : undefined,
    cancelledAt: isCancelled ? closedAt : undefined,
    cancelledBy: isCancelled ? closed?.by : undefined,
    _source: source,
  }
}
export type PublicTicket = ReturnType<typeof publicTicket>

export const toShown = shown
