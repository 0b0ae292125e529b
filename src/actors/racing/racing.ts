import { type Actor, createActor } from 'xstate'
import type { Command, ReceiptCommand, SellReceipt, VoidRound } from '../../domain/racing/decide.ts'
import { untouchable } from '../../domain/racing/decide.ts'
import { type ReceiptView, viewReceipt } from '../../domain/racing/receipt-view.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/racing/refusals.ts'
import { nextAtOf, type Round } from '../../domain/racing/round.ts'
import type { Voided } from '../../domain/racing/voided.ts'
import type { Notes } from '../journal.port.ts'
import { Unavailable } from '../unavailable.port.ts'
import type { Archive } from './archive.port.ts'
import { HandOvers } from './hand-overs.ts'
import { type LiveRound, LiveRounds, type LiveRoundsOptions } from './live-rounds.ts'
import { onceGate } from './once.ts'
import { Pauses } from './pauses.ts'
import type { Heard, OnceKey, Outcome, RaceProgress, RacingPort, TrackState } from './racing.port.ts'
import { trackMachine } from './track.machine.ts'

// Racing: the tracks, their rounds, and the way from a command to the one who owns the receipt.
//   O1. A receipt has one owner at any moment: the actor of its live round, or the archive.
//   O2. A track's latest round is never handed over.
//   O3. A listener's fault is its own: the others hear, and the fact stays.

export type RacingOptions = LiveRoundsOptions & {
  readonly tracks: readonly string[]
  readonly archive: Archive
  /** Hears of the faults of listeners. */
  readonly onFault: (fault: unknown) => void
}

export class Racing implements RacingPort {
  readonly tracks: readonly string[]
  readonly #options: RacingOptions
  readonly #live: LiveRounds
  readonly #trackActors = new Map<string, Actor<typeof trackMachine>>()
  readonly #listeners = new Set<(heard: Heard) => void>()
  readonly #archiveListeners = new Set<(paid: ReceiptView) => void>()
  readonly #trackListeners = new Set<(state: TrackState) => void>()
  readonly #raceListeners = new Set<(progress: RaceProgress) => void>()
  readonly #handOvers: HandOvers
  readonly #pauses: Pauses
  readonly #once: ReturnType<typeof onceGate>
  #stopped = false

  constructor(options: RacingOptions) {
    this.#options = options
    this.tracks = options.tracks
    const { journal, archive, clock } = options
    this.#handOvers = new HandOvers({
      journal,
      archive,
      clock,
      gone: (id) => this.#live.end(id),
      givenBack: (id) => {
        if (!this.#stopped) this.#live.get(id)?.actor.start()
      },
    })
    this.#once = onceGate(journal)
    this.#pauses = new Pauses(options.tracks, journal, clock)
    this.#live = new LiveRounds(options, {
      hear: (heard) => this.#hear(heard),
      call: (progress) => this.#tell(this.#raceListeners, progress),
    })
    for (const { keeper } of this.#live.values()) this.#handOvers.recover(keeper.round.id)
  }

  /** Sets rounds and tracks going. Listen before, so that nothing is missed. */
  start(): void {
    for (const { keeper, actor } of this.#live.values())
      if (!this.#handOvers.has(keeper.round.id)) actor.start()
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
    return this.#live.latest(track)?.keeper.round
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
      const live = this.#live.latest(track)
      if (!live) return this.#keep(refuse('NO_ROUND', { track }), remember)
      return this.#send(live, command, remember)
    })
  }

  /** Cancels, prints or pays a receipt: asks its owner. */
  change(command: ReceiptCommand, once?: OnceKey): Promise<Outcome> {
    return this.#decideOnce(once, async (remember) => {
      for (;;) {
        const live = this.#live.ownerOf(command.id)
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
      const live = this.#live.ownerOf(id)
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
    if (phase !== 'settled' || this.#live.latest(opened.track) === live) return false
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
    if (this.#pauses.of(track).paused) return
    this.#live.open(track, ({ actor }) => {
      if (!this.#stopped) actor.start()
    })
  }

  #send(live: LiveRound, command: Command, remember?: (outcome: Outcome) => Notes): Promise<Outcome> {
    if (this.#stopped) return Promise.reject(stopping())
    return new Promise((resolve, reject) => {
      live.actor.send({ type: 'ask', command, reply: { resolve, reject, ...(remember && { remember }) } })
    })
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
