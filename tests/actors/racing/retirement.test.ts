import { afterEach, describe, expect, it } from 'vitest'
import { quiet } from '../../support/clock.ts'
import { ADMIN, OTHER_CASHIER, receiptIn, Shop, watch } from '../../support/racing.ts'

const UNAVAILABLE = { name: 'Unavailable', store: 'postgres' }

let shop: Shop
afterEach(() => {
  shop.disk.release()
  shop.racing.stop()
})

/** A shop whose first round is over, with a winning receipt, and whose second waits for bets. */
const afterARace = async () => {
  shop = await Shop.open()
  const won = await shop.soldOnAll()
  await shop.windTo('next')
  return won
}

/** Makes the archive wait in the middle of a hand-over. */
const heldArchive = (when: 'beforeTakeOver' | 'afterTakeOver') => {
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  shop.archive[when] = () => held
  return release
}

const cut = (): never => {
  throw new Error('connection lost')
}

describe('handing a round over', () => {
  it('makes the archive its owner: the round leaves the journal, and its receipts are asked there', async () => {
    const { id } = await afterARace()
    expect(await shop.racing.retire(1)).toBe(true)
    expect(shop.racing.round(1)).toBeUndefined()
    expect(shop.journal.streams()).toEqual([2])
    expect([...shop.journal.notes('retiring/')]).toEqual([])
    expect(await shop.racing.find(id)).toMatchObject({ id, status: 'won' })
    expect(receiptIn(await shop.pay(id)).status).toBe('paid')
    expect(shop.archive.asked).toHaveLength(1)
    expect(await shop.pay(id)).toMatchObject({ refused: 'RECEIPT_ALREADY_PAID' })
  })

  it('is not done with a round that still runs, or with the latest of its track', async () => {
    shop = await Shop.open()
    await shop.windTo('start')
    expect(await shop.racing.retire(1)).toBe(false)
    await shop.windTo('end')
    expect(await shop.racing.retire(1)).toBe(false)
    expect(shop.racing.round(1)).toBeDefined()
    await shop.windTo('next')
    expect(await shop.racing.retire(2)).toBe(false)
    expect(await shop.racing.retire(1)).toBe(true)
    expect(await shop.racing.retire(1)).toBe(false)
    expect(await shop.racing.retire(99)).toBe(false)
  })

  it('lets commands wait, and then sends them to the archive', async () => {
    const { id } = await afterARace()
    const release = heldArchive('beforeTakeOver')
    const retired = shop.racing.retire(1)
    await quiet()
    const payments = [shop.pay(id), shop.pay(id, ADMIN), shop.print(id, OTHER_CASHIER)]
    const watched = payments.map(watch)
    await quiet()
    expect(watched.map(({ state }) => state)).toEqual(['waiting', 'waiting', 'waiting'])
    release()
    expect(await retired).toBe(true)
    expect(receiptIn(await payments[0]!).status).toBe('paid')
    expect(await payments[1]).toMatchObject({ refused: 'RECEIPT_ALREADY_PAID' })
    expect(await payments[2]).toMatchObject({ refused: 'RECEIPT_FOREIGN' })
    expect(shop.archive.asked.map(({ type }) => type)).toEqual(['PayReceipt', 'PayReceipt', 'PrintReceipt'])
    expect(shop.heardTypes(1)).not.toContain('ReceiptPaid')
  })

  it('gives the round back where the archive does not have all facts yet', async () => {
    const { id } = await afterARace()
    shop.archive.deaf = true
    await shop.print(id)
    const release = heldArchive('beforeTakeOver')
    const retired = shop.racing.retire(1)
    await quiet()
    const payment = shop.pay(id)
    release()
    expect(await retired).toBe(false)
    expect(receiptIn(await payment).status).toBe('paid')
    expect(shop.heardTypes(1)).toContain('ReceiptPaid')
    expect(shop.archive.asked).toEqual([])
    expect([...shop.journal.notes('retiring/')]).toEqual([])
  })

  it('waits for what is not on disk yet, and counts it', async () => {
    const { id } = await afterARace()
    shop.disk.hold()
    const payment = shop.pay(id)
    const retired = shop.racing.retire(1)
    const watched = watch(retired)
    await quiet()
    expect(watched.state).toBe('waiting')
    shop.disk.release()
    expect(receiptIn(await payment).status).toBe('paid')
    expect(await retired).toBe(true)
    expect(await shop.pay(id)).toMatchObject({ refused: 'RECEIPT_ALREADY_PAID' })
  })

  it('refuses what only a live round may do, and names the round', async () => {
    const { id } = await afterARace()
    await shop.racing.retire(1)
    expect(await shop.cancel(id)).toEqual({ refused: 'RECEIPT_HISTORICAL', details: { id, roundId: 1 } })
    expect(await shop.cancel(id, OTHER_CASHIER)).toEqual({ refused: 'RECEIPT_FOREIGN', details: { id } })
    expect(await shop.cancel(999)).toEqual({ refused: 'RECEIPT_UNKNOWN', details: { id: 999 } })
  })

  it('happens once, however many ask for it at once', async () => {
    await afterARace()
    let asked = 0
    shop.archive.beforeTakeOver = () => {
      asked++
    }
    const all = await Promise.all([shop.racing.retire(1), shop.racing.retire(1), shop.racing.retire(1)])
    expect(all.filter(Boolean)).toHaveLength(1)
    expect(asked).toBe(1)
  })

  it('goes on selling on the next round meanwhile', async () => {
    await afterARace()
    const release = heldArchive('beforeTakeOver')
    const retired = shop.racing.retire(1)
    await quiet()
    expect((await shop.sold()).roundId).toBe(2)
    release()
    await retired
  })
})

