// The rules once more, in other words and with another library, to compare the product with.
import { createHash, createHmac } from 'node:crypto'
import type { Fact, RoundOpened } from '../src/domain/racing/facts.ts'

export const sha256 = (hex: string): string =>
  createHash('sha256').update(Buffer.from(hex, 'hex')).digest('hex')

/** The seeds of a chain, first to last. */
export const chainOf = (secret: string, length: number): string[] => {
  const seeds = [secret]
  while (seeds.length < length) seeds.unshift(sha256(seeds[0]!))
  return seeds
}

/** Order of arrival of a seed: nothing of what was bet comes in. */
export const orderOf = (seed: string, roundId: number, field: RoundOpened['field']): number[] => {
  let counter = 0
  const draw = (limit: number): number => {
    const fair = 2 ** 48 - (2 ** 48 % limit)
    for (;;) {
      const text = `galop order of arrival 1\n${roundId}\n${counter++}`
      const number = createHmac('sha256', Buffer.from(seed, 'hex')).update(text).digest().readUIntBE(0, 6)
      if (number < fair) return number % limit
    }
  }
  const left = field.map(({ number, chance }) => ({ number, chance }))
  const order: number[] = []
  while (left.length > 0) {
    let ticket = draw(left.reduce((sum, one) => sum + one.chance, 0))
    let place = 0
    while (ticket >= left[place]!.chance) ticket -= left[place++]!.chance
    order.push(...left.splice(place, 1).map(({ number }) => number))
  }
  return order
}

export type Told = {
  readonly id: number
  readonly by: number
  readonly at: number
  readonly bets: readonly { readonly number: number; readonly stake: number }[]
  readonly total: number
  status: 'pending' | 'won' | 'lost' | 'paid' | 'cancelled' | 'refundable' | 'refunded'
  /** What it won, once the race is over; the most that it can win before. */
  prize: number
  prints: number
  /** How often it was paid its prize, or its stake where the round was voided. */
  payments: number
}

export type Tally = {
  readonly opened: RoundOpened
  readonly receipts: Map<number, Told>
  settled: { seed: string; order: readonly number[] } | undefined
  voided: { seed: string } | undefined
  phase: 'waiting' | 'betting-locked' | 'running' | 'settled'
}

/** What the facts of a round come to. */
export const tallyOf = (facts: readonly Fact[]): Tally => {
  const [opened] = facts
  if (opened?.type !== 'RoundOpened') throw new Error('a round without its opening')
  const tally: Tally = {
    opened,
    receipts: new Map(),
    settled: undefined,
    voided: undefined,
    phase: 'waiting',
  }
  const prizeFor = (bet: Told['bets'][number]): number =>
    Math.floor((bet.stake * opened.field.find(({ number }) => number === bet.number)!.coeff) / 100)
  for (const fact of facts) {
    if (fact.type === 'BettingLocked') tally.phase = 'betting-locked'
    if (fact.type === 'RaceStarted') tally.phase = 'running'
    if (fact.type === 'RoundSettled') {
      tally.phase = 'settled'
      tally.settled = { seed: fact.seed, order: fact.order }
      for (const told of tally.receipts.values()) {
        if (told.status !== 'pending') continue
        const winning = told.bets.find(({ number }) => number === fact.order[0])
        told.prize = winning ? prizeFor(winning) : 0
        told.status = told.prize > 0 ? 'won' : 'lost'
      }
    }
    if (fact.type === 'RoundVoided') {
      tally.phase = 'settled'
      tally.voided = { seed: fact.seed }
      for (const told of tally.receipts.values())
        if (told.status === 'pending') Object.assign(told, { status: 'refundable', prize: 0 })
    }
    if (!('sale' in fact)) continue
    if (fact.type === 'ReceiptSold') {
      const { by, at, bets } = fact.sale
      const total = bets.reduce((sum, { stake }) => sum + stake, 0)
      const prize = Math.max(...bets.map(prizeFor))
      tally.receipts.set(fact.id, {
        id: fact.id,
        by,
        at,
        bets,
        total,
        status: 'pending',
        prize,
        prints: 0,
        payments: 0,
      })
    }
    const told = tally.receipts.get(fact.id)
    if (!told) continue
    if (fact.type === 'ReceiptCancelled') told.status = 'cancelled'
    if (fact.type === 'ReceiptPrinted') told.prints = Math.max(told.prints, fact.copy)
    if (fact.type === 'ReceiptRefunded') {
      told.status = 'refunded'
      told.payments++
    }
    if (fact.type === 'ReceiptPaid') {
      told.status = 'paid'
      told.payments++
    }
  }
  return tally
}
