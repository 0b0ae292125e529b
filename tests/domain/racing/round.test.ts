import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import type { Person, ReceiptCommand } from '../../../src/domain/racing/decide.ts'
import { decideClock, decideReceipt, decideSale, decideVoid } from '../../../src/domain/racing/decide.ts'
import { commitmentOf, drawOrder } from '../../../src/domain/racing/draw.ts'
import { Fact, type RoundOpened } from '../../../src/domain/racing/facts.ts'
import { isRefusal, type RefusalCode } from '../../../src/domain/racing/refusals.ts'
import {
  exposureOf,
  fold,
  openRound,
  type Round,
  replay,
  stakesHeld,
} from '../../../src/domain/racing/round.ts'
import {
  ADMIN,
  CASHIER,
  cancelled,
  coefficientOf,
  ENDS_AT,
  FIELD,
  LOCKS_AT,
  LOSER,
  NEXT_AT,
  OPENED_AT,
  OTHER_CASHIER,
  opened,
  ROUND_ID,
  raced,
  STARTS_AT,
  settled,
  sold,
  started,
  WINNER,
} from './given.ts'

// A day at the counter: any commands by anybody at any time, decided and folded as the actors do, and beside them a
// ledger that knows nothing but the answers. Whatever the domain says is held against the ledger.

type Step = { readonly at: number } & (
  | { readonly ask: 'sell'; readonly by: Person; readonly bets: { number: number; stake: number }[] }
  | { readonly ask: ReceiptCommand['type']; readonly by: Person; readonly which: number }
  | { readonly ask: 'LockBetting' | 'StartRace' | 'SettleRound' | 'VoidRound' }
)

type Entry = {
  readonly id: number
  readonly seller: number
  readonly bets: readonly { readonly number: number; readonly stake: number }[]
  state: 'sold' | 'cancelled' | 'paid' | 'refunded'
}

const LIMITS = { minStake: 1_000, maxStake: 50_000, maxExposure: 1_000_000 }
const FIRST_ID = 1_000_000

const times = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: OPENED_AT - 10, max: NEXT_AT + 10_000 }) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(LOCKS_AT, STARTS_AT, ENDS_AT, NEXT_AT), fc.integer({ min: -2, max: 2 }))
      .map(([moment, offset]) => moment + offset),
  },
  { weight: 3, arbitrary: fc.constantFrom(OPENED_AT, OPENED_AT + 1, ENDS_AT + 1) },
)
/** Most is sold early and paid late. */
const early = fc.oneof({ weight: 2, arbitrary: fc.integer({ min: OPENED_AT, max: LOCKS_AT }) }, times)
const late = fc.oneof(fc.integer({ min: ENDS_AT, max: NEXT_AT }), times)
const people = fc.constantFrom(CASHIER, CASHIER, OTHER_CASHIER, ADMIN)
const someBets = fc.array(
  fc.record({
    number: fc.oneof({ weight: 12, arbitrary: fc.integer({ min: 1, max: 6 }) }, fc.constantFrom(0, 7)),
    stake: fc.oneof(
      { weight: 12, arbitrary: fc.integer({ min: LIMITS.minStake, max: LIMITS.maxStake }) },
      fc.constantFrom(0, 999, 50_001, 1_000.5, -1_000),
    ),
  }),
  { minLength: 1, maxLength: 3 },
)
const asking = (at: fc.Arbitrary<number>, ...what: ReceiptCommand['type'][]): fc.Arbitrary<Step> =>
  fc.record({ at, ask: fc.constantFrom(...what), by: people, which: fc.nat({ max: 1_000 }) })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ at: early, ask: fc.constant('sell' as const), by: people, bets: someBets }),
  },
  { weight: 4, arbitrary: asking(early, 'CancelReceipt', 'PrintReceipt') },
  { weight: 6, arbitrary: asking(late, 'PayReceipt', 'PayReceipt', 'PrintReceipt') },
  {
    weight: 3,
    arbitrary: fc.record({
      at: times,
      ask: fc.constantFrom('LockBetting' as const, 'StartRace' as const, 'SettleRound' as const),
    }),
  },
)
const timers: Step[] = [
  { at: LOCKS_AT, ask: 'LockBetting' },
  { at: STARTS_AT, ask: 'StartRace' },
  { at: ENDS_AT, ask: 'SettleRound' },
]
/** Some days somebody voids the round, some of them twice. */
const voids: fc.Arbitrary<Step[]> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Step[]>([]) },
  {
    weight: 2,
    arbitrary: fc.array(fc.record({ at: times, ask: fc.constant('VoidRound' as const) }), {
      minLength: 1,
      maxLength: 2,
    }),
  },
)
/** Mostly a clock that goes forward, with timers that fire; sometimes one that jumps about, with timers that may be late. */
const days: fc.Arbitrary<Step[]> = fc
  .tuple(fc.array(step, { minLength: 10, maxLength: 80, size: 'max' }), voids, fc.integer({ min: 0, max: 9 }))
  .map(([steps, voids, kind]) =>
    kind < 7
      ? [...steps, ...voids, ...timers].sort((a, b) => a.at - b.at)
      : [...steps.slice(0, 9), ...voids, ...steps.slice(9), ...timers],
  )