describe('a hand-over of which nobody knows the outcome', () => {
  it('is owned by nobody until the archive is asked: taken, it is the archive’s', async () => {
    const { id } = await afterARace()
    shop.archive.afterTakeOver = cut
    await expect(shop.racing.retire(1)).rejects.toThrow('connection lost')
    await expect(shop.pay(id)).rejects.toMatchObject(UNAVAILABLE)
    await expect(shop.print(id)).rejects.toMatchObject(UNAVAILABLE)
    await shop.racing.resolveHandOvers()
    expect(shop.racing.round(1)).toBeUndefined()
    expect(shop.journal.streams()).toEqual([2])
    expect(receiptIn(await shop.pay(id)).status).toBe('paid')
    expect(shop.archive.asked).toHaveLength(1)
  })

  it('is owned by nobody until the archive is asked: not taken, it is the actor’s again', async () => {
    const { id } = await afterARace()
    shop.archive.beforeTakeOver = cut
    await expect(shop.racing.retire(1)).rejects.toThrow('connection lost')
    await expect(shop.pay(id)).rejects.toMatchObject(UNAVAILABLE)
    await shop.racing.resolveHandOvers()
    expect(receiptIn(await shop.pay(id)).status).toBe('paid')
    expect(shop.archive.asked).toEqual([])
    shop.archive.beforeTakeOver = () => {}
    expect(await shop.racing.retire(1)).toBe(true)
  })

  it('stays so while the archive cannot be asked', async () => {
    const { id } = await afterARace()
    shop.archive.afterTakeOver = cut
    await expect(shop.racing.retire(1)).rejects.toThrow()
    shop.archive.away = true
    await expect(shop.racing.resolveHandOvers()).rejects.toThrow('connection refused')
    await expect(shop.pay(id)).rejects.toMatchObject(UNAVAILABLE)
    shop.archive.away = false
    await shop.racing.resolveHandOvers()
    expect(receiptIn(await shop.pay(id)).status).toBe('paid')
  })

  it('is told to those who waited for it', async () => {
    const { id } = await afterARace()
    let lose = (_: Error): void => {}
    shop.archive.afterTakeOver = () => new Promise((_, reject) => (lose = reject))
    const retired = shop.racing.retire(1)
    await quiet()
    const payment = shop.pay(id)
    lose(new Error('connection lost'))
    await expect(retired).rejects.toThrow('connection lost')
    await expect(payment).rejects.toMatchObject(UNAVAILABLE)
  })

  it('is not tried again before it is known: an archive that has the round may answer that it has not', async () => {
    const { id } = await afterARace()
    shop.archive.afterTakeOver = cut
    await expect(shop.racing.retire(1)).rejects.toThrow()
    // A passing trouble makes the archive answer "incomplete" without having looked.
    shop.archive.takeOver = async () => 'incomplete'
    expect(await shop.racing.retire(1)).toBe(false)
    await expect(shop.pay(id)).rejects.toMatchObject(UNAVAILABLE)
    await shop.racing.resolveHandOvers()
    expect(receiptIn(await shop.pay(id)).status).toBe('paid')
    expect(shop.archive.asked).toHaveLength(1)
    expect(shop.heardTypes(1)).not.toContain('ReceiptPaid')
  })

  it('is resolved once, however many ask at once, and never against a later hand-over', async () => {
    const { id } = await afterARace()
    shop.archive.beforeTakeOver = cut
    await expect(shop.racing.retire(1)).rejects.toThrow()
    shop.archive.beforeTakeOver = () => {}
    // Two ask; the second answer comes late, when the round was given back and is being handed over again.
    const owned = shop.archive.owned.bind(shop.archive)
    let late = (): void => {}
    const [first, second] = [
      shop.racing.resolveHandOvers(),
      (() => {
        shop.archive.owned = async (ids) => {
          const answer = await owned(ids)
          await new Promise<void>((resolve) => (late = resolve))
          return answer
        }
        return shop.racing.resolveHandOvers()
      })(),
    ]
    await first
    const release = heldArchive('afterTakeOver')
    const retired = shop.racing.retire(1)
    await quiet()
    late()
    await second
    const payment = shop.pay(id)
    await quiet()
    release()
    expect(await retired).toBe(true)
    expect(receiptIn(await payment).status).toBe('paid')
    expect(shop.heardTypes(1)).not.toContain('ReceiptPaid')
    expect(shop.archive.asked).toHaveLength(1)
  })

  it('begins already when the note could not be written down, and ends when the archive is asked', async () => {
    const { id } = await afterARace()
    shop.disk.fault = 'before'
    await expect(shop.racing.retire(1)).rejects.toThrow()
    await shop.mendDisk()
    await shop.racing.resolveHandOvers()
    expect(receiptIn(await shop.pay(id)).status).toBe('paid')
    expect(await shop.racing.retire(1)).toBe(true)
  })
})

