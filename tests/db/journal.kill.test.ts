import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openLmdbStore } from '../../src/db/lmdb.store.ts'

const ROUNDS = 4
const root = fileURLToPath(new URL('../..', import.meta.url))
const appender = fileURLToPath(new URL('journal.appender.ts', import.meta.url))
const runtimes: [string, string[]][] = [
  ['Node', [process.execPath, '--import', import.meta.resolve('tsx')]],
  ['Deno', [join(root, 'node_modules', '.bin', 'deno'), 'run', '-A']],
]

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'galop-kill-'))
})
afterEach(() => rm(directory, { recursive: true }))

type Acknowledged = Map<number, number>

/** Starts the appender, kills it with -9 after so many acknowledgements, and returns the last of each stream. */
const killAfter = async ([program, ...args]: string[], acknowledgements: number): Promise<Acknowledged> => {
  // A process group of its own: whatever wraps the program dies with it.
  const child = spawn(program!, [...args, appender, directory], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  let complaints = ''
  let lines = 0
  let killed = false
  child.stderr.on('data', (bytes) => {
    complaints += bytes
  })
  child.stdout.on('data', (bytes: Buffer) => {
    said += bytes
    for (const byte of bytes) if (byte === 10) lines++
    if (lines < acknowledgements || killed) return
    killed = true
    process.kill(-child.pid!, 'SIGKILL')
  })
  await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject))
  if (!killed) throw new Error(`the appender ended by itself: ${complaints}`)
  // What was cut off in the middle of a line was not acknowledged.
  const complete = said.slice(0, said.lastIndexOf('\n')).split('\n')
  const last: Acknowledged = new Map()
  for (const line of complete) {
    const [stream, number] = line.split(' ').map(Number)
    last.set(stream!, number!)
  }
  return last
}

describe.each(runtimes)('a server under %s that is killed while it writes', (_, command) => {
  it('has every acknowledged fact, in order and without a gap, after every kill', async () => {
    let before = 0
    for (let round = 0; round < ROUNDS; round++) {
      const acknowledged = await killAfter(command, 1 + Math.floor(Math.random() * 4_000))
      const store = openLmdbStore(directory)
      try {
        expect(store.streams()).toEqual([1, 2, 3])
        for (const stream of store.streams()) {
          const last = store.last(stream)
          expect(last).toBeGreaterThanOrEqual(acknowledged.get(stream) ?? 0)
          const facts = [...store.read(stream, 0, Number.POSITIVE_INFINITY)]
          expect(facts).toEqual(Array.from({ length: last }, (_, i) => ({ stream, number: i + 1 })))
          expect(store.note(`last/${stream}`), 'a note left without its facts').toBe(last)
        }
        const all = store.streams().reduce((sum, stream) => sum + store.last(stream), 0)
        expect(all).toBeGreaterThan(before)
        before = all
      } finally {
        await store.close()
      }
    }
  })
})