const seeds = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('hex'))

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, one) => total + one, 0)
const prizeFor = (stake: number, number: number): number =>
  Number((BigInt(stake) * BigInt(coefficientOf(number))) / 100n)

class Day {
  readonly round: Round
  readonly facts: Fact[]
  readonly refusals: RefusalCode[] = []
  readonly ledger: Entry[] = []
  readonly seed: string
  readonly order: number[]

  constructor(seed: string) {
    this.seed = seed
    this.order = drawOrder(seed, ROUND_ID, FIELD)
    const commitment = commitmentOf(seed)
    const opening: RoundOpened = {
      ...opened,
      commitment,
      chain: { anchor: commitment, index: 0 },
      limits: LIMITS,
    }
    this.round = openRound(ROUND_ID, opening)
    this.facts = [opening]
  }

  take(one: Step): void {
    if (one.ask === 'sell') this.#sell(one.at, one.by, one.bets)
    else if (one.ask === 'VoidRound') this.#void(one.at)
    else if ('which' in one) this.#change(one.at, { type: one.ask, by: one.by, id: this.idOf(one.which) })
    else this.#tick(one.at, one.ask)
  }

  /** The id of some receipt, or now and then one that is not sold yet. */
  idOf(which: number): number {
    return FIRST_ID + (which % (this.ledger.length + 1))
  }

