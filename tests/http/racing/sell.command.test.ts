import { afterEach, describe, expect, it } from 'vitest'
import { LiveHub } from '../../../src/http/live-hub.ts'
import type { LiveLimits } from '../../../src/http/live-limits.ts'
import { MOST_BETS } from '../../../src/http/racing/receipts.docs.ts'
import { sellByMessage } from '../../../src/http/racing/sell.command.ts'
import { FIELD, LIMITS, Shop, type ShopOptions } from '../../support/racing.ts'
import { LiveClient, serveLive, TokenBook } from '../live-client.ts'

const TOKEN = 'cashier:7'
const sale = { bets: [{ participant: { number: 1 }, value: 5_000 }] }

describe('sell by a message', () => {
  const ends: (() => Promise<void>)[] = []
  const open = async (options: ShopOptions = {}, limits: Partial<LiveLimits> = {}) => {
    const shop = await Shop.open(options)
    const { clock, racing } = shop
    const sessions = new TokenBook()
    const faults: unknown[] = []
    const onFault = (fault: unknown) => faults.push(fault)
    const { tracks } = racing
    const hub = new LiveHub({ epoch: 'e', tracks, sessions, clock, limits, onFault })
    hub.addCommand(sellByMessage(racing))
    const server = await serveLive(hub, sessions)
    const client = await LiveClient.open(server.url, { token: TOKEN })
    ends.push(async () => {
      racing.stop()
      await server.close()
      expect(faults).toEqual([])
    })
    return { shop, client }
  }
  const sell = (client: LiveClient, id: string, more: object = {}) => {
    client.say({ type: 'sell', id, sale, ...more })
    return client.heard({ event: 'answer', id })
  }
  const countOf = (shop: Shop): number => shop.round().receipts.size

  afterEach(async () => {
    for (const end of ends.splice(0)) await end()
  })

  it('is answered with the receipt, which its seller has from then on', async () => {
    const { shop, client } = await open()
    const { number, name, coeff } = FIELD[0]!
    const answer = await sell(client, '1', { key: 'k' })
    const { id } = answer.data
    expect(answer).toEqual({
      event: 'answer',
      id: '1',
      success: true,
      data: {
        id,
        roundId: 1,
        total_amount: 5_000,
        prize: 50 * coeff,
        created_at: new Date(shop.clock.now()).toISOString(),
        bets: [
          { number, value: 5_000, participant: { number, name, coeff: coeff / 100 }, prize: 50 * coeff },
        ],
      },
    })
    expect(await shop.racing.find(id)).toMatchObject({ by: 7, total: 5_000, status: 'pending' })
  })

  it('is answered no sooner than it is on disk', async () => {
    const { shop, client } = await open()
    shop.disk.hold()
    const asked = shop.disk.asked()
    client.say({ type: 'sell', id: '1', sale })
    await asked
    await client.settled()
    expect(client.messages.filter(({ event }) => event === 'answer')).toEqual([])
    shop.disk.release()
    expect(await client.heard('answer')).toMatchObject({ id: '1', success: true })
  })

  it('is refused while the disk cannot be written, and nothing is sold', async () => {
    const { shop, client } = await open()
    shop.disk.fault = 'before'
    expect((await sell(client, '1')).error.code).toBe('JOURNAL_UNAVAILABLE')
    expect(countOf(shop)).toBe(0)
    await shop.mendDisk()
    expect(await sell(client, '2')).toMatchObject({ success: true })
  })

  it('is judged by the round at the moment it is decided', async () => {
    const { shop, client } = await open()
    await shop.windTo('lock')
    expect((await sell(client, '1')).error).toMatchObject({
      code: 'BETTING_LOCKED',
      message: 'Betting on this round is closed; sell on the next round.',
      details: { roundId: 1 },
    })
    await shop.windTo('next')
    expect((await sell(client, '2', { sale: { ...sale, round_id: 1 } })).error).toMatchObject({
      code: 'ROUND_CHANGED',
      details: { roundId: 2, asked: 1 },
    })
    expect((await sell(client, '3', { sale: { ...sale, round_id: 2 } })).data.roundId).toBe(2)
  })

  it('is sold by whoever is signed in, and by nobody else', async () => {
    const { shop, client } = await open()
    expect((await sell(client, '1', { sale: { ...sale, user_id: 8 } })).error).toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining('sold by whoever is signed in'),
    })
    expect(countOf(shop)).toBe(0)
    const own = await sell(client, '2', { sale: { ...sale, user_id: 7 } })
    expect(await shop.racing.find(own.data.id)).toMatchObject({ by: 7 })
  })

  it('is for the track that it names, or for the first', async () => {
    const { client } = await open({ tracks: ['Longchamp', 'Auteuil'] })
    const rounds = [
      (await sell(client, '1')).data.roundId,
      (await sell(client, '2', { track: 'Longchamp' })).data.roundId,
      (await sell(client, '3', { track: 'Auteuil' })).data.roundId,
    ]
    expect(rounds).toEqual([1, 1, 2])
    expect((await sell(client, '4', { track: 'Vincennes' })).error).toMatchObject({
      code: 'BAD_REQUEST',
      details: { tracks: ['Longchamp', 'Auteuil'] },
    })
  })

  it('is done once for a key, however often it is asked, one after another or all at once', async () => {
    const { shop, client } = await open()
    for (let n = 0; n < 10; n++) client.say({ type: 'sell', id: `${n}`, key: 'one', sale })
    await client.heard('answer', 10)
    const again = await sell(client, 'again', { key: 'one' })
    const answers = client.messages.filter(({ event }) => event === 'answer')
    expect(new Set(answers.map(({ data }) => data.id))).toEqual(new Set([again.data.id]))
    expect(countOf(shop)).toBe(1)
    const other = { bets: [{ participant: { number: 2 }, value: 5_000 }] }
    expect((await sell(client, 'other', { key: 'one', sale: other })).error.code).toBe(
      'IDEMPOTENCY_KEY_REUSED',
    )
    expect(countOf(shop)).toBe(1)
  })

  it('takes the longest sale that there may be, however its names are written', async () => {
    const field = Array.from({ length: MOST_BETS }, (_, n) => ({ ...FIELD[0]!, number: n + 1 }))
    const { shop, client } = await open({ field, limits: { ...LIMITS, minStake: 1 } })
    // As long as the schema lets it be: each character as its escape, which some libraries write for all but ASCII.
    const name = '\\u00e9'.repeat(100)
    const bets = field.map(
      ({ number }) =>
        `{"participant":{"number":${number},"name":"${name}","coeff":1.2345678901234567},"value":1}`,
    )
    const text = `{"type":"sell","id":"${'x'.repeat(64)}","key":"${'k'.repeat(200)}","track":"Longchamp","sale":{"user_id":7,"round_id":1,"bets":[${bets}]}}`
    expect(text.length).toBeGreaterThan(20_000)
    client.say(text)
    // The names are not those of the field, and that is what is said of it: the message came through.
    expect((await client.heard('answer')).error.code).toBe('PARTICIPANT_CHANGED')
    const plain = { bets: field.map(({ number }) => ({ participant: { number }, value: 1 })) }
    expect(await sell(client, '2', { sale: plain })).toMatchObject({ success: true })
    expect(countOf(shop)).toBe(1)
  })
})
