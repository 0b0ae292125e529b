// All that there is in a run, and what happens to it by itself.

import { memoryRoundCache } from '../src/db/racing/round.memory.cache.ts'
import type { Person } from '../src/domain/racing/decide.ts'
import { DEFAULT_FIELD } from '../src/domain/racing/field.ts'
import { priceField } from '../src/domain/racing/odds.ts'
import type { Session } from '../src/http/session.ts'
import { Chance } from './chance.ts'
import { type FaultName, Faults, planFaults } from './faults.ts'
import { History } from './history.ts'
import { Judge } from './judge.ts'
import { planVoids } from './manager.ts'
import { PostgresLine } from './postgres.line.ts'
import { PostgresTables } from './postgres.tables.ts'
import { Scheduler, WORLD } from './scheduler.ts'
import type { Screen } from './screen.ts'
import { Secrets } from './secrets.ts'
import { isExpected, Station } from './station.ts'
import type { Trace } from './trace.ts'
import { Verdict } from './verdict.ts'

/** A day that begins some hours before: no date changes within a run. */
const MORNING = Date.UTC(2026, 0, 5, 8)
const CHAIN_LENGTH = 6
const KEY = '5e'.repeat(32)
/** Ids of rounds of the second station begin here, as Postgres gives blocks of them to journals. */
const ROUND_BLOCK = 100_000_000

export const ADMIN_ID = 1

export class World {
  readonly seed: number
  readonly trace: Trace
  readonly verdict = new Verdict()
  readonly scheduler: Scheduler
  readonly faults: Faults
  readonly history: History
  readonly secrets: Secrets
  readonly tables: PostgresTables
  readonly postgresLine: PostgresLine
  readonly judge: Judge
  readonly stations: Station[] = []
  readonly bySecret = new Map<string, Session>()
  readonly crashChance: Chance
  readonly networkChance: Chance
  /** How long people sell and things go wrong. */
  readonly activeMs: number
  readonly admin: Person = { id: ADMIN_ID, admin: true }
  screens: readonly Screen[] = []
  /** The cache of the stations that have a Redis: it is one for all, and outlives them. */
  readonly redisCache = memoryRoundCache(() => this.dayMs())
  readonly #chances = new Map<string, Chance>()
  readonly #published = new Map<string, string>()
  #requests = 0