describe('a restart in the middle of a hand-over', () => {
  const crashDuring = async (when: 'beforeTakeOver' | 'afterTakeOver') => {
    const won = await afterARace()
    heldArchive(when)
    const { archive } = shop
    void shop.racing.retire(1).catch(() => {})
    await quiet()
    const before = shop
    shop = await before.restart(1_000)
    archive.beforeTakeOver = () => {}
    archive.afterTakeOver = () => {}
    return won
  }

  it('leaves the round in nobody’s hands, and then in the archive’s where that took it', async () => {
    const { id } = await crashDuring('afterTakeOver')
    await expect(shop.pay(id)).rejects.toMatchObject(UNAVAILABLE)
    await shop.racing.resolveHandOvers()
    expect(shop.journal.streams()).toEqual([2])
    expect(receiptIn(await shop.pay(id)).status).toBe('paid')
    expect(shop.archive.asked).toHaveLength(1)
  })

  it('leaves the round in nobody’s hands, and then in the actor’s where the archive did not take it', async () => {
    const { id } = await crashDuring('beforeTakeOver')
    await expect(shop.pay(id)).rejects.toMatchObject(UNAVAILABLE)
    await shop.racing.resolveHandOvers()
    expect(receiptIn(await shop.pay(id)).status).toBe('paid')
    expect(shop.archive.asked).toEqual([])
    shop = await shop.restart()
    expect(await shop.pay(id)).toMatchObject({ refused: 'RECEIPT_ALREADY_PAID' })
  })

  it('and of the removal: what is left of the round neither races again nor is heard of', async () => {
    const { id } = await afterARace()
    await shop.pay(id)
    // The removal goes backwards; a kill left the opening and the sale, and the note.
    const left = shop.journal.read(1, 0, 2)
    shop.archive.afterTakeOver = cut
    await expect(shop.racing.retire(1)).rejects.toThrow()
    await shop.disk.store.remove(1, [])
    await shop.disk.store.commit([{ stream: 1, first: 1, facts: left }], new Map())
    shop = await shop.restart(1_000)
    await shop.clock.advance(5_000)
    expect(shop.heardTypes(1)).toEqual([])
    expect(shop.journal.last(1)).toBe(2)
    await expect(shop.pay(id)).rejects.toMatchObject(UNAVAILABLE)
    expect(await shop.racing.retire(1)).toBe(false)
    await shop.racing.resolveHandOvers()
    expect(shop.journal.streams()).toEqual([2])
    expect(await shop.pay(id)).toMatchObject({ refused: 'RECEIPT_ALREADY_PAID' })
  })

  it('does not stop the next round of the track', async () => {
    await crashDuring('afterTakeOver')
    expect(shop.round()).toMatchObject({ id: 2, phase: 'waiting' })
    await shop.windTo('next')
    expect(shop.round().id).toBe(3)
  })
})
