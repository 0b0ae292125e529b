import { describe, expect, it } from 'vitest'
import type { FactBatch } from '../../../src/db/racing/rounds.projection.ts'
import type { Fact, RoundOpened } from '../../../src/domain/racing/facts.ts'
import type { Enqueued } from '../../../src/jobs/queues.ts'
import { persistProcessor } from '../../../src/jobs/racing/persist.worker.ts'

const opened = { type: 'RoundOpened', at: 0 } as RoundOpened
const locked: Fact = { type: 'BettingLocked', at: 0 }

const work = async (facts: number, poisoned: readonly number[]) => {
  const added: Enqueued[] = []
  const stored: number[] = []
  let tries = 0
  const numbered = Array.from({ length: facts }, (_, i) => [i + 1, locked] as const)
  const run = persistProcessor({
    facts: ({ roundId }) => ({ roundId, opened, facts: numbered }),
    isRetired: async () => false,
    project: async (batch: FactBatch) => {
      tries++
      const bad = batch.facts.find(([number]) => poisoned.includes(number))
      if (bad) throw new Error(`Postgres refuses fact ${bad[0]}`)
    },
    stored: (_, numbers) => stored.push(...numbers),
    reconcile: async () => {},
    add: async (jobs) => void added.push(...jobs),
    isPassing: () => false,
  })
  const rest = async (): Promise<never> => {
    throw new Error('there is no reason to rest')
  }
  await run({ name: 'facts', data: { roundId: 1, first: 1, last: facts }, rest })
  return { tries, stored: stored.sort((a, b) => a - b), alone: added.map(({ jobId }) => jobId) }
}

describe('a batch that Postgres refuses', () => {
  it('W2: loses the fact that is to blame, which goes on alone, after a few tries', async () => {
    const { tries, stored, alone } = await work(1_000, [617])
    expect(alone).toEqual(['fact-1-617'])
    expect(stored).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1).filter((number) => number !== 617))
    expect(tries).toBeLessThanOrEqual(21)
  })

  it('W2: loses each of several, the first, the last and neighbours too', async () => {
    const { stored, alone } = await work(10, [1, 5, 6, 10])
    expect(alone).toEqual(['fact-1-1', 'fact-1-5', 'fact-1-6', 'fact-1-10'])
    expect(stored).toEqual([2, 3, 4, 7, 8, 9])
  })

  it('W2: goes on alone at once where it is one fact', async () => {
    expect(await work(1, [1])).toEqual({ tries: 1, stored: [], alone: ['fact-1-1'] })
  })
})
