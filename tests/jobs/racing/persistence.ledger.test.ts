import { beforeEach, describe, expect, it } from 'vitest'
import type { Journal } from '../../../src/actors/journal.port.ts'
import { openJournal } from '../../../src/db/journal.ts'
import { memoryStore } from '../../../src/db/memory.store.ts'
import type { Fact } from '../../../src/domain/racing/facts.ts'
import { replay } from '../../../src/domain/racing/round.ts'
import { PersistenceLedger } from '../../../src/jobs/racing/persistence.ledger.ts'
import { type History, historyOf } from '../../db/racing/round.history.ts'

// The opening is fact 1; receipts of 1,000, 2,000 and 3,000 are sold by facts 2, 3 and 5, and the second is cancelled by 4.
const bets = (stake: number) => [{ number: 1, stake }]
const history: History = historyOf(
  {
    whileOpen: [
      { do: 'sell', by: 7, bets: bets(1_000) },
      { do: 'sell', by: 7, bets: bets(2_000) },
      { do: 'cancel', by: 7, which: 1 },
      { do: 'sell', by: 8, bets: bets(3_000) },
    ],
  },
  { roundId: 42, until: 'running' },
)
const ROUND = history.roundId
const ALL = history.facts.map((_, i) => i + 1)
const atOf = (number: number): number => history.facts[number - 1]!.at

let journal: Journal<Fact>
let ledger: PersistenceLedger

beforeEach(async () => {
  journal = openJournal<Fact>({ store: memoryStore(), parse: (row) => row as Fact })
  await onDisk(history.facts)
  ledger = new PersistenceLedger(journal)
})

const onDisk = (facts: readonly Fact[], roundId = ROUND, first = 1): Promise<void> =>
  new Promise((resolve, reject) => {
    journal.append({ stream: roundId, first, facts }, (error) => (error ? reject(error) : resolve()))
  })

const hear = (numbers: readonly number[] = ALL): void => {
  for (const number of numbers) ledger.written(ROUND, number, history.facts[number - 1]!)
}
const recovered = (count = ALL.length) => replay(ROUND, history.facts.slice(0, count))

const NOTHING = { receipts: 0, amount: 0, oldestAt: undefined }

describe('the ledger of what is not in Postgres yet', () => {
  it('counts nothing where nothing was sold', () => {
    expect(ledger.unstored()).toEqual(NOTHING)
    expect(ledger.isComplete(ROUND)).toBe(false)
    expect(ledger.pendingOf(ROUND)).toBe(0)
  })

  it('counts each receipt sold with its stake, until its sale is stored, whatever becomes of it', () => {
    hear([1])
    expect(ledger.unstored()).toEqual(NOTHING)
    hear([2, 3, 4, 5])
    expect(ledger.unstored()).toEqual({ receipts: 3, amount: 6_000, oldestAt: atOf(2) })
    ledger.stored(ROUND, [1, 2, 4])
    expect(ledger.unstored()).toEqual({ receipts: 2, amount: 5_000, oldestAt: atOf(3) })
    ledger.stored(ROUND, [5])
    expect(ledger.unstored()).toEqual({ receipts: 1, amount: 2_000, oldestAt: atOf(3) })
    expect(ledger.isComplete(ROUND)).toBe(false)
    ledger.stored(ROUND, [3])
    expect(ledger.unstored()).toEqual(NOTHING)
    expect(ledger.isComplete(ROUND)).toBe(true)
  })

  it('is complete only when facts that sell nothing are stored as well', () => {
    hear()
    ledger.stored(ROUND, [1, 2, 3, 5, 6])
    expect(ledger.unstored()).toEqual(NOTHING)
    expect(ledger.isComplete(ROUND)).toBe(false)
    expect(ledger.firstMissing(ROUND)).toBe(4)
    ledger.stored(ROUND, [4, 7])
    expect(ledger.isComplete(ROUND)).toBe(true)
  })

  it('counts a fact once, however often it is stored', () => {
    hear()
    ledger.stored(ROUND, [2])
    ledger.stored(ROUND, [2, 2])
    ledger.stored(999, [2])
    expect(ledger.unstored()).toMatchObject({ receipts: 2, amount: 5_000 })
  })

  it('tells the lowest fact that is missing, but for those that failed', () => {
    hear([5, 2, 3])
    expect(ledger.firstMissing(ROUND)).toBe(2)
    expect(ledger.firstMissing(ROUND, new Set([2, 3]))).toBe(5)
    expect(ledger.firstMissing(ROUND, new Set([2, 3, 5]))).toBeUndefined()
    expect(ledger.firstMissing(999)).toBeUndefined()
  })

  it('forgets a round with all that it counted', () => {
    hear()
    ledger.forget(ROUND)
    expect(ledger.unstored()).toEqual(NOTHING)
    ledger.stored(ROUND, ALL)
    expect(ledger.unstored()).toEqual(NOTHING)
  })

  it('tells the oldest of several rounds', async () => {
    const earlier = historyOf(
      { whileOpen: [{ do: 'sell', by: 7, bets: bets(1_500) }] },
      { roundId: 43, openedAt: 5_000, until: 'locked' },
    )
    await onDisk(earlier.facts, 43)
    hear()
    ledger.written(43, 2, earlier.facts[1]!)
    expect(ledger.unstored()).toEqual({ receipts: 4, amount: 7_500, oldestAt: earlier.facts[1]!.at })
  })
})

