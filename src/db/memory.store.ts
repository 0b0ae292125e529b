import type { JournalStore } from './journal.ts'

/** The in-memory twin of the LMDB store. `beforeCommit` may be made to wait or to throw: a slow disk, a full one. */
export const memoryStore = (beforeCommit: () => Promise<void> | void = () => {}): JournalStore => {
  const streams = new Map<number, unknown[]>()
  const notes = new Map<string, unknown>()
  const copy = <T>(value: T): T => (value === undefined ? value : JSON.parse(JSON.stringify(value)))
  return {
    commit: async (entries, changed) => {
      await beforeCommit()
      for (const { stream, first, facts } of entries) {
        const rows = streams.get(stream) ?? []
        streams.set(stream, rows)
        facts.forEach((fact, i) => {
          rows[first - 1 + i] = copy(fact)
        })
      }
      for (const [name, value] of changed)
        value === undefined ? notes.delete(name) : notes.set(name, copy(value))
    },
    remove: async (stream, names) => {
      await beforeCommit()
      streams.delete(stream)
      for (const name of names) notes.delete(name)
    },
    forget: async (prefix) => {
      for (const name of [...notes.keys()]) if (name.startsWith(prefix)) notes.delete(name)
    },
    read: (stream, after, limit) => copy((streams.get(stream) ?? []).slice(after, after + limit)),
    last: (stream) => streams.get(stream)?.length ?? 0,
    streams: () => [...streams.keys()].sort((a, b) => a - b),
    note: (name) => copy(notes.get(name)),
    *notes(prefix) {
      for (const [name, value] of notes) if (name.startsWith(prefix)) yield [name, copy(value)] as const
    },
    close: async () => {},
  }
}
