import { createRequire } from 'node:module'
import { join } from 'node:path'
import { PEERS } from './peers.ts'

// Reads `receipt_added` where it lies in memory, in JSON or in the packed form of Colyseus. Number and time of a message are
// read in a fraction of a microsecond, at the place where they stood in the first one; `faultOf` takes one apart as a whole.

export type Form = 'json' | 'packed'

const EVENT = Buffer.from('receipt_added')
/** The event's name begins before that. */
const HEAD_BYTES = 40
const ZERO = 0x30
/** In the packed form: what kind of message it is, and how long the name is that follows. */
const BEFORE_NAME = 2

export class NewsReader {
  number = 0
  time = 0
  readonly #form: Form
  /** What stands from the end of the number to the beginning of the time. */
  readonly #timeKeyBytes: number
  readonly #numberKey: Buffer
  /** Counted from the start of a message. */
  #eventAt = -1
  #numberAt = -1
  /** Where the integer that was read ends. */
  #end = 0
  #unpack: ((bytes: Buffer) => unknown) | undefined

  constructor(form: Form) {
    this.#form = form
    const key = (name: string): Buffer => Buffer.from(form === 'json' ? `"${name}":` : name)
    this.#numberKey = key('offset')
    // A comma stands before the name, or the byte that says how long it is.
    this.#timeKeyBytes = 1 + key('serverTime').length
  }

  /** Reads `number` and `time`. @returns whether it is a `receipt_added` */
  read(bytes: Buffer, from: number, to: number): boolean {
    if (this.#eventAt < 0) this.#find(bytes, from, to)
    const { length } = EVENT
    const event = from + this.#eventAt
    for (let i = 0; i < length; i++) if (bytes[event + i] !== EVENT[i]) return false
    this.number = this.#integer(bytes, from + this.#numberAt)
    this.time = this.#integer(bytes, this.#end + this.#timeKeyBytes)
    return this.#end < to
  }

  /** What is wrong with a message that was just read, all of it looked at. */
  faultOf(bytes: Buffer, from: number, to: number): string | undefined {
    try {
      if (this.#isRight(this.#whole(bytes, from, to))) return undefined
    } catch {
      // What cannot be read, or has no such members, is wrong too.
    }
    return bytes.toString('latin1', from, to)
  }

  #isRight(told: Told): boolean {
    const { receipt } = told
    const stakes = receipt.bets.reduce((sum, { value }) => sum + value, 0)
    return (
      told.event === 'receipt_added' &&
      told.topic === 'receipts' &&
      told.offset === this.number &&
      told.serverTime === this.time &&
      told.totalReceipts > 0 &&
      told.receiptId === receipt.id &&
      told.roundId === told.currentRound.id &&
      told.currentRound.participants.length > 1 &&
      receipt.bets.length === 2 &&
      receipt.total_amount === stakes
    )
  }

  #whole(bytes: Buffer, from: number, to: number): Told {
    if (this.#form === 'json') return JSON.parse(bytes.toString('utf8', from, to)) as Told
    this.#unpack ??= unpacker()
    return this.#unpack(bytes.subarray(from + BEFORE_NAME + EVENT.length, to)) as Told
  }

  #find(bytes: Buffer, from: number, to: number): void {
    const event = bytes.indexOf(EVENT, from)
    if (event < 0 || event > Math.min(to, from + HEAD_BYTES)) return
    this.#eventAt = event - from
    this.#numberAt = bytes.indexOf(this.#numberKey, event) + this.#numberKey.length - from
  }

  #integer(bytes: Buffer, at: number): number {
    return this.#form === 'json' ? this.#digits(bytes, at) : this.#packed(bytes, at)
  }

  #digits(bytes: Buffer, from: number): number {
    let value = 0
    let at = from
    for (let digit = bytes[at]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[++at]! - ZERO)
      value = value * 10 + digit
    this.#end = at
    return value
  }

  /** As MessagePack has it: small ones in a byte, others by what the first byte says, large ones as a float. */
  #packed(bytes: Buffer, at: number): number {
    const kind = bytes[at]!
    const size = kind < 0x80 ? 0 : sizes[kind]
    if (size === undefined) throw new Error(`no integer begins with ${kind}`)
    this.#end = at + 1 + size
    if (size === 0) return kind
    if (kind === 0xcb) return bytes.readDoubleBE(at + 1)
    return size === 8 ? Number(bytes.readBigUInt64BE(at + 1)) : bytes.readUIntBE(at + 1, size)
  }
}

/** Of what follows a first byte. */
const sizes: Readonly<Record<number, number>> = { 204: 1, 205: 2, 206: 4, 207: 8, 203: 8 }

/** Of the peers' own package, as Colyseus packs. */
const unpacker = (): ((bytes: Buffer) => unknown) => {
  const { unpack } = createRequire(join(PEERS, 'package.json'))('msgpackr') as Record<
    string,
    (bytes: Buffer) => unknown
  >
  return unpack!
}

type Told = {
  readonly event: string
  readonly topic: string
  readonly offset: number
  readonly serverTime: number
  readonly receiptId: number
  readonly roundId: number
  readonly receipt: {
    readonly id: number
    readonly total_amount: number
    readonly bets: readonly { readonly value: number }[]
  }
  readonly totalReceipts: number
  readonly currentRound: { readonly id: number; readonly participants: readonly unknown[] }
}
