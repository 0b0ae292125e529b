// Screens: clients of the socket that are cut off, come back with where they were, and keep books of what they heard.
import { greet, listen } from '../src/http/live-talk.ts'
import type { Session } from '../src/http/session.ts'
import type { Chance } from './chance.ts'
import { WORLD } from './scheduler.ts'
import { SimulatedSocket, textsIn } from './socket.ts'
import type { Station } from './station.ts'
import type { World } from './world.ts'

type Message = {
  event: string
  topic?: string
  track?: string
  epoch: string
  offset: number
  recovered?: boolean
  data?: Record<string, unknown>
  roundId?: number
  receiptId?: number
  totalReceipts?: number
  round?: { roundId: number; status: string }
}

/** What is known of one stream. */
type Book = {
  epoch: string
  offset: number
  /** What is known of the current round: from a snapshot, and from every message since. */
  roundId: number | null
  status: string | undefined
  receipts: Set<number>
  total: number
}

export class Screen {
  readonly name: string
  readonly books = new Map<string, Book>()
  messages = 0
  #socket: SimulatedSocket | undefined
  readonly #world: World
  readonly #station: Station
  readonly #session: Session | undefined
  readonly #topics: string
  readonly #track: string
  readonly #chance: Chance
  #isOver = false
  /** It asked to follow `race` no more, and has not asked to follow it again. */
  #isLeaving = false
  #say: (said: { readonly type: string; readonly [name: string]: unknown }) => void = () => {}

  constructor(world: World, station: Station, name: string, session: Session | undefined) {
    this.#world = world
    this.#station = station
    this.name = name
    this.#session = session
    this.#chance = world.chance(`screen ${name} at ${station.name}`)
    this.#topics = session ? 'race,receipts' : 'race'
    this.#track = this.#chance.pick(station.shop.tracks)
    this.#connect()
  }

  get isConnected(): boolean {
    return this.#socket !== undefined && !this.#socket.isGone
  }

  /** From now on it is not cut off any more, and does not leave by itself. */
  rest(): void {
    this.#isOver = true
  }

