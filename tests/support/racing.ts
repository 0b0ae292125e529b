// A shop's racing without a network, a disk or a clock: what tests of the actors are made with.
import { createHash } from 'node:crypto'
import * as v from 'valibot'
import type { Journal } from '../../src/actors/journal.port.ts'
import type { Archive, RoundToRetire } from '../../src/actors/racing/archive.port.ts'
import type { Heard, OnceKey } from '../../src/actors/racing/racing.port.ts'
import { Racing, type RacingOptions } from '../../src/actors/racing/racing.ts'
import { type JournalStore, openJournal } from '../../src/db/journal.ts'
import { memoryStore } from '../../src/db/memory.store.ts'
import type { AskedBet, Person, ReceiptCommand } from '../../src/domain/racing/decide.ts'
import { decideReceipt } from '../../src/domain/racing/decide.ts'
import { Fact } from '../../src/domain/racing/facts.ts'
import { DEFAULT_FIELD } from '../../src/domain/racing/field.ts'
import { priceField } from '../../src/domain/racing/odds.ts'
import { type ReceiptView, viewReceipt } from '../../src/domain/racing/receipt-view.ts'
import { isRefusal, type Refusal, refuse } from '../../src/domain/racing/refusals.ts'
import { fold, openRound, type Round } from '../../src/domain/racing/round.ts'
import { WoundClock } from './clock.ts'

export const MORNING = Date.UTC(2026, 0, 5, 8)
export const CASHIER: Person = { id: 7, admin: false }
export const OTHER_CASHIER: Person = { id: 8, admin: false }
export const ADMIN: Person = { id: 1, admin: true }
export const DURATIONS_MS = { wait: 60_000, lock: 5_000, race: 30_000, results: 5_000 }
export const LIMITS = { minStake: 1_000, maxStake: 1_000_000, maxExposure: 50_000_000 }
export const FIELD = priceField(DEFAULT_FIELD, 0.88)

const toFact = (row: unknown): Fact => v.parse(Fact, row)

/** A disk that can be made slow, or broken. It counts the commits that it was asked for. */
export class Disk {
  readonly store: JournalStore
  commits = 0
  /** `before` fails a commit that then did not happen; `after` reports a failure of one that did. */
  fault: 'before' | 'after' | undefined
  #held: Promise<void> | undefined
  #release: () => void = () => {}
  #asked: () => void = () => {}

  constructor(inner: JournalStore = memoryStore()) {
    this.store = {
      ...inner,
      commit: (entries, notes) => {
        this.commits++
        this.#asked()
        return this.#write(() => inner.commit(entries, notes))
      },
      remove: (stream, notes) => this.#write(() => inner.remove(stream, notes)),
    }
  }

  /** From now on commits wait, until `release`. */
  hold(): void {
    this.#held = new Promise((resolve) => {
      this.#release = resolve
    })
  }

  release(): void {
    this.#held = undefined
    this.#release()
  }

  /** Resolves when the next commit is asked for. */
  asked(): Promise<void> {
    return new Promise((resolve) => {
      this.#asked = resolve
    })
  }

  async #write(write: () => Promise<void>): Promise<void> {
    await this.#held
    if (this.fault === 'before') throw new Error('no space left on device')
    await write()
    if (this.fault === 'after') throw new Error('the flush was not confirmed')
  }
}

/** An archive in memory: it knows the facts that it was told, as Postgres does by its jobs. */
export class FakeArchive implements Archive {
  readonly asked: ReceiptCommand[] = []
  readonly #rounds = new Map<number, Round>()
  readonly #retired = new Set<number>()
  readonly #paidUnder = new Map<number, string | undefined>()
  /** What happens before and after it makes up its mind about a round: a wait, a cut connection. */
  beforeTakeOver: () => Promise<void> | void = () => {}
  afterTakeOver: () => Promise<void> | void = () => {}
  /** Whether it hears facts, and whether it answers at all. */
  deaf = false
  away = false

