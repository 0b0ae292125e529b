import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openLmdbStore } from '../../../src/db/lmdb.store.ts'
import { readRounds } from '../../../src/db/racing/journal.rounds.ts'
import { toFact } from '../../../src/domain/racing/facts.ts'
import { replay } from '../../../src/domain/racing/round.ts'
import { opening, sale } from '../../support/facts.ts'

const sales = (from: number, count: number) => Array.from({ length: count }, (_, i) => sale(from + i))

let home: string
let directory: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'galop-rounds-'))
  directory = join(home, 'journal')
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

/** Commits, each of some facts of a round, and closes the journal. @returns its rounds as the store tells them */
const written = async (...commits: (readonly [stream: number, first: number, facts: unknown[]])[]) => {
  const store = openLmdbStore(directory)
  for (const [stream, first, facts] of commits) await store.commit([{ stream, first, facts }], new Map())
  const told = store.streams().map((id) => [id, [...store.read(id, 0, Infinity)].map(toFact)] as const)
  await store.close()
  return told
}

describe('the rounds of a journal that is not open', () => {
  it('are those that its facts tell, and others have their turn while it is read', async () => {
    const told = await written(
      [5, 1, [opening]],
      [9, 1, [opening, sale(900_001)]],
      [5, 2, sales(1, 64)],
      ...Array.from({ length: 20 }, (_, i) => [5, 66 + 1_000 * i, sales(65 + 1_000 * i, 1_000)] as const),
      [5, 20_066, [{ ...sale(3), type: 'ReceiptCancelled', at: 9_000 }]],
    )
    let turns = 0
    const others = setInterval(() => turns++, 0)
    const rounds = await readRounds(directory)
    clearInterval(others)
    expect([...rounds]).toEqual(told.map(([id, facts]) => [id, replay(id, facts)]))
    expect(rounds.get(5)!.receiptCount).toBe(20_063)
    expect(turns).toBeGreaterThan(0)
  })

  it('are none where nothing was ever written', async () => {
    expect(await readRounds(directory)).toEqual(new Map())
  })

  it('are refused where a fact is missing', async () => {
    await written([5, 1, [opening, sale(1)]]).catch(() => {})
    const store = openLmdbStore(directory)
    await store.commit([{ stream: 5, first: 4, facts: [sale(3)] }], new Map())
    await store.close()
    await expect(readRounds(directory)).rejects.toThrow('the journal lacks facts 3 to 3 of round 5')
  })

  it('are refused for the damage, also where its facts make no sense', async () => {
    await written([5, 1, [opening, sale(1), sale(2)]])
    const store = openLmdbStore(directory)
    await store.commit([{ stream: 6, first: 1, facts: [{ type: 'Nonsense' }] }], new Map())
    await store.commit([{ stream: 7, first: 1, facts: [{ ...opening, track: 'damaged' }] }], new Map())
    await store.close()
    await expect(readRounds(directory)).rejects.toThrow(/^(?!.*damaged)/)
    const file = join(directory, 'data.mdb')
    const bytes = readFileSync(file)
    for (const { index } of bytes.toString('latin1').matchAll(/"damaged"/g)) bytes.write('"DAMAGED"', index)
    writeFileSync(file, bytes)
    await expect(readRounds(directory)).rejects.toThrow(/is damaged \(record 7\/1 is not what was written\)/)
  })
})
