import { afterEach, describe, expect, it } from 'vitest'
import { commitmentOf, drawOrder } from '../../../src/domain/racing/draw.ts'
import type { RoundOpened } from '../../../src/domain/racing/facts.ts'
import { WoundClock } from '../../support/clock.ts'
import {
  ADMIN,
  CASHIER,
  DURATIONS_MS,
  MORNING,
  OTHER_CASHIER,
  onceKey,
  receiptIn,
  Shop,
} from '../../support/racing.ts'

const A_ROUND_MS = DURATIONS_MS.wait + DURATIONS_MS.race + DURATIONS_MS.results

let shop: Shop
afterEach(() => shop.racing.stop())

describe('a track', () => {
  it('opens a round at once, with deadlines counted from its opening', async () => {
    shop = await Shop.open()
    expect(shop.round().phase).toBe('waiting')
    expect(shop.round().opened).toMatchObject({
      at: MORNING,
      track: 'Longchamp',
      locksAt: MORNING + 55_000,
      startsAt: MORNING + 60_000,
      endsAt: MORNING + 90_000,
      nextAt: MORNING + 95_000,
    })
  })

  it('waits, locks betting, races, settles and opens the next round, each at its time', async () => {
    shop = await Shop.open()
    const first = shop.round()
    const phases = async (ms: number) => {
      await shop.clock.advance(ms)
      return [shop.clock.now() - MORNING, first.phase, shop.round().id]
    }
    expect(await phases(54_999)).toEqual([54_999, 'waiting', 1])
    expect(await phases(1)).toEqual([55_000, 'betting-locked', 1])
    expect(await phases(4_999)).toEqual([59_999, 'betting-locked', 1])
    expect(await phases(1)).toEqual([60_000, 'running', 1])
    expect(await phases(29_999)).toEqual([89_999, 'running', 1])
    expect(await phases(1)).toEqual([90_000, 'settled', 1])
    expect(await phases(4_999)).toEqual([94_999, 'settled', 1])
    expect(await phases(1)).toEqual([95_000, 'settled', 2])
    expect(shop.round().phase).toBe('waiting')
    expect(shop.heardTypes(1)).toEqual(['RoundOpened', 'BettingLocked', 'RaceStarted', 'RoundSettled'])
    expect(shop.heard.map(({ number }) => number)).toEqual([1, 2, 3, 4, 1])
  })

  it('runs a whole day of rounds without losing a second', async () => {
    shop = await Shop.open()
    await shop.clock.advance(20 * A_ROUND_MS)
    const opened = shop.heard.map(({ fact }) => fact).filter((fact) => fact.type === 'RoundOpened')
    expect(opened.map(({ at }) => (at - MORNING) / A_ROUND_MS)).toEqual(
      Array.from({ length: 21 }, (_, i) => i),
    )
  })

  it('runs rounds of a few hundred milliseconds', async () => {
    shop = await Shop.open({ durationsMs: { wait: 200, lock: 50, race: 100, results: 0 } })
    await shop.clock.advance(299)
    expect(shop.heardTypes(1)).toEqual(['RoundOpened', 'BettingLocked', 'RaceStarted'])
    await shop.clock.advance(1)
    expect(shop.round()).toMatchObject({ id: 2, phase: 'waiting' })
  })

  it('keeps no timer when it is stopped', async () => {
    shop = await Shop.open({ tracks: ['Longchamp', 'Auteuil'] })
    expect(shop.clock.armed).toBeGreaterThan(0)
    shop.racing.stop()
    expect(shop.clock.armed).toBe(0)
  })

  it('keeps no timer either when it is stopped while a round is being opened', async () => {
    shop = new Shop()
    shop.disk.hold()
    const opening = shop.clock.advance(0)
    await opening
    shop.racing.stop()
    shop.disk.release()
    await shop.clock.advance(0)
    expect(shop.clock.armed).toBe(0)
    expect(shop.journal.streams()).toEqual([1])
  })
})

