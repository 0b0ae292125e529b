import * as v from 'valibot'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Unavailable } from '../../src/actors/unavailable.port.ts'
import { type Answer, liveCommand } from '../../src/http/live-command.ts'
import { LiveHub } from '../../src/http/live-hub.ts'
import type { LiveLimits } from '../../src/http/live-limits.ts'
import { limitedSessions } from '../../src/http/rate-limit.ts'
import { WoundClock } from '../support/clock.ts'
import {
  becomes,
  type ConnectOptions,
  LiveClient,
  type Message,
  serveLive,
  TokenBook,
} from './live-client.ts'

const CASHIER = 'cashier:7'

/** A hub with commands that say `word` back to their caller: at once, when they are let, or not at all. */
class World {
  readonly sessions = new TokenBook()
  readonly clock = new WoundClock(Date.UTC(2026, 0, 5))
  readonly faults: { fault: unknown; id: string | undefined }[] = []
  readonly hub: LiveHub
  /** Who asked what, in the order that it was run. */
  readonly run: { word: string; user: number }[] = []
  /** Commands under way, by their word: call it to let one be done. */
  readonly underWay = new Map<string, (answer?: Answer | Error) => void>()
  server!: Awaited<ReturnType<typeof serveLive>>

  constructor(limits: Partial<LiveLimits>, perMinute: number) {
    const { clock, sessions } = this
    this.hub = new LiveHub({
      epoch: 'epoch-1',
      tracks: ['main'],
      sessions,
      clock,
      limits: { closeWaitMs: 200, ...limits },
      countRequest: limitedSessions(
        sessions,
        perMinute,
        () => '',
        () => clock.now(),
      ).countUser,
      onFault: (fault, id) => this.faults.push({ fault, id }),
    })
    const Message = v.object({
      word: v.pipe(v.string(), v.maxLength(10, 'A word has 10 characters at most')),
    })
    this.hub.addCommand(
      liveCommand('say', Message, ({ word }, { userId: user }) => {
        this.run.push({ word, user })
        return { success: true, data: { word, user } }
      }),
    )
    this.hub.addCommand(
      liveCommand('later', Message, ({ word }, { userId: user }) => {
        this.run.push({ word, user })
        return new Promise((resolve, reject) =>
          this.underWay.set(word, (answer = { success: true, data: { word, user } }) =>
            answer instanceof Error ? reject(answer) : resolve(answer),
          ),
        )
      }),
    )
    this.hub.addCommand(
      liveCommand('break', Message, ({ word }) => {
        throw new Error(word)
      }),
    )
  }

  connect(options?: ConnectOptions): Promise<LiveClient> {
    return LiveClient.open(this.server.url, options)
  }
}

const answers = ({ messages }: LiveClient): Message[] => messages.filter(({ event }) => event === 'answer')
const idsOf = (client: LiveClient): string[] => answers(client).map(({ id }) => id)
const codeOf = ({ error }: Message): string | undefined => error?.code

