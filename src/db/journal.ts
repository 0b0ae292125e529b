import type { Entry, Journal, Notes } from '../actors/journal.port.ts'

// Group commit: what arrives while one commit is under way leaves with the next one. J1 to J3 stand at the port.
//   J4. After a failure nothing is written until a probe was: whoever asks meanwhile is refused before deciding.

/** Where a journal's bytes are kept. `commit` is all or nothing, and resolves when it is on disk. */
export interface JournalStore {
  commit(entries: readonly Entry<unknown>[], notes: ReadonlyMap<string, unknown>): Promise<void>
  remove(stream: number, notes: readonly string[]): Promise<void>
  forget(prefix: string): Promise<void>
  read(stream: number, after: number, limit: number): Iterable<unknown>
  last(stream: number): number
  streams(): number[]
  note(name: string): unknown
  notes(prefix: string): Iterable<readonly [string, unknown]>
  close(): Promise<void>
}

type Waiting<Fact> = {
  readonly entry: Entry<Fact> | { readonly notes: Notes }
  readonly done: (error?: Error) => void
}

export type JournalOptions<Fact> = {
  readonly store: JournalStore
  /** The door for what comes back from disk. Throws on what is not a fact. */
  readonly parse: (row: unknown) => Fact
  readonly probeAfterMs?: number
  readonly onFailure?: (error: Error) => void
  readonly onRecovery?: () => void
}

export const openJournal = <Fact>(options: JournalOptions<Fact>): Journal<Fact> => {
  const { store, parse, probeAfterMs = 500 } = options
  let waiting: Waiting<Fact>[] = []
  let leaving: Waiting<Fact>[] = []
  let scheduled = false
  let failure: Error | undefined
  let probe: NodeJS.Timeout | undefined
  let closed = false

  const enqueue = (one: Waiting<Fact>): void => {
    waiting.push(one)
    schedule()
  }

  const schedule = (): void => {
    if (scheduled || leaving.length > 0 || waiting.length === 0) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      void commitWaiting()
    })
  }

  const commitWaiting = async (): Promise<void> => {
    leaving = waiting
    waiting = []
    const entries: Entry<Fact>[] = []
    const notes = new Map<string, unknown>()
    for (const { entry } of leaving) {
      if ('facts' in entry) entries.push(entry)
      for (const name in entry.notes) notes.set(name, entry.notes[name])
    }
    let error: Error | undefined
    try {
      await store.commit(entries, notes)
    } catch (cause) {
      error = new Error('the journal could not be written', { cause })
    }
    const told = error ? [...leaving, ...waiting] : leaving
    if (error) {
      waiting = []
      fail(error)
    }
    leaving = []
    // The disk goes on while those whose commit is over are answered.
    if (waiting.length > 0) void commitWaiting()
    for (const { done } of told) done(error)
    schedule()
  }

  const fail = (error: Error): void => {
    failure = error
    options.onFailure?.(error)
    const tryAgain = (): void => {
      if (closed) return
      probe = setTimeout(() => {
        store.commit([], new Map([['probe', Date.now()]])).then(() => {
          failure = undefined
          probe = undefined
          options.onRecovery?.()
        }, tryAgain)
      }, probeAfterMs)
    }
    tryAgain()
  }

  const settled = (): Promise<void> | undefined => {
    if (leaving.length === 0 && waiting.length === 0) return undefined
    const last = waiting.length > 0 ? waiting : leaving
    return new Promise((resolve) => {
      const one = last[last.length - 1]!
      last[last.length - 1] = {
        entry: one.entry,
        done: (error) => {
          one.done(error)
          resolve()
        },
      }
    })
  }

  return {
    append: (entry, done) => {
      if (failure || closed) done(failure ?? new Error('the journal is closed'))
      else enqueue({ entry, done })
    },
    write: (notes) =>
      new Promise((resolve, reject) => {
        if (failure || closed) reject(failure ?? new Error('the journal is closed'))
        else enqueue({ entry: { notes }, done: (error) => (error ? reject(error) : resolve()) })
      }),
    get failure() {
      return failure
    },
    settled,
    read: (stream, after = 0, limit = Number.POSITIVE_INFINITY) =>
      Array.from(store.read(stream, after, limit), (row) => parse(row)),
    *each(stream) {
      for (const row of store.read(stream, 0, Number.POSITIVE_INFINITY)) yield parse(row)
    },
    last: (stream) => store.last(stream),
    streams: () => store.streams(),
    note: (name) => store.note(name),
    notes: (prefix) => store.notes(prefix),
    remove: (stream, notes) => store.remove(stream, notes),
    forget: (prefix) => store.forget(prefix),
    close: async () => {
      closed = true
      await settled()
      clearTimeout(probe)
      await store.close()
    },
  }
}
