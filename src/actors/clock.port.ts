/** Time comes through this port, so that tests and simulations own it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  setTimeout(fn: (...args: unknown[]) => void, delayMs: number): unknown
  clearTimeout(timer: unknown): void
}
