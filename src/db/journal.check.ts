import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as lmdb from 'lmdb'
import { sealedText } from './journal.seal.ts'
import { stepsThrough } from './lmdb.file.ts'

// Whether a journal is what was written there, asked before anything opens it.
//   W1. Every page and every record of the newest state is looked at: its place, its links, its check value.
//   W2. A damaged journal is neither opened nor mended, and never taken for a new one.
//   W3. What is read of a journal meanwhile counts for nothing until all of it was looked at.

/** How LMDB's package reads its own keys; its types leave it out. */
const { bufferToKeyValue } = lmdb as unknown as { bufferToKeyValue(key: Buffer): unknown }

const RECORDS = 'records'
const NOTES = 'notes'
/** As long as others wait for their turn while a journal is read. */
const SLICE_MS = 1

export type RecordVisit = {
  /** Facts of a stream that left in one commit; `last` is the number of the last of them. */
  readonly record: (stream: number, last: number, facts: readonly unknown[]) => void
  readonly note: (name: string) => void
}

/** Throws where the journal in this directory is damaged. One that was never written is no fault. */
export const refuseDamagedJournal = (directory: string): void => {
  if (isNew(directory)) return
  refuse(directory, faultsOf(directory))
}

/**
 * The same, telling all that is in it to whoever visits, so that nobody reads it a second time; and in slices, so that the rest of
 * a start goes on meanwhile. What was told counts for nothing where this throws. A fault of the visitor is thrown last.
 */
export const readSoundJournal = async (directory: string, visit: RecordVisit): Promise<void> => {
  if (isNew(directory)) return
  let fault: { readonly error: unknown } | undefined
  const guarded: RecordVisit = {
    note: visit.note,
    record: (...record) => {
      if (fault) return
      try {
        visit.record(...record)
      } catch (error) {
        fault = { error }
      }
    },
  }
  const walk = faultsFoundIn(directory, guarded)
  for (let since = performance.now(); ; ) {
    const step = walk.next()
    if (step.done) {
      refuse(directory, step.value)
      if (fault) throw fault.error
      return
    }
    if (performance.now() - since < SLICE_MS) continue
    await new Promise((resolve) => setImmediate(resolve))
    since = performance.now()
  }
}

const refuse = (directory: string, faults: readonly string[]): void => {
  if (faults.length === 0) return
  const others = faults.length > 1 ? `, and ${faults.length - 1} more` : ''
  throw new Error(
    `the journal in ${directory} is damaged (${faults[0]}${others}). It was not opened and nothing was changed: ` +
      'keep a copy of it, see what is intact with `npm run verify`, and do what docs/operations.md says of a damaged journal',
  )
}

/** All faults of a journal, one sentence each, and all that is intact to whoever visits. Changes nothing. */
export const faultsOf = (directory: string, visit?: RecordVisit): string[] => {
  const walk = faultsFoundIn(directory, visit)
  for (;;) {
    const step = walk.next()
    if (step.done) return step.value
  }
}

function* faultsFoundIn(directory: string, visit?: RecordVisit): Generator<void, string[], void> {
  const file = join(directory, 'data.mdb')
  if (!existsSync(file)) return ['its file data.mdb is missing']
  if (statSync(file).size === 0) return ['its file data.mdb is empty']
  const faults: string[] = []
  const walked = yield* stepsThrough(file, (tree, key, value) => {
    const name = nameOf(tree, key)
    if (name === undefined) return faults.push(`there is a record under no known name in ${tree}`)
    const text = sealedText(name, value)
    if (text === undefined) return faults.push(`record ${name} is not what was written`)
    return visit && tell(visit, tree, name, text)
  })
  return [...walked, ...faults]
}

const tell = (visit: RecordVisit, tree: string, name: string, text: string): void => {
  if (tree === NOTES) return visit.note(name)
  const [stream, last] = name.split('/').map(Number)
  visit.record(stream!, last!, JSON.parse(text) as unknown[])
}

/** The name that a record was sealed under. */
const nameOf = (tree: string, key: Buffer): string | undefined => {
  try {
    const value = bufferToKeyValue(key)
    if (tree === NOTES && typeof value === 'string') return value
    if (tree === RECORDS && Array.isArray(value) && value.every(Number.isSafeInteger)) return value.join('/')
  } catch {
    // What cannot be read has no name.
  }
  return undefined
}

const isNew = (directory: string): boolean => !existsSync(directory) || readdirSync(directory).length === 0
