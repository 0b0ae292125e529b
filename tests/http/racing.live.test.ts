import { afterEach, describe, expect, it } from 'vitest'
import { commitmentOf } from '../../src/domain/racing/draw.ts'
import { LiveHub } from '../../src/http/live-hub.ts'
import { RacingLive } from '../../src/http/racing/racing.live.ts'
import { publicRound, timerOf } from '../../src/http/racing/racing.view.ts'
import {
  ADMIN,
  CASHIER,
  Disk,
  FIELD,
  LIMITS,
  MORNING,
  OTHER_CASHIER,
  Shop,
  type ShopOptions,
} from '../support/racing.ts'
import {
  type ConnectOptions,
  LiveClient,
  type LiveServer,
  type Message,
  serveLive,
  TokenBook,
} from './live-client.ts'

const TRACK = 'Longchamp'
const EPOCH = 'epoch-1'
const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)
const offsets = (messages: Message[]): number[] => messages.map(({ offset }) => offset)
const events = (messages: Message[]): string[] => messages.map(({ event }) => event)

type Station = {
  readonly shop: Shop
  readonly hub: LiveHub
  readonly live: RacingLive
  readonly server: LiveServer
}

describe('racing, live', () => {
  const stations: Station[] = []
  const faults: unknown[] = []

  const serve = async (shop: Shop): Promise<Station> => {
    const sessions = new TokenBook()
    const onFault = (fault: unknown) => faults.push(fault)
    const { clock, racing } = shop
    const { tracks } = racing
    // Clients answer pings in real time, and the shop's clock is wound by whole rounds.
    const limits = { pingMs: 1_000_000_000, closeWaitMs: 200 }
    const hub = new LiveHub({ epoch: EPOCH, tracks, sessions, clock, limits, onFault })
    const live = new RacingLive({ hub, racing, clock })
    const station = { shop, hub, live, server: await serveLive(hub, sessions) }
    stations.push(station)
    return station
  }
  const open = async (options?: ShopOptions): Promise<Station> => serve(await Shop.open(options))
  const connect = ({ server }: Station, options?: ConnectOptions) => LiveClient.open(server.url, options)
  /** Waits until the client heard all that its topics have said. */
  const caughtUp = async (client: LiveClient, topic: string, offset: number): Promise<Message[]> => {
    await client.until(() => client.messages.some((one) => one.topic === topic && one.offset >= offset))
    return client.stream(topic)
  }
  const snapshotOf = (client: LiveClient, topic: string, nth = 1): Promise<Message> =>
    client.heard({ event: 'snapshot', topic }, nth)

  afterEach(async () => {
    const ended = stations.splice(0)
    for (const { shop, live, server } of ended) {
      live.stop()
      shop.racing.stop()
      await server.close()
    }
    for (const { shop } of ended) expect(shop.clock.armed).toBe(0)
    expect(faults.splice(0)).toEqual([])
  })

  describe('topic race', () => {
    it('follows a round from its opening to its result, which is shown only when the race is over', async () => {
      const station = await open()
      const { shop } = station
      const client = await connect(station)
      const snapshot = await snapshotOf(client, 'race')
      expect(snapshot.data).toEqual({
        lastResults: [],
        paused: false,
        race: null,
        round: {
          id: 1,
          roundId: 1,
          track: TRACK,
          status: 'waiting',
          participants: FIELD.map(({ number, name, coeff }) => ({ number, name, coeff: coeff / 100 })),
          commitment: shop.round().opened.commitment,
          locksAt: MORNING + 55_000,
          startsAt: MORNING + 60_000,
          endsAt: MORNING + 90_000,
          nextAt: MORNING + 95_000,
          timer: { timeLeft: 60_000, totalDuration: 60_000, serverTime: MORNING },
        },
      })
      await shop.soldOnAll()
      await shop.windTo('next')
      const opened = await client.heard({ event: 'round_opened', roundId: 2 })
      expect(opened.round).toMatchObject({ id: 2, status: 'waiting' })
      const story = client
        .stream('race')
        .filter(({ event }) => event !== 'timer' && event !== 'race_progress')
      expect(events(story)).toEqual(['betting_locked', 'race_started', 'round_settled', 'round_opened'])
      expect(story.map(({ round }) => round.status)).toEqual([
        'betting-locked',
        'running',
        'settled',
        'waiting',
      ])
      expect(story.map(({ round }) => round.timer.timeLeft)).toEqual([5_000, 30_000, 5_000, 60_000])
      const { result, commitment } = story[2].round
      expect(commitmentOf(result.seed)).toBe(commitment)
      expect(result.order).toHaveLength(FIELD.length)
      expect(result.winner).toBe(result.order[0])
      const heard = client.stream('race')
      expect(offsets(heard)).toEqual(numbers(snapshot.offset + 1, heard.at(-1).offset))
    })

    it('says nothing of seed, order or secret chain, and nothing of receipts, before the race is over', async () => {
      const station = await open()
      const clients = [await connect(station), await connect(station, { token: 'admin:1' })]
      for (const client of clients) await snapshotOf(client, 'race')
      const { shop } = station
      const receipt = await shop.soldOnAll()
      await shop.windTo('lock')
      await shop.windTo('start')
      clients.push(await connect(station))
      await snapshotOf(clients[2]!, 'race')
      await shop.clock.advance(29_999)
      for (const client of clients) await client.heard('timer', 20)
      const before = clients.map((client) => client.texts.length)
      await shop.windTo('end')
      const { seed, order } = (await clients[0]!.heard('round_settled')).round.result
      for (const [i, client] of clients.entries()) {
        await client.heard('round_settled')
        const settled = client.messages.findIndex(({ event }) => event === 'round_settled')
        expect(settled).toBeGreaterThanOrEqual(before[i]!)
        for (const text of client.texts.slice(0, settled)) {
          expect(text).not.toContain(seed)
          expect(text).not.toContain(JSON.stringify(order))
          expect(text).not.toMatch(/order|seed|chain|anchor|chance|winner/)
        }
      }
      for (const client of [clients[0]!, clients[2]!]) {
        const told = client.texts.slice(1).join()
        expect(told).not.toContain(String(receipt.id))
        expect(told).not.toMatch(/receipt|ticket|prize|amount/i)
      }
    })

    it('tells where everyone is, the same to all and no more than is due, and to one who comes late all so far', async () => {
      const station = await open()
      const client = await connect(station)
      await snapshotOf(client, 'race')
      const { shop } = station
      await shop.windTo('start')
      await shop.clock.advance(18_000)
      const progressOf = (one: LiveClient) =>
        one.stream('race').filter(({ event }) => event === 'race_progress')
      await client.until(() => progressOf(client).flatMap(({ positions }) => positions).length >= 63)
      const told = progressOf(client)
      const soFar = told.flatMap(({ positions }) => positions)
      // 18 s of 30 are 60 of 100 pieces, and 850 ms ahead of them two more and not a third.
      expect(soFar).toHaveLength(63)
      for (const one of told) {
        expect(Object.keys(one).sort()).toEqual([
          'epoch',
          'event',
          'first',
          'length',
          'offset',
          'pieces',
          'positions',
          'roundId',
          'serverTime',
          'topic',
          'track',
        ])
        expect(one.positions.every((row: number[]) => row.length === FIELD.length)).toBe(true)
      }
      const late = await connect(station)
      const { data } = await snapshotOf(late, 'race')
      expect(data.race).toEqual({ roundId: 1, length: 4_000, pieces: 100, first: 0, positions: soFar })
      await shop.windTo('end')
      await client.heard('round_settled')
      const { order } = (await late.heard('round_settled')).round.result
      const end = progressOf(client).at(-1)!.positions.at(-1)
      expect(progressOf(late)).toEqual(progressOf(client).slice(told.length))
      expect(
        [...FIELD].sort((a, b) => end[FIELD.indexOf(b)] - end[FIELD.indexOf(a)]).map(({ number }) => number),
      ).toEqual(order)
      const after = await connect(station)
      expect((await snapshotOf(after, 'race')).data.race.positions).toHaveLength(101)
      await shop.windTo('next')
      expect((await snapshotOf(await connect(station), 'race')).data.race).toBeNull()
    })

    it('tells nobody of a phase, or of a result, before it is on disk', async () => {
      const disk = new Disk()
      const station = await open({ disk })
      const { shop } = station
      await shop.windTo('start')
      await shop.clock.advance(29_000)
      disk.hold()
      await shop.clock.advance(2_000)
      expect(shop.round().phase, 'the actor decided already').toBe('settled')
      const client = await connect(station)
      const { data, offset } = await snapshotOf(client, 'race')
      expect(data.round.status).toBe('running')
      expect(JSON.stringify(data)).not.toMatch(/seed|order/)
      disk.release()
      expect(await client.heard('round_settled')).toMatchObject({
        offset: offset + 1,
        round: { status: 'settled' },
      })
    })

    it('says the time left once a second, while anyone listens', async () => {
      const station = await open()
      const { shop } = station
      await shop.clock.advance(5_000)
      const client = await connect(station)
      expect(await snapshotOf(client, 'race')).toMatchObject({ offset: 0 })
      await shop.clock.advance(3_000)
      expect(await client.heard('timer', 3)).toMatchObject({
        topic: 'race',
        offset: 3,
        roundId: 1,
        status: 'waiting',
        timer: { timeLeft: 52_000, totalDuration: 60_000, serverTime: MORNING + 8_000 },
      })
    })

    it('shows the last results, newest first, ten at most, those of before a restart included', async () => {
      const station = await open()
      for (let round = 1; round <= 12; round++) await station.shop.windTo('next')
      const client = await connect(station)
      const { data } = await snapshotOf(client, 'race')
      expect(data.round.id).toBe(13)
      expect(data.lastResults.map(({ roundId }: Message) => roundId)).toEqual([
        12, 11, 10, 9, 8, 7, 6, 5, 4, 3,
      ])
      expect(Object.keys(data.lastResults[0])).toEqual(['roundId', 'settledAt', 'order', 'winner', 'seed'])
      const again = await connect(await serve(await station.shop.restart()))
      expect((await snapshotOf(again, 'race')).data.lastResults).toEqual(data.lastResults)
    })

    it('keeps tracks apart', async () => {
      const station = await open({ tracks: ['Longchamp', 'Auteuil'] })
      const [first, second] = [await connect(station), await connect(station, { query: '?track=Auteuil' })]
      expect((await snapshotOf(first, 'race')).data.round.track).toBe('Longchamp')
      expect((await snapshotOf(second, 'race')).data.round.track).toBe('Auteuil')
      await station.shop.windTo('lock')
      for (const client of [first, second]) await client.heard('betting_locked')
      expect(new Set(first.stream('race').map(({ track }) => track))).toEqual(new Set(['Longchamp']))
      expect(new Set(second.stream('race').map(({ track }) => track))).toEqual(new Set(['Auteuil']))
    })
  })

  it('tells everybody of a voided round and of a paused track, and the staff what becomes of the receipts', async () => {
    const station = await open()
    const { shop } = station
    const screen = await connect(station)
    const client = await connect(station, { token: 'cashier:7' })
    await snapshotOf(screen, 'race')
    await snapshotOf(client, 'receipts')
    const { id } = await shop.sold()
    await shop.racing.pause(TRACK, true, ADMIN.id)
    await shop.racing.voidRound(1, { type: 'VoidRound', by: ADMIN.id, reason: 'the screen is dark' })
    await shop.pay(id)
    const told = await caughtUp(client, 'receipts', 3)
    expect(told).toMatchObject([
      { event: 'receipt_added', receiptId: id },
      { event: 'receipts_voided', roundId: 1 },
      { event: 'receipt_refunded', receiptId: id, roundId: 1, status: 'refunded' },
    ])
    const race = await caughtUp(screen, 'race', 2)
    expect(race).toMatchObject([
      { event: 'track_paused', track: TRACK, paused: true, at: MORNING },
      { event: 'round_voided', roundId: 1, round: { status: 'settled', voided: { at: MORNING } } },
    ])
    expect(JSON.stringify(race)).not.toMatch(/result|order|winner|dark/)
    const late = await connect(station, { token: 'admin:1' })
    expect((await snapshotOf(late, 'race')).data).toMatchObject({ paused: true, lastResults: [] })
    expect((await snapshotOf(late, 'receipts')).data).toMatchObject({
      totalPrize: 0,
      tickets: [{ id, status: 'refunded', prize: 0 }],
    })
  })

  describe('topic receipts', () => {
    it('tells of a receipt sold as the reference does, in the smallest unit', async () => {
      const station = await open()
      const client = await connect(station, { token: 'admin:1' })
      await snapshotOf(client, 'receipts')
      const sold = await station.shop.sold([
        { number: 1, stake: 10_000 },
        { number: 6, stake: 2_000 },
      ])
      const added = await client.heard('receipt_added')
      expect(added).toEqual({
        event: 'receipt_added',
        topic: 'receipts',
        track: TRACK,
        epoch: EPOCH,
        offset: 1,
        serverTime: MORNING,
        receiptId: sold.id,
        roundId: 1,
        receipt: {
          id: sold.id,
          receipt_id: sold.id,
          round_id: 1,
          user_id: CASHIER.id,
          total_amount: 12_000,
          status: 'pending',
          prize: 25_140,
          created_at: '2026-01-05T08:00:00.000Z',
          bets: [
            {
              number: 1,
              value: 10_000,
              participant: { number: 1, name: 'Cheval 1', coeff: 2.5 },
              prize: 25_000,
            },
            {
              number: 6,
              value: 2_000,
              participant: { number: 6, name: 'Cheval 6', coeff: 12.57 },
              prize: 25_140,
            },
          ],
        },
        totalReceipts: 1,
        currentRound: publicRound(station.shop.round(), MORNING),
      })
    })

    it('tells of receipts cancelled, settled and paid, live or from the archive', async () => {
      const station = await open()
      const { shop } = station
      const client = await connect(station, { token: 'cashier:7' })
      await snapshotOf(client, 'receipts')
      const [kept, dropped] = [await shop.soldOnAll(), await shop.sold()]
      await shop.cancel(dropped.id)
      await shop.print(kept.id)
      await shop.windTo('end')
      const winner = shop.round().settled!.order[0]
      await shop.pay(kept.id)
      station.live.publishPaid({ id: 1_000_042, roundId: 99, by: CASHIER.id, track: TRACK, status: 'paid' })
      const heard = await caughtUp(client, 'receipts', 6)
      expect(heard).toMatchObject([
        { event: 'receipt_added', receiptId: kept.id, totalReceipts: 1 },
        { event: 'receipt_added', receiptId: dropped.id, totalReceipts: 2 },
        {
          event: 'receipt_deleted',
          receiptId: dropped.id,
          roundId: 1,
          totalReceipts: 1,
          totalPrize: kept.prize,
          currentRound: { id: 1, status: 'waiting' },
        },
        { event: 'receipts_settled', roundId: 1, winner },
        { event: 'receipt_paid', receiptId: kept.id, roundId: 1, status: 'paid' },
        { event: 'receipt_paid', receiptId: 1_000_042, roundId: 99, status: 'paid' },
      ])
      expect(heard).toHaveLength(6)
    })

    it('shows a cashier its own receipts alone, an admin all, and each of them no gap', async () => {
      const station = await open()
      const { shop } = station
      const own = await connect(station, { token: 'cashier:7' })
      const other = await connect(station, { token: 'cashier:8' })
      const admin = await connect(station, { token: 'admin:1' })
      const anyone = await connect(station)
      for (const client of [own, other, admin]) await snapshotOf(client, 'receipts')
      const ids = new Map<number, number[]>([CASHIER, OTHER_CASHIER, ADMIN].map(({ id }) => [id, []]))
      for (let n = 0; n < 30; n++) {
        const by = [CASHIER, OTHER_CASHIER, ADMIN, CASHIER][n % 4]!
        const { id } = await shop.sold(undefined, { by })
        ids.get(by.id)!.push(id)
        if (n % 5 === 0) await shop.cancel(id, by)
      }
      const all = await caughtUp(admin, 'receipts', 36)
      expect(offsets(all)).toEqual(numbers(1, 36))
      for (const [client, by] of [
        [own, CASHIER],
        [other, OTHER_CASHIER],
      ] as const) {
        const mine = all.filter(({ receiptId }) => ids.get(by.id)!.includes(receiptId))
        const heard = await caughtUp(client, 'receipts', mine.length)
        expect(offsets(heard)).toEqual(numbers(1, mine.length))
        const told = (one: Message) => `${one.event} ${one.receiptId} ${one.totalReceipts}`
        expect(heard.map(told)).toEqual(mine.map(told))
        for (const { receipt } of heard) expect(receipt?.user_id ?? by.id).toBe(by.id)
        for (const [user, theirs] of ids)
          if (user !== by.id) for (const id of theirs) expect(client.texts.join()).not.toContain(String(id))
      }
      expect(anyone.messages.some(({ topic }) => topic === 'receipts')).toBe(false)
      expect(anyone.texts.slice(1).join()).not.toContain('receipt')
    })

    it('begins with a snapshot of exactly its offset, however fast receipts are sold meanwhile', async () => {
      const station = await open({ field: FIELD.slice(0, 2) })
      const { shop } = station
      const clients: LiveClient[] = []
      const sales: Promise<unknown>[] = []
      for (let n = 0; n < 190; n++) {
        const by = n % 2 === 0 ? CASHIER : OTHER_CASHIER
        const cancels = n % 7 === 0
        const sale = shop.sold([{ number: 1, stake: 1_000 + n }], { by })
        sales.push(cancels ? sale.then(({ id }) => shop.cancel(id, by)) : sale)
        if (n % 15 === 0)
          clients.push(new LiveClient(station.server.url, { token: n % 2 === 0 ? 'cashier:7' : 'admin:1' }))
        await new Promise((resolve) => setImmediate(resolve))
      }
      await Promise.all(sales)
      const ends = {
        cashier: await connect(station, { token: 'cashier:7' }),
        admin: await connect(station, { token: 'admin:1' }),
      }
      const begins: number[] = []
      for (const client of clients) {
        const begin = await snapshotOf(client, 'receipts')
        begins.push(begin.offset)
        const { role } = client.messages[0].user
        const end = await snapshotOf(ends[role as keyof typeof ends], 'receipts')
        const heard = await caughtUp(client, 'receipts', end.offset)
        expect(offsets(heard)).toEqual(numbers(begin.offset + 1, end.offset))
        const tickets = new Map<number, Message>(begin.data.tickets.map((one: Message) => [one.id, one]))
        for (const { event, receiptId, receipt } of heard)
          if (event === 'receipt_added') {
            expect(tickets.has(receiptId)).toBe(false)
            tickets.set(receiptId, receipt)
          } else expect(tickets.delete(receiptId)).toBe(true)
        const newestFirst = [...tickets.values()].sort((a, b) => b.total_amount - a.total_amount)
        expect(newestFirst).toEqual(end.data.tickets)
        if (role === 'admin') expect(end.data.totalReceipts).toBe(tickets.size)
      }
      expect(new Set(begins).size, 'clients began at different offsets').toBeGreaterThan(2)
    })

    it('tells nobody of a receipt, or of a cancellation, before it is on disk', async () => {
      const disk = new Disk()
      const station = await open({ disk })
      const { shop } = station
      const first = await shop.sold()
      disk.hold()
      const under = [shop.cancel(first.id), shop.soldOnAll()]
      expect(shop.round().receipts.size, 'the actor decided already').toBe(2)
      const clients = [
        await connect(station, { token: 'cashier:7' }),
        await connect(station, { token: 'admin:1' }),
      ]
      for (const client of clients) {
        const { data } = await snapshotOf(client, 'receipts')
        expect(data.tickets).toMatchObject([{ id: first.id, status: 'pending' }])
        expect(data).toMatchObject({ roundId: 1, totalReceipts: 1, totalPrize: first.prize })
      }
      disk.release()
      await Promise.all(under)
      for (const client of clients)
        expect(events(await caughtUp(client, 'receipts', 2))).toEqual(['receipt_deleted', 'receipt_added'])
    })

    it('tells nobody of what could not be written, and goes on when the disk is mended', async () => {
      const disk = new Disk()
      const station = await open({ disk })
      const { shop } = station
      const client = await connect(station, { token: 'cashier:7' })
      await snapshotOf(client, 'receipts')
      const kept = await shop.sold()
      disk.fault = 'before'
      await expect(shop.sold()).rejects.toThrow()
      await expect(shop.cancel(kept.id)).rejects.toThrow()
      await shop.mendDisk()
      const next = await shop.sold()
      const heard = await caughtUp(client, 'receipts', 2)
      expect(heard.map(({ receiptId }) => receiptId)).toEqual([kept.id, next.id])
      const late = await connect(station, { token: 'cashier:7' })
      const { data } = await snapshotOf(late, 'receipts')
      expect(data.tickets.map(({ id }: Message) => id)).toEqual([next.id, kept.id])
    })

    it('shows the result of each receipt in a snapshot after the race, one paid as paid', async () => {
      const station = await open()
      const { shop } = station
      // The seeds of the shop are always the same: this one loses its first race.
      const [lost, won, paid] = [
        await shop.sold([{ number: 2, stake: 5_000 }]),
        await shop.soldOnAll(),
        await shop.soldOnAll(),
      ]
      await shop.windTo('end')
      await shop.pay(paid.id)
      const client = await connect(station, { token: 'cashier:7' })
      const { data } = await snapshotOf(client, 'receipts')
      const { prize } = shop.round().receipts.get(paid.id)!
      expect(data.tickets).toMatchObject([
        { id: paid.id, status: 'paid', prize },
        { id: won.id, status: 'won', prize },
        { id: lost.id, status: 'lost', prize: 0 },
      ])
      const again = await connect(await serve(await shop.restart()), { token: 'cashier:7' })
      expect((await snapshotOf(again, 'receipts')).data).toEqual(data)
    })

    it('gives 200 tickets at most in a snapshot, the latest, and says so', async () => {
      const station = await open({ limits: { ...LIMITS, maxExposure: 1_000_000_000 } })
      const ids: number[] = []
      for (let n = 0; n < 203; n++) ids.push((await station.shop.sold()).id)
      await station.shop.cancel(ids[202]!)
      for (const token of ['cashier:7', 'admin:1']) {
        const { data } = await snapshotOf(await connect(station, { token }), 'receipts')
        expect(data.tickets.map(({ id }: Message) => id)).toEqual(ids.slice(2, 202).reverse())
        expect(data).toMatchObject({ truncated: true, totalReceipts: 202 })
      }
      const { data } = await snapshotOf(await connect(station, { token: 'cashier:8' }), 'receipts')
      expect(data).toMatchObject({ tickets: [], totalReceipts: 202 })
      expect(data).not.toHaveProperty('truncated')
    })

    it('gives a cashier who comes back exactly what it missed', async () => {
      const station = await open()
      const { shop } = station
      const first = await connect(station, { token: 'cashier:7' })
      await snapshotOf(first, 'receipts')
      await shop.sold()
      await caughtUp(first, 'receipts', 1)
      await first.leave()
      await shop.sold(undefined, { by: OTHER_CASHIER })
      const missed = [await shop.sold(), await shop.sold()]
      const back = await connect(station, {
        token: 'cashier:7',
        query: `?topics=receipts&epoch=${EPOCH}&receipts=1`,
      })
      const heard = await caughtUp(back, 'receipts', 3)
      expect(heard.map(({ offset, receiptId }) => [offset, receiptId])).toEqual([
        [2, missed[0]!.id],
        [3, missed[1]!.id],
      ])
    })
  })

  it('never disturbs the sale that it tells of', async () => {
    const station = await open()
    const { shop, hub } = station
    const client = await connect(station, { token: 'admin:1' })
    const { offset } = await snapshotOf(client, 'receipts')
    const publish = hub.topic('receipts')!.streamFor(TRACK, { role: 'admin', userId: 1 } as never)
    publish.publish = () => {
      throw new Error('out of memory')
    }
    const sold = await shop.sold()
    expect(shop.round().receipts.get(sold.id)).toMatchObject({ status: 'pending' })
    expect(publish.offset).toBe(offset)
    expect(faults.splice(0)).toEqual([new Error('out of memory')])
  })
})

