import { afterEach, describe, expect, it } from 'vitest'
import { commitmentOf } from '../../../src/domain/racing/draw.ts'
import { OTHER_CASHIER, receiptIn, Shop } from '../../support/racing.ts'

const BET = [{ number: 1, stake: 5_000 }]

let shop: Shop
afterEach(() => shop.racing.stop())

describe('after a restart', () => {
  it('the round waits for bets until the lock that was promised, and has all its receipts', async () => {
    shop = await Shop.open()
    const sold = await shop.sold()
    const gone = await shop.sold()
    await shop.cancel(gone.id)
    const before = shop.round()
    await shop.clock.advance(20_000)
    shop = await shop.restart(10_000)
    expect(shop.round()).toEqual(before)
    expect(await shop.racing.find(sold.id)).toEqual(sold)
    expect((await shop.racing.find(gone.id))?.status).toBe('cancelled')
    await shop.clock.advance(24_999)
    expect(shop.round().phase).toBe('waiting')
    await shop.clock.advance(1)
    expect(shop.round().phase).toBe('betting-locked')
  })

  it('betting stays locked, and the race starts when it was promised', async () => {
    shop = await Shop.open()
    await shop.windTo('lock')
    shop = await shop.restart(2_000)
    expect(await shop.sell(BET)).toMatchObject({ refused: 'BETTING_LOCKED' })
    await shop.clock.advance(2_999)
    expect(shop.round().phase).toBe('betting-locked')
    await shop.clock.advance(1)
    expect(shop.round().phase).toBe('running')
  })

  it('the race runs on, and ends when it was promised, with the seed that was committed to', async () => {
    shop = await Shop.open()
    const { commitment } = shop.round().opened
    await shop.windTo('start')
    shop = await shop.restart(10_000)
    await shop.clock.advance(19_999)
    expect(shop.round().phase).toBe('running')
    await shop.clock.advance(1)
    expect(shop.round().phase).toBe('settled')
    expect(commitmentOf(shop.round().settled!.seed)).toBe(commitment)
  })

  it('results are shown until the next round that was promised', async () => {
    shop = await Shop.open()
    const { id } = await shop.soldOnAll()
    await shop.windTo('end')
    shop = await shop.restart(2_000)
    expect(receiptIn(await shop.pay(id)).status).toBe('paid')
    await shop.clock.advance(2_999)
    expect(shop.round().id).toBe(1)
    await shop.clock.advance(1)
    expect(shop.round().id).toBe(2)
  })

  it('a race that should have ended during the outage is settled at once by its seed, and the next round opens', async () => {
    shop = await Shop.open()
    const { commitment } = shop.round().opened
    const { id } = await shop.soldOnAll()
    await shop.clock.advance(10_000)
    shop = await shop.restart(3_600_000)
    expect(shop.heardTypes()).toEqual(['BettingLocked', 'RaceStarted', 'RoundSettled', 'RoundOpened'])
    const settled = shop.racing.round(1)!.settled!
    expect(commitmentOf(settled.seed)).toBe(commitment)
    expect(shop.round()).toMatchObject({ id: 2, phase: 'waiting', opened: { at: shop.clock.now() } })
    expect(receiptIn(await shop.pay(id)).status).toBe('paid')
  })

  it('a race that should have ended during the outage pays exactly who would have won without it', async () => {
    const winnerOf = async (outageMs: number): Promise<number> => {
      shop = await Shop.open()
      await shop.clock.advance(10_000)
      if (outageMs > 0) shop = await shop.restart(outageMs)
      else await shop.windTo('end')
      const [winner] = shop.racing.round(1)!.settled!.order
      shop.racing.stop()
      return winner!
    }
    expect(await winnerOf(86_400_000)).toBe(await winnerOf(0))
  })

  it('nothing is sold on a round whose lock went by during the outage, however early one asks', async () => {
    shop = await Shop.open()
    const { disk, clock, archive } = shop
    shop.racing.stop()
    clock.jump(55_000)
    shop = new Shop({ disk, clock, archive })
    expect(await shop.sell(BET)).toMatchObject({ refused: 'BETTING_LOCKED' })
  })

  it('what was paid stays paid and what was cancelled stays cancelled', async () => {
    shop = await Shop.open()
    const winner = await shop.soldOnAll()
    const gone = await shop.soldOnAll()
    await shop.cancel(gone.id)
    await shop.windTo('end')
    await shop.pay(winner.id)
    shop = await shop.restart()
    expect(await shop.pay(winner.id)).toMatchObject({ refused: 'RECEIPT_ALREADY_PAID', details: { by: 7 } })
    expect(await shop.pay(gone.id)).toMatchObject({ refused: 'RECEIPT_CANCELLED' })
  })

  it('no receipt number comes back, on any track', async () => {
    const ids = new Set<number>()
    shop = await Shop.open({ tracks: ['Longchamp', 'Auteuil'] })
    for (let start = 0; start < 4; start++) {
      for (let sale = 0; sale < 10; sale++)
        for (const track of shop.racing.tracks) ids.add((await shop.sold(BET, { track })).id)
      shop = await shop.restart()
    }
    expect(ids.size).toBe(80)
  })

  it('no round number and no seed comes back', async () => {
    shop = await Shop.open()
    const commitments: string[] = []
    for (let start = 0; start < 4; start++) {
      commitments.push(shop.round().opened.commitment)
      expect(shop.round().id).toBe(start + 1)
      shop = await shop.restart(95_000)
    }
    expect(new Set(commitments).size).toBe(4)
    expect(shop.round().opened.chain.index).toBe(4)
  })

  it('a station that had another journal before goes on after it', async () => {
    shop = await Shop.open()
    const old = await shop.sold()
    shop.racing.stop()
    shop = await Shop.open({
      station: { number: '01', key: '5e'.repeat(32), firstReceipt: 1_000, firstRound: 500 },
    })
    expect(shop.round().id).toBe(500)
    expect((await shop.sold()).id).not.toBe(old.id)
  })

  it('a track that is no longer configured still settles its last round, pays it and opens no other', async () => {
    shop = await Shop.open({ tracks: ['Longchamp', 'Auteuil'] })
    const { id } = await shop.soldOnAll({ track: 'Auteuil' })
    const last = shop.round('Auteuil').id
    await shop.clock.advance(10_000)
    shop = await shop.restart(0, { tracks: ['Longchamp'] })
    await shop.clock.advance(200_000)
    expect(shop.racing.round(last)?.phase).toBe('settled')
    expect(shop.racing.current('Auteuil')?.id).toBe(last)
    expect(shop.round('Longchamp').id).toBeGreaterThan(last)
    expect(receiptIn(await shop.pay(id)).status).toBe('paid')
  })

  it('a track that is configured again goes on with a new round', async () => {
    shop = await Shop.open({ tracks: ['Longchamp', 'Auteuil'] })
    const last = shop.round('Auteuil').id
    shop = await shop.restart(0, { tracks: ['Longchamp'] })
    await shop.clock.advance(200_000)
    shop = await shop.restart(0, { tracks: ['Longchamp', 'Auteuil'] })
    expect(shop.round('Auteuil').id).toBeGreaterThan(last)
    expect(shop.round('Auteuil').opened.chain.index).toBe(1)
  })

  it('new odds, limits and durations are for new rounds: the open one keeps its own', async () => {
    shop = await Shop.open()
    const { opened } = shop.round()
    shop = await shop.restart(1_000, {
      field: opened.field.map((one) => ({ ...one, coeff: 110 })),
      limits: { minStake: 1, maxStake: 2, maxExposure: 3 },
      durationsMs: { wait: 1_000, lock: 0, race: 1_000, results: 0 },
    })
    expect(shop.round().opened).toEqual(opened)
    expect((await shop.sold()).prize).toBe(12_500)
    await shop.windTo('next')
    expect(shop.round()).toMatchObject({ id: 2, opened: { limits: { maxExposure: 3 } } })
  })

  it('each cashier still has exactly their own receipts', async () => {
    shop = await Shop.open()
    const own = await shop.sold()
    const other = await shop.sold(BET, { by: OTHER_CASHIER })
    shop = await shop.restart()
    expect(await shop.cancel(other.id)).toEqual({ refused: 'RECEIPT_FOREIGN', details: { id: other.id } })
    expect(receiptIn(await shop.cancel(own.id)).status).toBe('cancelled')
  })
})

describe('the seeds of a track', () => {
  it('last beyond their chain: the next chain takes over, and the round at the seam still settles', async () => {
    const rounds = 4_096
    shop = await Shop.open({ durationsMs: { wait: 2, lock: 1, race: 1, results: 0 } })
    const note = shop.journal.note('chain/Longchamp') as { secrets: string[]; used: number }
    expect(note).toEqual({ secrets: [expect.stringMatching(/^[0-9a-f]{64}$/)], used: 1 })
    await shop.clock.advance(0)
    shop.racing.stop()
    await shop.journal.write({ 'chain/Longchamp': { ...note, used: rounds - 1 } })
    shop = await shop.restart(3)
    const last = shop.round()
    expect(last.opened.chain.index).toBe(rounds - 1)
    await shop.clock.advance(3)
    const first = shop.round()
    expect(last.phase).toBe('settled')
    expect(first.opened.chain.index).toBe(0)
    expect(first.opened.chain.anchor).toBe(first.opened.commitment)
    expect(first.opened.chain.anchor).not.toBe(last.opened.chain.anchor)
    shop = await shop.restart(3)
    expect(commitmentOf(shop.racing.round(first.id)!.settled!.seed)).toBe(first.opened.commitment)
  })
})
