import type { Heard } from '../../actors/racing/racing.port.ts'

// Answers of `my-bets`, kept for a while for each user and query, and dropped as soon as one of the receipts that they
// speak of changes. An answer that was being made while something changed is not kept.

const TTL_MS = 30_000
const MOST_ANSWERS_PER_READER = 50

type Reader = { version: number; answers: Map<string, { body: string; until: number }> }
/** Admins read the receipts of all. */
const ALL = 'all'

export class MyBetsCache {
  readonly #readers = new Map<number | typeof ALL, Reader>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** The body kept for this query, or the one that `make` makes. Only answers that `mayKeep` are kept. */
  async answer(
    userId: number | undefined,
    query: string,
    make: () => Promise<{ body: string; mayKeep: boolean }>,
  ): Promise<string> {
    const reader = this.#reader(userId ?? ALL)
    const kept = reader.answers.get(query)
    if (kept && kept.until > this.#now()) return kept.body
    const { version } = reader
    const { body, mayKeep } = await make()
    if (mayKeep && version === reader.version) {
      if (reader.answers.size >= MOST_ANSWERS_PER_READER) reader.answers.clear()
      reader.answers.set(query, { body, until: this.#now() + TTL_MS })
    }
    return body
  }

  /** One of this user's receipts changed. */
  drop(userId: number): void {
    this.#forget(userId)
    this.#forget(ALL)
  }

  hear({ fact, round }: Heard): void {
    if ('sale' in fact) this.drop(fact.sale.by)
    else if (fact.type === 'RoundSettled' || fact.type === 'RoundVoided')
      for (const userId of round.byUser.keys()) this.drop(userId)
  }

  #reader(key: number | typeof ALL): Reader {
    let reader = this.#readers.get(key)
    if (!reader) {
      reader = { version: 0, answers: new Map() }
      this.#readers.set(key, reader)
    }
    return reader
  }

  #forget(key: number | typeof ALL): void {
    const reader = this.#readers.get(key)
    if (!reader) return
    reader.version++
    if (reader.answers.size > 0) reader.answers.clear()
  }
}
