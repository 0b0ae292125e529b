import type { Journal } from '../../actors/journal.port.ts'
import type { Fact } from '../../domain/racing/facts.ts'
import type { Round } from '../../domain/racing/round.ts'
import { counted, WideMap } from '../../domain/wide-map.ts'

// The ledger of persistence: which facts are on disk here and not known to be in Postgres yet, and the money in them.
//   G1. A fact counts as stored only when Postgres said so; what is unknown counts as not stored.

/** Receipts sold that are not in Postgres yet. Amount in the smallest unit, time in milliseconds. */
export type Unstored = {
  readonly receipts: number
  readonly amount: number
  readonly oldestAt: number | undefined
}

type RoundLedger = {
  /** Stakes of the facts that are not stored, by number; 0 for facts that sell nothing. */
  readonly pending: WideMap<number>
  /** Facts up to this number came from the journal at a start, and Postgres was not asked about them yet. */
  unverified: number
  /** Those of them that were stored since: Postgres may have been asked before. */
  readonly storedSince: Set<number>
  receipts: number
  amount: number
}

export class PersistenceLedger {
  readonly #journal: Journal<Fact>
  readonly #rounds = new Map<number, RoundLedger>()

  constructor(journal: Journal<Fact>) {
    this.#journal = journal
  }

  /**
   * A round found in the journal at the start, or one that Postgres does not have although it should: all of its
   * receipts count as not stored until Postgres was asked.
   */
  recover(round: Round): void {
    const ledger = this.#ledger(round.id)
    ledger.unverified = round.factCount
    ledger.pending.clear()
    ledger.storedSince.clear()
    ledger.receipts = round.receipts.size
    ledger.amount = round.stakesIn
  }

  /** Rounds about which Postgres is still to be asked. */
  unverified(): number[] {
    return [...this.#rounds].filter(([, ledger]) => ledger.unverified > 0).map(([id]) => id)
  }

  /** What Postgres said about a recovered round: the numbers of its facts that are stored there. */
  verify(round: Round, stored: readonly number[]): void {
    const ledger = this.#ledger(round.id)
    const known = new Set([...stored, ...ledger.storedSince])
    const upTo = ledger.unverified
    ledger.storedSince.clear()
    ledger.unverified = 0
    ledger.receipts = 0
    ledger.amount = 0
    const missing = new Map<number, number>()
    let isWhole = true
    for (let number = 1; number <= upTo && isWhole; number++) isWhole = known.has(number)
    if (!isWhole)
      this.#journal.read(round.id, 0, upTo).forEach((fact, i) => {
        if (!known.has(i + 1)) missing.set(i + 1, stakeIn(fact))
      })
    for (const [number, stake] of ledger.pending) if (!known.has(number)) missing.set(number, stake)
    ledger.pending.clear()
    for (const [number, stake] of missing) this.#add(ledger, number, stake)
  }

  /** A fact is on disk here. */
  written(roundId: number, number: number, fact: Fact): void {
    this.#add(this.#ledger(roundId), number, stakeIn(fact))
  }

  /** Facts are in Postgres. */
  stored(roundId: number, numbers: Iterable<number>): void {
    const ledger = this.#rounds.get(roundId)
    if (!ledger) return
    for (const number of numbers) {
      if (number <= ledger.unverified) ledger.storedSince.add(number)
      const stake = ledger.pending.get(number)
      if (stake === undefined) continue
      ledger.pending.delete(number)
      if (stake === 0) continue
      ledger.receipts--
      ledger.amount -= stake
    }
  }

  /** Whether every fact of the round is known to be in Postgres. */
  isComplete(roundId: number): boolean {
    const ledger = this.#rounds.get(roundId)
    return ledger !== undefined && ledger.unverified === 0 && ledger.pending.size === 0
  }

  /** The lowest number of a round's facts that Postgres is known not to have, but for some. */
  firstMissing(roundId: number, butFor?: ReadonlySet<number>): number | undefined {
    let first: number | undefined
    for (const number of this.#rounds.get(roundId)?.pending.keys() ?? [])
      if ((first === undefined || number < first) && !butFor?.has(number)) first = number
    return first
  }

  /** How many facts of a round are not known to be stored. */
  pendingOf(roundId: number): number {
    const ledger = this.#rounds.get(roundId)
    if (!ledger) return 0
    return ledger.unverified + ledger.pending.size
  }

  /** Receipts of one round that are not in Postgres yet. */
  unstoredOf(roundId: number): Unstored {
    const ledger = this.#rounds.get(roundId)
    if (!ledger || ledger.receipts === 0) return { receipts: 0, amount: 0, oldestAt: undefined }
    const { receipts, amount } = ledger
    return { receipts, amount, oldestAt: this.#oldestSale(roundId, ledger) }
  }

  forget(roundId: number): void {
    this.#rounds.delete(roundId)
  }

  unstored(): Unstored {
    let receipts = 0
    let amount = 0
    let oldestAt: number | undefined
    for (const [roundId, ledger] of this.#rounds) {
      receipts += ledger.receipts
      amount += ledger.amount
      if (ledger.receipts === 0) continue
      const at = this.#oldestSale(roundId, ledger)
      if (at !== undefined) oldestAt = Math.min(oldestAt ?? at, at)
    }
    return { receipts, amount, oldestAt }
  }

  #oldestSale(roundId: number, ledger: RoundLedger): number | undefined {
    if (ledger.unverified > 0) return this.#journal.read(roundId, 0, 1)[0]?.at
    for (const [number, stake] of ledger.pending)
      if (stake > 0) return this.#journal.read(roundId, number - 1, 1)[0]?.at
    return undefined
  }

  #ledger(roundId: number): RoundLedger {
    let ledger = this.#rounds.get(roundId)
    if (!ledger) {
      ledger = {
        pending: new WideMap(counted),
        unverified: 0,
        storedSince: new Set(),
        receipts: 0,
        amount: 0,
      }
      this.#rounds.set(roundId, ledger)
    }
    return ledger
  }

  #add(ledger: RoundLedger, number: number, stake: number): void {
    if (ledger.pending.has(number)) return
    ledger.pending.set(number, stake)
    if (stake === 0) return
    ledger.receipts++
    ledger.amount += stake
  }
}

const stakeIn = (fact: Fact): number =>
  fact.type === 'ReceiptSold' ? fact.sale.bets.reduce((sum, bet) => sum + bet.stake, 0) : 0
