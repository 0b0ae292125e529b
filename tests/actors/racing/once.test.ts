import { afterEach, describe, expect, it } from 'vitest'
import { type OnceGate, onceGate } from '../../../src/actors/racing/once.ts'
import { Unavailable } from '../../../src/actors/unavailable.port.ts'
import { openJournal } from '../../../src/db/journal.ts'
import { memoryStore } from '../../../src/db/memory.store.ts'
import type { Person } from '../../../src/domain/racing/decide.ts'
import type { Fact } from '../../../src/domain/racing/facts.ts'
import type { ReceiptView } from '../../../src/domain/racing/receipt-view.ts'
import { quiet } from '../../support/clock.ts'
import { ADMIN, OTHER_CASHIER, onceKey, receiptIn, Shop, watch } from '../../support/racing.ts'

const BET = [{ number: 1, stake: 5_000 }]
const OTHER_BET = [{ number: 2, stake: 7_000 }]
const DAY_MS = 86_400_000

let shop: Shop
afterEach(() => {
  shop.disk.release()
  shop.racing.stop()
})

describe('an idempotency key', () => {
  it('sells one receipt, whether it is used again at once or later', async () => {
    shop = await Shop.open()
    const once = onceKey('a')
    const [first, second] = await Promise.all([shop.sold(BET, { once }), shop.sold(BET, { once })])
    await shop.clock.advance(10_000)
    const third = await shop.sold(BET, { once })
    expect(second).toEqual(first)
    expect(third).toEqual(first)
    expect(shop.round().receiptCount).toBe(1)
  })

  it('that comes again while the first is not on disk yet waits for that answer', async () => {
    shop = await Shop.open()
    shop.disk.hold()
    const once = onceKey('a')
    const first = shop.sold(BET, { once })
    await quiet()
    const second = shop.sold(BET, { once })
    const watched = watch(second)
    await quiet()
    expect(watched.state).toBe('waiting')
    shop.disk.release()
    expect(await second).toEqual(await first)
    expect(shop.round().receiptCount).toBe(1)
  })

  it('is refused with another body, at once and later', async () => {
    shop = await Shop.open()
    const first = shop.sold(BET, { once: onceKey('a', 'one body') })
    const other = { once: onceKey('a', 'another body') }
    const refused = { refused: 'IDEMPOTENCY_KEY_REUSED', details: { key: 'a' } }
    expect(await shop.sell(OTHER_BET, other)).toEqual(refused)
    await first
    expect(await shop.sell(OTHER_BET, other)).toEqual(refused)
    expect(shop.round().receiptCount).toBe(1)
  })

  it('belongs to its user: the same word of somebody else is another key', async () => {
    shop = await Shop.open()
    const own = await shop.sold(BET, { once: onceKey('a') })
    const other = await shop.sold(BET, { by: OTHER_CASHIER, once: onceKey('a', 'a body', OTHER_CASHIER) })
    expect(other.id).not.toBe(own.id)
  })

  it('survives a restart', async () => {
    shop = await Shop.open()
    const once = onceKey('a')
    const first = await shop.sold(BET, { once })
    shop = await shop.restart()
    expect(await shop.sold(BET, { once })).toEqual(first)
    expect(shop.round().receiptCount).toBe(1)
  })

  it('is answered after the lock as it was before it', async () => {
    shop = await Shop.open()
    const once = onceKey('a')
    const first = await shop.sold(BET, { once })
    await shop.windTo('start')
    expect(await shop.sell(BET, { once })).toEqual(first)
  })

  it('remembers a refusal, too: what was refused is not sold when somebody tries again', async () => {
    shop = await Shop.open()
    const bet = [{ number: 1, stake: 5_000, coeff: 99 }]
    const once = onceKey('a')
    const refused = await shop.sell(bet, { once })
    expect(refused).toMatchObject({ refused: 'COEFFICIENT_CHANGED' })
    expect(await shop.sell(bet, { once })).toEqual(refused)
    shop = await shop.restart()
    expect(await shop.sell(BET, { once })).toEqual(refused)
    expect(shop.round().receiptCount).toBe(0)
  })

  it('cancels once, and answers alike', async () => {
    shop = await Shop.open()
    const { id } = await shop.sold()
    const once = onceKey('cancel')
    const [first, second] = await Promise.all([
      shop.cancel(id, undefined, once),
      shop.cancel(id, undefined, once),
    ])
    expect(receiptIn(first).status).toBe('cancelled')
    expect(second).toEqual(first)
    expect(await shop.cancel(id)).toMatchObject({ refused: 'RECEIPT_CANCELLED' })
  })

  it('pays once, and answers alike even when the round went to the archive meanwhile', async () => {
    shop = await Shop.open()
    const { id } = await shop.soldOnAll()
    await shop.windTo('end')
    const once = onceKey('pay')
    const paid = await shop.pay(id, undefined, once)
    await shop.windTo('next')
    expect(await shop.racing.retire(1)).toBe(true)
    expect(await shop.pay(id, undefined, once)).toEqual(paid)
    expect(await shop.pay(id, ADMIN, onceKey('pay', 'a body', ADMIN))).toMatchObject({
      refused: 'RECEIPT_ALREADY_PAID',
    })
  })

  it('is handed to the archive with a payment that the archive decides', async () => {
    shop = await Shop.open()
    const { id } = await shop.soldOnAll()
    await shop.windTo('next')
    expect(await shop.racing.retire(1)).toBe(true)
    const once = onceKey('pay')
    const paid = await shop.pay(id, undefined, once)
    expect(receiptIn(paid).status).toBe('paid')
    expect(await shop.pay(id, undefined, once)).toEqual(paid)
    expect(await shop.pay(id)).toMatchObject({ refused: 'RECEIPT_ALREADY_PAID' })
  })

  it('remembers what was refused without a round: where there was none yet, and what the archive says', async () => {
    shop = new Shop()
    const before = onceKey('too early')
    const early = shop.sell(BET, { once: before })
    await shop.clock.advance(0)
    expect(await early).toMatchObject({ refused: 'NO_ROUND' })
    expect(await shop.sell(BET, { once: before })).toEqual(await early)

    const { id } = await shop.soldOnAll()
    await shop.windTo('next')
    const { archive } = shop
    const find = archive.find.bind(archive)
    archive.find = async () => undefined
    expect(await shop.racing.retire(1)).toBe(true)
    const once = onceKey('cancel')
    const unknown = await shop.cancel(id, undefined, once)
    expect(unknown).toMatchObject({ refused: 'RECEIPT_UNKNOWN' })
    archive.find = find
    expect(await shop.cancel(id)).toMatchObject({ refused: 'RECEIPT_HISTORICAL' })
    expect(await shop.cancel(id, undefined, once)).toEqual(unknown)
  })

  it('lets the archive’s refusal wait until it can be kept, but not a payment that was made', async () => {
    shop = await Shop.open()
    const { id } = await shop.soldOnAll()
    await shop.windTo('next')
    expect(await shop.racing.retire(1)).toBe(true)
    shop.disk.fault = 'before'
    await expect(shop.cancel(id, undefined, onceKey('cancel'))).rejects.toThrow(Unavailable)
    shop.disk.fault = undefined
    await shop.mendDisk()
    expect(await shop.cancel(id, undefined, onceKey('cancel'))).toMatchObject({
      refused: 'RECEIPT_HISTORICAL',
    })
  })

  it('is kept for a day at least, and forgotten after two', async () => {
    shop = await Shop.open()
    const once = onceKey('a')
    const first = await shop.sold(BET, { once })
    const keys = () => [...shop.journal.notes('key/')].length
    shop.clock.jump(DAY_MS)
    await shop.racing.forgetOldKeys()
    expect(keys()).toBe(1)
    expect(await shop.sell(BET, { once })).toEqual(first)
    shop.clock.jump(DAY_MS)
    await shop.racing.forgetOldKeys()
    expect(keys()).toBe(0)
  })

  it('forgets the days gone by and no other note', async () => {
    shop = await Shop.open()
    await shop.sold(BET, { once: onceKey('old') })
    const others = () =>
      [...shop.journal.notes('')].map(([name]) => name).filter((name) => !name.startsWith('key/'))
    const before = others()
    shop.clock.jump(3 * DAY_MS)
    await shop.clock.advance(2_000)
    await shop.sold(BET, { once: onceKey('new') })
    await shop.racing.forgetOldKeys()
    expect([...shop.journal.notes('key/')].map(([name]) => name.split('/').at(-1))).toEqual(['new'])
    expect(others()).toEqual(before)
  })

  it('that begins like another, or holds slashes, is its own', async () => {
    shop = await Shop.open()
    const ids: number[] = []
    for (const key of ['a', 'a/b', 'a/', '/a', 'é', ''])
      ids.push((await shop.sold(BET, { once: onceKey(key) })).id)
    expect(new Set(ids).size).toBe(6)
  })
})

