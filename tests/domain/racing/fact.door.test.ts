import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { Fact, toFact } from '../../../src/domain/racing/facts.ts'

const whole = fc.nat(Number.MAX_SAFE_INTEGER)
const sold = fc.record({
  type: fc.constant('ReceiptSold'),
  at: whole,
  by: whole,
  id: whole,
  sale: fc.record({
    by: whole,
    at: whole,
    bets: fc.array(fc.record({ number: whole, stake: whole, prize: whole }), { maxLength: 3 }),
  }),
})
const strange = fc.oneof(
  fc.constantFrom(-1, 1.5, Number.MAX_SAFE_INTEGER + 2, '1', null, true, 'ReceiptPaid', [], {}, [null]),
  fc.constant(undefined),
)

/** Every object and list in a value. */
const partsOf = (value: unknown): Record<string, unknown>[] =>
  typeof value === 'object' && value !== null
    ? [value as Record<string, unknown>, ...Object.values(value).flatMap(partsOf)]
    : []

describe('the door for facts', () => {
  it('takes a sale as it is', () => {
    fc.assert(
      fc.property(sold, (row) => {
        expect(toFact(row)).toBe(row)
      }),
    )
  })

  it('takes and refuses what the schema takes and refuses, whatever is wrong with a sale', () => {
    let refused = 0
    fc.assert(
      fc.property(sold, fc.nat(), fc.nat(), strange, fc.boolean(), (sale, which, member, wrong, isMore) => {
        const row = JSON.parse(JSON.stringify(sale)) as object
        const parts = partsOf(row)
        const part = parts[which % parts.length]!
        const names = Object.keys(part)
        if (Array.isArray(part)) part.push(wrong)
        else if (isMore) part[`more${member % 3}`] = wrong
        else if (wrong === undefined) delete part[names[member % names.length]!]
        else part[names[member % names.length]!] = wrong
        const bySchema = v.safeParse(Fact, row)
        if (!bySchema.success) refused++
        if (bySchema.success) expect(toFact(row)).toEqual(bySchema.output)
        else expect(() => toFact(row)).toThrow()
      }),
      { numRuns: 3_000 },
    )
    expect(refused).toBeGreaterThan(1_000)
  })

  it('takes all other facts by their schema, and nothing that is none', () => {
    expect(toFact({ type: 'BettingLocked', at: 1 })).toEqual({ type: 'BettingLocked', at: 1 })
    for (const row of [null, 1, 'ReceiptSold', [], {}, { type: 'ReceiptSold' }, { type: 'BettingLocked' }])
      expect(() => toFact(row)).toThrow()
  })
})