describe('a command', () => {
  const worlds: World[] = []
  const open = async (limits: Partial<LiveLimits> = {}, perMinute = 0): Promise<World> => {
    const world = new World(limits, perMinute)
    world.server = await serveLive(world.hub, world.sessions)
    worlds.push(world)
    return world
  }
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.server.close()
  })

  describe('B1: answers', () => {
    it('comes under the id of its message, in the envelope of HTTP', async () => {
      const world = await open()
      const client = await world.connect({ token: CASHIER })
      client.say({ type: 'say', id: 'a:1', word: 'hello' })
      expect(await client.heard('answer')).toEqual({
        event: 'answer',
        id: 'a:1',
        success: true,
        data: { word: 'hello', user: 7 },
      })
      expect(world.hub.figures().commands).toBe(1)
    })

    it('comes when it is known, whichever was asked first, once each', async () => {
      const world = await open()
      const client = await world.connect({ token: CASHIER })
      for (const word of ['a', 'b', 'c']) client.say({ type: 'later', id: word, word })
      await becomes(() => world.underWay.size === 3)
      for (const word of ['c', 'a', 'b']) {
        world.underWay.get(word)!()
        await client.heard({ event: 'answer', id: word })
      }
      await client.settled()
      expect(idsOf(client)).toEqual(['c', 'a', 'b'])
    })

    it('of one moment leave in one write', async () => {
      const world = await open()
      const client = await world.connect({ token: CASHIER })
      const words = Array.from({ length: 20 }, (_, n) => `w${n}`)
      for (const word of words) client.say({ type: 'later', id: word, word })
      await becomes(() => world.underWay.size === words.length)
      const write = vi.spyOn(world.server.tcp[0]!, 'write')
      for (const word of words) world.underWay.get(word)!()
      await client.heard('answer', words.length)
      expect(idsOf(client)).toEqual(words)
      expect(write).toHaveBeenCalledTimes(1)
    })

    it.each([
      ['none', undefined],
      ['a number', 7],
      ['an empty one', ''],
      ['a long one', 'x'.repeat(65)],
      ['one with a quote', 'a"b'],
      ['one that is not ASCII', 'é'],
    ])('cannot be given without a good id (%s), and nothing of it is repeated', async (_what, id) => {
      const world = await open()
      const client = await world.connect({ token: CASHIER })
      client.say({ type: 'say', id, word: 'secretive' })
      expect(await client.heard('error')).toMatchObject({ code: 'BAD_MESSAGE' })
      expect(client.texts.join()).not.toContain('secretive')
      expect(world.run).toEqual([])
    })

    it('say what is wrong with a message, and not what was in it', async () => {
      const world = await open()
      const client = await world.connect({ token: CASHIER })
      client.say({ type: 'say', id: 'long', word: 'secretively' })
      client.say({ type: 'say', id: 'odd', word: { secret: 1 } })
      expect(await client.heard({ event: 'answer', id: 'long' })).toMatchObject({
        success: false,
        error: {
          code: 'BAD_REQUEST',
          message: 'The request is not as this route needs it; see the details.',
          details: [{ path: 'word', message: 'A word has 10 characters at most' }],
        },
      })
      expect((await client.heard({ event: 'answer', id: 'odd' })).error.details).toEqual([
        { path: 'word', message: 'Expected string' },
      ])
      expect(client.texts.join()).not.toContain('secret')
    })

    it('of a fault tell an id, which is logged with it, and nothing else', async () => {
      const world = await open()
      const client = await world.connect({ token: CASHIER })
      client.say({ type: 'break', id: '1', word: 'at once' })
      client.say({ type: 'later', id: '2', word: 'later' })
      await becomes(() => world.underWay.size === 1)
      world.underWay.get('later')!(new Error('a bug'))
      for (const id of ['1', '2']) {
        const { success, error } = await client.heard({ event: 'answer', id })
        expect([success, error.code]).toEqual([false, 'INTERNAL'])
        expect(world.faults.map((one) => one.id)).toContain(error.details.id)
      }
      expect(world.faults.map(({ fault }) => (fault as Error).message)).toEqual(['at once', 'a bug'])
      client.say({ type: 'say', id: '3', word: 'goes on' })
      await client.heard({ event: 'answer', id: '3' })
    })

    it('name the store that is away', async () => {
      const world = await open()
      const client = await world.connect({ token: CASHIER })
      client.say({ type: 'later', id: '1', word: 'x' })
      await becomes(() => world.underWay.size === 1)
      world.underWay.get('x')!(new Unavailable('journal', 'the disk is full'))
      expect(await client.heard('answer')).toMatchObject({ id: '1', error: { code: 'JOURNAL_UNAVAILABLE' } })
      expect(world.faults).toEqual([])
    })
  })

  describe('B2: sessions', () => {
    it('is refused without one, and not run', async () => {
      const world = await open()
      const client = await world.connect()
      client.say({ type: 'say', id: '1', word: 'hello' })
      expect(await client.heard('answer')).toMatchObject({ id: '1', error: { code: 'UNAUTHENTICATED' } })
      expect(world.run).toEqual([])
      client.say({ type: 'auth', token: CASHIER })
      client.say({ type: 'say', id: '2', word: 'hello' })
      expect(await client.heard({ event: 'answer', id: '2' })).toMatchObject({ success: true })
      expect(world.run).toEqual([{ word: 'hello', user: 7 }])
    })

    it.each(['revoked', 'run out'])('is refused with one that is %s, and the socket closed', async (how) => {
      const world = await open()
      if (how === 'run out') world.sessions.expiresAt = world.clock.now() + 1_000
      const client = await world.connect({ token: CASHIER })
      client.say({ type: 'say', id: '1', word: 'before' })
      await client.heard({ event: 'answer', id: '1' })
      if (how === 'revoked') world.sessions.revoked.add(CASHIER)
      else world.clock.jump(1_000)
      client.say({ type: 'say', id: '2', word: 'after' })
      client.say({ type: 'say', id: '3', word: 'after' })
      expect((await client.closed).code).toBe(4401)
      expect(answers(client).map(codeOf)).toEqual([undefined, 'UNAUTHENTICATED'])
      expect(world.run.map(({ word }) => word)).toEqual(['before'])
    })

    it('of somebody signed in is not counted as talk', async () => {
      const world = await open({ messagesPerSecond: 5 })
      const client = await world.connect({ token: CASHIER })
      for (let n = 0; n < 200; n++) client.say({ type: 'say', id: `${n}`, word: 'hello' })
      await client.heard({ event: 'answer', id: '199' })
      expect(world.run).toHaveLength(200)
      expect(answers(client).every(({ success }) => success)).toBe(true)
    })

    it('of nobody is counted as talk', async () => {
      const world = await open({ messagesPerSecond: 5 })
      const client = await world.connect()
      for (let n = 0; n < 50; n++) client.say({ type: 'say', id: `${n}`, word: 'hello' })
      expect((await client.closed).code).toBe(4429)
      expect(answers(client)).toHaveLength(10)
    })

    it('counts as a request of its user, over all of their sockets; who goes on is told to go', async () => {
      const world = await open({ messagesPerSecond: 2 }, 5)
      const [one, other] = [await world.connect({ token: CASHIER }), await world.connect({ token: CASHIER })]
      const somebody = await world.connect({ token: 'cashier:8' })
      for (let n = 0; n < 3; n++) one.say({ type: 'say', id: `${n}`, word: 'hello' })
      await one.heard('answer', 3)
      world.clock.jump(20_000)
      for (let n = 0; n < 3; n++) other.say({ type: 'say', id: `${n}`, word: 'hello' })
      expect((await other.heard('answer', 3)).error).toEqual({
        code: 'TOO_MANY_REQUESTS',
        message: expect.stringContaining('wait'),
        details: { retryAfterSeconds: 40 },
      })
      expect(world.run).toHaveLength(5)
      somebody.say({ type: 'say', id: '1', word: 'hello' })
      expect(await somebody.heard('answer')).toMatchObject({ success: true })
      for (let n = 0; n < 50; n++) other.say({ type: 'say', id: 'again', word: 'hello' })
      expect((await other.closed).code).toBe(4429)
      expect(answers(other).filter(({ id }) => id === 'again')).toHaveLength(3)
      world.clock.jump(40_000)
      one.say({ type: 'say', id: 'later', word: 'hello' })
      expect(await one.heard({ event: 'answer', id: 'later' })).toMatchObject({ success: true })
    })
  })

  describe('B3: how many at once', () => {
    it('is refused where too many of the socket are under way, and taken again afterwards', async () => {
      const world = await open({ commandsUnderWay: 3 })
      const client = await world.connect({ token: CASHIER })
      const other = await world.connect({ token: CASHIER })
      for (const word of ['a', 'b', 'c', 'd']) client.say({ type: 'later', id: word, word })
      expect(await client.heard('answer')).toMatchObject({ id: 'd', error: { code: 'TOO_MANY_COMMANDS' } })
      expect(world.run.map(({ word }) => word)).toEqual(['a', 'b', 'c'])
      other.say({ type: 'say', id: '1', word: 'mine' })
      await other.heard('answer')
      world.underWay.get('b')!()
      await client.heard({ event: 'answer', id: 'b' })
      client.say({ type: 'say', id: 'd', word: 'd' })
      expect(await client.heard({ event: 'answer', id: 'd', success: true })).toBeDefined()
    })
  })

  describe('at the end', () => {
    it('is answered before the server says that it restarts, and nothing more is begun', async () => {
      const world = await open({ closeWaitMs: 60_000 })
      const client = await world.connect({ token: CASHIER })
      const idle = await world.connect({ token: CASHIER })
      client.say({ type: 'later', id: '1', word: 'last' })
      await becomes(() => world.underWay.size === 1)
      const closed = world.hub.close()
      expect((await idle.closed).code).toBe(1012)
      client.say({ type: 'say', id: '2', word: 'late' })
      client.say({ type: 'ping' })
      await new Promise<void>((resolve) => {
        client.ws.once('pong', () => resolve())
        client.ws.ping()
      })
      world.underWay.get('last')!()
      expect((await client.closed).code).toBe(1012)
      expect(idsOf(client)).toEqual(['1'])
      expect(world.run.map(({ word }) => word)).toEqual(['last'])
      await closed
    })

    it('does not keep the server from stopping when it never ends', async () => {
      const world = await open({ closeWaitMs: 50 })
      const client = await world.connect({ token: CASHIER })
      client.say({ type: 'later', id: '1', word: 'for ever' })
      await becomes(() => world.underWay.size === 1)
      await world.hub.close()
      expect((await client.closed).code).toBe(1012)
      world.underWay.get('for ever')!()
    })

    it('whose caller is gone is done all the same, and hurts nobody', async () => {
      const world = await open()
      const client = await world.connect({ token: CASHIER })
      const other = await world.connect({ token: CASHIER })
      client.say({ type: 'later', id: '1', word: 'gone' })
      await becomes(() => world.underWay.size === 1)
      await client.leave()
      await becomes(() => world.hub.figures().sockets === 1)
      world.underWay.get('gone')!()
      other.say({ type: 'say', id: '1', word: 'here' })
      await other.heard('answer')
      expect(world.faults).toEqual([])
      expect(world.hub.figures().commands).toBe(2)
    })
  })
})
