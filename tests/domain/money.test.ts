import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NOTHING, toAmount, toPublic } from '../../src/domain/money.ts'

describe('an amount', () => {
  it('is any whole number from nothing to the largest that a number holds exactly', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        expect(toAmount(value)).toBe(value)
      }),
    )
    expect(toAmount(Number.MAX_SAFE_INTEGER)).toBe(9_007_199_254_740_991)
    expect(NOTHING).toBe(0)
  })

  it.each([
    ['a fraction', 0.5],
    ['a fraction that arithmetic made', 0.1 + 0.2],
    ['a debt', -1],
    ['a number past what is exact', Number.MAX_SAFE_INTEGER + 1],
    ['infinity', Number.POSITIVE_INFINITY],
    ['no number at all', Number.NaN],
  ])('is never %s', (_, value) => {
    expect(() => toAmount(value)).toThrow(RangeError)
  })

  it('is never any fraction, and never anything below nothing', () => {
    const notWhole = fc.double({ noNaN: true }).filter((value) => !Number.isInteger(value))
    const refuses = (value: number): void => {
      expect(() => toAmount(value)).toThrow(RangeError)
    }
    fc.assert(fc.property(notWhole, refuses))
    fc.assert(fc.property(fc.integer({ max: -1 }), refuses))
  })

  it('is shown to the public a hundred times smaller, whatever its size', () => {
    expect(toPublic(toAmount(10_000))).toBe(100)
    expect(toPublic(toAmount(50))).toBe(0.5)
    expect(toPublic(toAmount(1_257))).toBe(12.57)
  })
})
