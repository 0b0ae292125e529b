import type { Fact } from '../../domain/racing/facts.ts'
import type { Round } from '../../domain/racing/round.ts'
import type { Clock } from '../clock.port.ts'
import type { Journal } from '../journal.port.ts'
import { Unavailable } from '../unavailable.port.ts'
import type { Archive } from './archive.port.ts'

// Handing over: a settled round leaves its actor for the archive.
//   T1. First a durable note, then the archive's transaction, last the round's removal from the journal.
//   T2. While a round is being handed over its receipts wait; while nobody knows whether the archive took it, they are
//       neither paid nor printed, by nobody.
//   T3. Only the archive's own word ends that doubt.

/** Nobody at a counter waits longer than this to hear who owns a receipt. */
const PATIENCE_MS = 5_000

const note = (roundId: number): string => `retiring/${roundId}`

export type HandOversPorts = {
  readonly journal: Journal<Fact>
  readonly archive: Archive
  readonly clock: Clock
  /** The archive owns the round: its actor ends. Called when the journal holds it no more. */
  readonly gone: (roundId: number) => void
  /** The round stays with its actor after all. */
  readonly givenBack: (roundId: number) => void
}

export class HandOvers {
  readonly #ports: HandOversPorts
  /** Rounds being handed over. The promise tells when that is known; `undefined` while nobody can say. */
  readonly #underWay = new Map<number, Promise<void> | undefined>()
  #done = 0

  constructor(ports: HandOversPorts) {
    this.#ports = ports
  }

  /** A round found in the journal at the start: whether it was being handed over when the server ended. */
  recover(roundId: number): void {
    if (this.#ports.journal.note(note(roundId))) this.#underWay.set(roundId, undefined)
  }

  has(roundId: number): boolean {
    return this.#underWay.has(roundId)
  }

  /** Waits until it is known who owns the round. @throws Unavailable while nobody can say, or not soon enough */
  async known(roundId: number): Promise<void> {
    const known = this.#underWay.get(roundId)
    if (!known && !this.#underWay.has(roundId)) return
    if (!known || !(await this.#soon(known))) throw ownerUnknown()
  }

  async #soon(known: Promise<void>): Promise<boolean> {
    const { clock } = this.#ports
    let timer: unknown
    const late = new Promise<boolean>((resolve) => {
      timer = clock.setTimeout(() => resolve(false), PATIENCE_MS)
    })
    const isKnown = await Promise.race([known.then(() => true), late])
    clock.clearTimeout(timer)
    return isKnown
  }

  /** Waits until no round is being handed over. @returns how many were so far @throws Unavailable as `known` */
  async between(): Promise<number> {
    for (;;) {
      const [first] = this.#underWay.keys()
      if (first === undefined) return this.#done
      await this.known(first)
    }
  }

  /**
   * Hands a settled round over, if the archive has all of its facts.
   * @param round the round as it is when asked: a failed commit may have replaced it
   * @returns whether the archive owns it now
   */
  async handOver(roundId: number, round: () => Round): Promise<boolean> {
    const { journal, archive } = this.#ports
    if (this.#underWay.has(roundId)) return false
    const known = this.#open([roundId])
    let isAsked = false
    try {
      await journal.write({ [note(roundId)]: true })
      const { factCount, settled } = round()
      isAsked = true
      const answer = await archive.takeOver({ id: roundId, factCount, winner: settled?.order[0] ?? null })
      await this.#conclude(roundId, answer === 'taken')
      return answer === 'taken'
    } catch (error) {
      // Before the archive was asked the round is certainly ours, whatever became of the note.
      if (isAsked) this.#underWay.set(roundId, undefined)
      else this.#underWay.delete(roundId)
      throw error
    } finally {
      known()
    }
  }

  /** Asks the archive about the rounds of which nobody knows. @returns those that it owns, gone from here now */
  async resolve(): Promise<number[]> {
    const unknown = [...this.#underWay].filter(([, known]) => !known).map(([id]) => id)
    if (unknown.length === 0) return []
    const known = this.#open(unknown)
    const asked = new Set(unknown)
    try {
      const owned = new Set(await this.#ports.archive.owned(unknown))
      for (const id of unknown) {
        await this.#conclude(id, owned.has(id))
        asked.delete(id)
      }
      return [...owned]
    } finally {
      for (const id of asked) this.#underWay.set(id, undefined)
      known()
    }
  }

  /** From now on whoever asks for these rounds waits for the function returned to be called. */
  #open(roundIds: readonly number[]): () => void {
    let known = (): void => {}
    const waiting = new Promise<void>((resolve) => {
      known = resolve
    })
    for (const id of roundIds) this.#underWay.set(id, waiting)
    return known
  }

  async #conclude(roundId: number, isTaken: boolean): Promise<void> {
    const { journal, gone, givenBack } = this.#ports
    if (isTaken) {
      await journal.remove(roundId, [note(roundId)])
      this.#done++
      gone(roundId)
    } else await journal.write({ [note(roundId)]: undefined })
    this.#underWay.delete(roundId)
    if (!isTaken) givenBack(roundId)
  }
}

const ownerUnknown = (): Unavailable =>
  new Unavailable(
    'postgres',
    'this round was being handed to Postgres when it went away; ask again when it is back',
  )