  #sell(at: number, by: Person, bets: { number: number; stake: number }[]): void {
    const { phase } = this.round
    const id = FIRST_ID + this.ledger.length
    const fact = decideSale(this.round, { type: 'SellReceipt', by, bets }, id, at)
    if (isRefusal(fact)) return this.#refused(fact.refused)
    expect(at, 'sold after the lock').toBeLessThan(LOCKS_AT)
    expect(phase).toBe('waiting')
    expect(bets.every(({ stake }) => stake >= LIMITS.minStake && stake <= LIMITS.maxStake)).toBe(true)
    expect(new Set(bets.map(({ number }) => number)).size).toBe(bets.length)
    this.ledger.push({ id, seller: by.id, bets, state: 'sold' })
    this.#fold(fact)
  }

  #change(at: number, command: ReceiptCommand): void {
    const { phase } = this.round
    const fact = decideReceipt(this.round, command, at)
    if (isRefusal(fact)) return this.#refused(fact.refused)
    const entry = this.ledger.find(({ id }) => id === command.id)
    if (!entry) throw new Error(`${command.type} of a receipt that was never sold`)
    expect(command.by.admin || command.by.id === entry.seller, 'touched a foreign receipt').toBe(true)
    expect(entry.state, 'touched a cancelled receipt').not.toBe('cancelled')
    if (command.type === 'CancelReceipt') {
      expect(at, 'cancelled after the lock').toBeLessThan(LOCKS_AT)
      expect(phase).toBe('waiting')
      entry.state = 'cancelled'
    }
    if (command.type === 'PayReceipt') {
      expect(phase).toBe('settled')
      expect(entry.state, 'paid twice').toBe('sold')
      if (this.round.voided) {
        expect(fact).toMatchObject({ type: 'ReceiptRefunded', by: command.by.id })
        entry.state = 'refunded'
      } else {
        expect(this.wins(entry), 'paid a loser').toBeGreaterThan(0)
        expect(fact).toMatchObject({ type: 'ReceiptPaid', prize: this.wins(entry), by: command.by.id })
        entry.state = 'paid'
      }
    }
    this.#fold(fact)
  }

  #tick(at: number, type: 'LockBetting' | 'StartRace' | 'SettleRound'): void {
    const { phase } = this.round
    const fact = decideClock(this.round, type === 'SettleRound' ? { type, seed: this.seed } : { type }, at)
    if (!fact) return
    const [before, due] = {
      LockBetting: ['waiting', LOCKS_AT] as const,
      StartRace: ['betting-locked', STARTS_AT] as const,
      SettleRound: ['running', ENDS_AT] as const,
    }[type]
    expect(phase).toBe(before)
    expect(at).toBeGreaterThanOrEqual(due)
    this.#fold(fact)
  }

  #void(at: number): void {
    const { phase, voided } = this.round
    const command = { type: 'VoidRound' as const, by: ADMIN.id, reason: 'why not' }
    const fact = decideVoid(this.round, command, this.seed, at)
    if (!fact) expect(voided, 'nothing is decided the second time').toBeDefined()
    else if (isRefusal(fact)) this.#refused(fact.refused)
    else {
      expect(phase, 'voided after its end').not.toBe('settled')
      expect(at, 'voided when its result was known').toBeLessThan(ENDS_AT)
      this.#fold(fact)
    }
  }

  #refused(code: RefusalCode): void {
    this.refusals.push(code)
  }

  #fold(fact: Fact): void {
    fold(this.round, fact)
    this.facts.push(fact)
  }

  /** What an entry wins, from its stakes, the odds and the order of arrival. */
  wins({ bets }: Entry): number {
    return sum(
      bets
        .filter(({ number }) => number === this.order[0])
        .map(({ stake, number }) => prizeFor(stake, number)),
    )
  }

  /** Holds the round's sums against the ledger. */
  check(): void {
    const { round, ledger } = this
    const stakes = (entries: Entry[]): number =>
      sum(entries.flatMap(({ bets }) => bets.map(({ stake }) => stake)))
    const held = ledger.filter(({ state }) => state !== 'cancelled')
    const paid = ledger.filter(({ state }) => state === 'paid')
    expect(round.stakesIn).toBe(stakes(ledger))
    const given = ledger.filter(({ state }) => state === 'cancelled' || state === 'refunded')
    expect(stakesHeld(round)).toBe(stakes(ledger.filter((entry) => !given.includes(entry))))
    expect(round.refunded).toBe(stakes(given))
    expect(stakesHeld(round) + round.refunded).toBe(round.stakesIn)
    expect(round.receiptCount).toBe(held.length)
    expect(round.prizesPaid).toBe(sum(paid.map((entry) => this.wins(entry))))
    const costs = FIELD.map(({ number: winner }) =>
      sum(
        held.flatMap(({ bets }) =>
          bets.filter(({ number }) => number === winner).map(({ stake, number }) => prizeFor(stake, number)),
        ),
      ),
    )
    expect(exposureOf(round)).toBe(round.voided ? 0 : Math.max(...costs))
    expect(exposureOf(round), 'exposure above the cap').toBeLessThanOrEqual(LIMITS.maxExposure)
    const staked = FIELD.map(({ number: runner }) =>
      sum(
        held.flatMap(({ bets }) => bets.filter(({ number }) => number === runner).map(({ stake }) => stake)),
      ),
    )
    expect([...round.stakes.values()]).toEqual(staked)
    const sellers = [...round.byUser.values()]
    const all = [...round.receipts.values()]
    expect(round.ids).toEqual([...round.receipts.keys()])
    for (const [user, seller] of round.byUser) {
      const own = all.filter(({ sale, status }) => sale.by === user && status !== 'cancelled')
      expect(seller.ids).toEqual(all.filter(({ sale }) => sale.by === user).map(({ id }) => id))
      expect([seller.receiptCount, seller.totalPrize]).toEqual([
        own.length,
        sum(own.map(({ prize }) => prize)),
      ])
    }
    expect(sum(sellers.map(({ totalPrize }) => totalPrize))).toBe(round.totalPrize)
    if (round.voided) expect([round.totalPrize, round.prizesPaid]).toEqual([0, 0])
    else if (round.phase === 'settled') {
      expect(round.totalPrize, 'prizes due').toBe(sum(held.map((entry) => this.wins(entry))))
      expect(round.totalPrize).toBeLessThanOrEqual(LIMITS.maxExposure)
    }
  }
}

