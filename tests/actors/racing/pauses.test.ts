import { afterEach, describe, expect, it } from 'vitest'
import type { TrackState } from '../../../src/actors/racing/racing.port.ts'
import { ADMIN, MORNING, Shop } from '../../support/racing.ts'

const TRACK = 'Longchamp'
let shop: Shop
afterEach(() => {
  shop.disk.release()
  shop.racing.stop()
})

const pause = (paused: boolean, by = ADMIN.id) => shop.racing.pause(TRACK, paused, by)

describe('a paused track', () => {
  it('ends its round, opens no other, and goes on within a second of being resumed', async () => {
    shop = await Shop.open()
    expect(await pause(true)).toEqual({
      track: TRACK,
      paused: true,
      changedAt: MORNING,
      changedBy: ADMIN.id,
    })
    const { id } = await shop.soldOnAll()
    await shop.windTo('end')
    expect(await shop.racing.find(id)).toMatchObject({ status: 'won' })
    await shop.clock.advance(600_000)
    expect([shop.round().id, shop.round().phase]).toEqual([1, 'settled'])
    await pause(false)
    await shop.clock.advance(1_000)
    expect(shop.round()).toMatchObject({ id: 2, phase: 'waiting' })
  })

  it('stays so over a restart, and others run on', async () => {
    shop = await Shop.open({ tracks: [TRACK, 'Auteuil'] })
    await pause(true)
    await shop.windTo('next')
    shop = await shop.restart(5_000)
    await shop.clock.advance(100_000)
    expect(shop.racing.trackState(TRACK)).toMatchObject({ paused: true, changedBy: ADMIN.id })
    expect(shop.round(TRACK)).toMatchObject({ id: 1, phase: 'settled' })
    expect(shop.round('Auteuil').id).toBeGreaterThan(2)
  })

  it('tells of each change once, and answers the same where nothing changes', async () => {
    shop = await Shop.open()
    const told: TrackState[] = []
    shop.racing.listenTracks((state) => told.push(state))
    expect(await pause(false, 5)).toEqual({ track: TRACK, paused: false, changedAt: null, changedBy: null })
    const first = await pause(true)
    await shop.clock.advance(1_000)
    expect(await pause(true, 5)).toEqual(first)
    await pause(false)
    expect(told.map(({ paused }) => paused)).toEqual([true, false])
  })

  it('is not paused where that could not be written down', async () => {
    shop = await Shop.open()
    shop.disk.fault = 'before'
    await expect(pause(true)).rejects.toMatchObject({ name: 'Unavailable', store: 'journal' })
    expect(shop.racing.trackState(TRACK).paused).toBe(false)
    await shop.mendDisk()
    expect(await pause(true)).toMatchObject({ paused: true })
  })
})