describe('the draw of a round', () => {
  it('is published as a commitment when it opens, and its seed when it settles', async () => {
    shop = await Shop.open()
    await shop.clock.advance(3 * A_ROUND_MS)
    const openings = new Map<number, RoundOpened>()
    let settled = 0
    for (const { roundId, fact } of shop.heard) {
      if (fact.type === 'RoundOpened') openings.set(roundId, fact)
      if (fact.type !== 'RoundSettled') continue
      const { commitment, field } = openings.get(roundId)!
      expect(commitmentOf(fact.seed)).toBe(commitment)
      expect(drawOrder(fact.seed, roundId, field)).toEqual(fact.order)
      settled++
    }
    expect(settled).toBe(3)
  })

  it('comes from a chain: the seed of a round is the commitment of the next', async () => {
    shop = await Shop.open()
    await shop.clock.advance(2 * A_ROUND_MS)
    const facts = shop.heard.map(({ fact }) => fact)
    const seeds = facts.flatMap((fact) => (fact.type === 'RoundSettled' ? [fact.seed] : []))
    const openings = facts.flatMap((fact) => (fact.type === 'RoundOpened' ? [fact] : []))
    expect(openings.map(({ chain }) => chain.index)).toEqual([0, 1, 2])
    expect(new Set(openings.map(({ chain }) => chain.anchor))).toEqual(new Set([openings[0]!.commitment]))
    expect(openings.slice(1).map(({ commitment }) => commitment)).toEqual(seeds)
  })

  it('is known to nobody before the race is over: no fact heard holds the seed or an order', async () => {
    shop = await Shop.open()
    await shop.sold()
    await shop.windTo('end')
    const { seed, order } = shop.round().settled!
    for (const { fact } of shop.heard.filter(({ fact }) => fact.type !== 'RoundSettled')) {
      expect(JSON.stringify(fact)).not.toContain(seed)
      expect(JSON.stringify(fact)).not.toContain(JSON.stringify(order))
    }
  })
})

describe('every command gets an answer in every state', () => {
  const BET = [{ number: 1, stake: 5_000 }]
  const answers = async (receiptId: number) => {
    const all = await Promise.all([
      shop.sell(BET),
      shop.cancel(receiptId),
      shop.print(receiptId),
      shop.pay(receiptId),
      shop.pay(999),
    ])
    return all.map((answer) => ('refused' in answer ? answer.refused : answer.status))
  }

  it('while it waits for bets', async () => {
    shop = await Shop.open()
    const { id } = await shop.soldOnAll()
    expect(await answers(id)).toEqual([
      'pending',
      'cancelled',
      'RECEIPT_CANCELLED',
      'RECEIPT_CANCELLED',
      'RECEIPT_UNKNOWN',
    ])
  })

  it('while betting is locked', async () => {
    shop = await Shop.open()
    const { id } = await shop.soldOnAll()
    await shop.windTo('lock')
    expect(await answers(id)).toEqual([
      'BETTING_LOCKED',
      'BETTING_LOCKED',
      'pending',
      'RECEIPT_NOT_SETTLED',
      'RECEIPT_UNKNOWN',
    ])
  })

  it('while the race runs', async () => {
    shop = await Shop.open()
    const { id } = await shop.soldOnAll()
    await shop.windTo('start')
    expect(await answers(id)).toEqual([
      'RACE_RUNNING',
      'RACE_RUNNING',
      'pending',
      'RECEIPT_NOT_SETTLED',
      'RECEIPT_UNKNOWN',
    ])
  })

  it('while the results are shown', async () => {
    shop = await Shop.open()
    const { id } = await shop.soldOnAll()
    await shop.windTo('end')
    expect(await answers(id)).toEqual(['ROUND_SETTLED', 'ROUND_SETTLED', 'won', 'paid', 'RECEIPT_UNKNOWN'])
  })

  it('while the next round waits for bets', async () => {
    shop = await Shop.open()
    const { id } = await shop.soldOnAll()
    await shop.windTo('next')
    expect(await answers(id)).toEqual(['pending', 'ROUND_SETTLED', 'won', 'paid', 'RECEIPT_UNKNOWN'])
  })

  it('before the first round is open, and for a track that nobody runs', async () => {
    shop = new Shop()
    const sale = { type: 'SellReceipt', by: CASHIER, bets: BET } as const
    expect(await shop.racing.sell('Longchamp', sale)).toEqual({
      refused: 'NO_ROUND',
      details: { track: 'Longchamp' },
    })
    expect(await shop.racing.sell('Auteuil', sale)).toEqual({
      refused: 'NO_ROUND',
      details: { track: 'Auteuil' },
    })
  })

  it('after the server was told to stop, too', async () => {
    shop = await Shop.open()
    const { id } = await shop.sold()
    shop.racing.stop()
    for (const ask of [
      () => shop.sell(BET),
      () => shop.cancel(id),
      () => shop.sell(BET, { once: onceKey('a') }),
    ])
      await expect(ask()).rejects.toMatchObject({ name: 'Unavailable', store: 'journal' })
  })
})

