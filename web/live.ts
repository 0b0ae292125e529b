// The live connection to a shop, as docs/websocket.md has it.
//   L1. What is told of a stream is complete and in order: a gap, or another epoch, starts over with a snapshot.
//   L2. `state` is `live` only while the server is heard; a connection that went silent counts as broken.
//   L3. It comes back by itself, for ever, with growing patience and chance, so that not all pages of a shop come at once.
import { type ReadonlySignal, signal } from '@preact/signals'

/** A message of a topic: a snapshot, or what happened. Members by event, see docs/websocket.md. */
export type LiveMessage = {
  readonly event: string
  readonly topic: string
  readonly track: string
  readonly epoch: string
  readonly offset: number
  readonly serverTime: number
  readonly [member: string]: unknown
}
export type LiveState = 'live' | 'connecting' | 'offline'

export type LiveOptions = {
  readonly topics: readonly string[]
  /** The default track where absent. */
  readonly track?: string | undefined
  readonly onMessage: (message: LiveMessage) => void
  /** The session is over: nothing more comes until `start()`. */
  readonly onSignedOut?: () => void
  /** What a test owns. */
  readonly world?: World
}

export type Socket = { send(text: string): void; close(): void }
export type World = {
  readonly open: (path: string, onText: (text: string) => void, onClose: (code: number) => void) => Socket
  readonly now: () => number
  readonly random: () => number
  readonly setTimeout: (work: () => void, delayMs: number) => unknown
  readonly clearTimeout: (timer: unknown) => void
}

const FIRST_DELAY_MS = 250
const MOST_DELAY_MS = 8_000
/** Every track tells its time once a second; whoever follows no such stream is answered its pings. */
const SILENCE_MS = 6_000
const PING_MS = 4_000
/** The clock follows the quickest of so many messages. */
const CLOCK_SAMPLES = 30
const SIGNED_OUT = 4401

export class Live {
  readonly #state = signal<LiveState>('connecting')
  readonly #options: LiveOptions
  readonly #world: World
  #socket: Socket | undefined
  #epoch: string | undefined
  readonly #offsets = new Map<string, number>()
  /** Topics that are still to be answered with a snapshot, or with what was missed. */
  readonly #awaited = new Set<string>()
  #failures = 0
  #isOver = true
  #retry: unknown
  #watch: unknown
  #ping: unknown
  #ahead: number[] = []

  constructor(options: LiveOptions) {
    this.#options = options
    this.#world = options.world ?? browserWorld
  }

  get state(): ReadonlySignal<LiveState> {
    return this.#state
  }

  /** The server's clock, in milliseconds since 1970. Messages are late, never early: the earliest tells most. */
  now(): number {
    return this.#world.now() + (this.#ahead.length === 0 ? 0 : Math.max(...this.#ahead))
  }

  start(): void {
    if (!this.#isOver) return
    this.#isOver = false
    this.#failures = 0
    this.#connect()
  }

  stop(): void {
    this.#isOver = true
    this.#world.clearTimeout(this.#retry)
    this.#drop()
    this.#state.value = 'offline'
  }

  #connect(): void {
    this.#awaited.clear()
    for (const topic of this.#options.topics) this.#awaited.add(topic)
    this.#expectSound()
    const isOurs = (): boolean => this.#socket === socket
    const socket = this.#world.open(
      this.#path(),
      (text) => isOurs() && this.#hear(JSON.parse(text) as LiveMessage),
      (code) => isOurs() && this.#onClose(code),
    )
    this.#socket = socket
  }

  #path(): string {
    const { topics, track } = this.#options
    const asked = [`topics=${topics.join(',')}`]
    if (track !== undefined) asked.push(`track=${encodeURIComponent(track)}`)
    if (this.#epoch !== undefined) {
      asked.push(`epoch=${encodeURIComponent(this.#epoch)}`)
      for (const [topic, offset] of this.#offsets) asked.push(`${topic}=${offset}`)
    }
    return `/ws?${asked.join('&')}`
  }

  #hear(message: LiveMessage): void {
    this.#expectSound()
    this.#readClock(message.serverTime)
    const { event, topic, epoch, offset } = message
    if (event === 'error') return this.#onError(message.code)
    if (topic === undefined || event === 'unsubscribed') return
    if (event === 'subscribed' || event === 'snapshot') {
      if (this.#epoch !== epoch) this.#offsets.clear()
      this.#epoch = epoch
      if (event === 'snapshot') this.#offsets.set(topic, offset)
      this.#awaited.delete(topic)
      if (this.#awaited.size === 0) {
        this.#failures = 0
        this.#state.value = 'live'
      }
      if (event === 'snapshot') this.#options.onMessage(message)
      return
    }
    const last = this.#offsets.get(topic)
    if (last !== undefined && epoch === this.#epoch && offset <= last) return
    if (last === undefined || epoch !== this.#epoch || offset !== last + 1) return this.#startOver(topic)
    this.#offsets.set(topic, offset)
    this.#options.onMessage(message)
  }

  /** Asks for what is true now; what comes meanwhile is older than the answer. */
  #startOver(topic: string): void {
    if (this.#awaited.has(topic)) return
    this.#awaited.add(topic)
    this.#offsets.delete(topic)
    this.#state.value = 'connecting'
    const { track } = this.#options
    this.#socket?.send(JSON.stringify({ type: 'subscribe', topic, ...(track !== undefined && { track }) }))
  }

  /** A stream that is not to be had now is asked for again, as if the connection had broken. */
  #onError(code: unknown): void {
    if (code === 'AUTH_REQUIRED' || code === 'TOKEN_INVALID') this.#onClose(SIGNED_OUT)
    else if (this.#awaited.size > 0) this.#onClose(0)
  }

  #onClose(code: number): void {
    this.#drop()
    if (this.#isOver) return
    this.#state.value = 'offline'
    if (code === SIGNED_OUT) {
      this.#isOver = true
      this.#options.onSignedOut?.()
      return
    }
    const longest = Math.min(MOST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures)
    this.#failures += 1
    this.#retry = this.#world.setTimeout(
      () => {
        this.#connect()
      },
      longest * (0.5 + this.#world.random() / 2),
    )
  }

  /** Forgets the connection of the moment. It may still be open on its side: nothing of it is heard any more. */
  #drop(): void {
    this.#world.clearTimeout(this.#watch)
    this.#world.clearTimeout(this.#ping)
    const socket = this.#socket
    this.#socket = undefined
    socket?.close()
  }

  #expectSound(): void {
    const { setTimeout, clearTimeout } = this.#world
    clearTimeout(this.#watch)
    clearTimeout(this.#ping)
    this.#watch = setTimeout(() => this.#onClose(0), SILENCE_MS)
    this.#ping = setTimeout(() => {
      if (this.#state.value === 'live') this.#socket?.send('{"type":"ping"}')
    }, PING_MS)
  }

  #readClock(serverTime: unknown): void {
    if (typeof serverTime !== 'number') return
    this.#ahead.push(serverTime - this.#world.now())
    if (this.#ahead.length > CLOCK_SAMPLES) this.#ahead.shift()
  }
}

const browserWorld: World = {
  open: (path, onText, onClose) => {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    const socket = new WebSocket(`${scheme}://${location.host}${path}`)
    socket.onmessage = ({ data }) => onText(String(data))
    socket.onclose = ({ code }) => onClose(code)
    return socket
  },
  now: Date.now,
  random: Math.random,
  setTimeout: (work, delayMs) => setTimeout(work, delayMs),
  clearTimeout: (timer) => clearTimeout(timer as number),
}
