import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ReceiptView } from '../../../src/domain/racing/receipt-view.ts'
import { textFrame, textFrames } from '../../../src/http/live-stream.ts'
import { betOnTicket } from '../../../src/http/racing/racing.view.ts'
import { soldTexts } from '../../../src/http/racing/sold.text.ts'

const amount = fc.oneof(fc.nat(), fc.maxSafeNat())
const bet = fc.record({
  number: fc.nat(99),
  name: fc.string({ unit: 'binary', maxLength: 40 }),
  coeff: fc.nat(100_000),
  stake: amount,
  prize: amount,
})
const sold = fc.record({
  id: amount,
  roundId: fc.nat(),
  total: amount,
  prize: amount,
  at: fc.oneof(fc.constantFrom(0, 1_767_600_003_000), fc.integer({ min: 0, max: 4e12 })),
  bets: fc.array(bet, { minLength: 1, maxLength: 30 }),
})

describe('what a seller is answered', () => {
  it('is the JSON of these members, whatever the participants are called', () => {
    const textOf = soldTexts()
    fc.assert(
      fc.property(sold, (view) => {
        const { id, roundId, total, prize, at, bets } = view
        const members = {
          id,
          roundId,
          total_amount: total,
          prize,
          created_at: new Date(at).toISOString(),
          bets: bets.map(betOnTicket),
        }
        expect(textOf(view as unknown as ReceiptView)).toBe(JSON.stringify(members))
      }),
    )
  })
})

describe('several frames in one piece', () => {
  it('are the bytes of each, one after another', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc
        .constantFrom(125, 126, 127, 21_845, 21_846, 65_535, 65_536, 70_000)
        .map((length) => 'x'.repeat(length)),
      fc.constantFrom(42, 43, 21_845, 30_000).map((length) => '€'.repeat(length)),
    )
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 10 }), (texts) => {
        expect(textFrames(texts).equals(Buffer.concat(texts.map(textFrame)))).toBe(true)
      }),
    )
  })
})