describe('a receipt', () => {
  it('is sold, printed, wins and is paid once, whoever asks and however often', async () => {
    shop = await Shop.open()
    const sold = await shop.soldOnAll()
    expect(sold).toMatchObject({
      roundId: 1,
      track: 'Longchamp',
      by: CASHIER.id,
      total: 6_000,
      status: 'pending',
    })
    expect(receiptIn(await shop.print(sold.id)).prints).toBe(1)
    expect(receiptIn(await shop.print(sold.id)).prints).toBe(2)
    await shop.windTo('end')
    const winner = shop.round().settled!.order[0]!
    const prize = sold.bets.find(({ number }) => number === winner)!.prize
    const payments = await Promise.all([
      shop.pay(sold.id),
      shop.pay(sold.id, ADMIN),
      shop.pay(sold.id),
      shop.pay(sold.id, OTHER_CASHIER),
    ])
    expect(payments[0]).toMatchObject({ status: 'paid', prize, closed: { by: CASHIER.id } })
    expect(payments.slice(1).map((answer) => 'refused' in answer && answer.refused)).toEqual([
      'RECEIPT_ALREADY_PAID',
      'RECEIPT_ALREADY_PAID',
      'RECEIPT_FOREIGN',
    ])
    expect(shop.heardTypes().filter((type) => type === 'ReceiptPaid')).toHaveLength(1)
    expect(shop.round().prizesPaid).toBe(prize)
  })

  it('is judged by the time of its decision, even if the timer of the lock is late', async () => {
    shop = await Shop.open()
    shop.clock.jump(DURATIONS_MS.wait - DURATIONS_MS.lock)
    expect(shop.round().phase).toBe('waiting')
    expect(await shop.sell([{ number: 1, stake: 5_000 }])).toMatchObject({ refused: 'BETTING_LOCKED' })
  })

  it('is found while it is live, and with its results after the race', async () => {
    shop = await Shop.open()
    const sold = await shop.soldOnAll()
    expect(await shop.racing.find(sold.id)).toEqual(sold)
    await shop.windTo('end')
    expect(await shop.racing.find(sold.id)).toMatchObject({ id: sold.id, status: 'won' })
    expect(await shop.racing.find(999)).toBeUndefined()
  })
})