  /** The line goes, and comes back later. */
  cut(): void {
    if (this.#isOver || !this.isConnected) return
    this.#world.faults.count('socket cut')
    this.#socket!.cut(this.#chance.between(0, 3_000))
  }

  #connect(): void {
    const { scheduler } = this.#world
    scheduler.at(this.#chance.between(0, 600), `screen ${this.name} connects`, () => this.#open(), WORLD)
  }

  #open(): void {
    const { server } = this.#station
    if (!server?.hub.hasRoom) return this.#connect()
    const { scheduler, faults } = this.#world
    const { hub } = server
    const query = this.#query()
    let onServerGone = (): void => {}
    let onPong = (): void => {}
    const socket = new SimulatedSocket({
      scheduler,
      server: server.owner,
      latencyMs: () => faults.socketMs(),
      onMessage: (text) => this.#hear(text),
      onGone: () => {
        stopWaiting()
        if (this.#socket === socket) this.#connect()
      },
      onServerGone: () => onServerGone(),
      onPong: () => onPong(),
    })
    const stopWaiting = this.#station.onCrash(() => socket.cut(0))
    this.#socket = socket
    this.#isLeaving = false
    const greets = (): void => {
      const live = hub.join(socket.asWebSocket, socket.asStream, this.#session, this.name)
      onServerGone = () => hub.leave(live)
      onPong = () => {
        live.isAlive = true
      }
      greet(hub, live, query)
      this.#say = (said) =>
        scheduler.at(
          faults.socketMs(),
          `screen ${this.name} says ${said.type}`,
          () => listen(hub, live, JSON.stringify(said)),
          server.owner,
        )
    }
    scheduler.at(0, `screen ${this.name} opens`, greets, server.owner)
  }

  #position(topic: string): { epoch?: string; offset?: number } {
    const book = this.books.get(topic)
    return book ? { epoch: book.epoch, offset: book.offset } : {}
  }

  #query(): URLSearchParams {
    const query = new URLSearchParams({ topics: this.#topics, track: this.#track })
    const race = this.#position('race')
    const receipts = this.#position('receipts')
    const epoch = race.epoch ?? receipts.epoch
    if (epoch === undefined || this.#chance.happens(0.1)) return query
    query.set('epoch', epoch)
    if (race.offset !== undefined) query.set('race', String(race.offset))
    if (receipts.offset !== undefined && receipts.epoch === epoch)
      query.set('receipts', String(receipts.offset))
    return query
  }

  #hear(text: string): void {
    const { secrets, verdict, trace, scheduler } = this.#world
    this.messages++
    trace.add(`${scheduler.nowMs} ${this.name} hears ${text}`)
    secrets.inspectFrame(text)
    const message = JSON.parse(text) as Message
    const { event, topic, epoch, offset } = message
    if (topic === undefined || event === 'error') {
      verdict.check('S10', event !== 'error', () => [`${this.name} is told ${text}`, this.name])
      return
    }
    const book = this.books.get(topic)
    if ((event === 'subscribed' || event === 'snapshot') && topic === 'race') this.#isLeaving = false
    if (topic === 'race' && event !== 'unsubscribed' && !this.#isLeaving && this.#chance.happens(0.03)) {
      this.#isLeaving = true
      this.#say({ type: 'unsubscribe', topic, track: this.#track })
    }
    if (event === 'unsubscribed')
      this.#say({ type: 'subscribe', topic, track: this.#track, ...this.#position(topic) })
    else if (event === 'snapshot') this.books.set(topic, bookOf(message))
    else if (event === 'subscribed') {
      verdict.see('streams taken up again')
      verdict.check('S10', book?.epoch === epoch && book.offset === offset, () => [
        `${this.name} is at ${book?.epoch} ${book?.offset} of ${topic}, and goes on after ${epoch} ${offset}`,
        this.name,
      ])
    } else {
      verdict.check('S10', book?.epoch === epoch && book.offset + 1 === offset, () => [
        `${this.name} heard ${book?.epoch} ${book?.offset} of ${topic}, and then ${epoch} ${offset} (${event})`,
        this.name,
      ])
      if (book) write(book, message)
      const owner =
        this.#session && topic === 'receipts'
          ? this.#session.role === 'admin'
            ? 'all'
            : this.#session.userId
          : ''
      this.#world.sameForAll(`${epoch}/${topic}/${message.track}/${owner}/${offset}`, text)
      this.#checkOwner(topic, text)
    }
    if (this.#chance.happens(0.004) && this.#world.faults.has('socket cut')) this.cut()
  }

  #checkOwner(topic: string, text: string): void {
    if (topic !== 'receipts' || this.#session?.role !== 'cashier') return
    const { userId } = this.#session
    for (const [, user] of text.matchAll(/"user_id":(\d+)/g))
      this.#world.verdict.check('S11', Number(user) === userId, () => [
        `${this.name} is told of a receipt that ${user} sold: ${text}`,
        this.name,
      ])
  }

  /** Whether it heard all that was said on what it follows. */
  isCaughtUp(): boolean {
    const { server } = this.#station
    return [...this.books].every(([topic, book]) => {
      const stream = server?.hub.topic(topic)?.streamFor(this.#track, this.#session)
      return stream?.offset === book.offset && book.epoch === server?.hub.epoch
    })
  }

  /** What it would be told if it came anew: the same as what it knows by now. */
  compare(): void {
    const { verdict } = this.#world
    const { server } = this.#station
    if (!server) return
    for (const [topic, book] of this.books) {
      const stream = server.hub.topic(topic)!.streamFor(this.#track, this.#session)
      verdict.check('S10', book.epoch === server.hub.epoch && book.offset === stream.offset, () => [
        `${this.name} is at ${book.epoch} ${book.offset} of ${topic}, which is at ${server.hub.epoch} ${stream.offset}`,
        this.name,
      ])
      const fresh = bookOf(JSON.parse(textsIn(stream.snapshot())[0]!) as Message)
      if (topic === 'race')
        verdict.check('S10', book.roundId === fresh.roundId && book.status === fresh.status, () => [
          `${this.name} believes in ${book.roundId} ${book.status}; it is ${fresh.roundId} ${fresh.status}`,
          this.name,
        ])
      else if (book.roundId === fresh.roundId)
        verdict.check('S10', sortedText(book.receipts) === sortedText(fresh.receipts), () => [
          `${this.name} knows of ${sortedText(book.receipts)} in ${book.roundId}; there are ${sortedText(fresh.receipts)}`,
          this.name,
        ])
    }
  }
}

const sortedText = (ids: ReadonlySet<number>): string => [...ids].sort((a, b) => a - b).join()

const bookOf = ({ epoch, offset, data = {} }: Message): Book => {
  const { round, roundId, tickets, totalReceipts } = data as {
    round?: { roundId: number; status: string } | null
    roundId?: number | null
    tickets?: { id: number }[]
    totalReceipts?: number
  }
  return {
    epoch,
    offset,
    roundId: round?.roundId ?? roundId ?? null,
    status: round?.status,
    receipts: new Set(tickets?.map(({ id }) => id)),
    total: totalReceipts ?? 0,
  }
}

const write = (book: Book, { event, offset, round, roundId, receiptId }: Message): void => {
  book.offset = offset
  if (round) {
    book.roundId = round.roundId
    book.status = round.status
  }
  if (event !== 'receipt_added' && event !== 'receipt_deleted') return
  if (roundId !== book.roundId) {
    book.roundId = roundId!
    book.receipts.clear()
  }
  if (event === 'receipt_added') book.receipts.add(receiptId!)
  else book.receipts.delete(receiptId!)
}
