// Those at the counters: they sell, cancel, print, pay and read lists, most of all when it is nearly too late, and ask
// again where they got no answer, or cannot believe the one that they got.
import type { AskedBet, Person } from '../src/domain/racing/decide.ts'
import type { ReceiptStatus } from '../src/domain/racing/receipts.ts'
import { isRefusal } from '../src/domain/racing/refusals.ts'
import type { Chance } from './chance.ts'
import type { Outcome, Reply, Request } from './request.ts'
import type { Station } from './station.ts'
import type { World } from './world.ts'

/** All that match: no shop of a run sells so many. */
const ALL = 100_000
const STATUSES: readonly (ReceiptStatus | undefined)[] = [
  undefined,
  undefined,
  'pending',
  'won',
  'paid',
  'cancelled',
]

export class Cashier {
  readonly person: Person
  readonly #world: World
  readonly #station: Station
  readonly #chance: Chance
  /** Receipts that it was given. */
  readonly #own: number[] = []
  /** Requests that it may send again, whatever became of them. */
  readonly #memory: Request[] = []
  commands = 0
  /** Whether it has nothing to do any more. */
  isIdle = false

  constructor(world: World, station: Station, person: Person) {
    this.#world = world
    this.#station = station
    this.person = person
    this.#chance = world.chance(`person ${person.id} at ${station.name}`)
    void this.#work().then(() => {
      this.isIdle = true
    })
  }

  async #work(): Promise<void> {
    const { scheduler, activeMs } = this.#world
    while (scheduler.nowMs < activeMs) {
      await this.#pause(this.#untilNext())
      await this.#act()
    }
    await this.#cashUp()
  }

  #pause(ms: number): Promise<void> {
    return this.#world.scheduler.pause(ms, `person ${this.person.id} waits`)
  }

  /** Often until a moment at which something is decided, give or take a little. */
  #untilNext(): number {
    const chance = this.#chance
    const round = this.#station.server?.racing.current(chance.pick(this.#station.shop.tracks))
    if (!round || chance.happens(0.6)) return chance.between(10, 1_500)
    const { locksAt, startsAt, endsAt, nextAt } = round.opened
    const now = this.#station.now()
    const moments = [locksAt, locksAt, startsAt, endsAt, endsAt, nextAt, nextAt + 1_000].filter(
      (at) => at > now,
    )
    if (moments.length === 0) return chance.between(10, 500)
    const at = chance.pick(moments)
    return Math.max(0, Math.min(6_000, at - now + chance.between(-12, 12)))
  }

  async #act(): Promise<void> {
    const chance = this.#chance
    const dice = chance.below(100)
    if (dice < 45 || this.#own.length === 0) return this.#send(this.#sale())
    const receipt = this.#someReceipt()
    if (dice < 57) return this.#send(this.#change('CancelReceipt', receipt))
    if (dice < 65) return this.#send(this.#change('PrintReceipt', receipt))
    if (dice < 83) return this.#pay(receipt)
    if (dice < 92) return void (await this.#read(chance.pick(STATUSES)))
    if (this.#memory.length > 0) return this.#send(chance.pick(this.#memory))
  }

  /** Mostly a late one of its own; sometimes anybody's. */
  #someReceipt(): number {
    const chance = this.#chance
    if (chance.happens(0.1)) {
      const all = [...this.#world.judge.accounts.keys()]
      return chance.happens(0.05) ? 999_999_999 : chance.pick(all)
    }
    const { length } = this.#own
    return this.#own[Math.max(0, length - 1 - chance.below(chance.happens(0.7) ? 4 : length))]!
  }

  #once(body: unknown, id: number) {
    const digest = JSON.stringify(body)
    return this.#chance.happens(0.75) ? { user: this.person.id, key: `key-${id}`, digest } : undefined
  }

  #sale(): Request {
    const chance = this.#chance
    const id = this.#world.nextRequest()
    const track = chance.pick(this.#station.shop.tracks)
    const numbers = [1, 2, 3, 4, 5, 6].filter(() => chance.happens(0.4))
    if (numbers.length === 0 || chance.happens(0.3)) numbers.splice(0, 6, 1, 2, 3, 4, 5, 6)
    // The first stake is told apart from that of every other request: a fact shows whose it is.
    const bets: AskedBet[] = numbers.map((number, i) => ({
      number,
      stake: i === 0 ? 1_000 + id : 100 * chance.between(1, 40),
    }))
    if (chance.happens(0.06)) spoil(bets, chance)
    return {
      id,
      type: 'SellReceipt',
      by: this.person,
      track,
      bets,
      once: this.#once(['add', track, bets], id),
    }
  }

  #change(type: 'CancelReceipt' | 'PrintReceipt' | 'PayReceipt', receipt: number): Request {
    const id = this.#world.nextRequest()
    // Printing takes no key.
    const once = type === 'PrintReceipt' ? undefined : this.#once([type, receipt], id)
    return { id, type, by: this.person, receipt, once }
  }

  /** Pays, sometimes while somebody else tries to. */
  async #pay(receipt: number): Promise<void> {
    const rivals: Promise<void>[] = []
    if (this.#chance.happens(0.3)) {
      const { stations, admin } = this.#world
      const rival = {
        id: this.#world.nextRequest(),
        type: 'PayReceipt',
        by: admin,
        receipt,
        once: undefined,
      } as const
      rivals.push(this.#send(rival, this.#chance.pick(stations)))
    }
    rivals.push(this.#send(this.#change('PayReceipt', receipt)))
    await Promise.all(rivals)
  }

  /** Sends a request, perhaps twice at once, until there is an answer or patience is at its end. */
  async #send(request: Request, station = this.#station): Promise<void> {
    const chance = this.#chance
    if (station === this.#station && request.once && chance.happens(0.2)) this.#memory.push(request)
    const isDoubled = chance.happens(0.05)
    const twin = isDoubled ? this.#sendOnce(request, station) : undefined
    for (let attempt = 0; ; attempt++) {
      const reply = await this.#sendOnce(request, station)
      if (reply.kind === 'answered') {
        if (
          !isRefusal(reply.answer) &&
          request.type === 'SellReceipt' &&
          !this.#own.includes(reply.answer.id)
        )
          this.#own.push(reply.answer.id)
        if (!chance.happens(0.06)) break
      } else if (attempt > 6 || chance.happens(0.15)) break
      await this.#pause(chance.happens(0.2) ? chance.between(1_000, 12_000) : chance.between(1, 700))
    }
    await twin
  }

  async #sendOnce(request: Request, station: Station): Promise<Reply<Outcome>> {
    const { judge, scheduler, trace } = this.#world
    this.commands++
    judge.sends(request)
    const about = 'receipt' in request ? ` ${request.receipt}` : ''
    const what = `request ${request.id} ${request.type}${about} of ${request.by.id}`
    const settledBefore = 'receipt' in request && judge.isSettled(request.receipt)
    const reply = await station.ask(what, async ({ racing }) => {
      const { by, once } = request
      const outcome =
        request.type === 'SellReceipt'
          ? await racing.sell(request.track, { type: 'SellReceipt', by, bets: request.bets }, once)
          : await racing.change({ type: request.type, by, id: request.receipt }, once)
      trace.add(
        `${scheduler.nowMs} ${station.name} answers request ${request.id}: ${JSON.stringify(outcome)}`,
      )
      judge.hear(station.name, request, outcome, settledBefore)
      return outcome
    })
    return reply
  }

  async #read(status: ReceiptStatus | undefined): Promise<number[]> {
    const { judge, stations } = this.#world
    const { admin, id } = this.person
    const filter = { userId: admin ? undefined : id, status }
    const before = new Set<number>()
    const cancelled = new Set<number>()
    for (const [receipt, account] of judge.accounts) {
      if (account.isCancelled) cancelled.add(receipt)
      else if (status === undefined && !account.mayBeCancelled && account.station === this.#station.name)
        if (admin || account.request.by.id === id) before.add(receipt)
    }
    const reply = await this.#station.ask(`list ${status} of ${id}`, async (server) => {
      const list = await server.list(filter.userId, filter, 0, ALL)
      const hasOneOwner = stations.length === 1 || !admin
      judge.hearList({ station: this.#station.name, filter, list, before, cancelled, hasOneOwner })
      return list
    })
    this.commands++
    return reply.kind === 'answered' ? reply.answer.receipts.map((receipt) => receipt.id) : []
  }

  /** At the end: winners come for their money. */
  async #cashUp(): Promise<void> {
    await this.#pause(this.#chance.between(1_000, 15_000))
    for (const receipt of await this.#read('won'))
      if (this.#chance.happens(0.7)) await this.#send(this.#change('PayReceipt', receipt))
  }
}

/** Makes bets that are to be refused. */
const spoil = (bets: AskedBet[], chance: Chance): void => {
  const [first] = bets
  const { number, stake } = first!
  bets[0] = chance.pick<AskedBet>([
    { number: 77, stake },
    { number, stake: 5 },
    { number, stake: 9_999_999 },
    { number, stake, coeff: 99 },
    { number, stake, name: 'Nobody' },
  ])
  if (chance.happens(0.2)) bets.push({ ...bets[0] })
  if (chance.happens(0.1)) bets.length = 0
}
