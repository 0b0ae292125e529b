import { type Course, layCourse, timeOfPiece } from '../../domain/racing/course.ts'
import { drawOrder } from '../../domain/racing/draw.ts'
import type { Clock } from '../clock.port.ts'
import type { RaceProgress } from './racing.port.ts'
import type { RoundKeeper } from './round.keeper.ts'
import type { Seeds } from './seeds.ts'

// Calls the race of a round: where everyone is, each piece shortly before its time.
//   C1. A piece is called when its time is `leadMs` away, and not before; those before it were called by then.
//   C2. After a restart, or a late timer, all that is due is called at once: the same pieces, for they follow from the seed.
//   C3. The seed and the order of arrival stay here; what leaves is where everyone is.

/** Two pieces, between which a screen moves smoothly only if it knows the next, and some time to be sent. */
const TIME_TO_SEND_MS = 250

export type RaceCallerPorts = {
  readonly clock: Clock
  readonly seeds: Seeds
  readonly call: (progress: RaceProgress) => void
}

export class RaceCaller {
  readonly #keeper: RoundKeeper
  readonly #ports: RaceCallerPorts
  #laid: Course | undefined
  #called = 0

  constructor(keeper: RoundKeeper, ports: RaceCallerPorts) {
    this.#keeper = keeper
    this.#ports = ports
  }

  /** Milliseconds until the next piece is due; infinite when all were called. */
  untilNext(): number {
    const { pieces } = this.#course
    if (this.#called > pieces) return Number.POSITIVE_INFINITY
    return Math.max(0, this.#dueAt(this.#called) - this.#ports.clock.now())
  }

  /** Calls what is due and was not called yet. */
  callDue(): void {
    const { pieces, at } = this.#course
    const now = this.#ports.clock.now()
    const first = this.#called
    const positions: number[][] = []
    while (this.#called <= pieces && this.#dueAt(this.#called) <= now) positions.push(at(this.#called++))
    if (positions.length === 0) return
    const { id: roundId, opened } = this.#keeper.round
    this.#ports.call({ roundId, track: opened.track, pieces, first, positions })
  }

  /** Laid when the race is called first. */
  get #course(): Course {
    this.#laid ??= this.#lay()
    return this.#laid
  }

  #dueAt(piece: number): number {
    const { opened } = this.#keeper.round
    const { pieces } = this.#course
    const leadMs = (2 * (opened.endsAt - opened.startsAt)) / pieces + TIME_TO_SEND_MS
    return timeOfPiece(piece, pieces, opened) - leadMs
  }

  #lay(): Course {
    const { id: roundId, opened } = this.#keeper.round
    const seed = this.#ports.seeds.reveal(opened)
    return layCourse(seed, {
      roundId,
      field: opened.field.map(({ number }) => number),
      order: drawOrder(seed, roundId, opened.field),
      durationMs: opened.endsAt - opened.startsAt,
    })
  }
}
