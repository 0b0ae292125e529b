// What a row of the table is. Each has a file of its own in `rows/`, which exports it as `row`.

export type Bench = {
  /** The small form that tests run: it shows that the row works, and says nothing about speed. */
  readonly isShort: boolean
  /** Tells whoever waits how far it is. */
  readonly say: (line: string) => void
}

/** The same work done by two, measured in turn, several times in one run. The ratio of each turn is ours divided by theirs. */
export type Comparison = {
  /** What is compared, where a row has several; else the work of the row. */
  readonly what?: string
  /** What ours is measured against: `bare Hono echo`. */
  readonly against: string
  readonly unit: string
  readonly ours: readonly number[]
  readonly theirs: readonly number[]
  /** What the middle ratio should reach. */
  readonly reach: { readonly atLeast: number } | { readonly atMost: number }
  /** What else was seen in the same run, in a few words: latencies, memory, the ceiling of the load generator. */
  readonly notes: readonly string[]
}

export type Row = {
  readonly number: number
  readonly work: string
  /** How long the whole form takes, roughly; from it the time left is told. */
  readonly seconds?: number
  readonly run: (bench: Bench) => Promise<readonly Comparison[]>
}
