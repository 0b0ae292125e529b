import type { Sale } from './facts.ts'
import type { Receipt, ReceiptStatus } from './receipts.ts'
import type { Round } from './round.ts'

/** A bet with what its participant was called and paid when it was made. Amounts smallest unit, coefficient hundredths. */
export type BetView = {
  readonly number: number
  readonly name: string
  readonly coeff: number
  readonly stake: number
  readonly prize: number
}

/** A receipt as whoever owns it shows it, the same from a live round and from the archive. */
export type ReceiptView = {
  readonly id: number
  readonly roundId: number
  readonly track: string
  readonly commitment: string
  readonly endsAt: number
  readonly by: number
  readonly at: number
  readonly total: number
  readonly prize: number
  readonly status: ReceiptStatus
  readonly prints: number
  readonly closed: { readonly by: number; readonly at: number } | undefined
  readonly bets: readonly BetView[]
}

/** What its holder is handed at the counter, now or once: the prize, or the stake of a voided round. */
export const amountDue = ({
  status,
  total,
  prize,
}: Pick<ReceiptView, 'status' | 'total' | 'prize'>): number =>
  status === 'refundable' || status === 'refunded' ? total : prize

export const viewBets = (round: Round, sale: Pick<Sale, 'bets'>): BetView[] =>
  sale.bets.map(({ number, stake, prize }) => {
    const { name, coeff } = round.opened.field.find((one) => one.number === number)!
    return { number, name, coeff, stake, prize }
  })

export const viewReceipt = (round: Round, receipt: Receipt): ReceiptView => ({
  id: receipt.id,
  roundId: round.id,
  track: round.opened.track,
  commitment: round.opened.commitment,
  endsAt: round.opened.endsAt,
  by: receipt.by,
  at: receipt.at,
  total: receipt.total,
  prize: receipt.prize,
  status: receipt.status,
  prints: receipt.prints,
  closed: receipt.closed,
  bets: viewBets(round, receipt),
})
