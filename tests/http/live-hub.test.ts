import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import * as ws from 'ws'
import { LiveHub } from '../../src/http/live-hub.ts'
import type { LiveLimits } from '../../src/http/live-limits.ts'
import { type LiveStream, textFrame } from '../../src/http/live-stream.ts'
import { WoundClock } from '../support/clock.ts'
import {
  becomes,
  type ConnectOptions,
  LiveClient,
  type Message,
  refusedWith,
  serveLive,
  TokenBook,
} from './live-client.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)
const offsets = (messages: Message[]): number[] => messages.map(({ offset }) => offset)

/** A hub with a public stream and one for each member of staff, whose snapshots count the messages before them. */
class World {
  readonly sessions = new TokenBook()
  readonly clock = new WoundClock(Date.UTC(2026, 0, 5))
  readonly faults: unknown[] = []
  readonly hub: LiveHub
  readonly news: LiveStream
  readonly staff = new Map<number, LiveStream>()
  said = 0
  server!: Awaited<ReturnType<typeof serveLive>>

  constructor(limits: Partial<LiveLimits>, epoch = 'epoch-1') {
    const { clock, sessions } = this
    const onFault = (fault: unknown) => this.faults.push(fault)
    this.hub = new LiveHub({ epoch, tracks: ['main', 'side'], sessions, clock, limits, onFault })
    this.news = this.hub.newStream({ topic: 'race', track: 'main', snapshot: () => ({ said: this.said }) })
    const side = this.hub.newStream({ topic: 'race', track: 'side', snapshot: () => ({}) })
    const streamFor = (track: string) => (track === 'main' ? this.news : side)
    this.hub.addTopic({ name: 'race', staffOnly: false, streamFor })
    this.hub.addTopic({
      name: 'receipts',
      staffOnly: true,
      streamFor: (track, session) => {
        const own =
          this.staff.get(session!.userId) ??
          this.hub.newStream({ topic: 'receipts', track, snapshot: () => ({ of: session!.userId }) })
        this.staff.set(session!.userId, own)
        return own
      },
    })
  }

  say(): void {
    const said = ++this.said
    this.news.publish('news', () => JSON.stringify({ said }))
  }

  connect(options?: ConnectOptions): Promise<LiveClient> {
    return LiveClient.open(this.server.url, options)
  }
}

