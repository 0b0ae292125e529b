// What was on disk at any time, kept outside of everything that may crash: the judge's own copy of the facts.
import type { Fact } from '../src/domain/racing/facts.ts'
import { canonical } from './canonical.ts'
import type { Verdict } from './verdict.ts'

export type Written = { readonly fact: Fact; readonly json: string; readonly station: string }

export class History {
  /** Facts of each round by number, the first at 1. */
  readonly rounds = new Map<number, Written[]>()
  /** Where each receipt was sold. */
  readonly roundOfReceipt = new Map<number, number>()
  /** Hears of each fact that is new. */
  onWrite: (roundId: number, fact: Fact) => void = () => {}
  readonly #verdict: Verdict

  constructor(verdict: Verdict) {
    this.#verdict = verdict
  }

  /** A fact reached a disk. */
  write(station: string, roundId: number, number: number, fact: Fact): void {
    const facts = this.rounds.get(roundId) ?? []
    this.rounds.set(roundId, facts)
    const json = canonical(fact)
    const { [number - 1]: before } = facts
    if (before) {
      this.#verdict.check('S14', before.json === json, () => [
        `fact ${number} of round ${roundId} was written twice, and differently: ${before.json} and ${json}`,
        roundId,
      ])
      return
    }
    this.#verdict.check('S14', facts.length === number - 1, () => [
      `fact ${number} of round ${roundId} was written, but only ${facts.length} before it`,
      roundId,
    ])
    facts[number - 1] = { fact, json, station }
    this.onWrite(roundId, fact)
    if (fact.type !== 'ReceiptSold') return
    this.#verdict.check('S13', !this.roundOfReceipt.has(fact.id), () => [
      `receipt ${fact.id} was sold twice`,
      roundId,
    ])
    this.roundOfReceipt.set(fact.id, roundId)
  }

  facts(roundId: number): Fact[] {
    return (this.rounds.get(roundId) ?? []).map(({ fact }) => fact)
  }

  /** Whether a fact of this kind about a receipt is on disk. */
  has(type: Fact['type'], receiptId: number): boolean {
    const facts = this.rounds.get(this.roundOfReceipt.get(receiptId) ?? -1) ?? []
    return facts.some(({ fact }) => fact.type === type && 'id' in fact && fact.id === receiptId)
  }

  isSettled(roundId: number): boolean {
    return (this.rounds.get(roundId) ?? []).some(
      ({ fact }) => fact.type === 'RoundSettled' || fact.type === 'RoundVoided',
    )
  }
}
