import { performance } from 'node:perf_hooks'

// Whether the counter needs this process for itself, judged by what is asked there and not by how much the process does: the
// work behind the counter would else take itself for the counter, and never catch up.

/** Facts a second from which on the counter may be busy. A shop has a hundred at most. */
const MANY_FACTS = 500
/** It is where the process is at work for this share of the time as well: a larger machine does more beside. */
const BUSY_SHARE = 0.25
const WINDOW_MS = 50

export class BusyCounter {
  readonly #manyFacts: number
  #heard = 0
  #before = performance.eventLoopUtilization()
  #isBusy = false

  /** @param manyFacts facts a second from which on the counter may be busy, where another number than the usual is wanted */
  constructor(manyFacts = MANY_FACTS) {
    this.#manyFacts = manyFacts
  }

  /** A fact came. */
  heard(): void {
    this.#heard++
  }

  /** As it was since somebody last asked, or in the window before that one, where that is too short ago to say. */
  isBusy(): boolean {
    const now = performance.eventLoopUtilization()
    const { idle, active, utilization } = performance.eventLoopUtilization(now, this.#before)
    const ms = idle + active
    if (ms < WINDOW_MS) return this.#isBusy
    this.#isBusy = utilization > BUSY_SHARE && this.#heard * 1_000 >= this.#manyFacts * ms
    this.#before = now
    this.#heard = 0
    return this.#isBusy
  }
}