describe('the live hub', () => {
  const worlds: World[] = []
  const open = async (limits: Partial<LiveLimits> = {}, epoch?: string): Promise<World> => {
    const world = new World({ closeWaitMs: 200, ...limits }, epoch)
    world.server = await serveLive(world.hub, world.sessions)
    worlds.push(world)
    return world
  }
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.server.close()
  })

  describe('streams', () => {
    it('brings every message to each of many clients, in order and without a gap, whenever they came', async () => {
      const world = await open()
      const clients: LiveClient[] = []
      for (let i = 0; i < 40; i++) {
        clients.push(new LiveClient(world.server.url))
        for (let n = 0; n < 10; n++) {
          world.say()
          if (n % 3 === 0) await turn()
        }
      }
      await Promise.all(clients.map((client) => client.heard('snapshot')))
      for (let n = 0; n < 20; n++) world.say()
      for (const client of clients) {
        await client.heard({ event: 'news', offset: world.said })
        const snapshot = await client.heard('snapshot')
        expect(snapshot).toMatchObject({ topic: 'race', track: 'main', epoch: 'epoch-1', recovered: false })
        expect(snapshot.data).toEqual({ said: snapshot.offset })
        const heard = client.stream('race')
        expect(offsets(heard)).toEqual(numbers(snapshot.offset + 1, world.said))
        expect(heard.every(({ said, offset }) => said === offset)).toBe(true)
      }
      const begins = await Promise.all(clients.map((client) => client.heard('snapshot')))
      expect(new Set(offsets(begins)).size, 'clients began at different offsets').toBeGreaterThan(1)
      expect(world.hub.figures()).toMatchObject({
        sockets: 40,
        subscriptions: 40,
        published: world.said,
        cutOff: 0,
      })
    })

    it('greets with epoch, topics and tracks, and says with every message what it belongs to', async () => {
      const world = await open()
      const client = await world.connect()
      await client.heard('snapshot')
      expect(client.messages[0]).toEqual({
        event: 'welcome',
        epoch: 'epoch-1',
        serverTime: world.clock.now(),
        topics: ['race', 'receipts'],
        tracks: ['main', 'side'],
        user: null,
      })
      world.say()
      expect(await client.heard('news')).toEqual({
        event: 'news',
        topic: 'race',
        track: 'main',
        epoch: 'epoch-1',
        offset: 1,
        serverTime: world.clock.now(),
        said: 1,
      })
    })

    it.each([0, 1, 125, 126, 127, 65_535, 65_536, 70_000])(
      'frames a text of %i bytes as `ws` does',
      (length) => {
        const text = length > 2 ? `é${'x'.repeat(length - 2)}` : 'x'.repeat(length)
        const { Sender } = ws as unknown as { Sender: { frame(data: Buffer, options: object): Buffer[] } }
        const framed = Sender.frame(Buffer.from(text), { fin: true, rsv1: false, opcode: 1, mask: false })
        expect(textFrame(text).equals(Buffer.concat(framed))).toBe(true)
      },
    )

    it('carries long texts and accents', async () => {
      const world = await open()
      const client = await world.connect()
      await client.heard('snapshot')
      const texts = ['x'.repeat(40_000), 'é'.repeat(70_000), 'Éclair 🐎']
      for (const text of texts) world.news.publish('news', () => JSON.stringify({ text }))
      await client.heard('news', 3)
      expect(client.stream('race').map(({ text }) => text)).toEqual(texts)
    })

    it('serializes a message once for all, and not at all where nobody listens', async () => {
      const world = await open()
      let made = 0
      const count = () => JSON.stringify({ made: ++made })
      world.news.publish('news', count)
      await turn()
      expect(made).toBe(0)
      const clients = await Promise.all([1, 2, 3].map(() => world.connect()))
      for (const client of clients) await client.heard('snapshot')
      world.news.publish('news', count)
      for (const client of clients) await client.heard({ event: 'news', offset: 2 })
      expect(made).toBe(1)
    })

    it('keeps the stream without a gap when a payload cannot be made', async () => {
      const world = await open()
      const client = await world.connect()
      await client.heard('snapshot')
      world.news.publish('news', () => {
        throw new Error('no such horse')
      })
      world.say()
      await client.heard({ event: 'news', offset: 2 })
      expect(offsets(client.stream('race'))).toEqual([1, 2])
      expect(world.faults).toEqual([new Error('no such horse')])
    })
  })

  describe('writes', () => {
    const spyOnWrites = (world: World): Buffer[][] =>
      world.server.tcp.map((socket) => {
        const written: Buffer[] = []
        const write = socket.write.bind(socket) as (...args: unknown[]) => boolean
        socket.write = ((...args: unknown[]) => {
          written.push(args[0] as Buffer)
          return write(...args)
        }) as typeof socket.write
        return written
      })

    it('sends what becomes ready in one turn in one write, over all streams, in the order it was published', async () => {
      const world = await open({ batchMs: 0 })
      const clients = await Promise.all([1, 2].map(() => world.connect({ token: 'admin:1' })))
      for (const client of clients) await client.heard('snapshot', 2)
      const written = spyOnWrites(world)
      for (let n = 1; n <= 4; n++) {
        world.say()
        world.staff.get(1)!.publish('receipt', () => JSON.stringify({ n }))
      }
      for (const client of clients) {
        await client.heard({ event: 'receipt', offset: 4 })
        expect(client.messages.slice(-8).map(({ topic, offset }) => `${topic} ${offset}`)).toEqual(
          numbers(1, 4).flatMap((n) => [`race ${n}`, `receipts ${n}`]),
        )
      }
      expect(written.map((writes) => writes.length)).toEqual([1, 1])
      expect(written[0]![0], 'the same bytes serve both').toBe(written[1]![0])
    })

    it('lets messages that come fast wait for each other, and the first of them for nobody', async () => {
      const world = await open({ batchMs: 100 })
      const client = await world.connect()
      await client.heard('snapshot')
      const [written] = spyOnWrites(world)
      world.say()
      await turn()
      await turn()
      expect(written).toHaveLength(1)
      for (let n = 0; n < 20; n++) {
        world.say()
        await turn()
      }
      await client.heard({ event: 'news', offset: 21 })
      expect(written).toHaveLength(2)
    })
  })

  describe('coming back', () => {
    const lost = async (world: World, before: number, missed: number): Promise<number> => {
      const client = await world.connect()
      await client.heard('snapshot')
      for (let n = 0; n < before; n++) world.say()
      await client.heard({ event: 'news', offset: world.said })
      await client.leave()
      const { offset } = client.messages.at(-1)!
      for (let n = 0; n < missed; n++) world.say()
      return offset
    }

    it.each([0, 1, 7, 16])('gives back exactly the %i messages missed, then goes on', async (missed) => {
      const world = await open({ historyMessages: 16 })
      const last = await lost(world, 3, missed)
      const client = await world.connect({ query: `?topics=race&epoch=epoch-1&race=${last}` })
      const subscribed = await client.heard('subscribed')
      expect(subscribed).toMatchObject({ topic: 'race', epoch: 'epoch-1', offset: last, recovered: true })
      world.say()
      await client.heard({ event: 'news', offset: last + missed + 1 })
      expect(offsets(client.stream('race'))).toEqual(numbers(last + 1, last + missed + 1))
      expect(client.messages.some(({ event }) => event === 'snapshot')).toBe(false)
    })

    it('gives back what was missed to a subscription by message too, between messages under way', async () => {
      const world = await open()
      const last = await lost(world, 2, 5)
      const client = await world.connect({ query: '?topics=' })
      client.say({ type: 'subscribe', topic: 'race', epoch: 'epoch-1', offset: last })
      for (let n = 0; n < 50; n++) {
        world.say()
        await turn()
      }
      await client.heard({ event: 'news', offset: world.said })
      expect(offsets(client.stream('race'))).toEqual(numbers(last + 1, world.said))
    })

    it.each([
      ['of another epoch', { epoch: 'epoch-0', offset: 18 }],
      ['too far back', { epoch: 'epoch-1', offset: 3 }],
      ['from the future', { epoch: 'epoch-1', offset: 21 }],
      ['that does not say where it was', { epoch: 'epoch-1' }],
      ['that does not say when it was', { offset: 18 }],
    ])('starts a client %s over, with a snapshot of that very offset', async (_who, from) => {
      const world = await open({ historyMessages: 16 })
      await lost(world, 3, 17)
      const client = await world.connect({ query: '?topics=' })
      client.say({ type: 'subscribe', topic: 'race', ...from })
      const snapshot = await client.heard('snapshot')
      expect(snapshot).toMatchObject({ epoch: 'epoch-1', offset: 20, recovered: false, data: { said: 20 } })
      world.say()
      await client.heard({ event: 'news', offset: 21 })
      expect(offsets(client.stream('race'))).toEqual([21])
    })
  })

  describe('slow clients', () => {
    const flood = async (world: World, isEnough: () => boolean): Promise<void> => {
      const pad = 'x'.repeat(20_000)
      while (!isEnough()) {
        world.say()
        world.news.publish('pad', () => JSON.stringify({ pad }))
        world.said++
        await turn()
      }
    }

    it('cuts off a client that does not read, with a code it can act on, while others miss nothing', async () => {
      const world = await open({
        slowBytes: 200_000,
        batchMs: 0,
        closeWaitMs: 20_000,
        historyMessages: 4_096,
      })
      const [slow, quick] = [await world.connect(), await world.connect()]
      await Promise.all([slow.heard('snapshot'), quick.heard('snapshot')])
      slow.ws.pause()
      await flood(world, () => world.hub.figures().cutOff === 1)
      world.say()
      await quick.heard({ event: 'news', offset: world.said })
      expect(offsets(quick.stream('race'))).toEqual(numbers(1, world.said))
      expect(world.hub.figures().subscriptions).toBe(1)

      slow.ws.resume()
      expect(await slow.closed).toEqual({ code: 4008, reason: 'slow: reconnect with epoch and offset' })
      const last = slow.messages.at(-1)!.offset
      expect(last).toBeLessThan(world.said)
      const back = await world.connect({ query: `?topics=race&epoch=epoch-1&race=${last}` })
      await back.heard({ event: 'news', offset: world.said })
      expect(offsets([...slow.stream('race'), ...back.stream('race')])).toEqual(numbers(1, world.said))
    })

    it('ends the connection of one that never reads again', async () => {
      const world = await open({ slowBytes: 200_000, batchMs: 0, closeWaitMs: 50 })
      const slow = await world.connect()
      await slow.heard('snapshot')
      slow.ws.pause()
      await flood(world, () => world.hub.figures().cutOff === 1)
      await becomes(() => world.hub.figures().sockets === 0)
      slow.ws.resume()
      expect((await slow.closed).code).toBeOneOf([1006, 4008])
    })

    it('does not cut off a client for a replay that is longer than what may wait', async () => {
      const world = await open({ slowBytes: 1_000, batchMs: 0 })
      const first = await world.connect()
      await first.heard('snapshot')
      await flood(world, () => world.said >= 400)
      await first.leave()
      const back = new LiveClient(world.server.url, { query: '?topics=race&epoch=epoch-1&race=0' })
      await back.heard('subscribed')
      world.say()
      await back.heard({ event: 'news', offset: world.said })
      expect(offsets(back.stream('race'))).toEqual(numbers(1, world.said))
    })
  })

  describe('signs of life', () => {
    it('ends connections that do not answer a ping, and keeps those that do', async () => {
      const world = await open({ pingMs: 1_000 })
      const dead = await world.connect({ autoPong: false })
      const alive = await world.connect()
      const pinged = Promise.all(
        [dead, alive].map((client) => new Promise((resolve) => client.ws.once('ping', resolve))),
      )
      await world.clock.advance(1_000)
      await pinged
      await alive.settled()
      await world.clock.advance(1_000)
      expect((await dead.closed).code).toBe(1006)
      await alive.settled()
      expect(world.hub.figures().sockets).toBe(1)
    })
  })

  describe('signing in', () => {
    it('subscribes staff to its own stream at once, and anonymous sockets to public streams alone', async () => {
      const world = await open()
      const cashier = await world.connect({ token: 'cashier:7' })
      const byCookie = await world.connect({ headers: { cookie: 'galop_session=admin:1' } })
      const anyone = await world.connect()
      await anyone.heard('snapshot')
      expect(await cashier.heard({ event: 'snapshot', topic: 'receipts' })).toMatchObject({ data: { of: 7 } })
      expect(await byCookie.heard({ event: 'snapshot', topic: 'receipts' })).toMatchObject({
        data: { of: 1 },
      })
      expect(cashier.messages[0].user).toEqual({ id: 7, name: 'cashier:7', role: 'cashier' })
      world.staff.get(7)!.publish('receipt', () => '{}')
      world.say()
      await cashier.heard('receipt')
      for (const client of [byCookie, anyone]) {
        await client.heard('news')
        expect(client.messages.some(({ event }) => event === 'receipt')).toBe(false)
      }
    })

    it('takes a token in a message, and then subscribes as if it had come with the connection', async () => {
      const world = await open()
      const client = await world.connect()
      client.say({ type: 'auth', token: 'cashier:7' })
      client.say({ type: 'subscribe', topic: 'receipts', track: 'side' })
      expect(await client.heard('signed_in')).toMatchObject({
        user: { id: 7, name: 'cashier:7', role: 'cashier' },
      })
      await client.heard({ event: 'snapshot', topic: 'receipts', track: 'main' })
      await client.heard({ event: 'snapshot', topic: 'receipts' }, 2)
      expect(client.messages.some(({ event }) => event === 'error')).toBe(false)
    })

    it('resumes by the address what had to wait for the token', async () => {
      const world = await open()
      const first = await world.connect({ token: 'cashier:7' })
      await first.heard({ event: 'snapshot', topic: 'receipts' })
      await first.leave()
      world.staff.get(7)!.publish('receipt', () => '{}')
      const back = await world.connect({ query: '?epoch=epoch-1&race=0&receipts=0' })
      back.say({ type: 'auth', token: 'cashier:7' })
      expect(await back.heard({ event: 'subscribed', topic: 'receipts' })).toMatchObject({ offset: 0 })
      expect(await back.heard('receipt')).toMatchObject({ offset: 1 })
    })

    it.each(['forged', 'revoked', 'run out'])('closes on a token that is %s', async (token) => {
      const world = await open()
      const client = await world.connect()
      if (token === 'revoked') world.sessions.revoked.add('cashier:7')
      if (token === 'run out') world.sessions.expiresAt = world.clock.now()
      client.say({ type: 'auth', token: token === 'forged' ? token : 'cashier:7' })
      expect(await client.closed).toMatchObject({ code: 4401 })
      expect(client.messages.at(-1)).toMatchObject({ event: 'error', code: 'TOKEN_INVALID' })
    })

    it('renews a session on the same socket, but lets nobody else take it over', async () => {
      const world = await open()
      const client = await world.connect({ token: 'cashier:7' })
      client.say({ type: 'auth', token: 'cashier:7' })
      await client.heard('signed_in')
      client.say({ type: 'auth', token: 'admin:1' })
      expect(await client.heard('error')).toMatchObject({ code: 'ALREADY_SIGNED_IN' })
      client.say({ type: 'auth', token: 'admin:7' })
      expect(await client.heard('error', 2)).toMatchObject({ code: 'ALREADY_SIGNED_IN' })
    })

    it('refuses staff streams to anonymous sockets', async () => {
      const world = await open()
      const client = await world.connect({ query: '?topics=receipts' })
      expect(await client.heard('error')).toMatchObject({
        code: 'AUTH_REQUIRED',
        topic: 'receipts',
        track: 'main',
      })
      client.say({ type: 'subscribe', topic: 'receipts' })
      expect(await client.heard('error', 2)).toMatchObject({ code: 'AUTH_REQUIRED' })
      expect(world.staff.size).toBe(0)
    })

    it('closes sockets whose session was revoked or has run out, at the next ping', async () => {
      const world = await open({ pingMs: 1_000 })
      const revoked = await world.connect({ token: 'cashier:7' })
      world.sessions.expiresAt = world.clock.now() + 500
      const expired = await world.connect({ token: 'cashier:8' })
      world.sessions.expiresAt = Number.MAX_SAFE_INTEGER
      const good = await world.connect({ token: 'cashier:9' })
      for (const client of [revoked, expired, good]) await client.heard('snapshot', 2)
      world.sessions.revoked.add('cashier:7')
      await world.clock.advance(1_000)
      expect(await revoked.closed).toEqual({ code: 4401, reason: 'not signed in: sign in and reconnect' })
      expect((await expired.closed).code).toBe(4401)
      await good.settled()
      expect(world.hub.figures()).toMatchObject({ sockets: 1, subscriptions: 2 })
    })

    it('replays nothing to a session that was revoked, even before a ping noticed', async () => {
      const world = await open()
      const client = await world.connect({ token: 'cashier:7', query: '?topics=' })
      world.sessions.revoked.add('cashier:7')
      client.say({ type: 'subscribe', topic: 'receipts' })
      expect((await client.closed).code).toBe(4401)
      expect(client.messages.some(({ event }) => event === 'snapshot')).toBe(false)
    })

    it('answers INTERNAL while sessions cannot be asked, and goes on', async () => {
      const world = await open()
      const client = await world.connect()
      world.sessions.fault = new Error('connection refused')
      client.say({ type: 'auth', token: 'cashier:7' })
      expect(await client.heard('error')).toMatchObject({ code: 'INTERNAL' })
      world.sessions.fault = undefined
      client.say({ type: 'auth', token: 'cashier:7' })
      await client.heard('signed_in')
      expect(world.faults).toHaveLength(1)
    })
  })

  describe('what clients say', () => {
    it('lets a client choose its topics and track, change them, and ping', async () => {
      const world = await open()
      const client = await world.connect({ query: '?topics=' })
      await client.settled()
      expect(client.messages.map(({ event }) => event)).toEqual(['welcome', 'pong'])
      client.say({ type: 'subscribe', topic: 'race', track: 'main' })
      await client.heard('snapshot')
      client.say({ type: 'unsubscribe', topic: 'race' })
      await client.heard('unsubscribed')
      world.say()
      await client.settled()
      const side = await world.connect({ query: '?topics=race&track=side' })
      expect(await side.heard('snapshot')).toMatchObject({ track: 'side' })
      await becomes(() => world.hub.figures().subscriptions === 1)
      expect(client.stream('race').filter(({ event }) => event === 'news')).toEqual([])
    })

    it.each([
      ['no JSON', '{'],
      ['nothing', ''],
      ['a number', '7'],
      ['null', 'null'],
      ['an array', '[]'],
      ['no type', '{}'],
      ['an unknown type', { type: 'shout' }],
      ['a topic that is no text', { type: 'subscribe', topic: 7 }],
      ['an offset below zero', { type: 'subscribe', topic: 'race', offset: -1 }],
      ['an offset that is no number', { type: 'subscribe', topic: 'race', offset: '1' }],
      ['a token that is none', { type: 'auth', token: {} }],
      ['bytes', Buffer.from('{"type":"ping"}')],
      ['a prototype', '{"__proto__":{"type":"ping"}}'],
    ])('answers BAD_MESSAGE to %s, and goes on', async (_what, said) => {
      const world = await open()
      const client = await world.connect()
      client.say(said)
      expect(await client.heard('error')).toMatchObject({ code: 'BAD_MESSAGE', epoch: 'epoch-1' })
      await client.settled()
      expect(world.faults).toEqual([])
    })

    it.each([
      ['UNKNOWN_TOPIC', { type: 'subscribe', topic: 'constructor' }],
      ['UNKNOWN_TRACK', { type: 'subscribe', topic: 'race', track: '__proto__' }],
      ['UNKNOWN_TRACK', { type: 'unsubscribe', topic: 'race', track: 'nowhere' }],
    ])('answers %s to %j without repeating it', async (code, said) => {
      const world = await open()
      const client = await world.connect()
      client.say(said)
      expect(await client.heard('error')).toMatchObject({ code })
      expect(client.texts.join()).not.toMatch(/constructor|__proto__|nowhere/)
    })

    it('closes on too many messages that are not understood', async () => {
      const world = await open({ badMessages: 3 })
      const client = await world.connect()
      for (const said of ['a', 'b', 'c', 'd']) client.say(said)
      expect((await client.closed).code).toBe(4400)
      expect(client.messages.filter(({ event }) => event === 'error')).toHaveLength(3)
    })

    it('closes on too many messages at once', async () => {
      const world = await open({ messagesPerSecond: 5 })
      const client = await world.connect()
      for (let n = 0; n < 50; n++) client.say({ type: 'ping' })
      expect((await client.closed).code).toBe(4429)
      expect(client.messages.filter(({ event }) => event === 'pong')).toHaveLength(10)
    })

    it('takes no frame longer than its limit', async () => {
      const world = await open({ frameBytes: 256 })
      const client = await world.connect()
      client.say({ type: 'auth', token: 'x'.repeat(300) })
      expect((await client.closed).code).toBe(1009)
    })

    it('bounds the streams that one socket follows', async () => {
      const world = await open({ subscriptionsPerSocket: 1 })
      const client = await world.connect()
      await client.heard('snapshot')
      client.say({ type: 'subscribe', topic: 'race', track: 'side' })
      expect(await client.heard('error')).toMatchObject({ code: 'TOO_MANY_SUBSCRIPTIONS', track: 'side' })
      client.say({ type: 'subscribe', topic: 'race', track: 'main' })
      await client.heard('snapshot', 2)
    })

    it('survives garbage: broken frames, half a handshake, connections that vanish', async () => {
      const world = await open()
      const { port } = new URL(world.server.url)
      const shake =
        `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'
      await Promise.all(
        numbers(1, 100).map(
          (n) =>
            new Promise<void>((resolve) => {
              const garbage = randomBytes(n * 7)
              const tcp = connect(Number(port), '127.0.0.1', () => {
                if (n % 4 === 0) tcp.write(Buffer.concat([Buffer.from(shake), garbage]))
                else if (n % 4 === 1) tcp.end(shake.slice(0, n))
                else tcp.write(shake)
              })
              tcp.once('data', () => {
                if (n % 4 === 2) tcp.destroy()
                else tcp.end(garbage)
              })
              tcp.on('error', () => {})
              tcp.on('close', () => resolve())
            }),
        ),
      )
      await becomes(() => world.hub.figures().sockets === 0)
      const client = await world.connect()
      await client.heard('snapshot')
      world.say()
      await client.heard('news')
      expect(world.faults).toEqual([])
    })
  })

  describe('the door', () => {
    it('refuses pages of other sites, and takes those of its own', async () => {
      const world = await open()
      const { host } = new URL(world.server.url)
      const { url } = world.server
      expect(await refusedWith(url, { origin: 'https://elsewhere.example' })).toBe(403)
      expect(await refusedWith(url, { origin: 'null' })).toBe(403)
      expect(
        await refusedWith(url, { origin: 'https://elsewhere.example', cookie: 'galop_session=admin:1' }),
      ).toBe(403)
      const own = await world.connect({ headers: { origin: `http://${host}` } })
      await own.heard('snapshot')
      expect(world.hub.figures().sockets).toBe(1)
    })

    it('says what it is to those who do not speak WebSocket', async () => {
      const world = await open()
      expect((await fetch(world.server.url.replace('ws:', 'http:'))).status).toBe(426)
    })

    it('takes no more sockets than it may, and again when there is room', async () => {
      const world = await open({ sockets: 2 })
      const [first] = [await world.connect(), await world.connect()]
      expect(await refusedWith(world.server.url, {})).toBe(503)
      await first!.leave()
      await becomes(() => world.hub.figures().sockets === 1)
      await world.connect()
    })

    it('takes no more sockets of one address than it may, whoever they are', async () => {
      const world = await open({ socketsPerAddress: 2 })
      const from = (address: string) => ({ headers: { 'x-forwarded-for': address } })
      const [first] = [await world.connect(from('192.0.2.1')), await world.connect(from('192.0.2.1'))]
      expect(await refusedWith(world.server.url, from('192.0.2.1').headers)).toBe(429)
      await world.connect(from('192.0.2.2'))
      await world.connect(from('2001:db8::1'))
      await world.connect(from('2001:db8::2'))
      expect(await refusedWith(world.server.url, from('2001:db8:0:0:1::').headers)).toBe(429)
      await first!.leave()
      await becomes(() => world.hub.figures().sockets === 4)
      await world.connect(from('192.0.2.1'))
    })

    it('takes no more sockets of one user than it may, by whichever way they sign in', async () => {
      const world = await open({ socketsPerUser: 2 })
      const first = await world.connect({ token: 'cashier:7' })
      const second = await world.connect()
      second.say({ type: 'auth', token: 'cashier:7' })
      await second.heard('signed_in')
      expect(await refusedWith(world.server.url, { authorization: 'Bearer cashier:7' })).toBe(429)
      const third = await world.connect()
      third.say({ type: 'auth', token: 'cashier:7' })
      expect(await third.heard('error')).toMatchObject({ code: 'TOO_MANY_SOCKETS' })
      expect((await third.closed).code).toBe(1013)
      await world.connect({ token: 'cashier:8' })
      // A newer token of its own counts as no other socket.
      second.say({ type: 'auth', token: 'cashier:7' })
      await second.heard('signed_in', 2)
      await first.leave()
      await becomes(() => world.hub.figures().sockets === 2)
      await world.connect({ token: 'cashier:7' })
    })

    it('takes no connection for signed in whose session does not hold', async () => {
      const world = await open()
      world.sessions.expiresAt = world.clock.now()
      const client = await world.connect({ token: 'cashier:7' })
      expect(client.messages[0].user).toBeNull()
    })
  })

  describe('the end', () => {
    it('sends everyone away with what was ready, waits until they are gone, and lets nobody in', async () => {
      const world = await open()
      const clients = await Promise.all(numbers(1, 20).map(() => world.connect()))
      await Promise.all(clients.map((client) => client.heard('snapshot')))
      world.say()
      const closed = world.hub.close()
      for (const client of clients) {
        expect(await client.closed).toEqual({
          code: 1012,
          reason: 'restart: reconnect with epoch and offset',
        })
        expect(offsets(client.stream('race'))).toEqual([1])
      }
      await closed
      expect(world.hub.figures().sockets).toBe(0)
      expect(await refusedWith(world.server.url, {})).toBe(503)
      expect(world.clock.armed).toBe(0)
    })

    it('does not wait for those who never leave', async () => {
      const world = await open({ closeWaitMs: 50 })
      const client = await world.connect()
      client.ws.pause()
      await world.hub.close()
      expect(world.hub.figures().sockets).toBe(0)
    })
  })
})