  constructor(seed: number, trace: Trace) {
    this.seed = seed
    this.trace = trace
    const chance = this.chance('plan')
    this.scheduler = new Scheduler(this.chance('turns'))
    this.faults = new Faults(planFaults(chance), this.chance('faults'), () => this.scheduler.nowMs)
    this.history = new History(this.verdict)
    this.secrets = new Secrets(this.verdict, CHAIN_LENGTH)
    this.history.onWrite = (roundId, fact) => this.secrets.write(roundId, fact)
    this.tables = new PostgresTables(() => this.dayMs())
    this.postgresLine = new PostgresLine(this.scheduler, this.chance('postgres'), this.faults)
    this.judge = new Judge(this.verdict, this.history, this.tables, this.secrets)
    this.crashChance = this.chance('crash')
    this.networkChance = this.chance('network')
    this.activeMs = chance.between(20_000, 45_000)
    const count = chance.happens(0.35) ? 2 : 1
    const isOnRedis = chance.happens(0.5)
    for (let i = 0; i < count; i++) this.stations.push(this.#newStation(chance, i, isOnRedis))
    this.faults.jobFailed = (error) => this.fault(error, 'a job failed')
    this.faults.onMute = (name) => this.#killLater(name)
    this.scheduler.beforeStep = (task) => {
      this.trace.add(`${this.scheduler.nowMs} ${task.owner.name} ${task.label}`)
      for (const station of this.stations) {
        if (!station.mayCrashAt(task)) continue
        station.crash()
        return false
      }
      return true
    }
  }

  /** A stream of chance that has this name. */
  chance(name: string): Chance {
    let chance = this.#chances.get(name)
    if (!chance) {
      chance = new Chance(this.seed, name)
      this.#chances.set(name, chance)
    }
    return chance
  }

  /** Milliseconds since 1970, on a clock that nobody sets. */
  dayMs(): number {
    return MORNING + this.scheduler.nowMs
  }

  nextRequest(): number {
    return ++this.#requests
  }

  /** A message of a stream is the same for everybody. */
  sameForAll(name: string, text: string): void {
    const before = this.#published.get(name)
    this.verdict.check('S10', before === undefined || before === text, () => [
      `${name} was ${before} for one and ${text} for another`,
    ])
    this.#published.set(name, text)
  }

  newSecret(): string {
    const secret = this.chance('secrets').hex(32)
    this.secrets.add(secret)
    return secret
  }

  /** An error reached those who hear of errors: either it was made here, or it is a finding. */
  fault(error: unknown, where: string): void {
    this.trace.add(`${this.scheduler.nowMs} trouble: ${where}: ${(error as Error)?.message}`)
    this.verdict.check('S17', isExpected(error), () => [
      `${where}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    ])
  }

  /** Begins: servers start, and from time to time something goes wrong. */
  begin(): void {
    for (const station of this.stations) station.boot()
    this.scheduler.owner = WORLD
    this.#plan()
    planVoids(this)
  }

  #newStation(chance: Chance, index: number, isOnRedis: boolean): Station {
    const lock = chance.between(1_000, 3_000)
    return new Station(
      this,
      {
        station: {
          number: `0${index + 1}`,
          key: KEY,
          firstReceipt: 0,
          firstRound: index * ROUND_BLOCK + 1,
        },
        tracks: chance.happens(0.3) ? ['main', 'second'] : ['main'],
        field: priceField(DEFAULT_FIELD, 0.88),
        limits: { minStake: 100, maxStake: 1_000_000, maxExposure: chance.pick([60_000, 50_000_000]) },
        durationsMs: {
          wait: lock + chance.between(3_000, 9_000),
          lock,
          race: chance.between(1_000, 4_000),
          results: chance.between(500, 2_000),
        },
        chainLength: CHAIN_LENGTH,
      },
      isOnRedis,
    )
  }

  /** A server whose disk never answers is killed by somebody, after a while. */
  #killLater(name: string): void {
    const station = this.stations.find((one) => one.name === name)!
    const { server } = station
    this.scheduler.at(
      this.chance('faults').between(200, 6_000),
      `somebody kills ${name}`,
      () => {
        if (station.server === server) station.crash()
      },
      WORLD,
    )
  }

  #plan(): void {
    const chance = this.chance('faults')
    for (const kind of this.faults.plan.kinds) {
      const times = Faults.isPeriod(kind) ? chance.between(1, 2) : OCCASIONS[kind] ? chance.between(1, 3) : 0
      for (let i = 0; i < times; i++)
        this.scheduler.at(
          chance.between(0, this.activeMs),
          `fault ${kind}`,
          () => this.#strike(kind, chance),
          WORLD,
        )
    }
  }

  #strike(kind: FaultName, chance: Chance): void {
    if (this.faults.isOver) return
    const station = chance.pick(this.stations)
    if (Faults.isPeriod(kind)) return this.faults.begin(kind, kind.startsWith('disk') ? station.name : '')
    this.faults.count(kind)
    OCCASIONS[kind]!(this, station, chance)
  }
}

/** Faults that happen at one moment. */
const OCCASIONS: Partial<Record<FaultName, (world: World, station: Station, chance: Chance) => void>> = {
  'queue lost': (world) => {
    // Where the queues are on Redis, the cache is too. On Postgres they are lost with all that there is, or not at all.
    for (const { queues, isOnRedis } of world.stations) if (isOnRedis) queues.lose()
    for (const id of world.history.rounds.keys()) void world.redisCache.drop(id)
  },
  'cache forgets': (world, station, chance) => {
    const ids = [...world.history.rounds.keys()]
    if (ids.length > 0) void station.cache.drop(chance.pick(ids))
  },
  'clock forward': (_world, station, chance) => {
    station.skewMs += chance.happens(0.1) ? chance.between(60_000, 600_000) : chance.between(10, 8_000)
  },
  'clock back': (_world, station, chance) => {
    station.skewMs -= chance.between(10, 8_000)
  },
  'socket cut': (world, _station, chance) => {
    if (world.screens.length > 0) chance.pick(world.screens).cut()
  },
  stall: (world, _station, chance) => world.scheduler.stall(chance.between(20, 3_000)),
}
