import { type Actor, createActor } from 'xstate'
import type { Fact, RoundOpened } from '../../domain/racing/facts.ts'
import type { Hashing } from '../../domain/racing/hashing.ts'
import type { Participant } from '../../domain/racing/odds.ts'
import type { receiptNumbers } from '../../domain/racing/receipt-number.ts'
import { openRound, type Round, replay } from '../../domain/racing/round.ts'
import type { Clock } from '../clock.port.ts'
import type { Journal, Notes } from '../journal.port.ts'
import { RaceCaller } from './race.caller.ts'
import type { Heard, RaceProgress } from './racing.port.ts'
import { receiptCounter } from './receipt.counter.ts'
import { RoundKeeper } from './round.keeper.ts'
import { roundLogic } from './round.machine.ts'
import { type Seeds, trackSeeds } from './seeds.ts'
import type { StationNotes } from './station.port.ts'

// The rounds that have an actor: those found in the journal, and those opened since.

export type LiveRoundsOptions = {
  readonly station: StationNotes
  readonly field: readonly Participant[]
  readonly limits: RoundOpened['limits']
  /** `wait` includes `lock`. */
  readonly durationsMs: {
    readonly wait: number
    readonly lock: number
    readonly race: number
    readonly results: number
  }
  readonly journal: Journal<Fact>
  /** Its rounds, where they were folded already: by whoever read the journal before it was opened. */
  readonly rounds?: ReadonlyMap<number, Round>
  readonly clock: Clock
  /** 32 unpredictable bytes in hexadecimal. */
  readonly randomSecret: () => string
  /** Rounds that one chain of seeds lasts for, where another number than the usual is wanted. */
  readonly chainLength?: number
  /** Where the tables of a station's numbers are kept from one start to the next: they take tens of milliseconds. */
  readonly receiptNumbers?: typeof receiptNumbers
  readonly hashing?: Hashing
}

/** Who is told of what happens in the rounds. */
export type RoundEars = {
  readonly hear: (heard: Heard) => void
  readonly call: (progress: RaceProgress) => void
}

export type LiveRound = { readonly keeper: RoundKeeper; readonly actor: Actor<typeof roundLogic> }

const NEXT_ROUND = 'rounds/next'

export class LiveRounds {
  readonly #options: LiveRoundsOptions
  readonly #ears: RoundEars
  readonly #rounds = new Map<number, LiveRound>()
  /** The latest round of each track. */
  readonly #latest = new Map<string, number>()
  readonly #seeds = new Map<string, Seeds>()
  readonly #counter: ReturnType<typeof receiptCounter>
  /** Tracks whose next round is on its way to disk. */
  readonly #opening = new Set<string>()
  #nextRound: number

  /** Folds the rounds of the journal, unless they are given. None of their actors is started. */
  constructor(options: LiveRoundsOptions, ears: RoundEars) {
    this.#options = options
    this.#ears = ears
    const { journal, station } = options
    this.#counter = receiptCounter(journal, station, options.receiptNumbers, options.hashing)
    this.#nextRound = (journal.note(NEXT_ROUND) as number | undefined) ?? station.firstRound
    for (const id of journal.streams()) {
      const round = options.rounds?.get(id) ?? replay(id, journal.each(id))
      if (round.factCount !== journal.last(id)) throw new Error(`round ${id} was folded from another journal`)
      this.#adopt(round)
    }
  }

  get(id: number): LiveRound | undefined {
    return this.#rounds.get(id)
  }

  /** The current round of a track, or its last one. */
  latest(track: string): LiveRound | undefined {
    return this.#rounds.get(this.#latest.get(track) ?? -1)
  }

  ownerOf(receiptId: number): LiveRound | undefined {
    for (const live of this.#rounds.values()) if (live.keeper.round.receipts.has(receiptId)) return live
    return undefined
  }

  /** Oldest first. */
  values(): Iterable<LiveRound> {
    return this.#rounds.values()
  }

  /** Opens a track's next round, once it is on disk. Nothing happens where one is on its way, or the journal cannot write. */
  open(track: string, opened: (live: LiveRound) => void): void {
    const { journal } = this.#options
    if (journal.failure || this.#opening.has(track)) return
    this.#opening.add(track)
    const { fact, notes } = this.#openingOf(track)
    const id = this.#nextRound++
    journal.append(
      { stream: id, first: 1, facts: [fact], notes: { ...notes, [NEXT_ROUND]: id + 1 } },
      (error) => {
        this.#opening.delete(track)
        if (error && journal.last(id) === 0) return
        const round = openRound(id, fact)
        opened(this.#adopt(round))
        this.#ears.hear({ roundId: id, number: 1, fact, receiptCount: 0, totalPrize: 0, round })
      },
    )
  }

  end(id: number): void {
    this.#rounds.get(id)?.actor.stop()
    this.#rounds.delete(id)
  }

  #openingOf(track: string): { fact: RoundOpened; notes: Notes } {
    const { clock, durationsMs, field, limits } = this.#options
    const { notes, ...committed } = this.#seedsOf(track).commit()
    const at = clock.now()
    const startsAt = at + durationsMs.wait
    const endsAt = startsAt + durationsMs.race
    const fact: RoundOpened = {
      type: 'RoundOpened',
      at,
      track,
      locksAt: startsAt - durationsMs.lock,
      startsAt,
      endsAt,
      nextAt: endsAt + durationsMs.results,
      field: [...field],
      ...committed,
      limits,
    }
    return { fact, notes }
  }

  #adopt(round: Round): LiveRound {
    const { journal, clock } = this.#options
    const { hear, call } = this.#ears
    const keeper = new RoundKeeper(round, { journal, clock, counter: this.#counter, hear })
    const seeds = this.#seedsOf(round.opened.track)
    const caller = new RaceCaller(keeper, { clock, seeds, call })
    const live = {
      keeper,
      actor: createActor(roundLogic, { clock, input: { keeper, clock, seeds, caller } }),
    }
    this.#rounds.set(round.id, live)
    this.#latest.set(round.opened.track, round.id)
    return live
  }

  #seedsOf(track: string): Seeds {
    const { journal, randomSecret, chainLength, hashing } = this.#options
    let seeds = this.#seeds.get(track)
    if (!seeds) {
      seeds = trackSeeds(journal, track, randomSecret, chainLength, hashing)
      this.#seeds.set(track, seeds)
    }
    return seeds
  }
}
