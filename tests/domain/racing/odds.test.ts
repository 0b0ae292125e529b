import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { DEFAULT_FIELD, Field } from '../../../src/domain/racing/field.ts'
import { priceField, prizeOf } from '../../../src/domain/racing/odds.ts'

const fieldOf = (chances: readonly number[]) =>
  chances.map((chance, i) => ({ number: i + 1, name: `Cheval ${i + 1}`, chance }))

const chances = fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 2, maxLength: 30 })

describe('the odds of a field', () => {
  it('are 2.50, 4.00, 5.50, 8.00, 10.00 and 12.57 for the default field at a return of 88 %', () => {
    expect(priceField(DEFAULT_FIELD, 0.88).map(({ coeff }) => coeff)).toEqual([
      250, 400, 550, 800, 1000, 1257,
    ])
  })

  it('return to the player what is configured, or less by at most the last hundredth of a coefficient', () => {
    fc.assert(
      fc.property(chances, fc.integer({ min: 5_000, max: 10_000 }), (weights, basisPoints) => {
        const total = weights.reduce((sum, one) => sum + one, 0)
        fc.pre(weights.every((weight) => (basisPoints * total) / (weight * 100) >= 102))
        for (const { chance, coeff } of priceField(fieldOf(weights), basisPoints / 10_000)) {
          // Exact: coefficient × probability against the configured share, in whole numbers.
          const returned = BigInt(coeff) * BigInt(chance) * 100n
          const configured = BigInt(basisPoints) * BigInt(total)
          expect(returned <= configured).toBe(true)
          expect(returned + BigInt(chance) * 100n > configured).toBe(true)
        }
      }),
    )
  })

  it('do not depend on the scale of the chances', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 100, max: 1_000 }), { minLength: 12, maxLength: 30 }),
        (weights) => {
          const coefficients = (scale: number) =>
            priceField(fieldOf(weights.map((weight) => weight * scale)), 0.88).map(({ coeff }) => coeff)
          expect(coefficients(7)).toEqual(coefficients(1))
        },
      ),
    )
  })

  it('are refused where a favourite is so hot that a stake on it could win nothing', () => {
    expect(() => priceField(fieldOf([88, 12]), 0.88)).toThrow(
      /participant 1 \(Cheval 1\) would be paid 1 at a return to player of 0.88/,
    )
    expect(() => priceField(fieldOf([97, 1, 2]), 0.88)).toThrow(RangeError)
    expect(priceField(fieldOf([87, 13]), 0.88)[0]!.coeff).toBe(101)
  })

  it('leave numbers, names and chances as they were entered', () => {
    expect(priceField([{ number: 9, name: 'Éclair', chance: 1 }, ...fieldOf([1])], 0.88)[0]).toEqual({
      number: 9,
      name: 'Éclair',
      chance: 1,
      coeff: 176,
    })
  })
})

describe('a prize', () => {
  it('is the stake times the coefficient, rounded down to the smallest unit', () => {
    expect(prizeOf(1_000, 250)).toBe(2_500)
    expect(prizeOf(1_001, 250)).toBe(2_502)
    expect(prizeOf(7, 1257)).toBe(87)
  })

  it('is exact for every stake and coefficient whose product a number holds exactly', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000_000_000 }),
        fc.integer({ min: 101, max: 900_000 }),
        (stake, coeff) => {
          fc.pre(stake * coeff <= Number.MAX_SAFE_INTEGER)
          expect(BigInt(prizeOf(stake, coeff))).toBe((BigInt(stake) * BigInt(coeff)) / 100n)
        },
      ),
    )
  })
})

describe('the file that names the field', () => {
  const accepts = (field: unknown): boolean => v.safeParse(Field, field).success

  it('names two to thirty participants, each number once', () => {
    expect(accepts(DEFAULT_FIELD)).toBe(true)
    expect(accepts(fieldOf([1]))).toBe(false)
    expect(accepts(fieldOf(Array.from({ length: 31 }, () => 1)))).toBe(false)
    expect(accepts([...fieldOf([1, 2]), { number: 1, name: 'Double', chance: 1 }])).toBe(false)
  })

  it.each([
    ['a chance of nothing', { number: 3, name: 'Trois', chance: 0 }],
    ['a chance that is no whole number', { number: 3, name: 'Trois', chance: 0.5 }],
    ['a number below one', { number: 0, name: 'Trois', chance: 1 }],
    ['a name of blanks', { number: 3, name: '  ', chance: 1 }],
    ['a word that nobody knows', { number: 3, name: 'Trois', chance: 1, coeff: 500 }],
  ])('is refused with %s', (_, entry) => {
    expect(accepts([...fieldOf([1, 2]), entry])).toBe(false)
  })
})
