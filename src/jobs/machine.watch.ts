import type { Condition, Look } from './alarms.ts'

// The machine under the server: room on its disk, and its clock.

export type MachineOptions = {
  /** Bytes that are free where the data are. */
  readonly freeBytes: () => Promise<number>
  /** How far our clock is ahead of that of Postgres, and by how much that may be wrong. Rejects while it is away. */
  readonly clockAhead: () => Promise<{ readonly aheadMs: number; readonly uncertainMs: number }>
  /** Time of day, and a clock that nobody sets. */
  readonly now: () => number
  readonly steadyMs: () => number
  readonly bounds: { readonly freeBytes: number; readonly clockMs: number }
  readonly onError: (error: unknown) => void
}

/** A clock that jumped goes on as if nothing was: the alarm says so for this long. */
const JUMP_SHOWN_MS = 600_000
const MEGABYTE = 1_048_576

export class MachineWatch {
  readonly #options: MachineOptions
  #before: { readonly now: number; readonly steadyMs: number } | undefined
  #jump: { readonly ms: number; readonly untilSteadyMs: number } | undefined
  #last: Look = { found: [], unknown: [] }

  constructor(options: MachineOptions) {
    this.#options = options
  }

  /** What the last look found. */
  get last(): Look {
    return this.#last
  }

  async look(): Promise<Look> {
    const unknown: string[] = []
    const ask = async (code: string, look: () => Promise<Condition | undefined>) => {
      try {
        return await look()
      } catch (error) {
        this.#options.onError(error)
        unknown.push(code)
        return undefined
      }
    }
    const found = [
      await ask('DISK', () => this.#disk()),
      this.#jumped(),
      await ask('CLOCK_DIFFERS', () => this.#clock()),
    ]
    this.#last = { found: found.filter((one) => one !== undefined), unknown }
    return this.#last
  }

  async #disk(): Promise<Condition | undefined> {
    const { freeBytes, bounds } = this.#options
    const free = await freeBytes()
    if (free >= bounds.freeBytes) return undefined
    return alarm(
      'DISK',
      `The disk of the data directory has ${Math.floor(free / MEGABYTE)} MB left; make room.`,
    )
  }

  #jumped(): Condition | undefined {
    const { bounds } = this.#options
    const now = this.#options.now()
    const steadyMs = this.#options.steadyMs()
    if (this.#before) {
      const ms = now - this.#before.now - (steadyMs - this.#before.steadyMs)
      if (Math.abs(ms) > bounds.clockMs) this.#jump = { ms, untilSteadyMs: steadyMs + JUMP_SHOWN_MS }
    }
    this.#before = { now, steadyMs }
    if (!this.#jump || steadyMs >= this.#jump.untilSteadyMs) return undefined
    const { ms } = this.#jump
    return alarm(
      'CLOCK_JUMPED',
      `The clock of this machine was set ${ms > 0 ? 'forward' : 'back'} by ${seconds(ms)}; rounds keep their times of day.`,
    )
  }

  async #clock(): Promise<Condition | undefined> {
    const { clockAhead, bounds } = this.#options
    const { aheadMs, uncertainMs } = await clockAhead()
    if (Math.abs(aheadMs) - uncertainMs <= bounds.clockMs) return undefined
    const where = aheadMs > 0 ? 'ahead of' : 'behind'
    return alarm(
      'CLOCK_DIFFERS',
      `The clock of this machine is ${seconds(aheadMs)} ${where} that of Postgres; look at NTP on both.`,
    )
  }
}

const alarm = (code: string, message: string): Condition => ({ code, id: code, message })
const seconds = (ms: number): string => `${(Math.abs(ms) / 1_000).toFixed(1)} s`
