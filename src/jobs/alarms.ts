// Alarms: what is wrong at present and since when, looked at again and again, and told of when it begins and ends.
//   Q1. An alarm begins at the first look that finds it and ends at the first that does not; each is told once.
//   Q2. What could not be looked at is as it was.
//   Q3. Whoever is told never keeps the next look waiting.

/** Something that is wrong. `id` tells apart what has the same code. */
export type Condition = {
  readonly code: string
  readonly id: string
  readonly message: string
}
/** What a look found, and codes of which it could not say anything. */
export type Look = { readonly found: readonly Condition[]; readonly unknown: readonly string[] }

/** Times in milliseconds since 1970. */
export type Alarm = Condition & { readonly since: number }
export type AlarmEvent =
  | { readonly event: 'alarm_began'; readonly alarm: Alarm }
  | { readonly event: 'alarm_ended'; readonly alarm: Alarm; readonly endedAt: number }

export type AlarmWatchOptions = {
  readonly look: () => Promise<Look>
  readonly now: () => number
  readonly tell: (event: AlarmEvent) => void
  readonly onError: (error: unknown) => void
  readonly everyMs?: number
}

const EVERY_MS = 5_000

export class AlarmWatch {
  readonly #options: AlarmWatchOptions
  readonly #alarms = new Map<string, Alarm>()
  #checkedAt: number | undefined
  #looking: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: AlarmWatchOptions) {
    this.#options = options
  }

  start(): void {
    void this.look()
    this.#timer = setInterval(() => void this.look(), this.#options.everyMs ?? EVERY_MS)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
  }

  /** What is wrong, oldest first; looked at now where it never was. */
  async current(): Promise<{ alarms: readonly Alarm[]; checkedAt: number | null }> {
    if (this.#checkedAt === undefined) await this.look()
    const alarms = [...this.#alarms.values()].sort((one, other) => one.since - other.since)
    return { alarms, checkedAt: this.#checkedAt ?? null }
  }

  /** Looks once, unless a look is under way. */
  look(): Promise<void> {
    this.#looking ??= this.#look()
      .catch(this.#options.onError)
      .finally(() => {
        this.#looking = undefined
      })
    return this.#looking
  }

  async #look(): Promise<void> {
    const { look, now, tell } = this.#options
    const { found, unknown } = await look()
    const at = now()
    this.#checkedAt = at
    const ids = new Set(found.map(({ id }) => id))
    for (const [id, alarm] of this.#alarms) {
      if (ids.has(id) || unknown.includes(alarm.code)) continue
      this.#alarms.delete(id)
      tell({ event: 'alarm_ended', alarm, endedAt: at })
    }
    for (const condition of found) {
      const before = this.#alarms.get(condition.id)
      const alarm = { ...condition, since: before?.since ?? at }
      this.#alarms.set(condition.id, alarm)
      if (!before) tell({ event: 'alarm_began', alarm })
    }
  }
}
