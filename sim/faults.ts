// What goes wrong, and when: chosen by the seed before the run and as it goes. Each run has some kinds of faults only, so
// that rare ones are not drowned by common ones. After `end` nothing goes wrong any more.
import type { Chance } from './chance.ts'

export const FAULTS = [
  'crash',
  'disk full',
  'disk slow',
  'commit unconfirmed',
  'commit unanswered',
  'postgres away',
  'postgres frozen',
  'postgres slow',
  'statement cut off',
  'commit cut off',
  'rows refused',
  'queue away',
  'queue lost',
  'queue answer lost',
  'job late',
  'job twice',
  'job out of order',
  'cache away',
  'cache forgets',
  'clock forward',
  'clock back',
  'stall',
  'busy',
  'answer lost',
  'socket cut',
  'socket slow',
] as const
export type FaultName = (typeof FAULTS)[number]

/** Kinds that last for a while. */
const PERIODS = {
  'disk full': [300, 6_000],
  'disk slow': [500, 8_000],
  'postgres away': [500, 20_000],
  'postgres frozen': [500, 20_000],
  'postgres slow': [1_000, 20_000],
  'queue away': [500, 20_000],
  'cache away': [500, 10_000],
  busy: [1_000, 15_000],
  'socket slow': [1_000, 10_000],
} as const satisfies Partial<Record<FaultName, readonly [number, number]>>
type Period = keyof typeof PERIODS

export type FaultPlan = {
  readonly kinds: ReadonlySet<FaultName>
  /** How probable each chance fault is, compared with the usual. */
  readonly severity: number
}

export const planFaults = (chance: Chance): FaultPlan => {
  const share = chance.pick([0, 0.2, 0.4, 0.4, 0.7, 1])
  return {
    kinds: new Set(FAULTS.filter(() => chance.happens(share))),
    severity: chance.pick([0.3, 1, 1, 2]),
  }
}

export class Faults {
  readonly counts = new Map<FaultName, number>()
  readonly plan: FaultPlan
  /** Errors that made a job fail, for the judge to look at. */
  jobFailed: (error: unknown) => void = () => {}
  /** A commit will never be answered: the one whose disk it is has to be killed. */
  onMute: (station: string) => void = () => {}
  readonly #chance: Chance
  readonly #now: () => number
  readonly #periods = new Map<string, number>()
  #isOver = false
  #refusals = 0

  constructor(plan: FaultPlan, chance: Chance, now: () => number) {
    this.plan = plan
    this.#chance = chance
    this.#now = now
  }

  has(kind: FaultName): boolean {
    return !this.#isOver && this.plan.kinds.has(kind)
  }

  count(kind: FaultName): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
  }

  /** Begins a period of a kind, of one station or of the world. */
  begin(kind: Period, whose = ''): void {
    const [least, most] = PERIODS[kind]
    this.count(kind)
    this.#periods.set(`${kind} ${whose}`, this.#now() + this.#chance.between(least, most))
  }

  /** From now on all goes well. */
  end(): void {
    this.#isOver = true
    this.#periods.clear()
  }

  get isOver(): boolean {
    return this.#isOver
  }

  #lasts(kind: Period, whose = ''): boolean {
    return (this.#periods.get(`${kind} ${whose}`) ?? 0) > this.#now()
  }

  /** A fault that strikes with some probability each time. */
  #strikes(kind: FaultName, probability: number): boolean {
    if (!this.has(kind) || !this.#chance.happens(probability * this.plan.severity)) return false
    this.count(kind)
    return true
  }

  // The disk

  ofDisk(station: string): 'full' | 'unconfirmed' | 'mute' | undefined {
    if (this.#lasts('disk full', station)) return 'full'
    if (this.#strikes('commit unconfirmed', 0.01)) return 'unconfirmed'
    if (!this.#strikes('commit unanswered', 0.002)) return undefined
    this.onMute(station)
    return 'mute'
  }

  diskMs(station: string): number {
    return this.#lasts('disk slow', station) ? this.#chance.between(50, 1_500) : this.#chance.between(0, 3)
  }

  // Postgres

  get postgres(): 'there' | 'away' | 'frozen' {
    return this.#lasts('postgres away') ? 'away' : this.#lasts('postgres frozen') ? 'frozen' : 'there'
  }

  postgresMs(): number {
    return this.#lasts('postgres slow') ? this.#chance.between(0, 4_000) : this.#chance.between(0, 4)
  }

  /** From a commit that was asked for until it has happened. */
  commitMs(isCut: boolean): number {
    // A line that goes down just then is seldom the only thing that is wrong.
    if (isCut) return this.#chance.between(0, 3_000)
    if (!this.#lasts('postgres slow')) return this.#chance.between(0, 2)
    return this.#chance.between(0, this.#chance.happens(0.2) ? 6_000 : 500)
  }

  ofTransaction(what: string): 'cut before' | 'cut after' | 'refused' | undefined {
    const probability = what.startsWith('take over') ? 0.1 : 0.03
    if (this.#strikes('statement cut off', probability)) return 'cut before'
    if (this.#strikes('commit cut off', probability)) return 'cut after'
    // Fewer in a row than a job has attempts: what is refused for good stays, and is not lost.
    if (!what.startsWith('project') || this.#refusals > 3 || !this.#strikes('rows refused', 0.05)) {
      if (what.startsWith('project')) this.#refusals = 0
      return undefined
    }
    this.#refusals++
    return 'refused'
  }

  // The queues and the cache

  get isQueueAway(): boolean {
    return this.#lasts('queue away')
  }

  queueMs(): number {
    return this.#chance.between(0, 3)
  }

  ofQueue(): 'not taken' | 'answer lost' | undefined {
    if (!this.#strikes('queue answer lost', 0.04)) return undefined
    return this.#chance.happens(0.5) ? 'not taken' : 'answer lost'
  }

  lateJobMs(): number {
    return this.#strikes('job late', 0.1) ? this.#chance.between(100, 8_000) : 0
  }

  /** When a job that was done is delivered once more; 0 for never. */
  againMs(): number {
    return this.#strikes('job twice', 0.1) ? this.#chance.between(1, 8_000) : 0
  }

  isDisordered(): boolean {
    return this.#strikes('job out of order', 0.5)
  }

  get isCacheAway(): boolean {
    return this.#lasts('cache away')
  }

  // The process and its clients

  busyShare(): number {
    return this.#lasts('busy') ? 0.9 : 0.1
  }

  isAnswerLost(): boolean {
    return this.#strikes('answer lost', 0.05)
  }

  isSocketCut(): boolean {
    return this.#strikes('socket cut', 0.05)
  }

  socketMs(): number {
    return this.#lasts('socket slow') ? this.#chance.between(100, 1_500) : this.#chance.between(0, 5)
  }

  static isPeriod(kind: FaultName): kind is Period {
    return kind in PERIODS
  }
}
