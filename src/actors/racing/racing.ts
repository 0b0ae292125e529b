import { type Actor, createActor } from 'xstate'
import type { Command, ReceiptCommand, SellReceipt, VoidRound } from '../../domain/racing/decide.ts'
import { untouchable } from '../../domain/racing/decide.ts'
import type { Fact, RoundOpened } from '../../domain/racing/facts.ts'
import type { Participant } from '../../domain/racing/odds.ts'
import type { receiptNumbers } from '../../domain/racing/receipt-number.ts'
import { type ReceiptView, viewReceipt } from '../../domain/racing/receipt-view.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/racing/refusals.ts'
import { nextAtOf, openRound, type Round, replay } from '../../domain/racing/round.ts'
import type { Voided } from '../../domain/racing/voided.ts'
import type { Clock } from '../clock.port.ts'
import type { Journal, Notes } from '../journal.port.ts'
import { Unavailable } from '../unavailable.port.ts'
import type { Archive } from './archive.port.ts'
import { HandOvers } from './hand-overs.ts'
import { onceGate } from './once.ts'
import { Pauses } from './pauses.ts'
import { RaceCaller } from './race.caller.ts'
import type { Heard, OnceKey, Outcome, RaceProgress, RacingPort, TrackState } from './racing.port.ts'
import { receiptCounter } from './receipt.counter.ts'
import { RoundKeeper } from './round.keeper.ts'
import { roundLogic } from './round.machine.ts'
import { type Seeds, trackSeeds } from './seeds.ts'
import type { StationNotes } from './station.port.ts'
import { trackMachine } from './track.machine.ts'

// Racing: the tracks, their rounds, and the way from a command to the one who owns the receipt.
//   O1. A receipt has one owner at any moment: the actor of its live round, or the archive.
//   O2. A track's latest round is never handed over.
//   O3. A listener's fault is its own: the others hear, and the fact stays.

export type RacingOptions = {
  readonly tracks: readonly string[]
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
  readonly archive: Archive
  readonly clock: Clock
  /** 32 unpredictable bytes in hexadecimal. */
  readonly randomSecret: () => string
  /** Rounds that one chain of seeds lasts for, where another number than the usual is wanted. */
  readonly chainLength?: number
  /** Where the tables of a station's numbers are kept from one start to the next: they take tens of milliseconds. */
  readonly receiptNumbers?: typeof receiptNumbers
  /** Hears of the faults of listeners. */
  readonly onFault: (fault: unknown) => void
}

type RoundActor = Actor<typeof roundLogic>
type LiveRound = { readonly keeper: RoundKeeper; readonly actor: RoundActor }
const NEXT_ROUND = 'rounds/next'

export class Racing implements RacingPort {
  readonly tracks: readonly string[]
  readonly #options: RacingOptions
  readonly #live = new Map<number, LiveRound>()
  readonly #latest = new Map<string, number>()
  readonly #seeds = new Map<string, Seeds>()
  readonly #trackActors = new Map<string, Actor<typeof trackMachine>>()
  readonly #listeners = new Set<(heard: Heard) => void>()
  readonly #archiveListeners = new Set<(paid: ReceiptView) => void>()
  readonly #trackListeners = new Set<(state: TrackState) => void>()
  readonly #raceListeners = new Set<(progress: RaceProgress) => void>()
  readonly #handOvers: HandOvers
  readonly #pauses: Pauses
  readonly #once: ReturnType<typeof onceGate>
  readonly #counter: ReturnType<typeof receiptCounter>
  /** Tracks whose next round is on its way to disk. */
  readonly #opening = new Set<string>()
  #nextRound: number
  #stopped = false