describe('a clock that is set', () => {
  it('forwards, past the lock, is noticed within a second', async () => {
    shop = await Shop.open()
    shop.clock.jump(55_000)
    await shop.clock.advance(1_000)
    expect(shop.round().phase).toBe('betting-locked')
  })

  it('forwards, past the whole round, settles it within seconds and opens the next', async () => {
    shop = await Shop.open()
    const { id } = await shop.soldOnAll()
    shop.clock.jump(3_600_000)
    await shop.clock.advance(2_000)
    expect(shop.heardTypes(1)).toEqual([
      'RoundOpened',
      'ReceiptSold',
      'BettingLocked',
      'RaceStarted',
      'RoundSettled',
    ])
    expect(shop.round()).toMatchObject({ id: 2, phase: 'waiting' })
    expect(shop.round().opened.at).toBe(MORNING + 3_601_000)
    expect(receiptIn(await shop.pay(id)).status).toBe('paid')
  })

  it('forwards, while results are shown, opens the next round within a second', async () => {
    shop = await Shop.open()
    await shop.windTo('end')
    shop.clock.jump(4_500)
    await shop.clock.advance(1_000)
    expect(shop.round().id).toBe(2)
  })

  it('backwards, locks at the time that was promised, and sells nothing once it is locked', async () => {
    shop = await Shop.open()
    await shop.clock.advance(54_000)
    shop.clock.jump(-10_000)
    await shop.clock.advance(10_999)
    expect(shop.round().phase).toBe('waiting')
    await shop.clock.advance(1)
    expect(shop.round().phase).toBe('betting-locked')
    shop.clock.jump(-30_000)
    expect(await shop.sell([{ number: 1, stake: 5_000 }])).toMatchObject({ refused: 'BETTING_LOCKED' })
    await shop.clock.advance(34_999)
    expect(shop.round().phase).toBe('betting-locked')
    await shop.clock.advance(1)
    expect(shop.round().phase).toBe('running')
  })

  it('backwards, while results are shown, opens no round before its time and exactly one then', async () => {
    shop = await Shop.open()
    await shop.windTo('end')
    shop.clock.jump(-20_000)
    await shop.clock.advance(24_999)
    expect(shop.round().id).toBe(1)
    await shop.clock.advance(1)
    expect(shop.round().id).toBe(2)
    await shop.clock.advance(10_000)
    expect(shop.racing.current('Longchamp')?.id).toBe(2)
  })
})

describe('several tracks', () => {
  it('share one counter of receipts without a repeat', async () => {
    shop = await Shop.open({ tracks: ['Longchamp', 'Auteuil', 'Vincennes'] })
    const sales = Array.from({ length: 60 }, (_, i) =>
      shop.sold(undefined, { track: shop.racing.tracks[i % 3]! }),
    )
    const ids = (await Promise.all(sales)).map(({ id }) => id)
    expect(new Set(ids).size).toBe(60)
    expect(ids.every((id) => /^1\d{6}$/.test(String(id)))).toBe(true)
  })

  it('each run their own rounds from their own seeds', async () => {
    shop = await Shop.open({ tracks: ['Longchamp', 'Auteuil'] })
    await shop.clock.advance(2 * A_ROUND_MS)
    const openings = shop.heard.flatMap(({ fact }) => (fact.type === 'RoundOpened' ? [fact] : []))
    expect(openings.filter(({ track }) => track === 'Longchamp')).toHaveLength(3)
    expect(openings.filter(({ track }) => track === 'Auteuil')).toHaveLength(3)
    expect(new Set(openings.map(({ commitment }) => commitment)).size).toBe(6)
    expect(new Set(shop.heard.map(({ roundId }) => roundId)).size).toBe(6)
  })

  it('sell each on their own round', async () => {
    shop = await Shop.open({ tracks: ['Longchamp', 'Auteuil'] })
    const sold = await shop.sold(undefined, { track: 'Auteuil' })
    expect(sold).toMatchObject({ track: 'Auteuil', roundId: shop.round('Auteuil').id })
    expect(shop.round('Longchamp').receiptCount).toBe(0)
  })
})

it('a wound clock that a test leaves alone stands still', async () => {
  shop = await Shop.open({ clock: new WoundClock(5) })
  await shop.clock.advance(0)
  expect(shop.clock.now()).toBe(5)
})
