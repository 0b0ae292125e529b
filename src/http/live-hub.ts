import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Clock } from '../actors/clock.port.ts'
import { Audiences } from './live-audience.ts'
import type { LiveCommand } from './live-command.ts'
import { type LiveLimits, usualLimits } from './live-limits.ts'
import { type Closing, LiveSocket, type Wish } from './live-socket.ts'
import { type LiveMessage, LiveStream, type StreamOptions } from './live-stream.ts'
import { LiveTurn } from './live-turn.ts'
import type { Session, Sessions } from './session.ts'
import { Tally } from './socket-tally.ts'

// The hub: who follows which streams.
//   H1. A socket hears of one turn in one write, over all its streams.
//   H2. Who begins to follow a stream does so between turns, so that everyone is at the same position.
//   H3. Staff streams are for sessions that hold now: asked before each replay and at every ping.
//   H4. No fault of one socket or message reaches another, or whoever published.

/** A kind of stream that clients ask for by name. */
export type LiveTopic = {
  readonly name: string
  readonly staffOnly: boolean
  /** The stream that this session follows. Called with a session that holds where `staffOnly`. */
  readonly streamFor: (track: string, session: Session | undefined) => LiveStream
}

export type LiveHubOptions = {
  /** One random id per start of the server. */
  readonly epoch: string
  /** The first one is the default. */
  readonly tracks: readonly string[]
  readonly sessions: Sessions
  readonly clock: Clock
  readonly limits?: Partial<LiveLimits>
  /** Counts a command as a request of its user. @throws TooManyRequests */
  readonly countRequest?: (session: Session) => void
  /** `id` where whoever asked was told one. */
  readonly onFault: (fault: unknown, id?: string) => void
}

export type LiveFigures = {
  readonly sockets: number
  readonly subscriptions: number
  /** Clients cut off because they were too slow. */
  readonly cutOff: number
  /** Messages of streams, and how many times one was written to a socket. */
  readonly published: number
  readonly delivered: number
  /** Commands that were run and answered. */
  readonly commands: number
}

export class LiveHub {
  readonly epoch: string
  readonly tracks: readonly string[]
  readonly limits: LiveLimits
  readonly #options: LiveHubOptions
  readonly #topics = new Map<string, LiveTopic>()
  readonly #commands = new Map<string, LiveCommand>()
  readonly #audiences = new Audiences()
  readonly #sockets = new Set<LiveSocket>()
  readonly #byAddress: Tally<string>
  readonly #byUser: Tally<number>
  readonly #turn: LiveTurn
  #pingTimer: unknown
  #isClosing = false
  #onEmpty: (() => void) | undefined
  #cutOff = 0
  #published = 0
  #delivered = 0
  #commanded = 0

  constructor(options: LiveHubOptions) {
    this.#options = options
    this.epoch = options.epoch
    this.tracks = options.tracks
    this.limits = { ...usualLimits, ...options.limits }
    this.#byAddress = new Tally(this.limits.socketsPerAddress)
    this.#byUser = new Tally(this.limits.socketsPerUser)
    this.#turn = new LiveTurn(this.limits.batchMs, (messages) => this.#deliver(messages))
    this.#armPing()
  }

  /** Whether one more connection can be taken. */
  get hasRoom(): boolean {
    return !this.#isClosing && this.#sockets.size < this.limits.sockets
  }

  /** Whether this address, and this user, may have one more. */
  hasRoomFor(address: string, session: Session | undefined): boolean {
    return this.#byAddress.hasRoom(address) && (!session || this.#byUser.hasRoom(session.userId))
  }

