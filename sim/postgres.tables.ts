// The rows of the simulated Postgres: what the statements of the product leave behind, by the same rules, without SQL.
// Each method is one transaction: it does all that it does, or throws and did nothing. tests/sim/postgres.twin.pg.test.ts
// asks the same of these tables and of a real Postgres, and compares.
import type { RoundToRetire } from '../src/actors/racing/archive.port.ts'
import type { ReceiptFilter, StatusTotals } from '../src/db/racing/receipts.queries.ts'
import type { FactBatch } from '../src/db/racing/rounds.projection.ts'
import { type ReceiptCommand, unpayable, untouchable } from '../src/domain/racing/decide.ts'
import type { Fact, ReceiptFact } from '../src/domain/racing/facts.ts'
import type { ReceiptView } from '../src/domain/racing/receipt-view.ts'
import type { ReceiptStatus } from '../src/domain/racing/receipts.ts'
import { type Refusal, refuse } from '../src/domain/racing/refusals.ts'

export type RoundRow = {
  readonly id: number
  readonly opened: FactBatch['opened']
  status: 'waiting' | 'betting-locked' | 'running' | 'settled'
  factNumber: number
  seed: string | undefined
  arrival: readonly number[] | undefined
  retiredAt: number | undefined
  factCount: number
  receiptCount: number
  stakes: number
  prizes: number
  isReconciled: boolean
  discrepancy: string | undefined
}
export type BetRow = { readonly number: number; readonly stake: number; readonly prize: number }
export type ReceiptRow = {
  readonly id: number
  readonly roundId: number
  readonly by: number
  readonly total: number
  readonly at: number
  readonly bets: readonly BetRow[]
  prize: number
  status: ReceiptStatus
  prints: number
  closed: { by: number; at: number } | undefined
  paidKey: string | undefined
  factNumber: number
  retired: boolean
}
export type TotalRow = { receipts: number; stakes: number; prizes: number }

const PHASES = {
  BettingLocked: 'betting-locked',
  RaceStarted: 'running',
  RoundSettled: 'settled',
  RoundVoided: 'settled',
} as const
const CLOSED: Partial<Record<Fact['type'], ReceiptStatus>> = {
  ReceiptPaid: 'paid',
  ReceiptCancelled: 'cancelled',
  ReceiptRefunded: 'refunded',
}

export class PostgresTables {
  readonly rounds = new Map<number, RoundRow>()
  readonly receipts = new Map<number, ReceiptRow>()
  readonly facts = new Map<number, Map<number, Fact>>()
  /** By `user/status`. */
  readonly totals = new Map<string, TotalRow>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  project({ roundId, opened, facts }: FactBatch): void {
    for (const [, fact] of facts) if ('sale' in fact) this.#refuseForeign(roundId, fact.id)
    const round = this.rounds.get(roundId) ?? newRound(roundId, opened)
    this.rounds.set(roundId, round)
    const stored = this.facts.get(roundId) ?? new Map<number, Fact>()
    this.facts.set(roundId, stored)
    for (const [number, fact] of facts) {
      if (!stored.has(number)) stored.set(number, fact)
      if ('sale' in fact) this.#upsert(roundId, number, fact)
    }
    const last = facts.findLast(([, fact]) => fact.type in PHASES)
    if (last) movePhase(round, ...last)
  }

  find(id: number): ReceiptView | undefined {
    const row = this.receipts.get(id)
    return row?.retired ? this.#view(row) : undefined
  }

