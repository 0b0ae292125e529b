// What may not be known yet: the seeds of races that are not settled on disk, and their order of arrival.
import type { Fact } from '../src/domain/racing/facts.ts'
import { chainOf, sha256 } from './oracle.ts'
import type { Verdict } from './verdict.ts'

const HASHES = /\b[0-9a-f]{64}\b/g
/** What the public topic never speaks of. */
const PRIVATE = /"(receipt\w*|tickets|bets|user_id|total_amount|total(Receipts|Prize|Mise)|stakes?|prizes?)":/

export class Secrets {
  readonly #verdict: Verdict
  readonly #chainLength: number
  /** Chains by their anchor. */
  readonly #chains = new Map<string, string[]>()
  readonly #secret = new Set<string>()
  /** Seeds and commitments that anyone may know. */
  readonly #open = new Set<string>()
  /** Seeds of races that are to come. */
  readonly #unsettled = new Set<string>()
  readonly #settled = new Set<number>()
  readonly #inspected = new Set<string>()

  constructor(verdict: Verdict, chainLength: number) {
    this.#verdict = verdict
    this.#chainLength = chainLength
  }

  /** A secret that a server was given to make a chain of. */
  add(secret: string): void {
    const seeds = chainOf(secret, this.#chainLength)
    this.#chains.set(sha256(seeds[0]!), seeds)
    for (const seed of seeds) this.#secret.add(seed)
  }

  /** The seed behind an opening; `undefined` where the chain is not one that was given. */
  seedOf({ chain }: Extract<Fact, { type: 'RoundOpened' }>): string | undefined {
    return this.#chains.get(chain.anchor)?.[chain.index]
  }

  /** A fact is on disk: what it says is known. */
  write(roundId: number, fact: Fact): void {
    if (fact.type === 'RoundOpened') {
      const { commitment } = fact
      this.#unsettled.add(this.seedOf(fact) ?? '')
      this.#verdict.check('S11', !this.#unsettled.has(commitment), () => [
        `the commitment of round ${roundId} is the seed of a round that is not settled`,
        roundId,
      ])
      this.#open.add(commitment)
    }
    if (fact.type === 'RoundSettled' || fact.type === 'RoundVoided') {
      this.#open.add(fact.seed)
      this.#unsettled.delete(fact.seed)
      this.#settled.add(roundId)
    }
  }

  /** Looks through what leaves the server. */
  inspect(told: unknown, what: string): void {
    this.inspectText(JSON.stringify(told), what)
  }

  inspectText(text: string, what: string): void {
    for (const [hash] of text.matchAll(HASHES))
      this.#verdict.check('S11', !this.#secret.has(hash) || this.#open.has(hash), () => [
        `${what} tells the seed ${hash} too early: ${text.slice(0, 300)}`,
      ])
  }

  /** Looks through a frame. */
  inspectFrame(text: string): void {
    // What was no secret once is none later.
    if (this.#inspected.has(text)) return
    this.#inspected.add(text)
    this.inspectText(text, 'a frame')
    const message = JSON.parse(text) as { topic?: string; event: string }
    if (message.topic === 'race')
      this.#verdict.check('S11', !PRIVATE.test(text), () => [
        `a frame of the public topic tells of receipts: ${text.slice(0, 300)}`,
      ])
    for (const roundId of roundsWithResult(message, -1))
      this.#verdict.check('S11', this.#settled.has(roundId), () => [
        `a frame tells the result of round ${roundId} before it is settled: ${text.slice(0, 300)}`,
        roundId,
      ])
  }
}

/** Rounds whose winner, order or seed is told anywhere within. */
const roundsWithResult = (value: unknown, around: number): number[] => {
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.flatMap((one) => roundsWithResult(one, around))
  const { roundId, id } = value as { roundId?: unknown; id?: unknown }
  const within = typeof roundId === 'number' ? roundId : typeof id === 'number' ? id : around
  return Object.entries(value).flatMap(([name, one]) =>
    name === 'winner' || name === 'order' || name === 'seed' ? [within] : roundsWithResult(one, within),
  )
}