  get topics(): readonly string[] {
    return [...this.#topics.keys()]
  }

  /** Where faults are told to. */
  onFault(fault: unknown, id?: string): void {
    this.#options.onFault(fault, id)
  }

  now(): number {
    return this.#options.clock.now()
  }

  addTopic(topic: LiveTopic): void {
    this.#topics.set(topic.name, topic)
  }

  topic(name: string): LiveTopic | undefined {
    return this.#topics.get(name)
  }

  addCommand(command: LiveCommand): void {
    this.#commands.set(command.name, command)
  }

  command(name: string): LiveCommand | undefined {
    return this.#commands.get(name)
  }

  /** @throws TooManyRequests */
  countRequest(session: Session): void {
    this.#options.countRequest?.(session)
  }

  countCommand(): void {
    this.#commanded++
  }

  newStream(
    options: Omit<StreamOptions, 'historyMessages'> & Partial<Pick<StreamOptions, 'historyMessages'>>,
  ): LiveStream {
    const { historyMessages } = this.limits
    return new LiveStream(
      { historyMessages, ...options },
      {
        epoch: this.epoch,
        now: () => this.now(),
        announce: (message) => this.#announce(message),
        onFault: (fault) => this.onFault(fault),
      },
    )
  }

  /** Takes a connection in. Whoever hears that it closed calls `leave`. */
  join(ws: WebSocket, tcp: Duplex, session: Session | undefined, address: string): LiveSocket {
    const socket = new LiveSocket(ws, tcp, this.limits, (why) => this.#letGo(socket, why))
    socket.address = address
    // Others may have come since it was asked whether there is room.
    const isFull = this.#sockets.size >= this.limits.sockets || !this.hasRoomFor(address, session)
    this.#sockets.add(socket)
    this.#byAddress.add(address)
    if (session) this.#signIn(socket, session)
    if (isFull || this.#isClosing) socket.close(this.#isClosing ? 'restart' : 'full')
    return socket
  }

  /** Lets a socket be somebody's, or have a newer session of the same user. @returns false where the user has too many */
  signIn(socket: LiveSocket, session: Session): boolean {
    if (socket.session) socket.session = session
    else if (!this.#byUser.hasRoom(session.userId)) return false
    else if (this.#sockets.has(socket)) this.#signIn(socket, session)
    return true
  }

  #signIn(socket: LiveSocket, session: Session): void {
    socket.session = session
    this.#byUser.add(session.userId)
  }

  /** A connection is no more. */
  leave(socket: LiveSocket): void {
    socket.gone()
    this.#audiences.leave(socket)
    if (!this.#sockets.delete(socket)) return
    this.#byAddress.remove(socket.address)
    if (socket.session) this.#byUser.remove(socket.session.userId)
    if (this.#sockets.size === 0) this.#onEmpty?.()
  }

  /** Whether a session is good at this moment. */
  holds(session: Session): boolean {
    try {
      return session.expiresAt > this.now() && this.#options.sessions.isCurrent(session)
    } catch (fault) {
      this.onFault(fault)
      return false
    }
  }

  /** The session of a token, where it holds. */
  async sessionOf(token: string): Promise<Session | undefined> {
    const session = await this.#options.sessions.verify(token)
    return session && this.holds(session) ? session : undefined
  }

  /** Runs it when nothing is about to leave: at once, or at the end of the turn. */
  betweenTurns(run: () => void): void {
    this.#turn.between(() => this.#guard(run))
  }

  /**
   * Lets a socket follow a stream, from where it was if that is known, from a snapshot otherwise. Between turns only.
   * @returns false where it follows as many as it may already
   */
  follow(socket: LiveSocket, stream: LiveStream, { epoch, offset }: Pick<Wish, 'epoch' | 'offset'>): boolean {
    const streams = new Set(socket.audience?.streams).add(stream)
    if (streams.size > this.limits.subscriptionsPerSocket) return false
    const missed = epoch === this.epoch && offset !== undefined ? stream.since(offset) : undefined
    if (missed) {
      const { topic, track } = stream
      const frames = missed.map(({ frame }) => frame)
      socket.reply({
        event: 'subscribed',
        topic,
        track,
        epoch,
        offset,
        serverTime: this.now(),
        recovered: true,
      })
      if (frames.length > 0) socket.replay(Buffer.concat(frames))
      this.#delivered += frames.length
    } else {
      socket.replay(stream.snapshot())
    }
    if (socket.isOpen) this.#audiences.move(socket, streams)
    return true
  }

  /** Between turns only. */
  unfollow(socket: LiveSocket, topic: string, track: string): void {
    const streams = [...(socket.audience?.streams ?? [])]
    const kept = streams.filter((stream) => stream.topic !== topic || stream.track !== track)
    if (kept.length < streams.length) this.#audiences.move(socket, new Set(kept))
  }

  figures(): LiveFigures {
    let subscriptions = 0
    for (const { audience } of this.#sockets) subscriptions += audience?.streams.size ?? 0
    return {
      sockets: this.#sockets.size,
      subscriptions,
      cutOff: this.#cutOff,
      published: this.#published,
      delivered: this.#delivered,
      commands: this.#commanded,
    }
  }

  /**
   * Tells everyone to come back later, once the commands under way are answered, and waits until they are gone. Nobody is
   * taken in any more.
   */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#options.clock.clearTimeout(this.#pingTimer)
    this.#turn.end()
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve
    })
    for (const socket of this.#sockets) socket.closeAnswered('restart')
    if (this.#sockets.size > 0) await empty
  }

  #announce(message: LiveMessage): void {
    this.#published++
    if (message.stream.isHeard) this.#turn.add(message)
  }

  #deliver(messages: readonly LiveMessage[]): void {
    const touched = new Set(messages.flatMap(({ stream }) => [...stream.audiences]))
    for (const audience of touched) {
      this.#guard(() => {
        this.#delivered += audience.hear(messages)
      })
    }
  }

  #letGo(socket: LiveSocket, why: Closing): void {
    if (why === 'slow') this.#cutOff++
    this.#audiences.leave(socket)
  }

  #armPing(): void {
    const { clock } = this.#options
    this.#pingTimer = clock.setTimeout(() => {
      for (const socket of this.#sockets) {
        this.#guard(() => {
          if (socket.session && !this.holds(socket.session)) socket.close('signedOut')
          else socket.ping()
        })
      }
      this.#armPing()
    }, this.limits.pingMs)
  }

  #guard(run: () => void): void {
    try {
      run()
    } catch (fault) {
      this.onFault(fault)
    }
  }
}
