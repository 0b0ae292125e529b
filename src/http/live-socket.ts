import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Audience } from './live-audience.ts'
import { textFrame, textFrames } from './live-stream.ts'
import type { Session } from './session.ts'

// One connection, on the way out.
//   C1. Frames go to the TCP socket under `ws` as they are. Nothing overtakes: without compression `ws` queues nothing
//       of its own, and after its close frame nothing is written.
//   C2. What waits for a slow client is bounded; over the bound it is cut off with a code that it can act on.
//   C3. Answers to commands that become ready together leave in one write.
//   C4. Whoever was told to go is gone after a bounded time.

/** Why a connection was closed. The first two are WebSocket's own. */
export const closings = {
  restart: { code: 1012, reason: 'restart: reconnect with epoch and offset' },
  full: { code: 1013, reason: 'full: try again later' },
  slow: { code: 4008, reason: 'slow: reconnect with epoch and offset' },
  badMessages: { code: 4400, reason: 'too many messages that were not understood' },
  signedOut: { code: 4401, reason: 'not signed in: sign in and reconnect' },
  flood: { code: 4429, reason: 'too many messages: send fewer' },
} as const
export type Closing = keyof typeof closings

/** A topic of a track to listen to, and what was last heard of it. */
export type Wish = {
  readonly topic: string
  readonly track: string
  readonly epoch?: string | undefined
  readonly offset?: number | undefined
}

export type SocketLimits = {
  /** Bytes that may wait for a client. */
  readonly slowBytes: number
  readonly closeWaitMs: number
  /** What a client may say per second; twice as much at once. */
  readonly messagesPerSecond: number
  /** Messages that are not understood before the client is told to go. */
  readonly badMessages: number
  /** Commands that may be under way at once. */
  readonly commandsUnderWay: number
}

/** Most sockets are screens, and wait for nothing. */
const NO_WISHES: readonly Wish[] = []

export class LiveSocket {
  session: Session | undefined
  /** Where it comes from, as limits count it. */
  address = ''
  audience: Audience | undefined
  /** What it asked for when it connected and may hear only once it signed in. */
  wishes = NO_WISHES
  /** Settles when the sign-in under way is through; what the client says meanwhile waits for it. */
  signingIn: Promise<void> | undefined
  /** Whether it answered the last ping. */
  isAlive = true
  readonly #ws: WebSocket
  readonly #tcp: Duplex
  readonly #limits: SocketLimits
  readonly #onClosing: (why: Closing) => void
  /** Bytes of a replay, which may wait beside `slowBytes` until the client took them. */
  #grace = 0
  #badMessages = 0
  #tokens: number
  #tokensAt: number
  #deadline: NodeJS.Timeout | undefined
  /** Answers that leave when all that is ready now was answered. */
  #answers: string[] | undefined
  #underWay = 0
  /** Why it is closed as soon as nothing is under way. */
  #leaving: Closing | undefined

  constructor(ws: WebSocket, tcp: Duplex, limits: SocketLimits, onClosing: (why: Closing) => void) {
    this.#ws = ws
    this.#tcp = tcp
    this.#limits = limits
    this.#onClosing = onClosing
    this.#tokens = 2 * limits.messagesPerSecond
    this.#tokensAt = performance.now()
  }

  get isOpen(): boolean {
    return this.#ws.readyState === this.#ws.OPEN
  }

  /** Whether it is to be heard: not once it was told to go. */
  get isHeard(): boolean {
    return this.isOpen && this.#leaving === undefined
  }

  /** Writes whole frames, in one write. @returns whether they are on their way */
  write(frames: Buffer): boolean {
    if (!this.isOpen || !this.#tcp.writable) return false
    const waiting = this.#tcp.writableLength
    if (waiting === 0) this.#grace = 0
    else if (waiting > this.#limits.slowBytes + this.#grace) {
      this.close('slow')
      return false
    }
    this.#tcp.write(frames)
    return true
  }

  /** Writes what a client asked to have again, which may be more than a slow client may leave waiting. */
  replay(frames: Buffer): void {
    if (this.write(frames)) this.#grace = Math.max(this.#grace, frames.length)
  }

  reply(message: Readonly<Record<string, unknown>>): void {
    this.write(textFrame(JSON.stringify(message)))
  }

  /** Answers a command, together with the others that are answered in the same moment. */
  answer(text: string): void {
    if (this.#answers) this.#answers.push(text)
    else {
      this.#answers = [text]
      process.nextTick(() => this.#writeAnswers())
    }
  }

  #writeAnswers(): void {
    const answers = this.#answers
    if (!answers) return
    this.#answers = undefined
    this.write(textFrames(answers))
  }

  /** Counts a command. @returns whether it may begin; then `ended` must follow */
  mayBegin(): boolean {
    if (this.#underWay >= this.#limits.commandsUnderWay) return false
    this.#underWay++
    return true
  }

  /** A command was answered. */
  ended(): void {
    this.#underWay--
    if (this.#leaving && this.#underWay === 0) this.close(this.#leaving)
  }

  /** Counts a message of the client. @returns whether it may be listened to */
  mayTalk(): boolean {
    const { messagesPerSecond } = this.#limits
    const now = performance.now()
    const earned = ((now - this.#tokensAt) * messagesPerSecond) / 1000
    this.#tokens = Math.min(2 * messagesPerSecond, this.#tokens + earned) - 1
    this.#tokensAt = now
    if (this.#tokens >= 0) return true
    this.close('flood')
    return false
  }

  /** Counts a message that was not understood. */
  misunderstood(): void {
    if (++this.#badMessages >= this.#limits.badMessages) this.close('badMessages')
  }

  /** Asks for a sign of life; without one since the last time, ends the connection. */
  ping(): void {
    if (!this.isOpen) return
    if (!this.isAlive) return this.#ws.terminate()
    this.isAlive = false
    this.#ws.ping()
  }

  /** Closes it when the commands under way are answered, or after a bounded time. */
  closeAnswered(why: Closing): void {
    if (this.#underWay === 0) return this.close(why)
    this.#leaving = why
    this.#deadline = setTimeout(() => this.close(why), this.#limits.closeWaitMs)
  }

  close(why: Closing): void {
    if (!this.isOpen) return
    this.#writeAnswers()
    // Writing may have found it too slow.
    if (!this.isOpen) return
    clearTimeout(this.#deadline)
    this.#onClosing(why)
    const { code, reason } = closings[why]
    this.#deadline = setTimeout(() => this.#ws.terminate(), this.#limits.closeWaitMs)
    this.#ws.close(code, reason)
  }

  terminate(): void {
    this.#ws.terminate()
  }

  /** The connection is no more. */
  gone(): void {
    clearTimeout(this.#deadline)
  }
}
