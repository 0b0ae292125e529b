import { chmodSync, mkdirSync } from 'node:fs'
import { open } from 'lmdb'
import type { JournalStore } from './journal.ts'

/** Rows removed at a time, so that a large round leaves without holding up the next one. */
const SLICE = 500
/** LMDB refuses keys of 1,978 bytes and more, but only when the writes before it are on their way already. */
const LONGEST_NAME_BYTES = 1_900

/** A journal's store in LMDB under `directory`, which only its owner may enter: it holds the seeds of races to come. */
export const openLmdbStore = (directory: string): JournalStore => {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  chmodSync(directory, 0o700)
  // Not overlapping: a commit returns after its data and then its meta page are on disk, with one change of threads
  // less than waiting for `flushed` (0.95 ms instead of 1.75 ms for 64 facts, median, on a busy machine of two cores).
  // Not by turns of the event loop: those leave a rejection behind, for each failed commit, that nobody can catch.
  const root = open({
    path: directory,
    maxDbs: 4,
    encoding: 'json',
    overlappingSync: false,
    eventTurnBatching: false,
  })
  const facts = root.openDB<unknown, [number, number]>({ name: 'facts', encoding: 'json' })
  const notes = root.openDB<unknown, string>({ name: 'notes', encoding: 'json' })

  /** Makes one transaction of these writes, which is on disk when it returns, or not at all. */
  const onDisk = async (write: () => Promise<boolean>[]): Promise<void> => {
    let writes: Promise<boolean>[] = []
    const batch = root.batch(() => {
      writes = write()
    })
    const all = [batch, ...writes]
    try {
      await Promise.all(all)
    } catch (error) {
      for (const one of all) one.catch(hearCause)
      throw error
    }
  }
  const after = (prefix: string): string => `${prefix}\u{10ffff}`

  return {
    commit: async (entries, changed) => {
      for (const name of changed.keys())
        if (Buffer.byteLength(name) > LONGEST_NAME_BYTES)
          throw new RangeError(
            `a note's name has more than ${LONGEST_NAME_BYTES} bytes: ${name.slice(0, 60)}…`,
          )
      return onDisk(() => {
        const writes: Promise<boolean>[] = []
        for (const { stream, first, facts: rows } of entries)
          for (let i = 0; i < rows.length; i++) writes.push(facts.put([stream, first + i], rows[i]))
        for (const [name, value] of changed)
          writes.push(value === undefined ? notes.remove(name) : notes.put(name, value))
        return writes
      })
    },
    /** Backwards and in slices: what a kill leaves behind still begins with the opening and keeps its notes. */
    remove: async (stream, names) => {
      const range = { start: [stream + 1, 0] as [number, number], end: [stream, 1] as [number, number] }
      for (;;) {
        const keys = [...facts.getKeys({ ...range, reverse: true, limit: SLICE })]
        if (keys.length === 0) break
        await onDisk(() => keys.map((key) => facts.remove(key)))
      }
      await onDisk(() => [facts.remove([stream, 1]), ...names.map((name) => notes.remove(name))])
    },
    forget: async (prefix) => {
      const names = [...notes.getKeys({ start: prefix, end: after(prefix) })]
      if (names.length > 0) await onDisk(() => names.map((name) => notes.remove(name)))
    },
    read: (stream, from, limit) => {
      const range = {
        start: [stream, from + 1] as [number, number],
        end: [stream + 1, 0] as [number, number],
      }
      const rows: unknown[] = []
      for (const { value } of facts.getRange(Number.isFinite(limit) ? { ...range, limit } : range))
        rows.push(value)
      return rows
    },
    last: (stream) => {
      for (const [, number] of facts.getKeys({
        start: [stream + 1, 0],
        end: [stream, 0],
        reverse: true,
        limit: 1,
      }))
        return number
      return 0
    },
    streams: () => {
      const found: number[] = []
      for (let from = 0; ; ) {
        const [key] = [...facts.getKeys({ start: [from, 0], limit: 1 })]
        if (!key) return found
        found.push(key[0])
        from = key[0] + 1
      }
    },
    note: (name) => notes.get(name),
    *notes(prefix) {
      for (const { key, value } of notes.getRange({ start: prefix, end: after(prefix) }))
        yield [key, value] as const
    },
    close: () => root.close(),
  }
}

/** LMDB rejects a second promise with the cause of a failed commit, and hangs it on the error of the first. */
const hearCause = (error: Error & { commitError?: Promise<unknown> }): void => {
  error.commitError?.catch(() => {})
}
