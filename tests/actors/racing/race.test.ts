import { afterEach, describe, expect, it } from 'vitest'
import type { RaceProgress } from '../../../src/actors/racing/racing.port.ts'
import { COURSE_LENGTH, timeOfPiece } from '../../../src/domain/racing/course.ts'
import { ADMIN, FIELD, Shop, type ShopOptions } from '../../support/racing.ts'

type Called = RaceProgress & { readonly calledAt: number }

const PIECES = 100
/** Two pieces of 300 ms, and 250 ms to be sent. */
const LEAD_MS = 850

describe('the race as it is called', () => {
  const shops: Shop[] = []
  const follow = (shop: Shop): Called[] => {
    const heard: Called[] = []
    shop.racing.listenRaces((progress) => heard.push({ ...progress, calledAt: shop.clock.now() }))
    shops.push(shop)
    return heard
  }
  const open = async (options?: ShopOptions) => {
    const shop = await Shop.open(options)
    return { shop, heard: follow(shop) }
  }
  const positionsIn = (heard: readonly Called[]) => heard.flatMap(({ positions }) => positions)

  afterEach(() => {
    const ended = shops.splice(0)
    for (const { racing } of ended) racing.stop()
    for (const { clock } of ended) expect(clock.armed).toBe(0)
  })

  it('says nothing before the start, then every piece once, each when its time is near and not before (C1)', async () => {
    const { shop, heard } = await open()
    const { opened } = shop.round()
    await shop.windTo('lock')
    await shop.clock.advance(opened.startsAt - opened.locksAt - 1)
    expect(heard).toEqual([])
    await shop.clock.advance(1)
    await shop.windTo('end')
    expect(heard.map(({ first }) => first)).toEqual([
      0,
      ...Array.from({ length: PIECES - 2 }, (_, i) => i + 3),
    ])
    expect(heard[0]!.positions).toHaveLength(3)
    for (const { first, positions, calledAt, pieces } of heard) {
      expect(pieces).toBe(PIECES)
      const last = first + positions.length - 1
      const dueAt = timeOfPiece(last, PIECES, opened) - LEAD_MS
      expect(calledAt).toBeGreaterThanOrEqual(Math.min(dueAt, opened.startsAt))
      if (first > 0) expect(calledAt).toBe(dueAt)
    }
    const end = positionsIn(heard)[PIECES]!
    const { order } = shop.round().settled!
    const arrived = [...FIELD.keys()].sort((a, b) => end[b]! - end[a]!).map((i) => FIELD[i]!.number)
    expect(arrived).toEqual(order)
    expect(Math.max(...end)).toBe(COURSE_LENGTH)
  })

  it('goes on with the same pieces after a restart in the middle of it (C2)', async () => {
    const whole = await open()
    await whole.shop.windTo('end')
    const cut = await open()
    await cut.shop.windTo('start')
    await cut.shop.clock.advance(10_000)
    const before = positionsIn(cut.heard)
    expect(before.length).toBeGreaterThan(30)
    const { disk, clock, archive } = cut.shop
    cut.shop.racing.stop()
    clock.jump(4_000)
    const shop = new Shop({ disk, clock, archive })
    const heard = follow(shop)
    await shop.clock.advance(1_000)
    expect(heard[0]!.first).toBe(0)
    expect(heard[0]!.positions.length).toBeGreaterThanOrEqual(48)
    expect(heard[0]!.positions.slice(0, before.length)).toEqual(before)
    await shop.windTo('end')
    expect(positionsIn(heard)).toEqual(positionsIn(whole.heard))
  })

  it('calls at once what became due while the event loop was late (C2)', async () => {
    const { shop, heard } = await open()
    await shop.windTo('start')
    await shop.clock.advance(3_000)
    const already = positionsIn(heard).length
    shop.clock.jump(6_000)
    await shop.clock.advance(1_000)
    const late = heard.find(({ positions }) => positions.length >= 20)
    expect(late?.first).toBe(already)
    await shop.windTo('end')
    expect(positionsIn(heard)).toHaveLength(PIECES + 1)
  })

  it('falls silent when the round is voided', async () => {
    const { shop, heard } = await open()
    await shop.windTo('start')
    await shop.clock.advance(9_000)
    const { id } = shop.round()
    await shop.racing.voidRound(id, { type: 'VoidRound', by: ADMIN.id, reason: 'a false start' })
    const told = heard.length
    await shop.clock.advance(4_000)
    expect(heard.slice(told)).toEqual([])
  })

  it('is of each track its own', async () => {
    const { shop, heard } = await open({ tracks: ['Longchamp', 'Vincennes'] })
    await shop.windTo('end')
    const [one, two] = ['Longchamp', 'Vincennes'].map((name) =>
      positionsIn(heard.filter(({ track }) => track === name)),
    )
    expect(one).toHaveLength(PIECES + 1)
    expect(two).toHaveLength(PIECES + 1)
    expect(one).not.toEqual(two)
  })
})