describe('whatever is asked, by whom and when', () => {
  it('stakes in are held or refunded, nothing is sold late, paid twice or paid to a loser, and the cap holds', () => {
    const seen = new Map<string, number>()
    fc.assert(
      fc.property(seeds, days, (seed, steps) => {
        const day = new Day(seed)
        for (const one of steps) {
          day.take(one)
          day.check()
        }
        for (const what of [...day.facts.map(({ type }) => type), ...day.refusals])
          seen.set(what, (seen.get(what) ?? 0) + 1)
      }),
      { numRuns: 250 },
    )
    // A property that never sells or pays proves nothing.
    const facts = [
      'ReceiptSold',
      'ReceiptCancelled',
      'ReceiptPrinted',
      'ReceiptPaid',
      'ReceiptRefunded',
      'RoundSettled',
      'RoundVoided',
    ]
    const refusals = [
      'EXPOSURE_REACHED',
      'RECEIPT_FOREIGN',
      'RECEIPT_CANCELLED',
      'RECEIPT_ALREADY_PAID',
      'RECEIPT_NOT_A_WINNER',
      'RECEIPT_ALREADY_REFUNDED',
      'ROUND_VOIDED',
      'ROUND_DECIDED',
    ]
    for (const what of [...facts, ...refusals]) expect(seen.get(what) ?? 0, what).toBeGreaterThan(0)
  })

  it('prizes due at the end are what the winners’ bets say, whoever has been paid already', () => {
    fc.assert(
      fc.property(seeds, days, fc.nat(), (seed, steps, payday) => {
        const day = new Day(seed)
        for (const one of [...steps, ...timers]) if (one.ask !== 'VoidRound') day.take(one)
        expect(day.round.phase).toBe('settled')
        expect(day.round.settled!.order).toEqual(day.order)
        day.check()
        const winners = day.ledger.filter((entry) => entry.state !== 'cancelled' && day.wins(entry) > 0)
        for (const { id } of winners) {
          const which = id - FIRST_ID
          for (const by of [CASHIER, ADMIN, OTHER_CASHIER])
            day.take({ at: ENDS_AT + payday, ask: 'PayReceipt', by, which })
        }
        expect(winners.every(({ state }) => state === 'paid')).toBe(true)
        expect(day.round.prizesPaid).toBe(day.round.totalPrize)
        day.check()
      }),
      { numRuns: 100 },
    )
  })

  it('of a voided round every stake comes back exactly once, whoever asks how often, and no prize is paid', () => {
    fc.assert(
      fc.property(seeds, days, fc.integer({ min: OPENED_AT, max: ENDS_AT - 1 }), (seed, steps, at) => {
        const day = new Day(seed)
        for (const one of steps) if (one.at <= at && one.ask !== 'SettleRound') day.take(one)
        day.take({ at, ask: 'VoidRound' })
        expect(day.round.voided).toBeDefined()
        const voidedAt = day.round.voided!.at
        for (const one of [...timers, { at, ask: 'VoidRound' } as const]) day.take(one)
        expect(day.round.voided!.at).toBe(voidedAt)
        for (const { id } of day.ledger)
          for (const by of [CASHIER, ADMIN, OTHER_CASHIER])
            day.take({ at: at + 1, ask: 'PayReceipt', by, which: id - FIRST_ID })
        day.check()
        expect(day.ledger.every(({ state }) => state === 'cancelled' || state === 'refunded')).toBe(true)
        expect([stakesHeld(day.round), day.round.prizesPaid]).toEqual([0, 0])
      }),
      { numRuns: 100 },
    )
  })

  it('the same facts folded again give the same round, also by way of the disk', () => {
    fc.assert(
      fc.property(seeds, days, (seed, steps) => {
        const day = new Day(seed)
        for (const one of steps) day.take(one)
        expect(replay(ROUND_ID, day.facts)).toEqual(day.round)
        const fromDisk = (JSON.parse(JSON.stringify(day.facts)) as unknown[]).map((row) => v.parse(Fact, row))
        expect(fromDisk).toEqual(day.facts)
        expect(replay(ROUND_ID, fromDisk)).toEqual(day.round)
        expect(day.round.factCount).toBe(day.facts.length)
      }),
      { numRuns: 100 },
    )
  })

  it('the domain changes nothing while it decides', () => {
    fc.assert(
      fc.property(seeds, days, step, (seed, steps, last) => {
        const day = new Day(seed)
        for (const one of steps) day.take(one)
        const before = structuredClone(day.round)
        if (last.ask === 'sell')
          decideSale(day.round, { type: 'SellReceipt', by: last.by, bets: last.bets }, 9, last.at)
        else if ('which' in last)
          decideReceipt(day.round, { type: last.ask, by: last.by, id: day.idOf(last.which) }, last.at)
        expect(day.round).toEqual(before)
      }),
      { numRuns: 60 },
    )
  })
})

