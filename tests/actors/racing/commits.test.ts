import { afterEach, describe, expect, it, vi } from 'vitest'
import { replay } from '../../../src/domain/racing/round.ts'
import { quiet } from '../../support/clock.ts'
import { OTHER_CASHIER, onceKey, receiptIn, Shop, watch } from '../../support/racing.ts'

const BET = [{ number: 1, stake: 5_000 }]

let shop: Shop
afterEach(() => {
  shop.disk.release()
  shop.racing.stop()
  return shop.journal.close()
})

const onDisk = (roundId = 1) => replay(roundId, shop.journal.read(roundId))

describe('while a commit is under way', () => {
  it('nothing is answered, heard or past the read barrier before it is on disk', async () => {
    shop = await Shop.open()
    const heardBefore = shop.heard.length
    shop.disk.hold()
    const sale = shop.sold()
    const barrier = shop.racing.settled()!
    const watched = [watch(sale), watch(barrier)]
    await quiet()
    expect(watched.map(({ state }) => state)).toEqual(['waiting', 'waiting'])
    expect(shop.heard).toHaveLength(heardBefore)
    expect(shop.journal.last(1)).toBe(1)
    shop.disk.release()
    const { id } = await sale
    await barrier
    expect(shop.heard.at(-1)).toMatchObject({ roundId: 1, number: 2, fact: { type: 'ReceiptSold', id } })
    expect(shop.racing.settled()).toBeUndefined()
  })

  it('a receipt that is not on disk yet is shown to nobody', async () => {
    shop = await Shop.open()
    shop.disk.hold()
    const sale = shop.sold()
    const [id] = shop.round().receipts.keys()
    const found = shop.racing.find(id!)
    const watched = watch(found)
    await quiet()
    expect(watched.state).toBe('waiting')
    shop.disk.release()
    expect(await found).toEqual(await sale)
  })

  it('a refusal that rests on a fact not yet written is not told before that one is on disk', async () => {
    shop = await Shop.open()
    const { id } = await shop.sold()
    shop.disk.hold()
    const cancelled = shop.cancel(id)
    const refused = shop.print(id)
    const watched = watch(refused)
    await quiet()
    expect(watched.state).toBe('waiting')
    shop.disk.release()
    expect(receiptIn(await cancelled).status).toBe('cancelled')
    expect(await refused).toMatchObject({ refused: 'RECEIPT_CANCELLED' })
  })

  it('what was sold before the lock stays sold, what comes after is refused, though neither is on disk yet', async () => {
    shop = await Shop.open()
    await shop.clock.advance(54_999)
    shop.disk.hold()
    const inTime = shop.sell(BET)
    await shop.clock.advance(1)
    const late = shop.sell(BET)
    shop.disk.release()
    expect(receiptIn(await inTime).status).toBe('pending')
    expect(await late).toMatchObject({ refused: 'BETTING_LOCKED' })
    expect(shop.heardTypes(1)).toEqual(['RoundOpened', 'ReceiptSold', 'BettingLocked'])
  })

  it('a disk slower than a second opens no second round for the track', async () => {
    shop = new Shop()
    shop.disk.hold()
    await shop.clock.advance(5_000)
    shop.disk.release()
    await shop.clock.advance(0)
    expect(shop.heardTypes()).toEqual(['RoundOpened'])
    expect(shop.journal.streams()).toEqual([1])
    await shop.clock.advance(2_000)
    expect(shop.journal.streams()).toEqual([1])
    expect(shop.round().phase).toBe('waiting')
  })

  it('a disk slower than a second neither locks twice nor settles twice', async () => {
    shop = await Shop.open()
    for (const moment of ['lock', 'start', 'end'] as const) {
      const { locksAt, startsAt, endsAt } = shop.round().opened
      await shop.clock.advance({ lock: locksAt, start: startsAt, end: endsAt }[moment] - shop.clock.now() - 1)
      shop.disk.hold()
      await shop.clock.advance(3_500)
      shop.disk.release()
      await shop.clock.advance(0)
    }
    expect(shop.heardTypes(1)).toEqual(['RoundOpened', 'BettingLocked', 'RaceStarted', 'RoundSettled'])
  })

  it('what is asked meanwhile leaves with the next commit, all of it together', async () => {
    shop = await Shop.open()
    shop.disk.hold()
    const first = shop.sold()
    await quiet()
    const before = shop.disk.commits
    const sales = Array.from({ length: 100 }, () => shop.sold())
    shop.disk.release()
    await Promise.all([first, ...sales])
    expect(shop.disk.commits - before).toBe(1)
  })
})

