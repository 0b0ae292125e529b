import type { Clock } from '../../actors/clock.port.ts'
import type { Heard, RaceProgress, RacingPort } from '../../actors/racing/racing.port.ts'
import { type Fact, potentialPrize, type ReceiptFact, stakeOf } from '../../domain/racing/facts.ts'
import { type ReceiptView, viewBets } from '../../domain/racing/receipt-view.ts'
import { openRound, type Phase, type Round } from '../../domain/racing/round.ts'
import type { LiveHub } from '../live-hub.ts'
import { type LiveStream, once } from '../live-stream.ts'
import { isAdmin, type Session } from '../session.ts'
import { HeardRound } from './heard.round.ts'
import {
  publicProgress,
  publicRound,
  type RoundKnown,
  resultOf,
  systemTicket,
  timerOf,
} from './racing.view.ts'

// From facts on disk to messages.
//   M1. `race` is public: it never tells of a receipt, nor of the result before the round is settled on disk. Where
//       everyone is in a race it tells as the race's caller does, piece by piece.
//   M2. `receipts` is for staff: an admin follows the track's, a cashier only what it sold itself.
//   M3. A fault here never reaches whoever decided the fact.

const TICKETS_IN_SNAPSHOT = 200
const RESULTS_IN_SNAPSHOT = 10
const TIMER_MS = 1_000
/** Messages kept of one cashier's stream: there may be many of them. */
const OWN_HISTORY = 256

export type RacingLiveOptions = {
  readonly hub: LiveHub
  /** Not started yet, so that nothing was decided that is not on disk. */
  readonly racing: Pick<
    RacingPort,
    'tracks' | 'current' | 'rounds' | 'listen' | 'trackState' | 'listenTracks' | 'listenRaces'
  >
  readonly clock: Clock
}

type Result = { readonly roundId: number; readonly settledAt: number } & ReturnType<typeof resultOf>

type PaidReceipt = Pick<ReceiptView, 'id' | 'roundId' | 'by' | 'track' | 'status'>

const raceEvents: Partial<Record<Fact['type'], string>> = {
  RoundOpened: 'round_opened',
  BettingLocked: 'betting_locked',
  RaceStarted: 'race_started',
  RoundSettled: 'round_settled',
  RoundVoided: 'round_voided',
}

export class RacingLive {
  readonly #options: RacingLiveOptions
  readonly #tracks = new Map<string, TrackLive>()
  readonly #stopListening: () => void
  #timer: unknown

  constructor(options: RacingLiveOptions) {
    this.#options = options
    const { hub, racing } = options
    for (const track of racing.tracks) this.#tracks.set(track, new TrackLive(track, options))
    hub.addTopic({
      name: 'race',
      staffOnly: false,
      streamFor: (track) => this.#tracks.get(track)!.race,
    })
    hub.addTopic({
      name: 'receipts',
      staffOnly: true,
      streamFor: (track, session) => this.#tracks.get(track)!.receiptsFor(session!),
    })
    const stops = [
      racing.listen((heard) => this.#hear(heard)),
      racing.listenTracks(({ track, paused, changedAt }) =>
        this.#tracks.get(track)?.paused(paused, changedAt),
      ),
      racing.listenRaces((progress) => this.#tracks.get(progress.track)?.called(progress)),
    ]
    this.#stopListening = () => {
      for (const stop of stops) stop()
    }
    this.#armTimer()
  }

  /** Tells of a receipt that the archive paid or refunded. */
  publishPaid({ id, roundId, by, track, status }: PaidReceipt): void {
    this.#tracks.get(track)?.paid(id, roundId, by, status === 'refunded' ? 'refunded' : 'paid')
  }

  stop(): void {
    this.#stopListening()
    this.#options.clock.clearTimeout(this.#timer)
  }

  #hear(heard: Heard): void {
    try {
      this.#tracks.get(heard.round.opened.track)?.hear(heard)
    } catch (fault) {
      this.#options.hub.onFault(fault)
    }
  }

