import type { Audience } from './live-audience.ts'

// A stream of messages: numbered without gaps, kept for a while, and serialized once for everybody.
//   S1. Offsets count 1, 2, 3 … within an epoch, which is one start of the server.
//   S2. A message that nobody hears costs no JSON; who comes back for it later still gets it.
//   S3. A snapshot tells of exactly the messages up to its offset.

/** The members of a message as the text of a JSON object. Called late, once, or never: it may not look at what changes. */
export type Payload = () => string

/** Remembers its first answer, so that streams can share a payload. */
export const once = (make: Payload): Payload => {
  let text: string | undefined
  return () => (text ??= make())
}

/** One text message as a WebSocket frame of a server: final, unmasked, uncompressed (RFC 6455, section 5.2). */
export const textFrame = (text: string): Buffer => {
  const length = Buffer.byteLength(text)
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const frame = Buffer.allocUnsafeSlow(head + length)
  frame[0] = 0x81
  if (head === 2) frame[1] = length
  else if (head === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  frame.write(text, head)
  return frame
}

/** Several in one piece, for one socket and not to be kept: in memory that small buffers share. */
export const textFrames = (texts: readonly string[]): Buffer => {
  let most = 0
  for (const text of texts) most += 10 + 3 * text.length
  const bytes = Buffer.allocUnsafe(most)
  let at = 0
  for (const text of texts) {
    const isOfTwoBytes = text.length >= 126 && 3 * text.length < 65_536
    if (isOfTwoBytes) {
      const length = bytes.write(text, at + 4)
      bytes[at] = 0x81
      bytes[at + 1] = 126
      bytes[at + 2] = length >> 8
      bytes[at + 3] = length & 0xff
      at += 4 + length
    } else at += textFrame(text).copy(bytes, at)
  }
  return bytes.subarray(0, at)
}

export class LiveMessage {
  readonly stream: LiveStream
  readonly #event: string
  readonly #offset: number
  readonly #serverTime: number
  #payload: Payload | undefined
  #frame: Buffer | undefined

  constructor(stream: LiveStream, event: string, offset: number, serverTime: number, payload: Payload) {
    this.stream = stream
    this.#event = event
    this.#offset = offset
    this.#serverTime = serverTime
    this.#payload = payload
  }

  get frame(): Buffer {
    if (!this.#frame) {
      const members = this.stream.textOf(this.#payload!)
      const head = this.stream.head(this.#event, this.#offset, this.#serverTime)
      this.#frame = textFrame(members === '{}' ? `${head}}` : `${head},${members.slice(1)}`)
      this.#payload = undefined
    }
    return this.#frame
  }
}

export type StreamOptions = {
  readonly topic: string
  readonly track: string
  /** What somebody needs who begins to listen now: JSON's own types. */
  readonly snapshot: () => unknown
  /** How many messages are kept for those who come back. */
  readonly historyMessages: number
}

/** What a stream needs of its hub. */
export type StreamPorts = {
  readonly epoch: string
  readonly now: () => number
  readonly announce: (message: LiveMessage) => void
  readonly onFault: (fault: unknown) => void
}

export class LiveStream {
  readonly topic: string
  readonly track: string
  /** Who listens at present. */
  readonly audiences = new Set<Audience>()
  readonly #options: StreamOptions
  readonly #ports: StreamPorts
  readonly #history: LiveMessage[] = []
  #offset = 0
  #snapshot: { readonly offset: number; readonly frame: Buffer } | undefined

  constructor(options: StreamOptions, ports: StreamPorts) {
    this.topic = options.topic
    this.track = options.track
    this.#options = options
    this.#ports = ports
  }

  /** Number of the last message; 0 before the first. */
  get offset(): number {
    return this.#offset
  }

  get isHeard(): boolean {
    return this.audiences.size > 0
  }

  publish(event: string, payload: Payload): void {
    const offset = ++this.#offset
    const message = new LiveMessage(this, event, offset, this.#ports.now(), payload)
    this.#history[offset % this.#options.historyMessages] = message
    this.#ports.announce(message)
  }

  /** The messages after `offset`, or `undefined` where some are forgotten, or `offset` is still to come. */
  since(offset: number): LiveMessage[] | undefined {
    const missed = this.#offset - offset
    const { historyMessages } = this.#options
    if (missed < 0 || missed > historyMessages) return undefined
    return Array.from({ length: missed }, (_, i) => this.#history[(offset + 1 + i) % historyMessages]!)
  }

  /** A frame with all that is true at this offset. Made once for all who ask before the next message. */
  snapshot(): Buffer {
    if (this.#snapshot?.offset !== this.#offset) {
      const data = JSON.stringify(this.#options.snapshot())
      const head = this.head('snapshot', this.#offset, this.#ports.now())
      this.#snapshot = { offset: this.#offset, frame: textFrame(`${head},"recovered":false,"data":${data}}`) }
    }
    return this.#snapshot.frame
  }

  /** How every message begins. */
  head(event: string, offset: number, serverTime: number): string {
    const { topic, track } = this
    const named = JSON.stringify({ event, topic, track, epoch: this.#ports.epoch, offset, serverTime })
    return named.slice(0, -1)
  }

  /** What a payload says; `{}` where it fails, so that the stream stays without a gap. */
  textOf(payload: Payload): string {
    try {
      return payload()
    } catch (fault) {
      this.#ports.onFault(fault)
      return '{}'
    }
  }
}
