import { beforeEach, describe, expect, it } from 'vitest'
import type { Heard } from '../../../src/actors/racing/racing.port.ts'
import type { Fact } from '../../../src/domain/racing/facts.ts'
import type { Round } from '../../../src/domain/racing/round.ts'
import { MyBetsCache } from '../../../src/http/racing/my-bets.cache.ts'
import { historyOf } from '../../db/racing/round.history.ts'

const SELLER = 7
const OTHER = 8
const ADMIN = undefined

let now: number
let cache: MyBetsCache
let made: number

beforeEach(() => {
  now = 1_000_000
  made = 0
  cache = new MyBetsCache(() => now)
})

const make = async () => ({ body: `answer ${++made}`, mayKeep: true })
const ask = (user: number | undefined, query = 'page 1') => cache.answer(user, query, make)

/** A fact of each kind about a receipt that seller 7 sold; an admin cancels, another cashier sold on the same round. */
const { facts, round } = historyOf(
  {
    whileOpen: [
      { do: 'sell', by: SELLER, bets: [1, 2, 3, 4, 5, 6].map((number) => ({ number, stake: 1_000 })) },
      { do: 'sell', by: SELLER, bets: [{ number: 1, stake: 1_000 }] },
      { do: 'print', by: SELLER, which: 0 },
      { do: 'cancel', by: 1, which: 1 },
    ],
    afterwards: [{ do: 'pay', by: 1, which: 0 }],
  },
  { roundId: 42 },
)
const heard = (fact: Fact, of: Round = round): Heard => ({
  roundId: of.id,
  number: 1,
  fact,
  receiptCount: 0,
  totalPrize: 0,
  round: of,
})
const factOf = (type: Fact['type']): Fact => facts.find((fact) => fact.type === type)!

describe('the answers kept of my-bets', () => {
  it('are given again for half a minute to the same reader and question', async () => {
    expect(await ask(SELLER)).toBe('answer 1')
    now += 29_999
    expect(await ask(SELLER)).toBe('answer 1')
    now += 1
    expect(await ask(SELLER)).toBe('answer 2')
  })

  it('are kept apart by reader and by question', async () => {
    expect(await ask(SELLER)).toBe('answer 1')
    expect(await ask(OTHER)).toBe('answer 2')
    expect(await ask(ADMIN)).toBe('answer 3')
    expect(await ask(SELLER, 'page 2')).toBe('answer 4')
    expect(await ask(SELLER)).toBe('answer 1')
  })

  it.each(['ReceiptSold', 'ReceiptCancelled', 'ReceiptPrinted', 'ReceiptPaid'] as const)(
    'are dropped for the seller and for admins at %s, whoever did it, and for nobody else',
    async (type) => {
      expect(factOf(type)).toBeDefined()
      await ask(SELLER)
      await ask(OTHER)
      await ask(ADMIN)
      cache.hear(heard(factOf(type)))
      expect(await ask(SELLER)).toBe('answer 4')
      expect(await ask(ADMIN)).toBe('answer 5')
      expect(await ask(OTHER)).toBe('answer 2')
    },
  )

  it('are dropped for all who sold on a round when it is settled', async () => {
    await ask(SELLER)
    await ask(OTHER)
    await ask(ADMIN)
    cache.hear(heard(factOf('RoundSettled')))
    expect(await ask(SELLER)).toBe('answer 4')
    expect(await ask(OTHER)).toBe('answer 2')
    expect(await ask(ADMIN)).toBe('answer 5')
  })

  it.each(['RoundOpened', 'BettingLocked', 'RaceStarted'] as const)(
    'stay at %s, which changes no receipt',
    async (type) => {
      await ask(SELLER)
      cache.hear(heard(factOf(type)))
      expect(await ask(SELLER)).toBe('answer 1')
    },
  )

  it('are dropped when a retired receipt is paid', async () => {
    await ask(SELLER)
    cache.drop(SELLER)
    expect(await ask(SELLER)).toBe('answer 2')
  })

  it('do not include one that was made while something changed', async () => {
    let change = (): void => {}
    const underWay = cache.answer(SELLER, 'page 1', async () => {
      await new Promise<void>((resolve) => {
        change = resolve
      })
      return { body: 'read before the change', mayKeep: true }
    })
    cache.hear(heard(factOf('ReceiptSold')))
    change()
    expect(await underWay).toBe('read before the change')
    expect(await ask(SELLER)).toBe('answer 1')
  })

  it('do not include one that is said not to be kept, or that failed', async () => {
    await cache.answer(SELLER, 'page 1', async () => ({ body: 'incomplete', mayKeep: false }))
    const failed = cache.answer(SELLER, 'page 1', async () => {
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    expect(await ask(SELLER)).toBe('answer 1')
  })

  it('are bounded for each reader', async () => {
    for (let page = 0; page < 50; page++) await ask(SELLER, `page ${page}`)
    expect(await ask(SELLER, 'page 0')).toBe('answer 1')
    await ask(SELLER, 'page 51')
    expect(await ask(SELLER, 'page 0')).toBe('answer 52')
  })
})
