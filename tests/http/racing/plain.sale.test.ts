import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { plainSale } from '../../../src/http/racing/plain.sale.ts'
import { MOST_BETS, SaleBody, SaleSchema } from '../../../src/http/racing/receipts.docs.ts'

const limits = { mostBets: MOST_BETS, longestName: 100 }

/** As it comes from a client: through text. */
const sent = (value: unknown): unknown => JSON.parse(JSON.stringify(value) ?? 'null')

/** Mostly right, often wrong in one place, now and then with members that nobody asked for. */
const some = <T>(right: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: right }, { weight: 1, arbitrary: fc.jsonValue() })
const amount = fc.oneof(fc.integer(), fc.double({ noNaN: true }), fc.constantFrom(-0, 2 ** 53, 1e308))
const other = { other: fc.jsonValue(), ['__proto__']: fc.jsonValue() }
const record = <T>(members: T, requiredKeys: readonly string[]) =>
  fc.record({ ...members, ...other } as Record<string, fc.Arbitrary<unknown>>, {
    requiredKeys: [...requiredKeys],
  })
const participant = record(
  { coeff: some(amount), name: some(fc.string({ maxLength: 110 })), number: some(amount) },
  ['number'],
)
const bet = record({ value: some(fc.integer()), participant: some(participant) }, ['value', 'participant'])
const sale = record(
  {
    bets: some(fc.array(some(bet), { maxLength: 33 })),
    round_id: some(amount),
    user_id: some(amount),
  },
  ['bets'],
)

describe('the quick look at a sale', () => {
  it('P1: takes only what the schema takes, and gives out the same text', () => {
    let taken = 0
    fc.assert(
      fc.property(some(sale), (value) => {
        const input = sent(value)
        const plain = plainSale(input, limits)
        if (plain === undefined) return
        taken++
        const slow = v.safeParse(SaleSchema, input)
        expect(slow.success).toBe(true)
        expect(JSON.stringify(plain)).toBe(JSON.stringify(slow.output))
      }),
      { numRuns: 8_000 },
    )
    expect(taken, 'sales that it took').toBeGreaterThan(200)
  })

  it('leaves every answer as it was, whatever is sent', () => {
    fc.assert(
      fc.property(some(sale), (value) => {
        const input = sent(value)
        const quick = v.safeParse(SaleBody, input)
        const slow = v.safeParse(SaleSchema, sent(value))
        expect(quick.success).toBe(slow.success)
        expect(JSON.stringify(quick.output)).toBe(JSON.stringify(slow.output))
        expect(quick.issues?.map(({ message }) => message)).toEqual(
          slow.issues?.map(({ message }) => message),
        )
      }),
      { numRuns: 2_000 },
    )
  })

  it('knows a sale as stations send it', () => {
    const asked = {
      round_id: 7,
      bets: [{ participant: { number: 1, name: 'Cheval 1', coeff: 2.5 }, value: 10_000 }],
    }
    expect(plainSale(asked, limits)).toEqual(asked)
  })

  it.each([
    ['a fraction', { bets: [{ participant: { number: 1 }, value: 1.5 }] }],
    ['no bets', { bets: [] }],
    ['too many bets', { bets: Array(MOST_BETS + 1).fill({ participant: { number: 1 }, value: 100 }) }],
    [
      'a name that is too long',
      { bets: [{ participant: { number: 1, name: 'x'.repeat(101) }, value: 100 }] },
    ],
    ['a text for a number', { bets: [{ participant: { number: '1' }, value: 100 }] }],
    ['null for what is left out', { user_id: null, bets: [{ participant: { number: 1 }, value: 100 }] }],
    ['a list', [{ bets: [] }]],
  ])('leaves %s to the schema', (_, input) => {
    expect(plainSale(input, limits)).toBeUndefined()
  })
})
