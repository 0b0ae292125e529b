/** What leaves in one piece: facts of one stream, numbered from `first`, and notes that change with them. */
export type Entry<Fact> = {
  readonly stream: number
  readonly first: number
  readonly facts: readonly Fact[]
  readonly notes?: Notes
}

/** Small durable values by name; `undefined` removes one. */
export type Notes = Readonly<Record<string, unknown>>

/**
 * The journal: an append-only log on local disk, with a few durable notes beside it.
 *   J1. Nobody is answered before the commit that carries them is on disk.
 *   J2. Facts of one stream leave in the order they were decided.
 *   J3. A failed commit fails everyone in it and everyone who queued behind it, because they decided upon it; each is
 *       told before anything else happens, and then reads again what is on disk.
 */
export interface Journal<Fact> {
  /** Calls `done` once the entry is on disk, or with the error of the commit that failed. Never throws. */
  append(entry: Entry<Fact>, done: (error?: Error) => void): void
  /** Writes notes alone. Rejects where they are not on disk. */
  write(notes: Notes): Promise<void>
  /** Why nothing can be written at present, if so. Cheap: ask before deciding. */
  readonly failure: Error | undefined
  /** Settles when all that was appended before is on disk, or has failed; `undefined` when nothing is under way. */
  settled(): Promise<void> | undefined
  /** Facts of a stream on disk, in order, after number `after` (0 for all), at most `limit`. */
  read(stream: number, after?: number, limit?: number): Fact[]
  /** All of them one by one, for whoever needs none of them twice: a large stream is then never in memory whole. */
  each(stream: number): Iterable<Fact>
  /** Number of the last fact on disk of a stream; 0 for none. */
  last(stream: number): number
  streams(): number[]
  note(name: string): unknown
  notes(prefix: string): Iterable<readonly [name: string, value: unknown]>
  /** Removes a stream and the notes named, in one commit. */
  remove(stream: number, notes: readonly string[]): Promise<void>
  /** Removes all notes whose names begin so. */
  forget(prefix: string): Promise<void>
  close(): Promise<void>
}
