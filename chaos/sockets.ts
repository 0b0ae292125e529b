// Sockets that follow the shop and keep books: what each of them heard, and whether it fits what the others heard.
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocket } from 'ws'

type Follower = {
  readonly token: string | undefined
  readonly topic: 'race' | 'receipts'
  /** A name for the stream: sockets of one stream must hear the same. */
  readonly stream: string
}
type Said = {
  readonly event: string
  readonly topic?: string
  readonly epoch?: string
  readonly offset?: number
  readonly recovered?: boolean
  readonly receiptId?: number
  readonly roundId?: number
  readonly status?: string
}

const MOST_FAULTS = 20

/** Sockets that come back whenever they are cut off, and say what they heard last. */
export class Sockets {
  readonly faults: string[] = []
  /** What each stream said, by epoch and offset: the first socket writes it down, the others compare. */
  readonly #said = new Map<string, string>()
  /** How many times a receipt was told of as new, by stream, epoch and id. */
  readonly #added = new Map<string, number>()
  readonly counts = { messages: 0, snapshots: 0, recoveries: 0, connections: 0, cutOff: 0 }
  /** The phase of the race, as it was heard last. */
  phase = 'unknown'
  readonly #url: () => string
  #isOver = false
  readonly #all: Promise<void>[]
  readonly #open = new Set<WebSocket>()

  constructor(url: () => string, followers: readonly Follower[]) {
    this.#url = url
    this.#all = followers.map((one) => this.#follow(one))
  }

  get open(): number {
    return this.#open.size
  }

  async stop(): Promise<void> {
    this.#isOver = true
    for (const socket of this.#open) socket.terminate()
    await Promise.all(this.#all)
  }

  /** Receipts that one start of the server told of more than once as new. */
  get toldTwice(): number {
    return [...this.#added.values()].filter((count) => count > 1).length
  }

  #fault(what: string): void {
    if (this.faults.length < MOST_FAULTS) this.faults.push(what)
  }

  async #follow(follower: Follower): Promise<void> {
    const at = { epoch: '', offset: -1 }
    while (!this.#isOver) {
      await this.#connect(follower, at).catch(() => {})
      if (!this.#isOver) await delay(20 + Math.random() * 180)
    }
  }

  #connect({ token, topic, stream }: Follower, at: { epoch: string; offset: number }): Promise<void> {
    const where = at.offset >= 0 ? `&epoch=${at.epoch}&${topic}=${at.offset}` : ''
    const socket = new WebSocket(`${this.#url().replace('http', 'ws')}/ws?topics=${topic}${where}`, {
      perMessageDeflate: false,
      handshakeTimeout: 10_000,
      ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
    })
    const asked = { ...at }
    let isPlaced = false
    socket.on('message', (data) => {
      const said = JSON.parse(String(data)) as Said
      if (said.topic !== topic || said.offset === undefined) {
        if (said.event === 'error') this.#fault(`${stream} was told ${String(data)}`)
        return
      }
      this.counts.messages++
      if (said.event === 'snapshot' || said.event === 'subscribed') {
        isPlaced = true
        this.#place(stream, said, asked, at)
      } else if (!isPlaced) this.#fault(`${stream} heard ${said.offset} before it was told where it is`)
      else this.#hear(stream, said, at, String(data))
    })
    return new Promise((resolve) => {
      socket.on('open', () => {
        this.counts.connections++
        this.#open.add(socket)
        if (this.#isOver) socket.terminate()
      })
      socket.on('error', () => {})
      socket.on('close', (code) => {
        if (code === 4008) this.counts.cutOff++
        this.#open.delete(socket)
        resolve()
      })
    })
  }

  #place(
    stream: string,
    said: Said,
    asked: { epoch: string; offset: number },
    at: { epoch: string; offset: number },
  ): void {
    const { epoch, offset } = said as Required<Said>
    if (said.event === 'snapshot') this.counts.snapshots++
    else {
      this.counts.recoveries++
      if (epoch !== asked.epoch || offset !== asked.offset)
        this.#fault(`${stream} asked for ${asked.offset} and was placed at ${offset}`)
    }
    // A snapshot may go on from where one is, or further; within one epoch never back.
    if (epoch === at.epoch && offset < at.offset) this.#fault(`${stream} was set back to ${offset}`)
    Object.assign(at, { epoch, offset })
  }

  #hear(stream: string, said: Said, at: { epoch: string; offset: number }, text: string): void {
    const { epoch, offset } = said as Required<Said>
    if (epoch !== at.epoch || offset !== at.offset + 1)
      this.#fault(`${stream} heard ${offset} of ${epoch} after ${at.offset} of ${at.epoch}`)
    Object.assign(at, { epoch, offset })
    if (typeof said.status === 'string' && said.topic === 'race') this.phase = said.status
    const place = `${stream} ${epoch} ${offset}`
    const before = this.#said.get(place)
    // Frames are the same for all who hear them: the first one stands for the text.
    if (before !== undefined) {
      if (before !== digestOf(text)) this.#fault(`${place} was not the same for all`)
      return
    }
    this.#said.set(place, digestOf(text))
    if (said.event === 'receipt_added') {
      const receipt = `${stream} ${epoch} ${said.receiptId}`
      this.#added.set(receipt, (this.#added.get(receipt) ?? 0) + 1)
    }
    if (this.#said.size > 400_000) this.#forget()
  }

  /** What was said long ago is heard by nobody any more. */
  #forget(): void {
    let count = 0
    for (const place of this.#said.keys()) {
      this.#said.delete(place)
      if (++count === 200_000) return
    }
  }
}

/** Enough of a text to tell it from another; in a soak millions of them are kept. */
const digestOf = (text: string): string => {
  let hash = 2_166_136_261
  for (let i = 0; i < text.length; i += 1 + (text.length >> 7))
    hash = Math.imul(hash ^ text.charCodeAt(i), 16_777_619)
  return `${text.length}/${hash >>> 0}`
}
