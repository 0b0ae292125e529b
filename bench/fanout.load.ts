import { createInterface } from 'node:readline'
import { type Entrance, enter } from './command.load.ts'
import { type Form, NewsReader } from './news.reader.ts'
import { BINARY, clientFrame, openRaw, type RawSocket, TEXT } from './raw.socket.ts'

// Sockets that hear, in a process of their own: each sees that its messages are numbered without a gap, and how old they
// are when they come. One of each group takes its messages apart as a whole.

export type FanoutOptions = {
  readonly port: number
  readonly groups: readonly { readonly sockets: number; readonly entrance: FanoutEntrance }[]
  readonly form: Form
}
export type FanoutEntrance = Entrance | { readonly kind: 'receipts'; readonly token: string }

/** By one socket. */
type Count = { readonly messages: number; readonly bytes: number }

export type Heard = {
  readonly sockets: number
  readonly messages: number
  /** Messages that were missing or out of order. */
  readonly gaps: number
  /** Messages that were no `receipt_added`, or not as one has to be. */
  readonly wrong: number
  readonly firstWrong: string | undefined
  /** Messages that were taken apart. */
  readonly looked: number
  readonly least: Count
  readonly most: Count
  /** Reads from the system, each of as many messages as it held. */
  readonly reads: number
  /** From the time in the message to its arrival, in whole milliseconds. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

const MOST_MS = 60_000
const AT_A_TIME = 50

type Listener = { last: number; messages: number; bytes: number }

/**
 * Is told on stdin, a line each: `begin` counts from now on, `report` tells what was heard since, each answered by a line;
 * `say <base64>` lets the first socket say it.
 */
const fanout = async ({ port, groups, form }: FanoutOptions): Promise<void> => {
  const ages = new Uint32Array(MOST_MS)
  let gaps = 0
  let wrong = 0
  let firstWrong: string | undefined
  let looked = 0
  let reads = 0
  /** The messages of one read came at the same time. */
  let now = 0
  const onRead = (): void => {
    now = Date.now()
    reads++
  }
  const reader = new NewsReader(form)
  const complain = (text: string): void => {
    wrong++
    firstWrong ??= text.slice(0, 2_000)
  }

  const listeners: Listener[] = []
  const listen = (socket: RawSocket, looksAtAll: boolean): void => {
    const listener: Listener = { last: 0, messages: 0, bytes: 0 }
    listeners.push(listener)
    socket.onFrame = (bytes, from, to) => {
      if (!reader.read(bytes, from, to)) return complain(bytes.toString('latin1', from, to))
      const { number } = reader
      if (number !== listener.last + 1 && listener.last !== 0) gaps++
      listener.last = number
      listener.messages++
      listener.bytes += to - from
      ages[Math.min(MOST_MS - 1, Math.max(0, now - reader.time))]!++
      if (!looksAtAll) return
      looked++
      const fault = reader.faultOf(bytes, from, to)
      if (fault !== undefined) complain(fault)
    }
  }
  const open = async (entrance: FanoutEntrance): Promise<RawSocket> => {
    if (entrance.kind !== 'receipts') return enter(port, entrance, onRead)
    const headers = { Authorization: `Bearer ${entrance.token}` }
    const socket = await openRaw({ port, path: '/ws?topics=receipts', headers, onRead })
    await new Promise<void>((resolve) => {
      socket.onFrame = (bytes, from, to) => {
        if (bytes.toString('latin1', from, Math.min(to, from + 30)).includes('"snapshot"')) resolve()
      }
    })
    return socket
  }

  const sockets: RawSocket[] = []
  for (const { sockets: count, entrance } of groups)
    for (let opened = 0; opened < count; opened += AT_A_TIME) {
      const some = Array.from({ length: Math.min(AT_A_TIME, count - opened) }, () => open(entrance))
      for (const [i, socket] of (await Promise.all(some)).entries()) {
        listen(socket, opened + i === 0)
        sockets.push(socket)
      }
    }
  process.stdout.write('open\n')

  const least = (of: (one: Listener) => number): number => Math.min(...listeners.map(of))
  const most = (of: (one: Listener) => number): number => Math.max(...listeners.map(of))
  const report = (): Heard => {
    const messages = listeners.reduce((sum, one) => sum + one.messages, 0)
    return {
      sockets: sockets.length,
      messages,
      gaps,
      wrong,
      firstWrong,
      looked,
      least: { messages: least((one) => one.messages), bytes: least((one) => one.bytes) },
      most: { messages: most((one) => one.messages), bytes: most((one) => one.bytes) },
      reads,
      p50Ms: ageAt(ages, messages * 0.5),
      p99Ms: ageAt(ages, messages * 0.99),
      maxMs: ageAt(ages, messages),
    }
  }
  const begin = (): void => {
    for (const listener of listeners) Object.assign(listener, { last: 0, messages: 0, bytes: 0 })
    ages.fill(0)
    gaps = wrong = looked = reads = 0
    firstWrong = undefined
    process.stdout.write('begun\n')
  }
  for await (const line of createInterface({ input: process.stdin })) {
    const [what, data = ''] = line.split(' ')
    if (what === 'begin') begin()
    else if (what === 'report') process.stdout.write(`${JSON.stringify(report())}\n`)
    else sockets[0]!.send(clientFrame(Buffer.from(data, 'base64'), form === 'json' ? TEXT : BINARY))
  }
  process.exit(0)
}

/** The age that so many messages have at most. */
const ageAt = (ages: Uint32Array, wanted: number): number => {
  let seen = 0
  for (let ms = 0; ms < ages.length; ms++) {
    seen += ages[ms]!
    if (seen >= wanted && seen > 0) return ms
  }
  return Number.NaN
}

await fanout(JSON.parse(process.argv[2]!) as FanoutOptions)