describe('the ledger after a restart', () => {
  it('G1: counts all of a recovered round until Postgres was asked', () => {
    ledger.recover(recovered())
    expect(ledger.unverified()).toEqual([ROUND])
    expect(ledger.unstored()).toEqual({ receipts: 3, amount: 6_000, oldestAt: atOf(1) })
    expect(ledger.isComplete(ROUND)).toBe(false)
    expect(ledger.pendingOf(ROUND)).toBe(ALL.length)
    expect(ledger.firstMissing(ROUND)).toBeUndefined()
  })

  it('counts what Postgres has not, once it was asked', () => {
    ledger.recover(recovered())
    ledger.verify(recovered(), [1, 2, 4, 6])
    expect(ledger.unverified()).toEqual([])
    expect(ledger.unstored()).toEqual({ receipts: 2, amount: 5_000, oldestAt: atOf(3) })
    expect(ledger.firstMissing(ROUND)).toBe(3)
    ledger.stored(ROUND, [3, 5, 7])
    expect(ledger.isComplete(ROUND)).toBe(true)
  })

  it('counts nothing where Postgres has everything', () => {
    ledger.recover(recovered())
    ledger.verify(recovered(), [...ALL].reverse())
    expect(ledger.unstored()).toEqual(NOTHING)
    expect(ledger.isComplete(ROUND)).toBe(true)
  })

  it('counts what was sold since', () => {
    ledger.recover(recovered(4))
    hear([5, 6, 7])
    expect(ledger.unstored()).toMatchObject({ receipts: 3, amount: 6_000 })
    ledger.verify(recovered(), [1, 2, 3])
    expect(ledger.unstored()).toEqual({ receipts: 1, amount: 3_000, oldestAt: atOf(5) })
    expect(ledger.pendingOf(ROUND)).toBe(4)
    ledger.stored(ROUND, [4, 5, 6, 7])
    expect(ledger.isComplete(ROUND)).toBe(true)
  })

  it('does not take facts that came later for those that are missing', () => {
    ledger.recover(recovered(4))
    hear([5, 6, 7])
    ledger.stored(ROUND, [5, 6, 7])
    // As many numbers as there were facts at the start, but not the same.
    ledger.verify(recovered(), [1, 4, 5, 6, 7])
    expect(ledger.isComplete(ROUND)).toBe(false)
    expect(ledger.unstored()).toEqual({ receipts: 2, amount: 3_000, oldestAt: atOf(2) })
  })

  it('knows what was stored while Postgres was being asked, though the answer does not', () => {
    ledger.recover(recovered())
    ledger.stored(ROUND, ALL)
    ledger.verify(recovered(), [])
    expect(ledger.unstored()).toEqual(NOTHING)
    expect(ledger.isComplete(ROUND)).toBe(true)
  })

  it('may doubt a round again that Postgres was thought to have', () => {
    hear()
    ledger.stored(ROUND, ALL)
    ledger.recover(recovered())
    expect(ledger.isComplete(ROUND)).toBe(false)
    expect(ledger.unstored()).toMatchObject({ receipts: 3, amount: 6_000 })
    ledger.verify(recovered(), [1, 3, 4, 5, 6, 7])
    expect(ledger.unstored()).toEqual({ receipts: 1, amount: 1_000, oldestAt: atOf(2) })
  })
})
