import type { Journal } from '../../actors/journal.port.ts'
import type { RacingPort } from '../../actors/racing/racing.port.ts'
import type { Fact } from '../../domain/racing/facts.ts'

type Numbered = readonly [number: number, fact: Fact]

/** How live rounds ended, where that is on disk. */
export class Outcomes {
  readonly #journal: Journal<Fact>
  /** `undefined` for rounds that had ended before this start: their number is looked up when somebody asks. */
  readonly #known = new Map<number, Numbered | undefined>()

  constructor(racing: Pick<RacingPort, 'rounds' | 'listen'>, journal: Journal<Fact>) {
    this.#journal = journal
    for (const round of racing.rounds())
      if (round.settled || round.voided) this.#known.set(round.id, undefined)
    racing.listen(({ roundId, number, fact }) => {
      if (fact.type === 'RoundSettled' || fact.type === 'RoundVoided')
        this.#known.set(roundId, [number, fact])
    })
  }

  /** The fact that ended a round, with its number. */
  of(roundId: number): Numbered | undefined {
    if (!this.#known.has(roundId)) return undefined
    const known = this.#known.get(roundId) ?? this.#find(roundId)
    this.#known.set(roundId, known)
    return known
  }

  forget(roundId: number): void {
    this.#known.delete(roundId)
  }

  #find(roundId: number): Numbered | undefined {
    const facts = this.#journal.read(roundId)
    const place = facts.findIndex(({ type }) => type === 'RoundSettled' || type === 'RoundVoided')
    return place < 0 ? undefined : [place + 1, facts[place]!]
  }
}
