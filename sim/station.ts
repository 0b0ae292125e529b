// A station of the network: a server that dies and comes back, and what outlives it.

import { Unavailable } from '../src/actors/unavailable.port.ts'
import { CacheAway, type RoundCache } from '../src/db/racing/round.cache.ts'
import { memoryRoundCache } from '../src/db/racing/round.memory.cache.ts'
import type { Fact } from '../src/domain/racing/facts.ts'
import { canonical } from './canonical.ts'
import { Disk } from './disk.ts'
import { Injected, isInjected } from './injected.ts'
import { twinStore } from './postgres.twin.ts'
import { QueueStore } from './queue.twin.ts'
import type { Reply } from './request.ts'
import { type Owner, type Task, WORLD } from './scheduler.ts'
import { Server, type Shop } from './server.ts'
import type { World } from './world.ts'

/** A crash is more probable just after steps of which something hangs. */
const TICKLISH = /take over|remove|owned|disk commit|Pay|brings facts/

export class Station {
  readonly name: string
  readonly shop: Shop
  readonly disk: Disk
  readonly queues: QueueStore
  /** Whether its queues and its cache are on Redis: that cache outlives the server, and others share it. */
  readonly isOnRedis: boolean
  cache!: RoundCache
  server: Server | undefined
  /** What its clock shows besides the time of the run. */
  skewMs = 0
  /** The latest time that its clock ever showed. */
  latestMs = 0
  starts = 0
  readonly #world: World
  /** Who waits for an answer, or listens, and is cut off when the server dies. */
  readonly #callers = new Set<() => void>()

  constructor(world: World, shop: Shop, isOnRedis: boolean) {
    this.#world = world
    this.shop = shop
    this.name = shop.station.number
    const { scheduler, faults, history } = world
    this.disk = new Disk(this.name, scheduler, world.chance(`disk ${this.name}`), faults, history)
    this.queues = new QueueStore(this.name, scheduler, world.chance(`queue ${this.name}`), faults)
    this.isOnRedis = isOnRedis
  }

  now(): number {
    const now = this.#world.dayMs() + this.skewMs
    if (now > this.latestMs) this.latestMs = now
    return now
  }

  boot(): void {
    const world = this.#world
    const owner: Owner = { name: `server ${this.name}.${++this.starts}`, isAlive: true }
    world.scheduler.owner = owner
    const ask = world.postgresLine.connect(owner)
    this.cache = this.#mountCache()
    try {
      this.server = new Server({
        shop: this.shop,
        owner,
        scheduler: world.scheduler,
        clock: {
          now: () => this.now(),
          setTimeout: (fn, ms) => world.scheduler.at(Math.max(0, ms), 'clock', fn, owner, 'timer'),
          clearTimeout: (timer) => timer && world.scheduler.cancel(timer as Task),
        },
        disk: this.disk,
        store: twinStore(world.tables, ask),
        queues: () => this.queues.connect(owner),
        cache: this.cache,
        randomSecret: () => world.newSecret(),
        epoch: `epoch-${owner.name}`,
        sessions: world,
        onFault: (fault) => world.fault(fault, `a fault in ${owner.name}`),
        onTrouble: (what, error) => world.fault(error, what),
        onDiscrepancy: (roundId, found) =>
          world.verdict.check('S8', false, () => [
            `rows and facts of round ${roundId} differ: ${found}`,
            roundId,
          ]),
      })
      this.#listen(this.server)
      this.server.start()
    } catch (error) {
      world.fault(error, `${owner.name} could not start`)
    }
  }

