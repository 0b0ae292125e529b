// A clock that stands still until a test winds it.
//   W1. Timers run on time wound (`advance`); the time of day can also be set (`jump`), which fires nothing by itself.
//   W2. Between two timers, promises and immediates settle: what a timer caused has happened before the next one fires.
import type { Clock } from '../../src/actors/clock.port.ts'

type Timer = { readonly dueMs: number; readonly fire: () => void }

/** Immediates that may follow from one another until all is quiet: a commit, what it causes, and that one's commit. */
const TURNS_UNTIL_QUIET = 6
/** More timers than any test winds through: a timer that fires again without end is a fault, not a long wait. */
const TIMERS_AT_MOST = 20_000

/** Lets promises and immediates settle, without any time going by. */
export const quiet = async (): Promise<void> => {
  for (let turn = 0; turn < TURNS_UNTIL_QUIET; turn++) await new Promise((resolve) => setImmediate(resolve))
}

export class WoundClock implements Clock {
  #dayMs: number
  #woundMs = 0
  #lastTimer = 0
  #fired = 0
  readonly #timers = new Map<number, Timer>()

  constructor(dayMs: number) {
    this.#dayMs = dayMs
  }

  now(): number {
    return this.#dayMs
  }

  setTimeout(fn: (...args: unknown[]) => void, delayMs: number): unknown {
    const timer = ++this.#lastTimer
    this.#timers.set(timer, { dueMs: this.#woundMs + Math.max(0, delayMs), fire: fn })
    return timer
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as number)
  }

  /** How many timers are armed. */
  get armed(): number {
    return this.#timers.size
  }

  /** How many timers fired so far. */
  get fired(): number {
    return this.#fired
  }

  /** Winds: fires what falls due, in order, and lets everything settle after each. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#woundMs + ms
    await quiet()
    for (const before = this.#fired; ; this.#fired++) {
      if (this.#fired - before > TIMERS_AT_MOST) throw new Error(`timers fire without end at ${this.#dayMs}`)
      const next = this.#earliest(untilMs)
      if (!next) break
      const [id, timer] = next
      this.#pass(timer.dueMs)
      this.#timers.delete(id)
      timer.fire()
      await quiet()
    }
    this.#pass(untilMs)
  }

  /** Sets the time of day, forwards or backwards, as an operator or a time server would. */
  jump(ms: number): void {
    this.#dayMs += ms
  }

  #earliest(untilMs: number): [number, Timer] | undefined {
    let earliest: [number, Timer] | undefined
    for (const one of this.#timers)
      if (one[1].dueMs <= untilMs && (!earliest || one[1].dueMs < earliest[1].dueMs)) earliest = one
    return earliest
  }

  #pass(toMs: number): void {
    this.#dayMs += toMs - this.#woundMs
    this.#woundMs = toMs
  }
}