describe('the keys of a user', () => {
  it('are so many a day and no more, also after a restart; the next day brings new ones', async () => {
    const journal = openJournal<Fact>({ store: memoryStore(), parse: (row) => row as Fact })
    const now = 20_000 * DAY_MS + 5
    const sold = receiptIn({ id: 7 } as ReceiptView)
    const ask = (gate: OnceGate, key: string, at = now, by?: Person) =>
      gate.ask(onceKey(key, 'a body', by), at, async (remember) => {
        await journal.write(remember(sold))
        return sold
      })
    const first = onceGate(journal, 3)
    for (const key of ['a', 'b']) expect(await ask(first, key)).toEqual(sold)
    const second = onceGate(journal, 3)
    expect(await ask(second, 'a')).toEqual(sold)
    expect(await ask(second, 'c')).toEqual(sold)
    const refused = { refused: 'TOO_MANY_KEYS', details: { most: 3, until: 20_001 * DAY_MS } }
    expect(await ask(second, 'd')).toEqual(refused)
    expect(await ask(second, 'b')).toEqual(sold)
    expect(await ask(second, 'd', now, OTHER_CASHIER)).toEqual(sold)
    await second.forget(now + DAY_MS)
    expect(await ask(second, 'd', now + DAY_MS)).toEqual(sold)
  })
})
