import { createInterface } from 'node:readline'
import { type Entrance, enter } from './command.load.ts'
import { BINARY, clientFrame, openRaw, type RawSocket, TEXT } from './raw.socket.ts'

// Sockets that hear, in a process of their own: each sees that its messages are numbered without a gap, and how old they
// are when they come. Messages are not parsed as a whole: number and time stand at the same place of each.

export type FanoutOptions = {
  readonly port: number
  readonly groups: readonly { readonly sockets: number; readonly entrance: FanoutEntrance }[]
  /** JSON text, or the packed form of Colyseus. */
  readonly form: 'json' | 'packed'
}
export type FanoutEntrance = Entrance | { readonly kind: 'receipts'; readonly token: string }

export type Heard = {
  readonly sockets: number
  readonly messages: number
  /** Messages that were missing or out of order. */
  readonly gaps: number
  /** The fewest and the most that one socket heard. */
  readonly least: number
  readonly most: number
  /** From the time in the message to its arrival, in whole milliseconds. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** Told on stdin, a line each: `begin` counts from now on, `report` tells what was heard since, `say <base64>` lets the first socket say it. */
const MOST_MS = 60_000
const AT_A_TIME = 50
const EVENT = Buffer.from('receipt_added')
const ZERO = 0x30

type Listener = { last: number; heard: number }

const fanout = async ({ port, groups, form }: FanoutOptions): Promise<void> => {
  const ages = new Uint32Array(MOST_MS)
  let gaps = 0
  const key = (name: string): Buffer => Buffer.from(form === 'json' ? `"${name}":` : name)
  /** Where number and time begin, counted from the start of a message: found in the first one. */
  let numberAt = -1

  const listeners: Listener[] = []
  const listen = (socket: RawSocket): void => {
    const listener: Listener = { last: 0, heard: 0 }
    listeners.push(listener)
    // A comma stands before the name, or the byte that says how long it is.
    const timeKey = 1 + key('serverTime').length
    socket.onFrame = (bytes, from, to) => {
      const at = bytes.indexOf(EVENT, from)
      if (at < 0 || at > from + 40 || at > to) return
      if (numberAt < 0) {
        const name = key('offset')
        numberAt = bytes.indexOf(name, from) + name.length - from
      }
      const number =
        form === 'json' ? jsonInteger(bytes, from + numberAt) : packedInteger(bytes, from + numberAt)
      const time =
        form === 'json'
          ? jsonInteger(bytes, number.end + timeKey)
          : packedInteger(bytes, number.end + timeKey)
      if (listener.last !== 0 && number.value !== listener.last + 1) gaps++
      listener.last = number.value
      listener.heard++
      const age = Date.now() - time.value
      ages[Math.min(MOST_MS - 1, Math.max(0, age))]!++
    }
  }
  const open = async (entrance: FanoutEntrance): Promise<RawSocket> => {
    if (entrance.kind !== 'receipts') return enter(port, entrance)
    const headers = { Authorization: `Bearer ${entrance.token}` }
    const socket = await openRaw({ port, path: '/ws?topics=receipts', headers })
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
      sockets.push(...(await Promise.all(some)))
    }
  for (const socket of sockets) listen(socket)
  process.stdout.write('open\n')

  const report = (): Heard => {
    const counts = listeners.map(({ heard }) => heard)
    const messages = counts.reduce((sum, count) => sum + count, 0)
    return {
      sockets: sockets.length,
      messages,
      gaps,
      least: Math.min(...counts),
      most: Math.max(...counts),
      p50Ms: ageAt(ages, messages * 0.5),
      p99Ms: ageAt(ages, messages * 0.99),
      maxMs: ageAt(ages, messages),
    }
  }
  const begin = (): void => {
    for (const listener of listeners) Object.assign(listener, { heard: 0, last: 0 })
    ages.fill(0)
    gaps = 0
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

type Integer = { readonly value: number; readonly end: number }

const jsonInteger = (bytes: Buffer, at: number): Integer => {
  let value = 0
  for (; bytes[at]! >= ZERO && bytes[at]! <= ZERO + 9; at++) value = value * 10 + bytes[at]! - ZERO
  return { value, end: at }
}

/** As MessagePack has it: small ones in a byte, others by what the first byte says, large ones as a float. */
const packedInteger = (bytes: Buffer, at: number): Integer => {
  const kind = bytes[at]!
  if (kind < 0x80) return { value: kind, end: at + 1 }
  if (kind === 0xcc) return { value: bytes[at + 1]!, end: at + 2 }
  if (kind === 0xcd) return { value: bytes.readUInt16BE(at + 1), end: at + 3 }
  if (kind === 0xce) return { value: bytes.readUInt32BE(at + 1), end: at + 5 }
  if (kind === 0xcf) return { value: Number(bytes.readBigUInt64BE(at + 1)), end: at + 9 }
  if (kind === 0xcb) return { value: bytes.readDoubleBE(at + 1), end: at + 9 }
  throw new Error(`no integer begins with ${kind}`)
}

await fanout(JSON.parse(process.argv[2]!) as FanoutOptions)
