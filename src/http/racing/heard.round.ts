import type { Heard } from '../../actors/racing/racing.port.ts'
import {
  type Fact,
  potentialPrize,
  prizeWon,
  type RoundSettled,
  type RoundVoided,
  type Sale,
  stakeOf,
} from '../../domain/racing/facts.ts'
import { viewBets } from '../../domain/racing/receipt-view.ts'
import type { ReceiptStatus } from '../../domain/racing/receipts.ts'
import type { Phase, Round } from '../../domain/racing/round.ts'
import type { ReceiptOnTicket, RoundKnown } from './racing.view.ts'

// A round as far as it was heard. The actor's round runs ahead of the disk; whoever is told of a round may not.
//   H1. It says what the facts heard say, and nothing that is not on disk yet.
//   H2. Facts are heard in their order, so the receipts heard are the first of the actor's; only their number is kept.

const phaseAfter: Partial<Record<Fact['type'], Phase>> = {
  BettingLocked: 'betting-locked',
  RaceStarted: 'running',
  RoundSettled: 'settled',
  RoundVoided: 'settled',
}

export class HeardRound implements RoundKnown {
  readonly id: number
  readonly opened: Round['opened']
  phase: Phase
  settled: RoundSettled | undefined
  voided: RoundVoided | undefined
  receiptCount: number
  totalPrize: number
  #round: Round
  /** How many receipts were heard, of all and of each user. */
  #sold: number
  readonly #soldBy = new Map<number, number>()
  readonly #cancelled = new Set<number>()
  /** Paid, or refunded where the round was voided. */
  readonly #paid = new Set<number>()

  /** Begins with all that is in the round, which must be on disk. */
  constructor(round: Round) {
    this.id = round.id
    this.opened = round.opened
    this.phase = round.phase
    this.settled = round.settled
    this.voided = round.voided
    this.receiptCount = round.receiptCount
    this.totalPrize = round.totalPrize
    this.#round = round
    this.#sold = round.ids.length
    for (const [user, { ids }] of round.byUser) this.#soldBy.set(user, ids.length)
    for (const { id, status } of round.receipts.values()) {
      if (status === 'cancelled') this.#cancelled.add(id)
      if (status === 'paid' || status === 'refunded') this.#paid.add(id)
    }
  }

  take({ fact, receiptCount, totalPrize, round }: Heard): void {
    this.#round = round
    this.receiptCount = receiptCount
    this.totalPrize = totalPrize
    this.phase = phaseAfter[fact.type] ?? this.phase
    if (fact.type === 'ReceiptSold') {
      this.#sold++
      this.#soldBy.set(fact.sale.by, (this.#soldBy.get(fact.sale.by) ?? 0) + 1)
    } else if (fact.type === 'ReceiptCancelled') this.#cancelled.add(fact.id)
    else if (fact.type === 'ReceiptPaid' || fact.type === 'ReceiptRefunded') this.#paid.add(fact.id)
    else if (fact.type === 'RoundSettled') this.settled = fact
    else if (fact.type === 'RoundVoided') this.voided = fact
  }

  /** The latest receipts that are not cancelled, newest first: of one user, or of all. */
  latest(limit: number, user?: number): { receipts: ReceiptOnTicket[]; truncated: boolean } {
    const ids = user === undefined ? this.#round.ids : (this.#round.byUser.get(user)?.ids ?? [])
    const heard = user === undefined ? this.#sold : (this.#soldBy.get(user) ?? 0)
    const receipts: ReceiptOnTicket[] = []
    for (let i = heard - 1; i >= 0; i--) {
      const id = ids[i]!
      if (this.#cancelled.has(id)) continue
      if (receipts.length === limit) return { receipts, truncated: true }
      receipts.push(this.#receipt(id))
    }
    return { receipts, truncated: false }
  }

  #receipt(id: number): ReceiptOnTicket {
    const { sale } = this.#round.receipts.get(id)!
    const { status, prize } = this.#outcome(id, sale)
    const bets = viewBets(this.#round, sale)
    return { id, roundId: this.id, by: sale.by, at: sale.at, total: stakeOf(sale), status, prize, bets }
  }

  #outcome(id: number, sale: Sale): { status: ReceiptStatus; prize: number } {
    const isPaid = this.#paid.has(id)
    if (this.voided) return { status: isPaid ? 'refunded' : 'refundable', prize: 0 }
    if (!this.settled) return { status: 'pending', prize: potentialPrize(sale) }
    const prize = prizeWon(sale, this.settled.order[0]!)
    return { status: isPaid ? 'paid' : prize > 0 ? 'won' : 'lost', prize }
  }
}
