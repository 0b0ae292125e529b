// A WebSocket between a server and a screen, with the TCP under it: bytes arrive in order, some time later, or never.
import { Buffer } from 'node:buffer'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { type Owner, type Scheduler, WORLD } from './scheduler.ts'

const OPEN = 1
const CLOSED = 3

export type SocketEnds = {
  readonly scheduler: Scheduler
  readonly server: Owner
  readonly latencyMs: () => number
  /** The client hears a whole message. */
  readonly onMessage: (text: string) => void
  /** The client sees the connection go. */
  readonly onGone: (code: number) => void
  /** The server sees it go. */
  readonly onServerGone: () => void
  readonly onPong: () => void
}

export class SimulatedSocket {
  readyState = OPEN
  readonly OPEN = OPEN
  readonly #ends: SocketEnds
  #waiting: { bytes: Buffer; close?: number }[] = []
  #waitingBytes = 0
  #isMoving = false
  /** The client's end is gone. */
  isGone = false

  constructor(ends: SocketEnds) {
    this.#ends = ends
  }

  /** As much of a WebSocket and of a stream as the product's own socket uses. */
  get asWebSocket(): WebSocket {
    return this as unknown as WebSocket
  }

  get asStream(): Duplex {
    return this as unknown as Duplex
  }

  // The TCP socket

  get writable(): boolean {
    return this.readyState === OPEN
  }

  get writableLength(): number {
    return this.#waitingBytes
  }

  write(bytes: Buffer): boolean {
    // The product may use the same bytes for many sockets, and never again change them.
    this.#waiting.push({ bytes })
    this.#waitingBytes += bytes.length
    this.#move()
    return true
  }

  // The WebSocket

  ping(): void {
    const { scheduler, server, latencyMs, onPong } = this.#ends
    if (!this.isGone) scheduler.at(latencyMs(), 'socket pong', () => !this.isGone && onPong(), server)
  }

  close(code: number): void {
    if (this.readyState !== OPEN) return
    this.readyState = 2
    this.#waiting.push({ bytes: Buffer.alloc(0), close: code })
    this.#move()
  }

  terminate(): void {
    if (this.readyState === CLOSED) return
    this.readyState = CLOSED
    this.#waiting = []
    this.#waitingBytes = 0
    this.#tellServer()
    this.#tellClient(1006)
  }

  /** The line is cut: the client sees it now, the server sometimes later. What was on its way is lost. */
  cut(serverNoticesMs: number): void {
    this.#waiting = []
    this.#tellClient(1006)
    this.#ends.scheduler.at(serverNoticesMs, 'socket found cut', () => this.terminate(), this.#ends.server)
  }

  #move(): void {
    if (this.#isMoving || this.#waiting.length === 0) return
    this.#isMoving = true
    const { scheduler, latencyMs } = this.#ends
    scheduler.at(latencyMs(), 'socket bytes', () => this.#arrive(), WORLD)
  }

  #arrive(): void {
    this.#isMoving = false
    const next = this.#waiting.shift()
    if (!next || this.isGone) return
    this.#waitingBytes -= next.bytes.length
    if (next.close !== undefined) {
      this.readyState = CLOSED
      this.#tellServer()
      return this.#tellClient(next.close)
    }
    for (const text of textsIn(next.bytes)) if (!this.isGone) this.#ends.onMessage(text)
    this.#move()
  }

  #tellServer(): void {
    const { scheduler, server, onServerGone } = this.#ends
    scheduler.at(0, 'socket closed', onServerGone, server)
  }

  #tellClient(code: number): void {
    if (this.isGone) return
    this.isGone = true
    this.#ends.scheduler.at(0, 'socket gone', () => this.#ends.onGone(code), WORLD)
  }
}

/** The text messages in whole frames of a server. Throws on anything else. */
export const textsIn = (bytes: Buffer): string[] => {
  const texts: string[] = []
  let at = 0
  while (at < bytes.length) {
    if (bytes[at] !== 0x81) throw new Error(`a frame that is no whole text message: ${bytes[at]}`)
    const short = bytes[at + 1]!
    const head = short < 126 ? 2 : short === 126 ? 4 : 10
    const length =
      head === 2 ? short : head === 4 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
    if (at + head + length > bytes.length) throw new Error('a frame that ends too soon')
    texts.push(bytes.toString('utf8', at + head, at + head + length))
    at += head + length
  }
  return texts
}