describe('when a commit fails', () => {
  it('everybody under way is told that the journal is unavailable, and the round is what is on disk', async () => {
    shop = await Shop.open()
    const kept = await shop.sold()
    shop.disk.hold()
    shop.disk.fault = 'before'
    const leaving = [shop.sold(), shop.cancel(kept.id)]
    await quiet()
    const queued = [shop.sold(BET, { by: OTHER_CASHIER }), shop.print(kept.id)]
    shop.disk.release()
    for (const answer of [...leaving, ...queued])
      await expect(answer).rejects.toMatchObject({ name: 'Unavailable', store: 'journal' })
    expect(shop.round()).toEqual(onDisk())
    expect(shop.round()).toMatchObject({ receiptCount: 1, stakesIn: 5_000, refunded: 0, factCount: 2 })
    expect(shop.heardTypes()).toEqual(['RoundOpened', 'ReceiptSold'])
  })

  it('the round is read from disk once, however many were under way', async () => {
    shop = await Shop.open()
    const read = vi.spyOn(shop.journal, 'read')
    shop.disk.fault = 'before'
    const sales = Array.from({ length: 200 }, () => shop.sold())
    for (const sale of await Promise.allSettled(sales)) expect(sale.status).toBe('rejected')
    expect(read).toHaveBeenCalledTimes(1)
  })

  it('no refusal is told that rested on what was not written', async () => {
    shop = await Shop.open()
    const { id } = await shop.sold()
    shop.disk.fault = 'before'
    const cancelled = shop.cancel(id)
    const refused = shop.print(id)
    await expect(cancelled).rejects.toThrow(/journal cannot write/)
    await expect(refused).rejects.toThrow(/journal cannot write/)
    await shop.mendDisk()
    expect(receiptIn(await shop.print(id)).prints).toBe(1)
  })

  it('nobody is shown a receipt that was not written', async () => {
    shop = await Shop.open()
    shop.disk.fault = 'before'
    const sale = shop.sold()
    const [id] = shop.round().receipts.keys()
    const found = shop.racing.find(id!)
    await expect(sale).rejects.toThrow(/journal cannot write/)
    expect(await found).toBeUndefined()
  })

  it('nobody is shown a cancellation that was not written', async () => {
    shop = await Shop.open()
    const { id } = await shop.sold()
    shop.disk.fault = 'before'
    const cancelled = shop.cancel(id)
    const found = shop.racing.find(id)
    await expect(cancelled).rejects.toThrow(/journal cannot write/)
    expect(await found).toMatchObject({ id, status: 'pending', closed: undefined })
  })

  it('the read barrier fails: what was read before it, a result perhaps, is told to nobody', async () => {
    shop = await Shop.open()
    await shop.windTo('start')
    await shop.clock.advance(29_999)
    shop.disk.hold()
    await shop.clock.advance(1)
    expect(shop.round().settled).toBeDefined()
    const barrier = shop.racing.settled()
    shop.disk.fault = 'before'
    shop.disk.release()
    await expect(barrier).rejects.toMatchObject({ name: 'Unavailable', store: 'journal' })
    expect(shop.round().settled).toBeUndefined()
    expect(shop.racing.settled()).toBeUndefined()
  })

  it('whoever asks while the journal is broken is refused at once, and nothing is decided', async () => {
    shop = await Shop.open()
    shop.disk.fault = 'before'
    await expect(shop.sell(BET)).rejects.toThrow(/journal cannot write/)
    expect(shop.journal.failure).toBeDefined()
    await expect(shop.sell(BET)).rejects.toThrow(/journal cannot write/)
    await expect(shop.pay(999)).resolves.toMatchObject({ refused: 'RECEIPT_UNKNOWN' })
    expect(shop.round().factCount).toBe(1)
  })

  it('the next sale after the recovery works, under a number that nobody has', async () => {
    shop = await Shop.open()
    const before = await shop.sold()
    shop.disk.fault = 'before'
    await expect(shop.sold()).rejects.toThrow(/journal cannot write/)
    await shop.mendDisk()
    const after = await shop.sold()
    expect(after.id).not.toBe(before.id)
    expect(shop.round()).toMatchObject({ receiptCount: 2, factCount: 3 })
    expect(shop.heard.map(({ number }) => number)).toEqual([1, 2, 3])
    expect(shop.round()).toEqual(onDisk())
  })

  it('facts that did arrive, although the commit reported a failure, are heard and counted once', async () => {
    shop = await Shop.open()
    shop.disk.fault = 'after'
    const sales = [shop.sold(), shop.sold()]
    for (const sale of sales) await expect(sale).rejects.toMatchObject({ name: 'Unavailable' })
    expect(shop.heard.map(({ number }) => number)).toEqual([1, 2, 3])
    expect(shop.round()).toMatchObject({ receiptCount: 2, stakesIn: 10_000 })
    await shop.mendDisk()
    await shop.sold()
    expect(shop.heard.map(({ number }) => number)).toEqual([1, 2, 3, 4])
    expect(shop.round()).toEqual(onDisk())
    expect(new Set(shop.round().receipts.keys()).size).toBe(3)
  })

  it('the round goes on by itself once the disk is back: it locks, races and settles', async () => {
    shop = await Shop.open()
    await shop.soldOnAll()
    await shop.clock.advance(54_999)
    shop.disk.fault = 'before'
    await shop.clock.advance(40_000)
    expect(shop.round().phase).toBe('waiting')
    expect(shop.heardTypes(1)).toEqual(['RoundOpened', 'ReceiptSold'])
    await shop.mendDisk()
    await shop.clock.advance(1_000)
    expect(shop.heardTypes(1)).toEqual([
      'RoundOpened',
      'ReceiptSold',
      'BettingLocked',
      'RaceStarted',
      'RoundSettled',
    ])
  })

  it('the round asks again every second at most, not all the time', async () => {
    shop = await Shop.open()
    await shop.windTo('lock')
    shop.disk.fault = 'before'
    await expect(shop.journal.write({ anything: 1 })).rejects.toThrow()
    const timers = shop.clock.fired
    await shop.clock.advance(15_000)
    expect(shop.clock.fired - timers).toBeLessThan(40)
  })

  it('a lock, a start and a settlement that did arrive move the round on', async () => {
    shop = await Shop.open()
    for (const moment of ['lock', 'start', 'end'] as const) {
      shop.disk.fault = 'after'
      await shop.windTo(moment)
      await shop.mendDisk()
    }
    expect(shop.round().phase).toBe('settled')
    expect(shop.heardTypes(1)).toEqual(['RoundOpened', 'BettingLocked', 'RaceStarted', 'RoundSettled'])
    await shop.clock.advance(10_000)
    expect(shop.round().id).toBe(2)
  })

  it('a round whose opening failed is opened anew, with a commitment whose seed nobody saw', async () => {
    shop = new Shop()
    shop.disk.fault = 'before'
    await shop.clock.advance(3_000)
    expect(shop.racing.current('Longchamp')).toBeUndefined()
    await shop.mendDisk()
    await shop.clock.advance(1_000)
    expect(shop.heardTypes()).toEqual(['RoundOpened'])
    await shop.windTo('end')
    expect(shop.round().phase).toBe('settled')
  })

  it('a round whose opening did arrive is adopted, not opened twice', async () => {
    shop = new Shop()
    shop.disk.fault = 'after'
    await shop.clock.advance(0)
    expect(shop.round()).toMatchObject({ id: 1, phase: 'waiting' })
    await shop.mendDisk()
    await shop.clock.advance(5_000)
    expect(shop.journal.streams()).toEqual([1])
    await shop.windTo('next')
    expect(shop.round().id).toBe(2)
  })

  it('the rounds of other tracks go back to disk, too', async () => {
    shop = await Shop.open({ tracks: ['Longchamp', 'Auteuil'] })
    shop.disk.fault = 'before'
    const sales = [shop.sold(), shop.sold(BET, { track: 'Auteuil' })]
    for (const sale of sales) await expect(sale).rejects.toMatchObject({ name: 'Unavailable' })
    for (const track of shop.racing.tracks) expect(shop.round(track).receiptCount).toBe(0)
    await shop.mendDisk()
    for (const track of shop.racing.tracks) {
      await shop.sold(BET, { track })
      expect(shop.round(track)).toEqual(onDisk(shop.round(track).id))
    }
  })

  it('a key whose sale was not written sells when it is used again; one whose sale did arrive is answered with it', async () => {
    shop = await Shop.open()
    shop.disk.fault = 'before'
    await expect(shop.sold(BET, { once: onceKey('lost') })).rejects.toMatchObject({ name: 'Unavailable' })
    await shop.mendDisk()
    const again = await shop.sold(BET, { once: onceKey('lost') })
    shop.disk.fault = 'after'
    await expect(shop.sold(BET, { once: onceKey('arrived') })).rejects.toMatchObject({ name: 'Unavailable' })
    await shop.mendDisk()
    const arrived = await shop.sold(BET, { once: onceKey('arrived') })
    expect(shop.round().ids).toEqual([again.id, arrived.id])
    expect(shop.round().receipts.size).toBe(2)
  })
})
