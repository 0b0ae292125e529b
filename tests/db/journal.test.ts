import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Journal, Notes } from '../../src/actors/journal.port.ts'
import { type JournalStore, openJournal } from '../../src/db/journal.ts'
import { openLmdbStore } from '../../src/db/lmdb.store.ts'
import { memoryStore } from '../../src/db/memory.store.ts'
import { quiet } from '../support/clock.ts'
import { Disk } from '../support/racing.ts'

// One suite for both stores: the twin in memory is worth having only as long as it behaves like LMDB.

type Row = { readonly n: number }

const toRow = (row: unknown): Row => {
  if (typeof (row as Row).n !== 'number') throw new Error('this is no fact')
  return row as Row
}

describe.each(['LMDB', 'memory'])('a journal in %s', (kind) => {
  let directory: string
  let kept: JournalStore
  let disk: Disk
  let journal: Journal<Row>
  let closed: boolean
  let failed: () => void
  let recovered: () => void

  const openAgain = (): void => {
    if (kind === 'LMDB') kept = openLmdbStore(directory)
    disk = new Disk(kept)
    closed = false
    journal = openJournal({
      store: disk.store,
      parse: toRow,
      probeAfterMs: 1,
      onFailure: () => failed(),
      onRecovery: () => recovered(),
    })
  }
  const close = async (): Promise<void> => {
    closed = true
    await journal.close()
  }
  const reopen = async (): Promise<void> => {
    await close()
    openAgain()
  }

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'galop-journal-'))
    kept = memoryStore()
    failed = () => {}
    recovered = () => {}
    openAgain()
  })
  afterEach(async () => {
    disk.fault = undefined
    disk.release()
    if (!closed) await close()
    await rm(directory, { recursive: true })
  })

  const append = (stream: number, first: number, numbers: readonly number[], notes?: Notes): Promise<void> =>
    new Promise((resolve, reject) => {
      const facts = numbers.map((n) => ({ n }))
      journal.append({ stream, first, facts, ...(notes && { notes }) }, (error) =>
        error ? reject(error) : resolve(),
      )
    })
  const read = (stream: number, after?: number, limit?: number): number[] =>
    journal.read(stream, after, limit).map(({ n }) => n)
  const recovery = (): Promise<void> =>
    new Promise((resolve) => {
      recovered = resolve
    })
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1)

  describe('keeps', () => {
    it('the facts of each stream in the order of their numbers, whatever else is written between', async () => {
      const writes: Promise<void>[] = []
      for (let n = 1; n <= 300; n++)
        for (const stream of [7, 3, 1_000_000]) writes.push(append(stream, n, [stream + n]))
      await Promise.all(writes)
      for (const stream of [3, 7, 1_000_000]) expect(read(stream)).toEqual(upTo(300).map((n) => stream + n))
      expect(journal.streams()).toEqual([3, 7, 1_000_000])
    })

    it('several facts of one entry, numbered one after another', async () => {
      await append(1, 1, [10, 20])
      await append(1, 3, [30])
      expect(read(1)).toEqual([10, 20, 30])
      expect(journal.last(1)).toBe(3)
    })

    it('all of it for whoever opens it again', async () => {
      await append(1, 1, upTo(50), { a: { deep: [1, 'x', null] } })
      await append(2, 1, [1])
      await journal.write({ b: 'text' })
      await reopen()
      expect(read(1)).toEqual(upTo(50))
      expect(journal.streams()).toEqual([1, 2])
      expect(journal.last(1)).toBe(50)
      expect(journal.note('a')).toEqual({ deep: [1, 'x', null] })
      expect(journal.note('b')).toBe('text')
    })

    it('what was asked for before it was closed, and nothing after', async () => {
      const writes = [append(1, 1, [1]), journal.write({ a: 1 })]
      const closing = close()
      await expect(append(1, 2, [2])).rejects.toThrow('the journal is closed')
      await expect(journal.write({ a: 2 })).rejects.toThrow('the journal is closed')
      await Promise.all([...writes, closing])
      openAgain()
      expect(read(1)).toEqual([1])
      expect(journal.note('a')).toBe(1)
    })
  })

  describe('reads', () => {
    it('from after a number, and at most so many', async () => {
      await append(5, 1, upTo(20))
      expect(read(5, 15)).toEqual([16, 17, 18, 19, 20])
      expect(read(5, 3, 4)).toEqual([4, 5, 6, 7])
      expect(read(5, 20)).toEqual([])
      expect(read(5, 0, 1)).toEqual([1])
    })

    it('nothing of a stream that has nothing, even between two that have', async () => {
      await Promise.all([append(1, 1, [1]), append(3, 1, [3])])
      expect(read(2)).toEqual([])
      expect(journal.last(2)).toBe(0)
      expect(journal.last(4)).toBe(0)
      expect(journal.note('nothing')).toBeUndefined()
    })

    it('nothing that is not on disk yet', async () => {
      disk.hold()
      const writing = append(1, 1, [1], { a: 1 })
      await quiet()
      expect(read(1)).toEqual([])
      expect(journal.last(1)).toBe(0)
      expect(journal.streams()).toEqual([])
      expect(journal.note('a')).toBeUndefined()
      disk.release()
      await writing
      expect(read(1)).toEqual([1])
    })

    it('copies: what a reader does to them changes nothing', async () => {
      await append(1, 1, [1], { a: { b: 1 } })
      ;(journal.read(1)[0] as { n: number }).n = 99
      ;(journal.note('a') as { b: number }).b = 99
      expect(read(1)).toEqual([1])
      expect(journal.note('a')).toEqual({ b: 1 })
    })

    it('nothing through the door that is no fact', async () => {
      await disk.store.commit([{ stream: 1, first: 1, facts: [{ m: 1 }] }], new Map())
      expect(() => journal.read(1)).toThrow('this is no fact')
    })
  })

  describe('notes', () => {
    it('leave in one piece with the facts that they belong to', async () => {
      disk.fault = 'before'
      await expect(append(1, 1, [1], { a: 1 })).rejects.toThrow()
      expect([read(1), journal.note('a')]).toEqual([[], undefined])
      disk.fault = undefined
      await recovery()
      await append(1, 1, [1], { a: 1 })
      expect([read(1), journal.note('a')]).toEqual([[1], 1])
    })

    it('are written one over another in the order they were asked for, and removed by undefined', async () => {
      await Promise.all([journal.write({ a: 1, b: 1 }), journal.write({ a: 2 }), append(1, 1, [1], { a: 3 })])
      expect(journal.note('a')).toBe(3)
      await Promise.all([journal.write({ a: 4 }), journal.write({ a: undefined })])
      expect(journal.note('a')).toBeUndefined()
      expect(journal.note('b')).toBe(1)
    })

    it('are found by how their names begin, and forgotten so', async () => {
      await journal.write({ 'key/1/a': 1, 'key/1/é': 2, 'key/10/a': 3, 'key/2/a': 4, kez: 5, key: 6 })
      const names = (prefix: string) => [...journal.notes(prefix)].map(([name]) => name).sort()
      expect(names('key/1/')).toEqual(['key/1/a', 'key/1/é'])
      expect(Object.fromEntries(journal.notes('key/1'))).toEqual({
        'key/1/a': 1,
        'key/1/é': 2,
        'key/10/a': 3,
      })
      await journal.forget('key/1/')
      expect(names('key')).toEqual(['key', 'key/10/a', 'key/2/a'])
      await journal.forget('nothing like it')
      await reopen()
      expect(names('ke')).toEqual(['key', 'key/10/a', 'key/2/a', 'kez'])
    })

    if (kind === 'LMDB')
      it('with a name too long for the store fail all of their commit, not half of it', async () => {
        await append(1, 1, [1])
        const writes = [append(1, 2, [2], { a: 1 }), append(1, 3, [3], { ['k'.repeat(3_000)]: 1 })]
        for (const write of writes) await expect(write).rejects.toThrow('could not be written')
        await recovery()
        expect([read(1), journal.note('a')]).toEqual([[1], undefined])
        await append(1, 2, [22])
        expect(read(1)).toEqual([1, 22])
      })
  })

  describe('group commit', () => {
    it('makes one commit of all that is asked for in one turn', async () => {
      await Promise.all(upTo(200).map((n) => append(1, n, [n])))
      expect(disk.commits).toBe(1)
      expect(read(1)).toEqual(upTo(200))
    })

    it('lets what arrives during a commit leave with the next one, all together', async () => {
      disk.hold()
      const first = append(1, 1, [1])
      await quiet()
      expect(disk.commits).toBe(1)
      const rest = upTo(100).map((n) => append(1, n + 1, [n + 1]))
      await quiet()
      expect(disk.commits).toBe(1)
      disk.release()
      await Promise.all([first, ...rest])
      expect(disk.commits).toBe(2)
    })

    it('answers in the order in which it was asked', async () => {
      const answered: number[] = []
      await Promise.all(
        upTo(50).map((n) => append(n % 3, Math.ceil(n / 3), [n]).then(() => answered.push(n))),
      )
      expect(answered).toEqual(upTo(50))
    })

    it('takes what is asked for by those whom it answers', async () => {
      await new Promise<void>((resolve, reject) => {
        journal.append({ stream: 1, first: 1, facts: [{ n: 1 }] }, () =>
          journal.append({ stream: 1, first: 2, facts: [{ n: 2 }] }, (error) =>
            error ? reject(error) : resolve(),
          ),
        )
      })
      expect(read(1)).toEqual([1, 2])
      expect(disk.commits).toBe(2)
    })
  })

  describe('the barrier', () => {
    it('is not there when nothing is under way', async () => {
      expect(journal.settled()).toBeUndefined()
      await append(1, 1, [1])
      expect(journal.settled()).toBeUndefined()
    })

    it('waits for what was asked for before it, under way or queued, and not for what comes after', async () => {
      const done: string[] = []
      disk.hold()
      const all = [append(1, 1, [1]).then(() => done.push('first'))]
      await quiet()
      all.push(journal.settled()!.then(() => done.push('barrier of the first')))
      all.push(append(1, 2, [2]).then(() => done.push('second')))
      all.push(journal.settled()!.then(() => done.push('barrier of both')))
      all.push(append(1, 3, [3]).then(() => done.push('third')))
      await quiet()
      expect(done).toEqual([])
      disk.release()
      await Promise.all(all)
      expect(done.indexOf('first')).toBeLessThan(done.indexOf('barrier of the first'))
      expect(done.indexOf('barrier of the first')).toBeLessThan(done.indexOf('second'))
      expect(done.indexOf('second')).toBeLessThan(done.indexOf('barrier of both'))
      expect(done).toHaveLength(5)
    })

    it('is passed when the commit failed, after those in it were told', async () => {
      disk.fault = 'before'
      const told: string[] = []
      const failing = append(1, 1, [1]).catch(() => told.push('caller'))
      await journal.settled()
      told.push('barrier')
      await failing
      expect(told).toEqual(['caller', 'barrier'])
    })
  })

  describe('a commit that fails', () => {
    it('fails everyone in it and everyone who queued behind it, and nobody else', async () => {
      await append(1, 1, [1])
      disk.hold()
      disk.fault = 'before'
      const inIt = [append(1, 2, [2]), append(2, 1, [1]), journal.write({ a: 1 })]
      await quiet()
      const behind = [append(1, 3, [3]), append(3, 1, [1]), journal.write({ b: 1 })]
      disk.release()
      for (const one of [...inIt, ...behind])
        await expect(one).rejects.toMatchObject({
          message: 'the journal could not be written',
          cause: { message: 'no space left on device' },
        })
      expect(read(1)).toEqual([1])
      expect(journal.streams()).toEqual([1])
    })

    it('is told to everyone before anything else happens: whoever asks then is refused at once', async () => {
      disk.fault = 'before'
      const told: string[] = []
      await new Promise<void>((resolve) => {
        journal.append({ stream: 1, first: 1, facts: [{ n: 1 }] }, (error) => {
          told.push(error ? 'first failed' : 'first written')
          expect(journal.failure).toBe(error)
          journal.append({ stream: 1, first: 2, facts: [{ n: 2 }] }, (again) =>
            told.push(again ? 'asked again, refused' : 'asked again, written'),
          )
        })
        journal.append({ stream: 1, first: 2, facts: [{ n: 2 }] }, (error) => {
          told.push(error ? 'second failed' : 'second written')
          resolve()
        })
      })
      expect(told).toEqual(['first failed', 'asked again, refused', 'second failed'])
    })

    it('lets nothing be written until a probe was, and then everything', async () => {
      let alarms = 0
      failed = () => {
        alarms++
      }
      disk.fault = 'before'
      await expect(append(1, 1, [1])).rejects.toThrow()
      const probes = disk.commits
      // Two probes fail; what is asked for meanwhile does not reach the disk.
      for (let probe = 1; probe <= 2; probe++) {
        await disk.asked()
        await expect(append(1, 1, [1])).rejects.toThrow('could not be written')
        await expect(journal.write({ a: 1 })).rejects.toThrow('could not be written')
      }
      expect(disk.commits - probes).toBeLessThanOrEqual(3)
      expect(journal.failure).toBeDefined()
      const back = recovery()
      disk.fault = undefined
      await back
      expect(journal.failure).toBeUndefined()
      await append(1, 1, [1])
      expect(read(1)).toEqual([1])
      expect(alarms).toBe(1)
    })

    it('leaves what did arrive, although a failure was reported, for whoever reads again', async () => {
      disk.fault = 'after'
      await expect(append(1, 1, [1, 2], { a: 1 })).rejects.toThrow()
      expect(read(1)).toEqual([1, 2])
      disk.fault = undefined
      await recovery()
      await append(1, 3, [3])
      await reopen()
      expect(read(1)).toEqual([1, 2, 3])
    })

    it('is probed no more once the journal is closed, even if a probe was under way', async () => {
      disk.fault = 'before'
      await expect(append(1, 1, [1])).rejects.toThrow()
      disk.hold()
      await disk.asked()
      const closing = close()
      const timers = vi.spyOn(globalThis, 'setTimeout')
      disk.release()
      await closing
      await quiet()
      expect(timers).not.toHaveBeenCalled()
      timers.mockRestore()
    })
  })

  describe('removing a stream', () => {
    const RECEIPTS = 1_700

    beforeEach(async () => {
      await Promise.all([append(1, 1, [0]), append(2, 1, [1]), append(3, 1, [0])])
      for (let n = 2; n <= RECEIPTS; n += 4) await append(2, n, upTo(RECEIPTS).slice(n - 1, n + 3))
      await journal.write({ 'outbox/2/persist': RECEIPTS, 'retiring/2': true, other: 1 })
    })

    it('takes its facts and the notes named, and nothing of its neighbours', async () => {
      await journal.remove(2, ['outbox/2/persist', 'retiring/2'])
      expect(journal.streams()).toEqual([1, 3])
      expect(journal.last(2)).toBe(0)
      expect([...journal.notes('')].map(([name]) => name)).toEqual(['other'])
      await reopen()
      expect(journal.streams()).toEqual([1, 3])
    })

    it('goes in slices from the end: at any moment a kill leaves the opening, no gap, and the notes', async () => {
      const seen = new Set<number>()
      let removed = false
      const removing = journal.remove(2, ['outbox/2/persist', 'retiring/2']).then(() => {
        removed = true
      })
      while (!removed) {
        const last = journal.last(2)
        seen.add(last)
        if (last > 0) {
          expect(read(2, 0, 1)).toEqual([1])
          expect(read(2).length).toBe(last)
        }
        expect(journal.note('retiring/2')).toBe(last > 0 ? true : undefined)
        await new Promise((resolve) => setImmediate(resolve))
      }
      await removing
      if (kind === 'LMDB')
        expect([...seen].filter((last) => last > 0 && last < RECEIPTS).length).toBeGreaterThan(1)
    })

    it('that is not there is no fault', async () => {
      await journal.remove(99, ['nothing'])
      expect(journal.streams()).toEqual([1, 2, 3])
    })

    it('lets others write meanwhile', async () => {
      const removing = journal.remove(2, [])
      await append(3, 2, [2])
      await removing
      expect(read(3)).toEqual([0, 2])
      expect(journal.streams()).toEqual([1, 3])
    })
  })

  it('reads from any number on and as many as asked for, however the facts came to disk', async () => {
    await Promise.all([1, 2, 3].map((n) => append(1, n, [n])))
    await append(1, 4, [4])
    await Promise.all([append(1, 5, [5, 6]), append(2, 1, [1]), append(1, 7, [7])])
    for (let after = 0; after <= 8; after++) {
      expect(read(1, after)).toEqual(upTo(7).slice(after))
      for (let limit = 1; limit <= 8; limit++)
        expect(read(1, after, limit)).toEqual(upTo(7).slice(after, after + limit))
    }
  })

  if (kind === 'LMDB')
    it('gives out nothing that is not as it was written, and is opened no more', async () => {
      await append(1, 1, [1, 2])
      await append(1, 3, [3])
      await journal.write({ a: 1, b: 2 })
      const root = open({ path: directory, maxDbs: 4, overlappingSync: false, eventTurnBatching: false })
      const records = root.openDB<string, [number, number]>({ name: 'records', encoding: 'string' })
      const notes = root.openDB<string, string>({ name: 'notes', encoding: 'string' })
      await records.put([1, 2], records.get([1, 2])!.replace('"n":2', '"n":3'))
      await notes.put('b', notes.get('a')!)
      expect(() => journal.read(1)).toThrow('record 1/2 of the journal is damaged')
      expect(read(1, 2)).toEqual([3])
      expect(() => journal.note('b')).toThrow('record b of the journal is damaged')
      expect(journal.note('a')).toBe(1)
      await root.close()
      await close()
      expect(openAgain).toThrow('record b is not what was written, and 1 more')
    })

  if (kind === 'LMDB')
    it('says which facts are lacking', async () => {
      for (const n of [1, 2, 3]) await append(1, n, [n])
      await close()
      const root = open({ path: directory, maxDbs: 4, overlappingSync: false, eventTurnBatching: false })
      await root.openDB<string, [number, number]>({ name: 'records', encoding: 'string' }).remove([1, 2])
      await root.close()
      openAgain()
      expect(() => journal.read(1)).toThrow('the journal lacks facts 2 to 2 of round 1')
    })

  if (kind === 'LMDB')
    it('may be entered by its owner alone: it holds the seeds of races to come', async () => {
      expect((await stat(directory)).mode & 0o777).toBe(0o700)
    })
})
