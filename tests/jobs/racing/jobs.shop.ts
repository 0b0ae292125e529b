// A shop whose facts go all the way: real queues, real Postgres, a journal in memory, and a clock wound by hand.
import { vi } from 'vitest'
import type { Archive } from '../../../src/actors/racing/archive.port.ts'
import type { StationNotes } from '../../../src/actors/racing/station.port.ts'
import type { JournalStore } from '../../../src/db/journal.ts'
import { openJournal } from '../../../src/db/journal.ts'
import { memoryStore } from '../../../src/db/memory.store.ts'
import { connectPostgres, type Sql } from '../../../src/db/postgres.ts'
import { racingStore } from '../../../src/db/racing/racing.store.ts'
import type { RoundCache } from '../../../src/db/racing/round.cache.ts'
import { memoryRoundCache } from '../../../src/db/racing/round.memory.cache.ts'
import { claimStation } from '../../../src/db/racing/station.claim.ts'
import type { Fact } from '../../../src/domain/racing/facts.ts'
import { openQueues } from '../../../src/jobs/bullmq.queues.ts'
import type { QueueStore, Queues } from '../../../src/jobs/queues.ts'
import { CacheDebts } from '../../../src/jobs/racing/cache.debts.ts'
import { RacingJobs } from '../../../src/jobs/racing/racing.jobs.ts'
import { openRacingDatabase, type RacingDatabase } from '../../db/racing/racing.database.ts'
import { Cable } from '../../support/cable.ts'
import { WoundClock } from '../../support/clock.ts'
import { Disk, type FakeArchive, MORNING, Shop } from '../../support/racing.ts'

/** Long enough for a stalled job to be taken up again. */
const PATIENCE_MS = 30_000

export const eventually = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: PATIENCE_MS, interval: 25 })

export type JobsShopOptions = {
  /** Where the queues are, given a Postgres that can be unplugged. */
  readonly storeOf: (cable: Cable) => QueueStore
  readonly cacheOf?: (() => RoundCache) | undefined
  readonly station?: string
}

export class JobsShop {
  readonly database: RacingDatabase
  readonly cable: Cable
  readonly clock = new WoundClock(MORNING)
  readonly cache: RoundCache
  /** Through the cable, as the server's own. */
  readonly sql: Sql
  shop!: Shop
  jobs!: RacingJobs
  queues: Queues | undefined
  /** Attempts of jobs that failed, as "name: why". */
  readonly failures: string[] = []
  readonly discrepancies: [number, readonly string[]][] = []
  /** What the jobs had trouble with, by name. */
  readonly troubles: string[] = []
  readonly #options: JobsShopOptions
  readonly #disk: JournalStore = memoryStore()
  #station!: StationNotes
  /** How often housekeeping looked what is lost since this was set to 0: a measure of time that no test waits for. */
  looks = 0
  /** Added to what the jobs take for now: nobody waits for what is found by waiting. */
  aheadMs = 0

  private constructor(database: RacingDatabase, cable: Cable, options: JobsShopOptions) {
    this.database = database
    this.cable = cable
    this.#options = options
    this.cache = options.cacheOf?.() ?? memoryRoundCache(() => this.clock.now())
    this.sql = connectPostgres(cable.url, 4)
  }

  /** A shop that sells; its jobs do not run yet. */
  static async open(options: JobsShopOptions): Promise<JobsShop> {
    const database = await openRacingDatabase(2)
    const shop = new JobsShop(database, await Cable.to(database.url), options)
    await shop.#begin()
    return shop
  }

  async #begin(): Promise<void> {
    const disk = new Disk(this.#disk)
    const journal = openJournal<Fact>({ store: this.#disk, parse: (row) => row as Fact })
    this.#station ??= await claimStation(journal, this.database.sql, this.#options.station ?? '01')
    const store = racingStore(this.sql)
    const debts = new CacheDebts(store.archive, journal, this.cache)
    const archive = { ...debts.archive, hear: () => {} } satisfies Archive & { hear: unknown }
    this.shop = new Shop({
      disk,
      clock: this.clock,
      archive: archive as unknown as FakeArchive,
      station: this.#station,
    })
    this.jobs = new RacingJobs({
      racing: this.shop.racing,
      journal: this.shop.journal,
      store,
      cacheDebts: debts,
      cache: this.cache,
      now: () => {
        this.looks++
        return this.clock.now() + this.aheadMs
      },
      onTrouble: (what) => this.troubles.push(what),
      onDiscrepancy: (roundId, found) => this.discrepancies.push([roundId, found]),
      onSuperseded: () => {},
    })
    await this.clock.advance(0)
  }

  async startJobs(): Promise<void> {
    this.queues = await openQueues(
      this.#options.storeOf(this.cable),
      () => {},
      (queue, job, error) => this.failures.push(`${queue} ${job}: ${error.message}`),
    )
    await this.jobs.start(this.queues)
  }

  async stopJobs(): Promise<void> {
    await this.jobs.stop()
    this.queues = undefined
  }

  /** The server ends, or dies, and starts again on the same journal; its jobs do not run yet. */
  async restart(): Promise<void> {
    this.shop.racing.stop()
    await this.stopJobs()
    await this.#begin()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async close(): Promise<void> {
    this.shop.racing.stop()
    await this.jobs.stop()
    await this.cache.close()
    await this.sql.end({ timeout: 0 })
    await this.cable.pull()
    await this.database.close()
  }

  /** The queue of that name, to look into. */
  queue(name: 'persist' | 'cache') {
    const queue = this.queues?.boards.find((one) => one.name === name)
    if (!queue) throw new Error('the jobs do not run')
    return queue
  }

  /** Winds until the current round is settled and the next one is open. */
  async race(): Promise<void> {
    await this.shop.windTo('next')
  }

  unstored() {
    return this.jobs.ledger.unstored()
  }

  /** Numbers of the facts of a round that are in Postgres. */
  async stored(roundId: number): Promise<number[]> {
    const rows = await this.database.sql<{ number: number }[]>`
      select number from facts where round_id = ${roundId} order by number`
    return rows.map((row) => row.number)
  }

  /** All facts of a round on disk are in Postgres, and the ledger knows. */
  async allStored(roundId: number): Promise<void> {
    await eventually(async () => {
      const last = this.shop.journal.last(roundId)
      if (this.jobs.ledger.pendingOf(roundId) > 0 || last === 0) throw new Error('not all is stored yet')
      const stored = await this.stored(roundId)
      if (stored.length !== last) throw new Error(`${stored.length} of ${last} facts are stored`)
    })
  }

  /** All facts of a round on disk but one are in Postgres. */
  async allButOne(roundId: number): Promise<void> {
    await eventually(async () => {
      const last = this.shop.journal.last(roundId)
      const stored = await this.stored(roundId)
      if (stored.length !== last - 1) throw new Error(`${stored.length} of ${last} facts are stored`)
    })
    this.looks = 0
  }

  /** The round is retired, and nothing of it is left here. */
  async retired(roundId: number): Promise<void> {
    await eventually(async () => {
      if (this.shop.racing.round(roundId)) throw new Error('its actor still owns the round')
      const [row] = await this.database.sql<{ is_compared: boolean }[]>`
        select retired_at is not null and reconciled_at is not null as is_compared
        from rounds where round_id = ${roundId}`
      if (!row?.is_compared) throw new Error('its rows were not compared with its facts yet')
    })
  }
}