describe('the public view of a round', () => {
  const opened = {
    type: 'RoundOpened' as const,
    at: 1_000,
    track: TRACK,
    locksAt: 5_000,
    startsAt: 6_000,
    endsAt: 9_000,
    nextAt: 11_000,
    field: [...FIELD],
    commitment: 'c0',
    chain: { anchor: 'a0', index: 3 },
    limits: LIMITS,
  }
  const settled = { type: 'RoundSettled' as const, at: 9_000, seed: '5eed', order: [2, 1] }

  it.each([
    ['waiting', 1_500, 4_500, 5_000],
    ['betting-locked', 5_500, 500, 5_000],
    ['running', 6_500, 2_500, 3_000],
    ['settled', 10_500, 500, 2_000],
    ['settled', 12_000, 0, 2_000],
  ] as const)('%s at %i: %i ms left of %i', (phase, now, timeLeft, totalDuration) => {
    expect(timerOf({ opened, phase, voided: undefined }, now)).toEqual({
      timeLeft,
      totalDuration,
      serverTime: now,
    })
  })

  it('shows seed and order only of a settled round, even where more is known', () => {
    for (const phase of ['waiting', 'betting-locked', 'running'] as const)
      expect(
        JSON.stringify(publicRound({ id: 1, opened, phase, settled, voided: undefined }, 0)),
      ).not.toMatch(/5eed|order|a0/)
    expect(publicRound({ id: 1, opened, phase: 'settled', settled, voided: undefined }, 0).result).toEqual({
      order: [2, 1],
      winner: 2,
      seed: '5eed',
    })
  })
})