  /** Dies at this very step. Nobody hears of it but by the silence. */
  crash(): void {
    const { server } = this
    if (!server) return
    const world = this.#world
    world.faults.count('crash')
    world.trace.add(`${world.scheduler.nowMs} crash of ${server.owner.name}`)
    server.owner.isAlive = false
    this.server = undefined
    this.disk.crash()
    this.queues.crash()
    for (const lose of [...this.#callers]) lose()
    this.#callers.clear()
    const chance = world.chance(`crash ${this.name}`)
    const awayMs = chance.happens(0.2) ? chance.between(1_000, 15_000) : chance.between(20, 1_000)
    world.scheduler.at(awayMs, `start of ${this.name}`, () => this.boot(), WORLD)
  }

  /** Whether the process dies before this step of its own. */
  mayCrashAt(task: Task): boolean {
    const world = this.#world
    if (task.owner !== this.server?.owner || !world.faults.has('crash') || this.starts > 12) return false
    const probability = TICKLISH.test(task.label) ? 0.004 : 0.0004
    return world.crashChance.happens(probability * world.faults.plan.severity)
  }

  /** Asks the server something. The answer comes back, or the news that there will be none. */
  ask<T>(what: string, work: (server: Server) => Promise<T>): Promise<Reply<T>> {
    const { scheduler, faults } = this.#world
    const chance = this.#world.networkChance
    return new Promise((resolve) => {
      const tell = (reply: Reply<T>): void => {
        scheduler.at(chance.between(0, 4), `${what} ${reply.kind}`, () => resolve(reply), WORLD)
      }
      const arrive = (): void => {
        const { server } = this
        if (!server) return tell({ kind: 'unreachable' })
        const lose = (): void => tell({ kind: 'lost' })
        this.#callers.add(lose)
        const end = (reply: Reply<T>): void => {
          this.#callers.delete(lose)
          tell(faults.isAnswerLost() ? { kind: 'lost' } : reply)
        }
        const run = (): void => {
          work(server).then(
            (answer) => end({ kind: 'answered', answer }),
            (error: unknown) => {
              if (!(error instanceof Unavailable)) this.#world.fault(error, what)
              end({ kind: 'unavailable' })
            },
          )
        }
        scheduler.at(0, what, run, server.owner)
      }
      scheduler.at(chance.between(0, 4), `${what} sent`, arrive, WORLD)
    })
  }

  /** How many wait for an answer. */
  get waiting(): number {
    return this.#callers.size
  }

  onCrash(lose: () => void): () => void {
    this.#callers.add(lose)
    return () => this.#callers.delete(lose)
  }

  #listen(server: Server): void {
    const { verdict, history } = this.#world
    const heard = new Map<number, number>()
    for (const round of server.racing.rounds()) heard.set(round.id, round.factCount)
    server.racing.listen(({ roundId, number, fact }) => {
      const written = history.rounds.get(roundId)?.[number - 1]
      verdict.check('S14', written?.json === canonical(fact), () => [
        `fact ${number} of round ${roundId} was heard (${fact.type}), and is not so on disk`,
        roundId,
      ])
      verdict.check('S14', (heard.get(roundId) ?? 0) + 1 === number, () => [
        `fact ${number} of round ${roundId} was heard after fact ${heard.get(roundId) ?? 0}`,
        roundId,
      ])
      heard.set(roundId, number)
    })
    // The time of decision, by the clock of the run: when the fact is handed to the journal.
    const { append } = server.journal
    server.journal.append = (entry, done) => {
      for (const fact of entry.facts) this.#judgeTime(entry.stream, fact)
      append(entry, done)
    }
  }

  #judgeTime(roundId: number, fact: Fact): void {
    const { verdict, history } = this.#world
    const now = this.now()
    verdict.check('S4', fact.at === now, () => [`a fact says ${fact.at} and was decided at ${now}`, roundId])
    const opened = history.rounds.get(roundId)?.[0]?.fact
    if (opened?.type !== 'RoundOpened') return
    if (fact.type === 'ReceiptSold' || fact.type === 'ReceiptCancelled')
      verdict.check('S4', now < opened.locksAt, () => [
        `${fact.type} ${fact.id} was decided at ${now}, and betting locked at ${opened.locksAt}`,
        fact.id,
        roundId,
      ])
    verdict.check('S16', fact.type !== 'RoundVoided' || now < opened.endsAt, () => [
      `voided at ${now}, when the race was over: ${opened.endsAt}`,
      roundId,
    ])
    const due = { BettingLocked: opened.locksAt, RaceStarted: opened.startsAt, RoundSettled: opened.endsAt }
    const dueAt = due[fact.type as keyof typeof due]
    verdict.check('S16', dueAt === undefined || now >= dueAt, () => [
      `${fact.type} at ${now}, due at ${dueAt}`,
      roundId,
    ])
  }

  #mountCache(): RoundCache {
    if (!this.isOnRedis) return memoryRoundCache(() => this.now())
    const { faults, redisCache } = this.#world
    const there = async <T>(answer: () => Promise<T>): Promise<T> => {
      if (faults.isCacheAway) throw new CacheAway(new Injected('the cache is away'))
      return answer()
    }
    return {
      open: (id) => there(() => redisCache.open(id)),
      change: (id, changes) => there(() => redisCache.change(id, changes)),
      has: (...asked) => there(() => redisCache.has(...asked)),
      settle: (...asked) => there(() => redisCache.settle(...asked)),
      drop: (id) => there(() => redisCache.drop(id)),
      read: (id) => there(() => redisCache.read(id)),
      close: async () => {},
    }
  }
}

/** Whether an error is the work of the simulation, or says only that something is away. */
export const isExpected = (error: unknown): boolean =>
  isInjected(error) || error instanceof Unavailable || error instanceof CacheAway