  #armTimer(): void {
    const { clock } = this.#options
    this.#timer = clock.setTimeout(() => {
      for (const track of this.#tracks.values()) track.tick()
      this.#armTimer()
    }, TIMER_MS)
  }
}

class TrackLive {
  readonly race: LiveStream
  readonly #track: string
  readonly #options: RacingLiveOptions
  /** Streams of receipts are made when somebody follows them first: before, nobody can have missed anything. */
  #all: LiveStream | undefined
  readonly #own = new Map<number, LiveStream>()
  #round: HeardRound | undefined
  /** Where everyone was so far in the race of the current round, until the next one opens. */
  #race: RaceProgress | undefined
  #results: Result[]

  constructor(track: string, options: RacingLiveOptions) {
    this.#track = track
    this.#options = options
    const { hub, racing } = options
    const current = racing.current(track)
    this.#round = current && new HeardRound(current)
    this.#results = [...racing.rounds()]
      .filter((round) => round.opened.track === track && round.settled)
      .map((round) => ({ roundId: round.id, settledAt: round.settled!.at, ...resultOf(round.settled!) }))
      .reverse()
      .slice(0, RESULTS_IN_SNAPSHOT)
    this.race = hub.newStream({ topic: 'race', track, snapshot: () => this.#raceSnapshot() })
  }

  receiptsFor(session: Session): LiveStream {
    const { hub } = this.#options
    const topic = 'receipts'
    const track = this.#track
    if (isAdmin(session)) {
      this.#all ??= hub.newStream({ topic, track, snapshot: () => this.#receiptsSnapshot() })
      return this.#all
    }
    const { userId } = session
    let own = this.#own.get(userId)
    if (!own) {
      const snapshot = () => this.#receiptsSnapshot(userId)
      const historyMessages = Math.min(OWN_HISTORY, hub.limits.historyMessages)
      own = hub.newStream({ topic, track, snapshot, historyMessages })
      this.#own.set(userId, own)
    }
    return own
  }

  hear(heard: Heard): void {
    const { fact, roundId } = heard
    if (fact.type === 'RoundOpened' || fact.type === 'RoundVoided') this.#race = undefined
    if (fact.type === 'RoundOpened') this.#round = new HeardRound(openRound(roundId, fact))
    else if (this.#round?.id === roundId) this.#round.take(heard)
    if (fact.type === 'RoundSettled')
      this.#results = [{ roundId, settledAt: fact.at, ...resultOf(fact) }, ...this.#results].slice(
        0,
        RESULTS_IN_SNAPSHOT,
      )
    this.#tellRace(heard)
    this.#tellReceipts(heard)
  }

  /** Tells how much time is left, while anyone listens. */
  tick(): void {
    if (!this.race.isHeard || !this.#round) return
    const { id: roundId, phase: status } = this.#round
    const timer = timerOf(this.#round, this.#options.clock.now())
    this.race.publish('timer', () => JSON.stringify({ roundId, status, timer }))
  }

  paid(receiptId: number, roundId: number, sellerId: number, status: 'paid' | 'refunded' = 'paid'): void {
    this.#publish(`receipt_${status}`, sellerId, () => JSON.stringify({ receiptId, roundId, status }))
  }

  called(progress: RaceProgress): void {
    if (this.#round?.id !== progress.roundId) return
    const before = this.#race?.positions.slice(0, progress.first) ?? []
    this.#race = { ...progress, first: 0, positions: [...before, ...progress.positions] }
    this.race.publish('race_progress', () => JSON.stringify(publicProgress(progress)))
  }

  paused(paused: boolean, at: number | null): void {
    const track = this.#track
    this.race.publish(paused ? 'track_paused' : 'track_resumed', () => JSON.stringify({ track, paused, at }))
  }

  #tellRace({ fact, roundId, round }: Heard): void {
    const event = raceEvents[fact.type]
    if (!event) return
    const now = this.#options.clock.now()
    const known = knownAfter(fact, roundId, round.opened)
    this.race.publish(event, () => JSON.stringify({ roundId, round: publicRound(known, now) }))
  }

  #tellReceipts({ fact, roundId, round, receiptCount, totalPrize }: Heard): void {
    if (fact.type === 'ReceiptPaid') return this.paid(fact.id, roundId, fact.sale.by)
    if (fact.type === 'ReceiptRefunded') return this.paid(fact.id, roundId, fact.sale.by, 'refunded')
    if (fact.type === 'RoundVoided')
      return this.#tellAll('receipts_voided', () => JSON.stringify({ roundId }))
    if (fact.type === 'RoundSettled') {
      const winner = fact.order[0]
      return this.#tellAll('receipts_settled', () => JSON.stringify({ roundId, winner }))
    }
    if (fact.type !== 'ReceiptSold' && fact.type !== 'ReceiptCancelled') return
    if (!this.#all && !this.#own.has(fact.sale.by)) return
    const { opened } = round
    const now = this.#options.clock.now()
    const phase: Phase = this.#round?.id === roundId ? this.#round.phase : 'waiting'
    const currentRound = () => publicRound({ ...OPEN, id: roundId, opened, phase }, now)
    const about = { receiptId: fact.id, roundId }
    if (fact.type === 'ReceiptSold')
      this.#publish('receipt_added', fact.sale.by, () =>
        JSON.stringify({
          ...about,
          receipt: ticketSold(round, fact),
          totalReceipts: receiptCount,
          currentRound: currentRound(),
        }),
      )
    else
      this.#publish('receipt_deleted', fact.sale.by, () =>
        JSON.stringify({
          ...about,
          totalReceipts: receiptCount,
          currentRound: currentRound(),
          totalPrize,
        }),
      )
  }

  /** To admins and to every cashier who follows. */
  #tellAll(event: string, payload: () => string): void {
    const shared = once(payload)
    this.#all?.publish(event, shared)
    for (const own of this.#own.values()) own.publish(event, shared)
  }

  /** To admins and to the seller, from one serialization. */
  #publish(event: string, sellerId: number, payload: () => string): void {
    const shared = once(payload)
    this.#all?.publish(event, shared)
    this.#own.get(sellerId)?.publish(event, shared)
  }

  #raceSnapshot(): unknown {
    const round = this.#round && publicRound(this.#round, this.#options.clock.now())
    const { paused } = this.#options.racing.trackState(this.#track)
    const race = this.#race ? publicProgress(this.#race) : null
    return { round: round ?? null, race, lastResults: this.#results, paused }
  }

  #receiptsSnapshot(user?: number): unknown {
    if (!this.#round) return { roundId: null, totalReceipts: 0, totalPrize: 0, tickets: [] }
    const { id: roundId, receiptCount: totalReceipts, totalPrize } = this.#round
    const { receipts, truncated } = this.#round.latest(TICKETS_IN_SNAPSHOT, user)
    const tickets = receipts.map(systemTicket)
    return { roundId, totalReceipts, totalPrize, tickets, ...(truncated && { truncated }) }
  }
}

const OPEN = { settled: undefined, voided: undefined }

/** What may be known of a round when this fact was the last to be heard. */
const knownAfter = (fact: Fact, id: number, opened: Round['opened']): RoundKnown => {
  switch (fact.type) {
    case 'RoundSettled':
      return { id, opened, ...OPEN, phase: 'settled', settled: fact }
    case 'RoundVoided':
      return { id, opened, ...OPEN, phase: 'settled', voided: fact }
    case 'RaceStarted':
      return { id, opened, ...OPEN, phase: 'running' }
    case 'BettingLocked':
      return { id, opened, ...OPEN, phase: 'betting-locked' }
    default:
      return { id, opened, ...OPEN, phase: 'waiting' }
  }
}

const ticketSold = (round: Round, { id, sale }: ReceiptFact) =>
  systemTicket({
    id,
    roundId: round.id,
    by: sale.by,
    at: sale.at,
    total: stakeOf(sale),
    status: 'pending',
    prize: potentialPrize(sale),
    bets: viewBets(round, sale),
  })
