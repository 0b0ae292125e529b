import { execFileSync } from 'node:child_process'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadRows } from '../../bench/main.ts'
import { outcomeOf, tableOf } from '../../bench/table.ts'

// Every row of the bench, in the form that shows that it works. Nothing is said about speed here.

const rows = await loadRows()

beforeAll(() => {
  execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'ignore' })
})

describe('the bench', () => {
  it('has each row once', () => {
    const numbers = rows.map(({ number }) => number)
    expect(numbers).toEqual([...new Set(numbers)])
    expect(numbers).toContain(1)
  })

  it.each(rows.map((row) => [row.number, row] as const))(
    'measures row %i',
    { timeout: 300_000 },
    async (_, row) => {
      const said: string[] = []
      const comparisons = await row.run({ isShort: true, say: (line) => said.push(line) })
      expect(comparisons.length).toBeGreaterThan(0)
      for (const comparison of comparisons) {
        const { ratio, lowest, highest } = outcomeOf(comparison)
        expect(lowest).toBeGreaterThan(0)
        expect(lowest).toBeLessThanOrEqual(ratio)
        expect(highest).toBeGreaterThanOrEqual(ratio)
        expect(comparison.against).not.toBe('')
      }
      expect(said, 'tells how far it is').not.toEqual([])
      expect(tableOf([{ row, comparisons }]).split('\n')).toHaveLength(2 + comparisons.length)
    },
  )
})
