import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toAmount } from '../../../src/domain/money.ts'
import { potentialPrize, prizeWon, type Sale, stakeOf } from '../../../src/domain/racing/facts.ts'
import { type ReceiptStatus, Receipts } from '../../../src/domain/racing/receipts.ts'

const STATUSES: ReceiptStatus[] = ['pending', 'won', 'lost', 'paid', 'cancelled', 'refundable', 'refunded']

const someAmount = fc.nat({ max: 1_000_000_000 })
const someBet = fc.record({ number: fc.integer({ min: 1, max: 6 }), stake: someAmount, prize: someAmount })
const someSale: fc.Arbitrary<Sale> = fc.record({
  by: fc.maxSafeNat(),
  at: fc.maxSafeNat(),
  bets: fc.array(someBet, { minLength: 1, maxLength: 8 }),
})
const someSales = fc.uniqueArray(fc.tuple(fc.maxSafeNat(), someSale), {
  selector: ([id]) => id,
  maxLength: 60,
})

const withAll = (sales: readonly [number, Sale][]): Receipts => {
  const receipts = new Receipts()
  for (const [id, sale] of sales) receipts.add(id, sale)
  return receipts
}

describe('receipts of a round', () => {
  it('are what was sold, in the order of sale', () => {
    fc.assert(
      fc.property(someSales, (sales) => {
        const receipts = withAll(sales)
        expect(receipts.size).toBe(sales.length)
        expect([...receipts.keys()]).toEqual(sales.map(([id]) => id))
        expect([...receipts.values()].map(({ id, sale }) => [id, sale])).toEqual(sales)
        for (const [id, sale] of sales) {
          const receipt = receipts.get(id)!
          expect(receipt).toMatchObject({ id, by: sale.by, at: sale.at, status: 'pending', prints: 0 })
          expect(receipt.bets).toEqual(sale.bets)
          expect(receipt.closed).toBeUndefined()
          expect(receipt.total).toBe(stakeOf(sale))
          expect(receipt.prize).toBe(potentialPrize(sale))
        }
      }),
    )
  })

  it('win what they have on the winner, or nothing, but for those that are cancelled', () => {
    const someWinner = fc.integer({ min: 1, max: 6 })
    fc.assert(
      fc.property(someSales, someWinner, fc.array(fc.nat()), (sales, winner, cancelled) => {
        const receipts = withAll(sales)
        const isCancelled = (nth: number): boolean => cancelled.some((one) => one % sales.length === nth)
        for (const [nth, [id]] of sales.entries())
          if (isCancelled(nth)) receipts.get(id)!.status = 'cancelled'
        const wins: [number, number][] = []
        receipts.settle(winner, (by, prize) => wins.push([by, prize]))
        const expected: [number, number][] = []
        for (const [nth, [id, sale]] of sales.entries()) {
          const prize = prizeWon(sale, winner)
          const { status, prize: due } = receipts.get(id)!
          if (isCancelled(nth))
            expect({ status, due }).toEqual({ status: 'cancelled', due: potentialPrize(sale) })
          else expect({ status, due }).toEqual({ status: prize > 0 ? 'won' : 'lost', due: prize })
          if (!isCancelled(nth) && prize > 0) expected.push([sale.by, prize])
        }
        expect(wins).toEqual(expected)
      }),
    )
  })

  it('keep what is changed, each for itself', () => {
    const change = fc.record({
      status: fc.constantFrom(...STATUSES),
      prize: someAmount,
      prints: fc.nat(),
      closed: fc.record({ by: fc.maxSafeNat(), at: fc.maxSafeNat() }),
    })
    fc.assert(
      fc.property(someSales, fc.array(fc.tuple(fc.nat(), change)), (sales, changes) => {
        const receipts = withAll(sales)
        const expected = new Map<number, unknown>()
        for (const [nth, { status, prize, prints, closed }] of changes) {
          const id = sales[nth % sales.length]?.[0]
          if (id === undefined) return
          Object.assign(receipts.get(id)!, { status, prize: toAmount(prize), prints, closed })
          expected.set(id, { status, prize, prints, closed })
        }
        for (const [id, sale] of sales) {
          const { status, prize, prints, closed, bets } = receipts.get(id)!
          expect(bets).toEqual(sale.bets)
          if (expected.has(id)) expect({ status, prize, prints, closed }).toEqual(expected.get(id))
          else expect({ status, prints, closed }).toEqual({ status: 'pending', prints: 0, closed: undefined })
        }
      }),
    )
  })

  it('are many more than a page holds', () => {
    const receipts = new Receipts()
    const saleOf = (id: number): Sale => ({
      by: id % 7,
      at: id * 3,
      bets: Array.from({ length: 1 + (id % 3) }, (_, i) => ({ number: i + 1, stake: id, prize: id * 2 + i })),
    })
    for (let id = 1; id <= 20_000; id++) receipts.add(id, saleOf(id))
    for (let id = 1; id <= 20_000; id++) {
      if (id % 97 === 0) receipts.get(id)!.status = 'cancelled'
    }
    for (let id = 1; id <= 20_000; id++) {
      const receipt = receipts.get(id)!
      expect(receipt.sale).toEqual(saleOf(id))
      expect(receipt.status).toBe(id % 97 === 0 ? 'cancelled' : 'pending')
    }
  })

  it('know none that was not sold', () => {
    const receipts = withAll([[5, { by: 1, at: 1, bets: [{ number: 1, stake: 1, prize: 2 }] }]])
    expect(receipts.get(6)).toBeUndefined()
    expect(receipts.has(6)).toBe(false)
    expect(receipts.has(5)).toBe(true)
  })

  it('differ where one member of one of them does', () => {
    const of = (prints: number): Receipts => {
      const receipts = withAll([[5, { by: 1, at: 1, bets: [{ number: 1, stake: 1, prize: 2 }] }]])
      receipts.get(5)!.prints = prints
      return receipts
    }
    expect(of(1)).toEqual(of(1))
    expect(of(1)).not.toEqual(of(2))
    expect([...of(1).values()]).not.toEqual([...of(2).values()])
  })
})
