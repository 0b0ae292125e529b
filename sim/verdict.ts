import type { InvariantName } from './invariants.ts'

/** An invariant was found broken. `about` are ids of rounds, receipts and people that it is about. */
export class Violation extends Error {
  readonly invariant: InvariantName
  readonly about: readonly (number | string)[]
  constructor(invariant: InvariantName, message: string, about: readonly (number | string)[]) {
    super(`${invariant}: ${message}`)
    this.name = 'Violation'
    this.invariant = invariant
    this.about = about
  }
}

type Telling = readonly [message: string, ...about: (number | string)[]]

/** Keeps what was found, and counts what was looked at. Only the first finding counts: the others may follow from it. */
export class Verdict {
  found: Violation | undefined
  checks = 0
  /** What was there to be looked at: a comparison that never has anything to compare finds nothing. */
  readonly seen = new Map<string, number>()

  see(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1)
  }

  check(invariant: InvariantName, holds: boolean, tell: () => Telling): void {
    this.checks++
    if (holds || this.found) return
    const [message, ...about] = tell()
    this.found = new Violation(invariant, message, about)
  }
}