  constructor(options: RacingOptions) {
    this.#options = options
    this.tracks = options.tracks
    const { journal, archive, clock, station } = options
    this.#handOvers = new HandOvers({
      journal,
      archive,
      clock,
      gone: (id) => this.#end(id),
      givenBack: (id) => {
        if (!this.#stopped) this.#live.get(id)?.actor.start()
      },
    })
    this.#once = onceGate(journal)
    this.#pauses = new Pauses(options.tracks, journal, clock)
    this.#counter = receiptCounter(journal, station, options.receiptNumbers)
    this.#nextRound = (journal.note(NEXT_ROUND) as number | undefined) ?? station.firstRound
    for (const id of journal.streams()) this.#recover(id)
  }

  /** Sets rounds and tracks going. Listen before, so that nothing is missed. */
  start(): void {
    for (const [id, { actor }] of this.#live) if (!this.#handOvers.has(id)) actor.start()
    for (const track of this.tracks) {
      const actor = createActor(trackMachine, {
        clock: this.#options.clock,
        input: {
          openRound: () => this.#openRound(track),
          untilNext: () => this.#untilNext(track),
          isOver: () => (this.current(track)?.phase ?? 'settled') === 'settled',
        },
      })
      this.#trackActors.set(track, actor)
      actor.start()
    }
  }

  /** Stops all timers. What was decided stays decided; the journal settles what is under way. */
  stop(): void {
    this.#stopped = true
    for (const actor of this.#trackActors.values()) actor.stop()
    for (const { actor } of this.#live.values()) actor.stop()
  }

  /** Calls `listener` with every fact once it is on disk, in order for each round. */
  listen(listener: (heard: Heard) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  listenArchive(listener: (paid: ReceiptView) => void): () => void {
    this.#archiveListeners.add(listener)
    return () => this.#archiveListeners.delete(listener)
  }

  listenTracks(listener: (state: TrackState) => void): () => void {
    this.#trackListeners.add(listener)
    return () => this.#trackListeners.delete(listener)
  }

  listenRaces(listener: (progress: RaceProgress) => void): () => void {
    this.#raceListeners.add(listener)
    return () => this.#raceListeners.delete(listener)
  }

  current(track: string): Round | undefined {
    return this.#live.get(this.#latest.get(track) ?? -1)?.keeper.round
  }

  round(id: number): Round | undefined {
    return this.#live.get(id)?.keeper.round
  }

  /** Rounds that an actor owns, oldest first. */
  *rounds(): Iterable<Round> {
    for (const { keeper } of this.#live.values()) yield keeper.round
  }

  /** Wait for it, where there is one, before telling anybody what was read here. */
  settled(): Promise<void> | undefined {
    const { journal } = this.#options
    return journal.settled()?.then(() => {
      if (journal.failure) throw readUnwritten(journal.failure)
    })
  }

  /** Sells on a track's current round. */
  sell(track: string, command: SellReceipt, once?: OnceKey): Promise<Outcome> {
    return this.#decideOnce(once, (remember) => {
      const live = this.#live.get(this.#latest.get(track) ?? -1)
      if (!live) return this.#keep(refuse('NO_ROUND', { track }), remember)
      return this.#send(live, command, remember)
    })
  }

  /** Cancels, prints or pays a receipt: asks its owner. */
  change(command: ReceiptCommand, once?: OnceKey): Promise<Outcome> {
    return this.#decideOnce(once, async (remember) => {
      for (;;) {
        const live = this.#ownerOf(command.id)
        if (!live) return this.#askArchive(command, once, remember)
        const { id } = live.keeper.round
        if (!this.#handOvers.has(id)) return this.#send(live, command, remember)
        await this.#handOvers.known(id)
      }
    })
  }

  /** Ends a round without a winner. `undefined` where no actor owns the round. */
  async voidRound(roundId: number, command: VoidRound): Promise<Voided | Refusal | undefined> {
    // The actor of a round that was being handed over when the server ended hears nothing until that is known.
    await this.#handOvers.known(roundId)
    const live = this.#live.get(roundId)
    if (!live) return undefined
    if (this.#stopped) throw stopping()
    return new Promise((resolve, reject) => {
      live.actor.send({ type: 'void', command, reply: { resolve, reject } })
    })
  }

  trackState(track: string): TrackState {
    return this.#pauses.of(track)
  }

  /** Pauses or resumes a track; asked again for what is so already, answers the same. */
  async pause(track: string, paused: boolean, by: number): Promise<TrackState> {
    const { state, isNew } = await this.#pauses.set(track, paused, by)
    if (isNew) this.#tell(this.#trackListeners, state)
    return state
  }

  #untilNext(track: string): number {
    if (this.#pauses.of(track).paused) return Number.POSITIVE_INFINITY
    const round = this.current(track)
    return round ? Math.max(0, nextAtOf(round) - this.#options.clock.now()) : 0
  }

  betweenHandOvers(): Promise<number> {
    return this.#handOvers.between()
  }

  /** A receipt, from whoever owns it. */
  async find(id: number): Promise<ReceiptView | undefined> {
    for (;;) {
      const live = this.#ownerOf(id)
      if (!live) return this.#options.archive.find(id)
      const { round } = live.keeper
      const view = viewReceipt(round, round.receipts.get(id)!)
      await this.#options.journal.settled()
      // After a failed commit the round was read again from disk, and what was seen here may never have been.
      if (live.keeper.round === round) return view
    }
  }

  /** Hands a settled round over, if the archive has all of its facts. Says whether it is retired now. */
  async retire(roundId: number): Promise<boolean> {
    const live = this.#live.get(roundId)
    if (!live) return false
    const { phase, opened } = live.keeper.round
    if (phase !== 'settled' || this.#latest.get(opened.track) === roundId) return false
    return this.#handOvers.handOver(roundId, () => live.keeper.round)
  }

  resolveHandOvers(): Promise<number[]> {
    return this.#handOvers.resolve()
  }

  /** Forgets idempotency keys of days gone by. */
  forgetOldKeys(): Promise<void> {
    return this.#once.forget(this.#options.clock.now())
  }

  #decideOnce(
    once: OnceKey | undefined,
    decide: (remember?: (outcome: Outcome) => Notes) => Promise<Outcome>,
  ): Promise<Outcome> {
    return once ? this.#once.ask(once, this.#options.clock.now(), decide) : decide()
  }

  #ownerOf(receiptId: number): LiveRound | undefined {
    for (const live of this.#live.values()) if (live.keeper.round.receipts.has(receiptId)) return live
    return undefined
  }

  async #askArchive(
    command: ReceiptCommand,
    once: OnceKey | undefined,
    remember: ((outcome: Outcome) => Notes) | undefined,
  ): Promise<Outcome> {
    const outcome = await this.#decideArchived(command, once)
    if (command.type !== 'PayReceipt' || isRefusal(outcome)) return this.#keep(outcome, remember)
    this.#tell(this.#archiveListeners, outcome)
    // The archive knows the key by which it made a payment: that it cannot be kept here as well undoes nothing.
    return this.#keep(outcome, remember).catch((fault) => {
      this.#options.onFault(fault)
      return outcome
    })
  }

  /** What no round decided is kept under its key before it is said. @throws Unavailable where that cannot be */
  async #keep(outcome: Outcome, remember: ((outcome: Outcome) => Notes) | undefined): Promise<Outcome> {
    if (remember)
      await this.#options.journal.write(remember(outcome)).catch((error: Error) => {
        throw readUnwritten(error)
      })
    return outcome
  }

  async #decideArchived(command: ReceiptCommand, once: OnceKey | undefined): Promise<Outcome> {
    const { archive, clock } = this.#options
    if (command.type !== 'CancelReceipt')
      return archive.ask(command, clock.now(), once && `${once.user}/${once.key}`)
    const receipt = await archive.find(command.id)
    if (!receipt) return refuse('RECEIPT_UNKNOWN', { id: command.id })
    const barred = untouchable(receipt, receipt.by, command.by)
    return barred ?? refuse('RECEIPT_HISTORICAL', { id: command.id, roundId: receipt.roundId })
  }

  #openRound(track: string): void {
    const { journal, clock, durationsMs, field, limits } = this.#options
    if (journal.failure || this.#opening.has(track) || this.#pauses.of(track).paused) return
    this.#opening.add(track)
    const { notes, ...committed } = this.#seedsOf(track).commit()
    const at = clock.now()
    const startsAt = at + durationsMs.wait
    const endsAt = startsAt + durationsMs.race
    const opened: RoundOpened = {
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
    const id = this.#nextRound++
    journal.append(
      { stream: id, first: 1, facts: [opened], notes: { ...notes, [NEXT_ROUND]: id + 1 } },
      (error) => {
        this.#opening.delete(track)
        if (error && journal.last(id) === 0) return
        const round = openRound(id, opened)
        const { actor } = this.#adopt(round)
        if (!this.#stopped) actor.start()
        this.#hear({ roundId: id, number: 1, fact: opened, receiptCount: 0, totalPrize: 0, round })
      },
    )
  }

  #recover(id: number): void {
    const { journal } = this.#options
    this.#adopt(replay(id, journal.read(id)))
    this.#handOvers.recover(id)
  }

  #adopt(round: Round): LiveRound {
    const { journal, clock } = this.#options
    const keeper = new RoundKeeper(round, {
      journal,
      clock,
      counter: this.#counter,
      hear: (heard) => this.#hear(heard),
    })
    const seeds = this.#seedsOf(round.opened.track)
    const call = (progress: RaceProgress): void => this.#tell(this.#raceListeners, progress)
    const caller = new RaceCaller(keeper, { clock, seeds, call })
    const live = {
      keeper,
      actor: createActor(roundLogic, { clock, input: { keeper, clock, seeds, caller } }),
    }
    this.#live.set(round.id, live)
    this.#latest.set(round.opened.track, round.id)
    return live
  }

  #end(roundId: number): void {
    this.#live.get(roundId)?.actor.stop()
    this.#live.delete(roundId)
  }

  #send(live: LiveRound, command: Command, remember?: (outcome: Outcome) => Notes): Promise<Outcome> {
    if (this.#stopped) return Promise.reject(stopping())
    return new Promise((resolve, reject) => {
      live.actor.send({ type: 'ask', command, reply: { resolve, reject, ...(remember && { remember }) } })
    })
  }

  #seedsOf(track: string): Seeds {
    let seeds = this.#seeds.get(track)
    if (!seeds) {
      seeds = trackSeeds(this.#options.journal, track, this.#options.randomSecret, this.#options.chainLength)
      this.#seeds.set(track, seeds)
    }
    return seeds
  }

  #hear(heard: Heard): void {
    const { type } = heard.fact
    const isEnd = type === 'RoundSettled' || type === 'RoundVoided'
    if (type === 'BettingLocked' || type === 'RaceStarted' || isEnd)
      this.#live.get(heard.roundId)?.actor.send({ type })
    if (type === 'RoundOpened' || isEnd) this.#trackActors.get(heard.round.opened.track)?.send({ type })
    this.#tell(this.#listeners, heard)
  }

  #tell<T>(listeners: Iterable<(told: T) => void>, told: T): void {
    for (const listener of listeners) {
      try {
        listener(told)
      } catch (fault) {
        this.#options.onFault(fault)
      }
    }
  }
}

const readUnwritten = (cause: Error): Unavailable =>
  new Unavailable('journal', 'what was read could not be written down; ask again in a moment', { cause })

const stopping = (): Unavailable =>
  new Unavailable('journal', 'the server is stopping; nothing was changed, ask again when it is back')