  ask({ type, id, by }: ReceiptCommand, now: number, key: string | undefined): ReceiptView | Refusal {
    const row = this.receipts.get(id)
    if (!row?.retired) return refuse('RECEIPT_UNKNOWN', { id })
    const view = this.#view(row)
    if (type === 'PayReceipt' && key !== undefined && row.paidKey === key) return view
    const refused =
      untouchable(view, view.by, by) ?? (type === 'PayReceipt' ? unpayable(view, view.endsAt) : undefined)
    if (refused) return refused
    if (type === 'CancelReceipt') throw new Error(`receipt ${id} is retired: nobody cancels it any more`)
    const sale = { by: row.by, at: row.at, bets: row.bets.map((bet) => ({ ...bet })) }
    const about = { at: now, by: by.id, id, sale }
    if (type === 'PrintReceipt') {
      row.prints++
      this.#addFact(row.roundId, { type: 'ReceiptPrinted', copy: row.prints, ...about })
      return this.#view(row)
    }
    const isRefund = row.status === 'refundable'
    this.#addFact(
      row.roundId,
      isRefund ? { type: 'ReceiptRefunded', ...about } : { type: 'ReceiptPaid', prize: row.prize, ...about },
    )
    this.#count(row, -1)
    row.status = isRefund ? 'refunded' : 'paid'
    row.closed = { by: by.id, at: now }
    row.paidKey = key
    this.#count(row, 1)
    return this.#view(row)
  }

  /** Whether the round is the archive's now. */
  takeOver({ id, factCount, winner }: RoundToRetire): boolean {
    const round = this.rounds.get(id)
    if (round?.retiredAt !== undefined) return true
    if (round?.status !== 'settled' || this.facts.get(id)!.size !== factCount) return false
    for (const row of this.#receiptsOf(id)) {
      row.retired = true
      if (row.status !== 'cancelled') row.prize = row.bets.find((bet) => bet.number === winner)?.prize ?? 0
      if (row.status === 'pending')
        row.status = winner === null ? 'refundable' : row.prize > 0 ? 'won' : 'lost'
      this.#count(row, 1)
    }
    const held = this.#receiptsOf(id).filter((row) => row.status !== 'cancelled')
    round.retiredAt = this.#now()
    round.factCount = factCount
    round.receiptCount = held.length
    round.stakes = held.reduce((sum, row) => sum + row.total, 0)
    round.prizes = held.reduce((sum, row) => sum + row.prize, 0)
    return true
  }

  owned(roundIds: readonly number[]): number[] {
    return roundIds.filter((id) => this.rounds.get(id)?.retiredAt !== undefined)
  }

  list(filter: ReceiptFilter, offset: number, limit: number): ReceiptView[] {
    return this.#matching(filter)
      .sort((a, b) => b.at - a.at || b.id - a.id)
      .slice(offset, offset + limit)
      .map((row) => this.#view(row))
  }

  since(filter: ReceiptFilter, at: number): number {
    return this.#matching(filter).filter((row) => row.at > at).length
  }

  totalsOf(filter: ReceiptFilter): StatusTotals {
    const sums: StatusTotals = {}
    const add = (status: ReceiptStatus, { receipts, stakes, prizes }: TotalRow): void => {
      if (filter.status === undefined ? status === 'cancelled' : status !== filter.status) return
      const sum = sums[status] ?? { receipts: 0, stakes: 0, prizes: 0 }
      sums[status] = {
        receipts: sum.receipts + receipts,
        stakes: sum.stakes + stakes,
        prizes: sum.prizes + prizes,
      }
    }
    if (filter.from !== undefined || filter.to !== undefined)
      for (const row of this.#matching(filter))
        add(row.status, { receipts: 1, stakes: row.total, prizes: row.prize })
    else
      for (const [name, total] of this.totals) {
        const [user, status] = name.split('/') as [string, ReceiptStatus]
        if (filter.userId === undefined || filter.userId === Number(user)) add(status, total)
      }
    return sums
  }

  storedFacts(roundIds: readonly number[]): Map<number, number[]> {
    return new Map(
      roundIds.filter((id) => this.facts.has(id)).map((id) => [id, [...this.facts.get(id)!.keys()]] as const),
    )
  }

  unreconciled(): number[] {
    const before = this.#now() - 60_000
    return [...this.rounds.values()]
      .filter(({ retiredAt, isReconciled }) => retiredAt !== undefined && retiredAt < before && !isReconciled)
      .map(({ id }) => id)
      .sort((a, b) => a - b)
  }

  withDiscrepancy(): { roundId: number; discrepancy: string }[] {
    return [...this.rounds.values()].flatMap(({ id, discrepancy }) =>
      discrepancy === undefined ? [] : [{ roundId: id, discrepancy }],
    )
  }

  recordReconciliation(roundId: number, found: readonly string[]): void {
    const round = this.rounds.get(roundId)
    if (!round) return
    round.isReconciled = true
    round.discrepancy = found.length > 0 ? found.join(', ') : undefined
  }

  #refuseForeign(roundId: number, id: number): void {
    const row = this.receipts.get(id)
    if (row && row.roundId !== roundId)
      throw new Error(`receipt ${id} of round ${roundId} has the number of one of round ${row.roundId}`)
  }

  #upsert(roundId: number, number: number, fact: ReceiptFact): void {
    const { id, sale } = fact
    let row = this.receipts.get(id)
    if (!row) {
      row = {
        id,
        roundId,
        by: sale.by,
        total: sale.bets.reduce((sum, bet) => sum + bet.stake, 0),
        at: sale.at,
        bets: sale.bets.map((bet) => ({ ...bet })),
        prize: sale.bets.reduce((most, bet) => Math.max(most, bet.prize), 0),
        status: 'pending',
        prints: 0,
        closed: undefined,
        paidKey: undefined,
        factNumber: 0,
        retired: false,
      }
      this.receipts.set(id, row)
    }
    if (row.retired) return
    if (fact.type === 'ReceiptPrinted') row.prints = Math.max(row.prints, fact.copy)
    else if (number > row.factNumber) {
      row.factNumber = number
      const status = CLOSED[fact.type]
      if (!status) return
      row.status = status
      row.closed = { by: fact.by, at: fact.at }
      if (fact.type === 'ReceiptPaid') row.prize = fact.prize
      if (fact.type === 'ReceiptRefunded') row.prize = 0
    }
  }

  #addFact(roundId: number, fact: Fact): void {
    this.facts.get(roundId)!.set(++this.rounds.get(roundId)!.factCount, fact)
  }

  #count({ by, status, total, prize }: ReceiptRow, sign: 1 | -1): void {
    const name = `${by}/${status}`
    const sum = this.totals.get(name) ?? { receipts: 0, stakes: 0, prizes: 0 }
    sum.receipts += sign
    sum.stakes += sign * total
    sum.prizes += sign * prize
    this.totals.set(name, sum)
  }

  #receiptsOf(roundId: number): ReceiptRow[] {
    return [...this.receipts.values()].filter((row) => row.roundId === roundId)
  }

  #matching({ userId, status, from, to }: ReceiptFilter): ReceiptRow[] {
    return [...this.receipts.values()].filter(
      (row) =>
        row.retired &&
        (status === undefined ? row.status !== 'cancelled' : row.status === status) &&
        (userId === undefined || row.by === userId) &&
        (from === undefined || row.at >= from) &&
        (to === undefined || row.at < to),
    )
  }

  #view(row: ReceiptRow): ReceiptView {
    const { track, commitment, endsAt, field } = this.rounds.get(row.roundId)!.opened
    const { id, roundId, by, at, total, prize, status, prints, closed } = row
    const bets = row.bets.map(({ number, stake, prize }) => {
      const { name, coeff } = field.find((one) => one.number === number)!
      return { number, name, coeff, stake, prize }
    })
    return { id, roundId, track, commitment, endsAt, by, at, total, prize, status, prints, closed, bets }
  }
}

const newRound = (id: number, opened: FactBatch['opened']): RoundRow => ({
  id,
  opened,
  status: 'waiting',
  factNumber: 1,
  seed: undefined,
  arrival: undefined,
  retiredAt: undefined,
  factCount: 0,
  receiptCount: 0,
  stakes: 0,
  prizes: 0,
  isReconciled: false,
  discrepancy: undefined,
})

const movePhase = (round: RoundRow, number: number, fact: Fact): void => {
  if (number <= round.factNumber) return
  round.factNumber = number
  round.status = PHASES[fact.type as keyof typeof PHASES]
  round.seed = 'seed' in fact ? fact.seed : undefined
  round.arrival = fact.type === 'RoundSettled' ? fact.order : undefined
}