  hear({ roundId, fact }: Heard): void {
    if (this.deaf) return
    const round = this.#rounds.get(roundId)
    if (round) fold(round, fact)
    else if (fact.type === 'RoundOpened') this.#rounds.set(roundId, openRound(roundId, fact))
  }

  async find(id: number): Promise<ReceiptView | undefined> {
    this.#answer()
    const round = this.#retiredRoundOf(id)
    return round && viewReceipt(round, round.receipts.get(id)!)
  }

  async ask(command: ReceiptCommand, now: number, key: string | undefined): Promise<ReceiptView | Refusal> {
    this.#answer()
    this.asked.push(command)
    const round = this.#retiredRoundOf(command.id)
    if (!round) return refuse('RECEIPT_UNKNOWN', { id: command.id })
    const receipt = round.receipts.get(command.id)!
    if (command.type === 'PayReceipt' && key && this.#paidUnder.get(command.id) === key)
      return viewReceipt(round, receipt)
    const decided = decideReceipt(round, command, now)
    if (isRefusal(decided)) return decided
    fold(round, decided)
    if (command.type === 'PayReceipt') this.#paidUnder.set(command.id, key)
    return viewReceipt(round, receipt)
  }

  async takeOver({ id, factCount }: RoundToRetire): Promise<'taken' | 'incomplete'> {
    await this.beforeTakeOver()
    this.#answer()
    if (!this.#retired.has(id) && this.#rounds.get(id)?.factCount !== factCount) return 'incomplete'
    this.#retired.add(id)
    await this.afterTakeOver()
    return 'taken'
  }

  async owned(roundIds: readonly number[]): Promise<number[]> {
    this.#answer()
    return roundIds.filter((id) => this.#retired.has(id))
  }

  #answer(): void {
    if (this.away) throw new Error('connection refused')
  }

  #retiredRoundOf(receiptId: number): Round | undefined {
    for (const id of this.#retired)
      if (this.#rounds.get(id)!.receipts.has(receiptId)) return this.#rounds.get(id)
    return undefined
  }
}

/** Secrets that look random and are the same in every run. */
const seededSecrets = (seed: string): (() => string) => {
  let counter = 0
  return () => createHash('sha256').update(`${seed} ${counter++}`).digest('hex')
}

export type ShopOptions = Partial<Omit<RacingOptions, 'journal' | 'archive' | 'clock'>> & {
  readonly disk?: Disk
  readonly clock?: WoundClock
  readonly archive?: FakeArchive
}

/** A running shop: its racing, and everything a test wants to turn or to look at. */
export class Shop {
  readonly racing: Racing
  readonly clock: WoundClock
  readonly disk: Disk
  readonly journal: Journal<Fact>
  readonly archive: FakeArchive
  /** All facts heard since this start. */
  readonly heard: Heard[] = []
  readonly #options: ShopOptions
  #recovered: () => void = () => {}

  constructor(options: ShopOptions = {}) {
    this.disk = options.disk ?? new Disk()
    this.clock = options.clock ?? new WoundClock(MORNING)
    this.archive = options.archive ?? new FakeArchive()
    this.#options = { randomSecret: seededSecrets('galop'), ...options }
    this.journal = openJournal({
      store: this.disk.store,
      parse: toFact,
      probeAfterMs: 1,
      onRecovery: () => this.#recovered(),
    })
    this.racing = new Racing({
      tracks: ['Longchamp'],
      station: { number: '01', key: '5e'.repeat(32), firstReceipt: 0, firstRound: 1 },
      field: FIELD,
      limits: LIMITS,
      durationsMs: DURATIONS_MS,
      randomSecret: seededSecrets('galop'),
      onFault: (fault) => {
        throw fault
      },
      ...this.#options,
      journal: this.journal,
      archive: this.archive,
      clock: this.clock,
    })
    this.racing.listen((heard) => {
      this.heard.push(heard)
      this.archive.hear(heard)
    })
    this.racing.start()
  }

  /** Opens a shop and waits for its first rounds. */
  static async open(options: ShopOptions = {}): Promise<Shop> {
    const shop = new Shop(options)
    await shop.clock.advance(0)
    return shop
  }

  /** The power fails for a while; then the same disk, clock and archive are there again. */
  async restart(outageMs = 0, changes: ShopOptions = {}): Promise<Shop> {
    this.racing.stop()
    this.clock.jump(outageMs)
    const { disk, clock, archive } = this
    return Shop.open({ ...this.#options, disk, clock, archive, ...changes })
  }

  /** Mends the disk and waits until the journal noticed. */
  async mendDisk(): Promise<void> {
    const noticed = new Promise<void>((resolve) => {
      this.#recovered = resolve
    })
    this.disk.fault = undefined
    await noticed
  }

  round(track = 'Longchamp'): Round {
    const round = this.racing.current(track)
    if (!round) throw new Error(`no round on ${track}`)
    return round
  }

  sell(bets: readonly AskedBet[], { by = CASHIER, track = 'Longchamp', once }: SellOptions = {}) {
    return this.racing.sell(track, { type: 'SellReceipt', by, bets }, once)
  }

  /** Sells, and insists on a receipt. */
  async sold(bets: readonly AskedBet[] = [{ number: 1, stake: 5_000 }], options: SellOptions = {}) {
    return receiptIn(await this.sell(bets, options))
  }

  /** A receipt with a bet on everyone: it wins whoever wins. */
  soldOnAll(options: SellOptions = {}) {
    return this.sold(
      FIELD.map(({ number }) => ({ number, stake: 1_000 })),
      options,
    )
  }

  cancel(id: number, by = CASHIER, once?: OnceKey) {
    return this.racing.change({ type: 'CancelReceipt', by, id }, once)
  }

  print(id: number, by = CASHIER, once?: OnceKey) {
    return this.racing.change({ type: 'PrintReceipt', by, id }, once)
  }

  pay(id: number, by = CASHIER, once?: OnceKey) {
    return this.racing.change({ type: 'PayReceipt', by, id }, once)
  }

  /** Winds to the lock, the start, the end of the current round, or until the next one is open. */
  async windTo(moment: 'lock' | 'start' | 'end' | 'next'): Promise<void> {
    const { locksAt, startsAt, endsAt, nextAt } = this.round().opened
    const at = { lock: locksAt, start: startsAt, end: endsAt, next: nextAt }[moment]
    await this.clock.advance(at - this.clock.now())
  }

  /** Types of the facts heard, in order. */
  heardTypes(roundId?: number): string[] {
    return this.heard
      .filter((heard) => roundId === undefined || heard.roundId === roundId)
      .map(({ fact }) => fact.type)
  }
}

type SellOptions = { readonly by?: Person; readonly track?: string; readonly once?: OnceKey }

/** The receipt in an answer. Throws where the answer is a refusal. */
export const receiptIn = (answer: ReceiptView | Refusal): ReceiptView => {
  if (isRefusal(answer)) throw new Error(`refused: ${answer.refused} ${JSON.stringify(answer.details)}`)
  return answer
}

/** An idempotency key, with a digest of the body that it stands for. */
export const onceKey = (key: string, body = 'a body', by: Person = CASHIER): OnceKey => ({
  user: by.id,
  key,
  digest: createHash('sha256').update(body).digest('hex'),
})

/** What became of a promise so far, without waiting for it. */
export const watch = <T>(promise: Promise<T>): { state: 'waiting' | 'answered' | 'failed' } => {
  const watched: { state: 'waiting' | 'answered' | 'failed' } = { state: 'waiting' }
  promise.then(
    () => {
      watched.state = 'answered'
    },
    () => {
      watched.state = 'failed'
    },
  )
  return watched
}
