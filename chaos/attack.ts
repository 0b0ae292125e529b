/** How an attack is made: how many times, how long, and who hears of it. */
export type Trials = {
  readonly times?: number | undefined
  readonly minutes?: number | undefined
  /** As CI does it: each kind of trouble once or a few times. */
  readonly isShort: boolean
  /** The build under attack, where it is not this checkout's. */
  readonly build?: string | undefined
  readonly say: (line: string) => void
}

/** What came of it. Faults are disagreements between the books and the server. */
export type Result = {
  readonly trials: number
  /** Counts and times worth a line in the report. */
  readonly figures: Readonly<Record<string, number | string>>
  readonly faults: readonly string[]
}

export type Attack = {
  readonly name: string
  readonly what: string
  readonly run: (trials: Trials) => Promise<Result>
}

/** `what` unless it is so. */
export const faultUnless = (isSo: boolean, what: string): string[] => (isSo ? [] : [what])

/** Somewhere between two numbers. Chaos is not repeated exactly: the simulation is there for that. */
export const between = (least: number, most: number): number => least + Math.random() * (most - least)
