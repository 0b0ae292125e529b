import type { LiveMessage } from './live-stream.ts'

// A turn: the messages that leave together.
//   T1. What becomes ready in one turn of the event loop leaves at its end, in the order it was published; while
//       messages come fast, a turn lasts at least `batchMs`. The first message after a pause waits for nobody.
//   T2. What must not fall between two messages of a turn waits for its end.

export class LiveTurn {
  readonly #batchMs: number
  /** Brings messages to those who listen. Never throws. */
  readonly #deliver: (messages: readonly LiveMessage[]) => void
  #messages: LiveMessage[] = []
  #waiting: (() => void)[] = []
  #isScheduled = false
  #endedAt = 0

  constructor(batchMs: number, deliver: (messages: readonly LiveMessage[]) => void) {
    this.#batchMs = batchMs
    this.#deliver = deliver
  }

  add(message: LiveMessage): void {
    this.#messages.push(message)
    if (this.#isScheduled) return
    this.#isScheduled = true
    const waitMs = this.#endedAt + this.#batchMs - performance.now()
    if (waitMs <= 0) setImmediate(() => this.end())
    else setTimeout(() => setImmediate(() => this.end()), waitMs)
  }

  /** Runs it when nothing is about to leave: at once, or at the end of the turn. It may not throw. */
  between(run: () => void): void {
    if (this.#messages.length > 0 || this.#waiting.length > 0) this.#waiting.push(run)
    else run()
  }

  /** Ends it now. */
  end(): void {
    this.#isScheduled = false
    const messages = this.#messages
    this.#messages = []
    if (messages.length > 0) this.#deliver(messages)
    const waiting = this.#waiting
    this.#waiting = []
    for (const run of waiting) run()
    this.#endedAt = performance.now()
  }
}
