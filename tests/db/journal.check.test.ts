// A journal that was damaged on disk: whatever becomes of its bytes, it is whole, or it is refused.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { faultsOf } from '../../src/db/journal.check.ts'
import { openLmdbStore } from '../../src/db/lmdb.store.ts'
import { DAMAGES } from '../support/damage.ts'
import { opening, sale } from '../support/facts.ts'

const TRIALS = 60
const PAGE = 4096
const root = fileURLToPath(new URL('../..', import.meta.url))

let home: string
let sound: Buffer
let soundTold: string

/** Chance that repeats itself, so that a failure does. */
const chance = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const directoryOf = (name: string): string => join(home, name, 'journal')
/** Everything that the intact records say, in one word. */
const told = (directory: string): { faults: string[]; digest: string } => {
  const hash = createHash('sha256')
  const faults = faultsOf(directory, {
    record: (stream, last, facts) => hash.update(`${stream}/${last} ${JSON.stringify(facts)}`),
    note: (name) => hash.update(name),
  })
  return { faults, digest: hash.digest('hex') }
}
const damaged = (bytes: Buffer): string => {
  const directory = join(home, 'damaged', 'journal')
  writeFileSync(join(directory, 'data.mdb'), bytes)
  return directory
}
/** Pages that were freed still say what they said: all of them are found. */
const placesOf = (bytes: Buffer, text: string): number[] =>
  [...bytes.toString('latin1').matchAll(new RegExp(text, 'g'))].map(({ index }) => index)
const verify = (...options: string[]) => {
  const program = join(root, 'src', 'verify.ts')
  const run = spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), program, ...options], {
    encoding: 'utf8',
  })
  return { code: run.status, stdout: run.stdout, stderr: run.stderr }
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'galop-damage-'))
  const store = openLmdbStore(directoryOf('sound'))
  await store.commit([{ stream: 4, first: 1, facts: [opening] }], new Map())
  await store.commit([{ stream: 5, first: 1, facts: [opening] }], new Map())
  for (let n = 0; n < 120; n++) {
    const ids = Array.from({ length: 1 + (n % 30) }, (_, i) => 1_000 * n + i + 1)
    const first = store.last(5) + 1
    await store.commit(
      [{ stream: 5, first, facts: ids.map(sale) }],
      new Map([[`key/1/7/${n}`, { digest: 'd', outcome: ids }]]),
    )
  }
  // Freed pages, used anew.
  await store.remove(4, ['key/1/7/3'])
  await store.commit([{ stream: 6, first: 1, facts: [opening, sale(999_999)] }], new Map([['last', 1]]))
  await store.close()
  sound = readFileSync(join(directoryOf('sound'), 'data.mdb'))
  soundTold = told(directoryOf('sound')).digest
  await openLmdbStore(directoryOf('damaged')).close()
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

describe('a journal with', () => {
  it.each(Object.entries(DAMAGES))('%s is refused, unless it still says all that it said', (_, damage) => {
    const random = chance(20_261_121)
    let refused = 0
    for (let trial = 0; trial < TRIALS; trial++) {
      const { faults, digest } = told(damaged(damage(Buffer.from(sound), random)))
      if (faults.length > 0) refused++
      else expect(digest, `trial ${trial}`).toBe(soundTold)
    }
    expect(refused).toBeGreaterThan(TRIALS / 20)
  })

  it('a changed letter in a receipt is refused by name, and not opened', () => {
    const bytes = Buffer.from(sound)
    for (const at of placesOf(bytes, '"id":60001,')) bytes.write('"id":60002,', at)
    const directory = damaged(bytes)
    expect(() => openLmdbStore(directory)).toThrow(/is damaged \(record 5\/\d+ is not what was written\)/)
    expect(() => openLmdbStore(directory)).toThrow(/docs\/operations\.md says of a damaged journal/)
    expect(readFileSync(join(directory, 'data.mdb')).equals(bytes)).toBe(true)
  })

  it.each(['an empty file', 'no file'])('%s is not taken for a new one', (what) => {
    const directory = damaged(Buffer.alloc(0))
    if (what === 'no file') rmSync(join(directory, 'data.mdb'))
    expect(() => openLmdbStore(directory)).toThrow('data.mdb is')
  })

  it('a damaged lock file is none the worse', async () => {
    const directory = directoryOf('locked')
    await openLmdbStore(directory).close()
    copyFileSync(join(directoryOf('sound'), 'data.mdb'), join(directory, 'data.mdb'))
    writeFileSync(join(directory, 'lock.mdb'), Buffer.alloc(777, 0xa5))
    const store = openLmdbStore(directory)
    expect(store.streams()).toEqual([5, 6])
    await store.close()
  })
})

describe('npm run verify', () => {
  const dataOf = (name: string): string => join(home, name)
  const bytesIn = (name: string): string[] =>
    readdirSync(directoryOf(name)).map((file) => readFileSync(join(directoryOf(name), file), 'latin1'))

  it('lists the rounds, facts, receipts and amounts of a sound journal, and ends with 0', () => {
    const before = bytesIn('sound')
    const { code, stdout } = verify(dataOf('sound'))
    expect(stdout).toMatch(
      /round +track +phase +facts +receipts +cancelled +paid +refunded +stakes +prizes paid/,
    )
    expect(stdout).toMatch(/5 +main +waiting +1861 +1860 +0 +0 +0 +1860000 +0/)
    expect(stdout).toMatch(/6 +main +waiting +2 +1 +0 +0 +0 +1000 +0/)
    expect(stdout).toMatch(/120 notes/)
    expect(stdout).toMatch(/All of it is intact\.\n$/)
    expect(code).toBe(0)
    expect(bytesIn('sound')).toEqual(before)
  })

  it('lists what is left beside a damaged page, names what is lost, and ends with 1', () => {
    const bytes = Buffer.from(sound)
    for (const at of placesOf(bytes, '"id":60001,')) {
      const start = at - (at % PAGE)
      bytes.fill(0, start, start + PAGE)
    }
    damaged(bytes)
    const before = bytesIn('damaged')
    const { code, stdout } = verify(dataOf('damaged'))
    expect(stdout).toMatch(/6 +main +waiting +2 +1 +0 +0 +0 +1000 +0/)
    expect(stdout).toMatch(/round 5 lacks facts \d+-\d+/)
    const [, facts, receipts] = /5 +main +waiting +(\d+) +(\d+)/.exec(stdout)!.map(Number)
    expect(receipts).toBe(facts! - 1)
    expect(receipts).toBeGreaterThan(1_500)
    expect(receipts).toBeLessThan(1_860)
    expect(code).toBe(1)
    expect(bytesIn('damaged')).toEqual(before)
  })

  it('gives every intact fact as a line of JSON to whoever asks', () => {
    const { code, stdout } = verify('--facts', dataOf('sound'))
    const facts = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { round: number; number: number; type: string; id?: number })
    expect(facts).toHaveLength(1_863)
    expect(facts.at(-1)).toMatchObject({ round: 6, number: 2, type: 'ReceiptSold', id: 999_999 })
    expect(code).toBe(0)
  })

  it('does not look at what is not there, nor at what is asked for wrongly', () => {
    expect(verify(dataOf('nowhere'))).toMatchObject({ code: 2, stdout: '' })
    expect(verify('--mend', dataOf('sound')).stderr).toMatch(/^usage:/)
  })
})
