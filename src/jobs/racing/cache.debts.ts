import type { Journal } from '../../actors/journal.port.ts'
import type { Archive } from '../../actors/racing/archive.port.ts'
import { Unavailable } from '../../actors/unavailable.port.ts'
import type { RoundCache } from '../../db/racing/round.cache.ts'
import type { Fact } from '../../domain/racing/facts.ts'

// What the archive pays, the cache does not hear of: it holds the receipt as won. So it has to forget the round, and that
// is a debt until it did. Nothing brings a retired round back into it.
//   D1. The debt is on disk before the archive is asked to pay: whatever becomes of the answer, it is known.
//   D2. It is settled only when no such payment is under way and the cache has forgotten the round.

const PREFIX = 'uncache/'

export class CacheDebts {
  /** The archive, of which nobody asks a payment without a note. */
  readonly archive: Archive
  readonly #journal: Journal<Fact>
  readonly #cache: Pick<RoundCache, 'drop'>
  /** Payments under way, by receipt. */
  readonly #underWay = new Map<number, number>()

  constructor(archive: Archive, journal: Journal<Fact>, cache: Pick<RoundCache, 'drop'>) {
    this.#journal = journal
    this.#cache = cache
    this.archive = {
      ...archive,
      ask: async (command, ...rest) => {
        if (command.type !== 'PayReceipt') return archive.ask(command, ...rest)
        const { id } = command
        this.#underWay.set(id, (this.#underWay.get(id) ?? 0) + 1)
        try {
          await this.#note(id)
          return await archive.ask(command, ...rest)
        } finally {
          this.#end(id)
        }
      },
    }
  }

  /** Lets the cache forget the rounds of which it may not know the truth. May throw `CacheAway` or `Unavailable`. */
  async settle(): Promise<void> {
    for (const [name] of [...this.#journal.notes(PREFIX)]) {
      const id = Number(name.slice(PREFIX.length))
      if (this.#underWay.has(id)) continue
      const receipt = await this.archive.find(id)
      if (receipt) await this.#cache.drop(receipt.roundId)
      if (!this.#underWay.has(id)) await this.#journal.write({ [name]: undefined })
    }
  }

  async #note(id: number): Promise<void> {
    try {
      await this.#journal.write({ [PREFIX + id]: true })
    } catch (error) {
      throw new Unavailable(
        'journal',
        'the journal cannot write at present; nothing was paid, ask again in a moment',
        {
          cause: error,
        },
      )
    }
  }

  #end(id: number): void {
    const left = this.#underWay.get(id)! - 1
    if (left === 0) this.#underWay.delete(id)
    else this.#underWay.set(id, left)
  }
}