describe('a round', () => {
  const first = sold(1_000_001, { [WINNER]: 5_000, [LOSER]: 2_000 })
  const second = sold(1_000_002, { [LOSER]: 3_000 }, OTHER_CASHIER)

  it('keeps each seller’s receipts in the order of their sale', () => {
    const third = sold(1_000_000, { [LOSER]: 3_000 })
    const round = replay(ROUND_ID, [opened, first, second, third])
    expect(round.byUser.get(CASHIER.id)?.ids).toEqual([1_000_001, 1_000_000])
    expect(round.byUser.get(OTHER_CASHIER.id)?.ids).toEqual([1_000_002])
  })

  it('knows of each receipt whether it won, and what', () => {
    const gone = sold(1_000_003, { [WINNER]: 1_000 })
    const round = replay(ROUND_ID, [
      opened,
      first,
      second,
      gone,
      cancelled(gone, ADMIN, LOCKS_AT - 1),
      ...raced,
    ])
    const statuses = [...round.receipts.values()].map(({ id, status, prize }) => [id, status, prize])
    expect(statuses).toEqual([
      [1_000_001, 'won', (5_000 * coefficientOf(WINNER)) / 100],
      [1_000_002, 'lost', 0],
      [1_000_003, 'cancelled', (1_000 * coefficientOf(WINNER)) / 100],
    ])
  })

  it('is not rebuilt from facts that do not begin with its opening, from none, or from two openings', () => {
    expect(() => replay(ROUND_ID, [first])).toThrow(/does not begin with its opening but with ReceiptSold/)
    expect(() => replay(ROUND_ID, [])).toThrow(/has no facts/)
    expect(() => replay(ROUND_ID, [opened, opened])).toThrow(/opened twice/)
  })

  it('is not rebuilt from facts about a receipt that it never sold', () => {
    expect(() => replay(ROUND_ID, [opened, cancelled(first, CASHIER, LOCKS_AT)])).toThrow(
      /has no receipt 1000001/,
    )
  })
})

describe('the door for what comes back from disk', () => {
  it.each([
    ['a fraction of the smallest unit', { ...sold(1, { 1: 1_000 }), id: 0.5 }],
    ['a debt', { ...sold(1, { 1: 1_000 }), by: -1 }],
    ['a word too many', { ...started, seed: 'known too early' }],
    ['a word too few', { type: 'RoundSettled', at: ENDS_AT, seed: settled.type }],
    ['a fact that nobody knows', { type: 'RoundForgotten', at: ENDS_AT }],
    ['a void that nobody stands for', { type: 'RoundVoided', at: ENDS_AT, reason: 'none', seed: '22' }],
    ['text where a number belongs', { type: 'BettingLocked', at: String(LOCKS_AT) }],
  ])('lets nothing in with %s', (_, row) => {
    expect(v.safeParse(Fact, row).success).toBe(false)
  })
})
