import { afterEach, describe, expect, it } from 'vitest'
import { commitmentOf } from '../../../src/domain/racing/draw.ts'
import { stakesHeld } from '../../../src/domain/racing/round.ts'
import { quiet } from '../../support/clock.ts'
import { ADMIN, OTHER_CASHIER, receiptIn, Shop, watch } from '../../support/racing.ts'

let shop: Shop
afterEach(() => {
  shop.disk.release()
  shop.racing.stop()
})

const voidRound = (id = 1, by = ADMIN.id) =>
  shop.racing.voidRound(id, { type: 'VoidRound', by, reason: 'the screen is dark' })

describe('voiding a round', () => {
  it('ends it, reveals its seed, makes every receipt refundable, and opens the next after the results’ time', async () => {
    shop = await Shop.open()
    const kept = await shop.soldOnAll()
    const gone = await shop.sold()
    await shop.cancel(gone.id)
    await shop.clock.advance(10_000)
    expect(await voidRound()).toMatchObject({ roundId: 1, by: ADMIN.id, receipts: 1, stakes: kept.total })
    const round = shop.round()
    expect([round.phase, round.settled]).toEqual(['settled', undefined])
    expect(commitmentOf(round.voided!.seed)).toBe(round.opened.commitment)
    expect(await shop.racing.find(kept.id)).toMatchObject({ status: 'refundable', prize: 0 })
    expect(await shop.racing.find(gone.id)).toMatchObject({ status: 'cancelled' })
    expect(await shop.sell([{ number: 1, stake: 5_000 }])).toMatchObject({ refused: 'ROUND_VOIDED' })
    await shop.clock.advance(4_999)
    expect(shop.round().id).toBe(1)
    await shop.clock.advance(1)
    expect(shop.round()).toMatchObject({ id: 2, phase: 'waiting' })
    await shop.clock.advance(100_000)
    expect(shop.heardTypes(1).slice(-1)).toEqual(['RoundVoided'])
  })

  it.each(['lock', 'start'] as const)('works from the %s on as well', async (moment) => {
    shop = await Shop.open()
    const { id } = await shop.sold()
    await shop.windTo(moment)
    expect(await voidRound()).toMatchObject({ receipts: 1 })
    expect(receiptIn(await shop.pay(id)).status).toBe('refunded')
    await shop.clock.advance(5_000)
    expect(shop.round().id).toBe(2)
    expect(shop.heardTypes(1)).not.toContain('RoundSettled')
  })

  it('asked again gives the same answer and no second fact, also at the same moment and while stakes are given back', async () => {
    shop = await Shop.open()
    const { id } = await shop.sold()
    const [first, second] = await Promise.all([voidRound(), voidRound(1, 99)])
    expect(second).toEqual(first)
    expect(receiptIn(await shop.pay(id)).status).toBe('refunded')
    expect(await voidRound()).toEqual(first)
    expect(shop.heardTypes(1).filter((type) => type === 'RoundVoided')).toHaveLength(1)
  })

  it('gives each stake back once, whoever asks', async () => {
    shop = await Shop.open()
    const { id, total } = await shop.sold()
    await voidRound()
    const answers = await Promise.all([shop.pay(id), shop.pay(id, ADMIN), shop.pay(id, OTHER_CASHIER)])
    expect(receiptIn(answers[0])).toMatchObject({ status: 'refunded', prize: 0, total })
    expect(answers.slice(1)).toMatchObject([
      { refused: 'RECEIPT_ALREADY_REFUNDED' },
      { refused: 'RECEIPT_FOREIGN' },
    ])
    expect([stakesHeld(shop.round()), shop.round().refunded]).toEqual([0, total])
  })

  it('is refused when the race is over, and knows nothing of rounds that nobody owns', async () => {
    shop = await Shop.open()
    await shop.windTo('end')
    expect(await voidRound()).toMatchObject({ refused: 'ROUND_DECIDED' })
    expect(await voidRound(99)).toBeUndefined()
  })

  it('is answered when it is on disk, and undone where the disk refuses it', async () => {
    shop = await Shop.open()
    const { id } = await shop.sold()
    shop.disk.hold()
    const asked = voidRound()
    const watched = watch(asked)
    await quiet()
    expect(watched.state).toBe('waiting')
    shop.disk.fault = 'before'
    shop.disk.release()
    await expect(asked).rejects.toMatchObject({ name: 'Unavailable', store: 'journal' })
    await expect(voidRound()).rejects.toMatchObject({ name: 'Unavailable', store: 'journal' })
    await shop.mendDisk()
    expect(await shop.racing.find(id)).toMatchObject({ status: 'pending' })
    expect(await voidRound()).toMatchObject({ receipts: 1 })
  })

  it('outlives the server: half of the stakes are given back before it, half after, none twice', async () => {
    shop = await Shop.open()
    const ids: number[] = []
    for (let i = 0; i < 6; i++) ids.push((await shop.sold()).id)
    const before = await voidRound()
    for (const id of ids.slice(0, 3)) await shop.pay(id)
    shop = await shop.restart(1_000)
    expect(await voidRound()).toEqual(before)
    const answers = await Promise.all(ids.map((id) => shop.pay(id)))
    expect(answers.map((answer) => ('refused' in answer ? answer.refused : answer.status))).toEqual([
      ...Array(3).fill('RECEIPT_ALREADY_REFUNDED'),
      ...Array(3).fill('refunded'),
    ])
    expect(stakesHeld(shop.racing.round(1)!)).toBe(0)
    await shop.clock.advance(4_000)
    expect(shop.round().id).toBe(2)
  })

  it('is handed over like any other round, and the archive gives back what is left, once', async () => {
    shop = await Shop.open()
    const [one, two] = [await shop.sold(), await shop.sold()]
    await voidRound()
    await shop.pay(one.id)
    await shop.clock.advance(5_000)
    const told: string[] = []
    shop.racing.listenArchive(({ status }) => told.push(status))
    expect(await shop.racing.retire(1)).toBe(true)
    expect(await voidRound()).toBeUndefined()
    expect(receiptIn(await shop.pay(two.id)).status).toBe('refunded')
    expect(await shop.pay(two.id)).toMatchObject({ refused: 'RECEIPT_ALREADY_REFUNDED' })
    expect(await shop.pay(one.id)).toMatchObject({ refused: 'RECEIPT_ALREADY_REFUNDED' })
    expect(told).toEqual(['refunded'])
  })
})
