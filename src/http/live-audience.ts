import type { LiveSocket } from './live-socket.ts'
import type { LiveMessage, LiveStream } from './live-stream.ts'

// Sockets that follow just the same streams hear just the same bytes, so they are put together once.
//   A1. A socket is in one audience, or in none.
//   A2. All sockets of an audience are at the same position of each of its streams.

export class Audience {
  readonly streams: ReadonlySet<LiveStream>
  readonly sockets = new Set<LiveSocket>()

  constructor(streams: ReadonlySet<LiveStream>) {
    this.streams = streams
  }

  /** Writes what concerns it of these messages, one write for each socket. @returns how many messages went out */
  hear(messages: readonly LiveMessage[]): number {
    const frames = messages.filter(({ stream }) => this.streams.has(stream)).map(({ frame }) => frame)
    const bytes = frames.length === 1 ? frames[0]! : Buffer.concat(frames)
    let delivered = 0
    for (const socket of this.sockets) if (socket.write(bytes)) delivered += frames.length
    return delivered
  }
}

export class Audiences {
  readonly #byStreams = new Map<string, Audience>()
  readonly #ids = new Map<LiveStream, number>()

  /** Moves a socket to those who follow just these streams. */
  move(socket: LiveSocket, streams: ReadonlySet<LiveStream>): void {
    this.leave(socket)
    if (streams.size === 0) return
    const key = this.#keyOf(streams)
    let audience = this.#byStreams.get(key)
    if (!audience) {
      audience = new Audience(streams)
      this.#byStreams.set(key, audience)
      for (const stream of streams) stream.audiences.add(audience)
    }
    audience.sockets.add(socket)
    socket.audience = audience
  }

  leave(socket: LiveSocket): void {
    const { audience } = socket
    if (!audience) return
    socket.audience = undefined
    audience.sockets.delete(socket)
    if (audience.sockets.size > 0) return
    this.#byStreams.delete(this.#keyOf(audience.streams))
    for (const stream of audience.streams) stream.audiences.delete(audience)
  }

  #keyOf(streams: ReadonlySet<LiveStream>): string {
    return Array.from(streams, (stream) => this.#idOf(stream))
      .sort((a, b) => a - b)
      .join()
  }

  #idOf(stream: LiveStream): number {
    const id = this.#ids.get(stream) ?? this.#ids.size
    this.#ids.set(stream, id)
    return id
  }
}
