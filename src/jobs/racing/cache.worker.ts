import type { CacheChange, CachedReceipt, RoundCache } from '../../db/racing/round.cache.ts'
import type { FactBatch } from '../../db/racing/rounds.projection.ts'
import type { Fact, ReceiptFact, RoundOpened } from '../../domain/racing/facts.ts'
import { isReceiptFact, potentialPrize, stakeOf } from '../../domain/racing/facts.ts'
import type { Attempt } from '../queues.ts'
import { FACTS, type FactNumbers, toFactNumbers } from './fact-batch.ts'

// The cache queue: facts become the cached view of their round. Where the cache is away the queue rests, so that
// changes stay in order.

const REST_MS = 1_000

export const cacheProcessor =
  (
    cache: RoundCache,
    facts: (numbers: FactNumbers) => Iterable<FactBatch | undefined>,
    isPassing: (error: unknown) => boolean,
  ) =>
  async (attempt: Attempt): Promise<void> => {
    try {
      if (attempt.name !== FACTS) throw new Error(`the cache queue knows no job named ${attempt.name}`)
      const numbers = toFactNumbers(attempt.data)
      const { roundId, first } = numbers
      // Of a round that the cache does not have nothing is read: one too large for it has a hundred thousand changes.
      if (first !== 1 && !(await cache.has(roundId))) return await cache.drop(roundId)
      for (const batch of facts(numbers)) {
        // A round that left before its changes came: without them, what the cache has of it is wrong.
        if (!batch) return await cache.drop(roundId)
        await apply(cache, batch)
        if (!(await cache.has(roundId))) return
        await othersFirst()
      }
    } catch (error) {
      if (isPassing(error)) await attempt.rest(REST_MS)
      throw error
    }
  }

/** Between two slices whoever sells has its turn. */
const othersFirst = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const apply = async (cache: RoundCache, batch: FactBatch): Promise<void> => {
  const { roundId, opened, facts } = batch
  let changes = new Map<number, CacheChange>()
  const flush = async (): Promise<void> => {
    if (changes.size > 0) await cache.change(roundId, [...changes.values()])
    changes = new Map()
  }
  for (const [number, fact] of facts) {
    if (fact.type === 'RoundOpened') await cache.open(roundId)
    if (fact.type === 'RoundSettled' || fact.type === 'RoundVoided') {
      await flush()
      await cache.settle(roundId, fact.type === 'RoundSettled' ? fact.order[0]! : null)
    }
    if (isReceiptFact(fact) && fact.type !== 'ReceiptPrinted')
      changes.set(fact.id, { number, receipt: cached(opened, fact), gone: fact.type === 'ReceiptCancelled' })
  }
  await flush()
}

const cached = (opened: RoundOpened, fact: ReceiptFact): CachedReceipt => ({
  id: fact.id,
  user_id: fact.sale.by,
  created_at: fact.sale.at,
  total_amount: stakeOf(fact.sale),
  bets: fact.sale.bets.map(({ number, stake, prize }) => {
    const { name, coeff } = opened.field.find((one) => one.number === number)!
    return { number, value: stake, participant: { number, name, coeff: coeff / 100 }, prize }
  }),
  status: statusAfter(fact),
  prize: prizeAfter(fact),
})

const CLOSED: Partial<Record<Fact['type'], CachedReceipt['status']>> = {
  ReceiptPaid: 'paid',
  ReceiptCancelled: 'cancelled',
  ReceiptRefunded: 'refunded',
}
const statusAfter = (fact: Fact): CachedReceipt['status'] => CLOSED[fact.type] ?? 'pending'

const prizeAfter = (fact: ReceiptFact): number => {
  if (fact.type === 'ReceiptRefunded') return 0
  return fact.type === 'ReceiptPaid' ? fact.prize : potentialPrize(fact.sale)
}
