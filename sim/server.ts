// One server: the product's own parts, put together as src/app.ts does, over simulated stores. It may die at any step;
// what it was made of is then forgotten, and another one is made from what its disk holds.

import * as v from 'valibot'
import type { Clock } from '../src/actors/clock.port.ts'
import { Racing } from '../src/actors/racing/racing.ts'
import type { StationNotes } from '../src/actors/racing/station.port.ts'
import { Unavailable } from '../src/actors/unavailable.port.ts'
import { openJournal } from '../src/db/journal.ts'
import type { RacingStore } from '../src/db/racing/racing.store.ts'
import type { ReceiptFilter } from '../src/db/racing/receipts.queries.ts'
import type { RoundCache } from '../src/db/racing/round.cache.ts'
import type { RoundOpened } from '../src/domain/racing/facts.ts'
import { Fact } from '../src/domain/racing/facts.ts'
import type { Participant } from '../src/domain/racing/odds.ts'
import { receiptNumbers } from '../src/domain/racing/receipt-number.ts'
import { LiveHub } from '../src/http/live-hub.ts'
import { MyBetsCache } from '../src/http/racing/my-bets.cache.ts'
import { listLiveReceipts, listReceipts, type ReceiptPage } from '../src/http/racing/my-bets.list.ts'
import { RacingLive } from '../src/http/racing/racing.live.ts'
import type { Session } from '../src/http/session.ts'
import type { Queues } from '../src/jobs/queues.ts'
import { CacheDebts } from '../src/jobs/racing/cache.debts.ts'
import { RacingJobs } from '../src/jobs/racing/racing.jobs.ts'
import type { Disk } from './disk.ts'
import type { Owner, Scheduler } from './scheduler.ts'

export type Shop = {
  readonly station: StationNotes
  readonly tracks: readonly string[]
  readonly field: readonly Participant[]
  readonly limits: RoundOpened['limits']
  readonly durationsMs: {
    readonly wait: number
    readonly lock: number
    readonly race: number
    readonly results: number
  }
  readonly chainLength: number
}

export type ServerPorts = {
  readonly shop: Shop
  readonly owner: Owner
  readonly scheduler: Scheduler
  readonly clock: Clock
  readonly disk: Disk
  readonly store: RacingStore
  readonly queues: () => Queues
  readonly cache: RoundCache
  readonly randomSecret: () => string
  readonly epoch: string
  readonly sessions: { readonly bySecret: ReadonlyMap<string, Session> }
  /** Something that must not happen, as far as the server can tell. */
  readonly onFault: (fault: unknown) => void
  /** Something that is tried again. */
  readonly onTrouble: (what: string, error: unknown) => void
  readonly onDiscrepancy: (roundId: number, found: readonly string[]) => void
}

/** The tables of a station's numbers are the same in all runs, and take longer to make than a run. */
const tables = new Map<string, (counter: number) => number>()
const numbersOf: typeof receiptNumbers = (station, key) => {
  const name = `${station}/${key}`
  const known = tables.get(name) ?? receiptNumbers(station, key)
  tables.set(name, known)
  return known
}

const RETRY_MS = 1_000
const SLOW_BYTES = 20_000

export type ListAnswer = ReceiptPage & { readonly history: 'complete' | 'unavailable' }

export class Server {
  readonly owner: Owner
  readonly racing: Racing
  readonly jobs: RacingJobs
  readonly hub: LiveHub
  readonly journal: ReturnType<typeof openJournal<Fact>>
  readonly #ports: ServerPorts
  readonly #answers: MyBetsCache

  constructor(ports: ServerPorts) {
    this.#ports = ports
    this.owner = ports.owner
    const { shop, clock, store, cache, onFault, onTrouble } = ports
    this.journal = openJournal<Fact>({
      store: ports.disk.mount(ports.owner),
      parse: (row) => v.parse(Fact, row),
    })
    const { journal } = this
    const cacheDebts = new CacheDebts(store.archive, journal, cache)
    this.racing = new Racing({
      ...shop,
      receiptNumbers: numbersOf,
      journal,
      archive: cacheDebts.archive,
      clock,
      randomSecret: ports.randomSecret,
      onFault,
    })
    const { racing } = this
    this.jobs = new RacingJobs({
      racing,
      journal,
      store,
      cache,
      cacheDebts,
      now: () => clock.now(),
      onTrouble,
      onSuperseded: () => onFault(new Error('the station was claimed by another')),
      onDiscrepancy: ports.onDiscrepancy,
      // So that whether the counter is busy follows from the share of time at work, which the seed decides.
      manyFacts: 0,
    })
    this.hub = new LiveHub({
      epoch: ports.epoch,
      tracks: shop.tracks,
      sessions: {
        verify: async (secret) => ports.sessions.bySecret.get(secret),
        isCurrent: () => true,
      },
      clock,
      limits: { slowBytes: SLOW_BYTES, historyMessages: 64, pingMs: 10_000 },
      onFault,
    })
    const live = new RacingLive({ hub: this.hub, racing, clock })
    racing.listenArchive((paid) => live.publishPaid(paid))
    this.#answers = new MyBetsCache(() => clock.now())
    racing.listen((heard) => this.#answers.hear(heard))
    racing.listenArchive((paid) => this.#answers.drop(paid.by))
  }

  start(): void {
    this.racing.start()
    void this.#startJobs()
  }

  /** A page of `my-bets`, as its route answers it. */
  async list(
    reader: number | undefined,
    filter: ReceiptFilter,
    offset: number,
    limit: number,
  ): Promise<ListAnswer> {
    const { racing } = this
    const of = { offset, limit }
    const body = await this.#answers.answer(reader, JSON.stringify([filter, of]), async () => {
      let answer: ListAnswer
      try {
        answer = { ...(await listReceipts(racing, this.#ports.store.lists, filter, of)), history: 'complete' }
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error
        answer = { ...(await listLiveReceipts(racing, filter, of)), history: 'unavailable' }
      }
      return { body: JSON.stringify(answer), mayKeep: answer.history === 'complete' }
    })
    return JSON.parse(body) as ListAnswer
  }

  async #startJobs(): Promise<void> {
    const { scheduler, owner, queues, onTrouble } = this.#ports
    for (;;) {
      try {
        return await this.jobs.start(queues())
      } catch (error) {
        onTrouble('the background jobs wait for their stores', error)
        await new Promise<void>((resolve) => scheduler.at(RETRY_MS, 'jobs try again', resolve, owner))
      }
    }
  }
}
