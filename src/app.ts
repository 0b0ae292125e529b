import { randomBytes, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Hono } from 'hono'
import type { Logger } from 'pino'
import type { Clock } from './actors/clock.port.ts'
import { Racing } from './actors/racing/racing.ts'
import type { Config } from './config.ts'
import { createFirstAccounts, type FirstAccount } from './db/accounts/first-accounts.ts'
import { loadSecret } from './db/accounts/secret.file.ts'
import { UsersDirectory } from './db/accounts/users.directory.ts'
import { concludeRetries, jobRetries, recordRetries } from './db/job-retries.queries.ts'
import { openJournal } from './db/journal.ts'
import { openSoundLmdbStore } from './db/lmdb.store.ts'
import { clockAhead, freeBytes } from './db/machine.queries.ts'
import { isMigrated, migrate } from './db/migrate.ts'
import { asking, connectPostgres, isPassing } from './db/postgres.ts'
import { factsOfReceipt, searchReceipts } from './db/racing/audit.queries.ts'
import { retiredDay } from './db/racing/cashier-day.queries.ts'
import { handedOutByDay, searchRounds, sumsByDay } from './db/racing/figures.queries.ts'
import { readRounds } from './db/racing/journal.rounds.ts'
import { racingStore } from './db/racing/racing.store.ts'
import { memoryRoundCache } from './db/racing/round.memory.cache.ts'
import { retiredRound, retiredRoundCount, retiredRounds, retiredStakes } from './db/racing/rounds.queries.ts'
import { claimStation } from './db/racing/station.claim.ts'
import { type Fact, toFact } from './domain/racing/facts.ts'
import { hashingOfRuntime } from './hashing.ts'
import { accountsRoutes } from './http/accounts/accounts.routes.ts'
import { createLoginLimiter } from './http/accounts/login.limiter.ts'
import { createPasswords } from './http/accounts/passwords.ts'
import { createTokens } from './http/accounts/tokens.ts'
import { addressesBehind, networkOf } from './http/client-address.ts'
import { docsRoutes } from './http/docs.routes.ts'
import { admit, describeFault, notFound, onError } from './http/guard.ts'
import { healthRoutes } from './http/health.routes.ts'
import { homePage } from './http/home.page.ts'
import { jobBoard } from './http/job-board.ts'
import { mountLive } from './http/live.routes.ts'
import { LiveHub } from './http/live-hub.ts'
import { createMetrics } from './http/metrics.ts'
import { auditRoutes } from './http/racing/audit.routes.ts'
import { controlRoutes } from './http/racing/control.routes.ts'
import { failedJobsRoutes } from './http/racing/failed-jobs.routes.ts'
import { figuresRoutes } from './http/racing/figures.routes.ts'
import { initRoutes } from './http/racing/init.routes.ts'
import { myBetsRoutes } from './http/racing/my-bets.routes.ts'
import { myDayRoutes } from './http/racing/my-day.routes.ts'
import { opsRoutes } from './http/racing/ops.routes.ts'
import { racingFigures } from './http/racing/racing.figures.ts'
import { RacingLive } from './http/racing/racing.live.ts'
import { receiptPages } from './http/racing/receipts.pages.ts'
import { receiptsRoutes } from './http/racing/receipts.routes.ts'
import { roundsRoutes } from './http/racing/rounds.routes.ts'
import { sellByMessage } from './http/racing/sell.command.ts'
import { shopRoutes } from './http/racing/shop.routes.ts'
import { limitedSessions } from './http/rate-limit.ts'
import { signInPage } from './http/sign-in.page.ts'
import { watchersOnly } from './http/watchers.ts'
import { webRoutes } from './http/web.routes.ts'
import { AlarmWatch } from './jobs/alarms.ts'
import { MachineWatch } from './jobs/machine.watch.ts'
import { CacheDebts } from './jobs/racing/cache.debts.ts'
import { FailedJobs } from './jobs/racing/failed.jobs.ts'
import { RacingJobs } from './jobs/racing/racing.jobs.ts'
import { Webhook } from './jobs/webhook.ts'
import { keepTrying, onceInAWhile, untilAnswered, within } from './patience.ts'

// The composition root: every module is named here and nowhere else, and is handed what it needs.

const TOKEN_LIFETIME_MS = 12 * 3_600_000
const POSTGRES_CONNECTIONS = 8
/** A question about many days, or about all of a large round. */
const SLOW_ANSWER_LIMIT_MS = 25_000
/** What is not handed over by then is handed over at the next start. */
const JOBS_STOP_LIMIT_MS = 8_000
const SHOP_NAME = 'Galop'
/** Where the build left the pages: beside this file, or of the last build where the sources run unbuilt. */
const WEB_DIRECTORY = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../dist/web' : './web', import.meta.url),
)

export type AppOptions = {
  readonly config: Config
  /** A promise of a Postgres that is still starting. */
  readonly databaseUrl: string | Promise<string>
  readonly dataDirectory: string
  readonly version: string
  readonly clock: Clock
  readonly log: Logger
  /** Shows accounts that were just made, with the passwords that were made for them. */
  readonly announceAccounts: (accounts: readonly FirstAccount[]) => void
  /** Tells the person at the terminal. */
  readonly say: (line: string) => void
}

export type App = {
  readonly fetch: Hono['fetch']
  readonly websocket: ReturnType<typeof mountLive>
  /** All that is registered, so that a test can see that it knows each. */
  routes(): Promise<readonly { readonly method: string; readonly path: string }[]>
  /** Sets the rounds going. */
  start(): void
  /** Tells the sockets to come back later. */
  drain(): Promise<void>
  /** Waits for what is under way and closes the stores. */
  close(): Promise<void>
}

/** Opens the stores and builds the program. A journal that is new waits for Postgres; later starts do not. */
export const openApp = async (options: AppOptions): Promise<App> => {
  const { config, dataDirectory, version, clock, log, say, announceAccounts } = options
  const now = () => clock.now()
  const startedAt = now()
  const trouble = onceInAWhile(now, (what, error) => log.warn({ fault: describeFault(error) }, what))

  // Stores
  const journalDirectory = join(dataDirectory, 'journal')
  // Postgres is greeted while the journal is read. Nothing is changed in it for a journal that is refused.
  const greeting = greetPostgres(options.databaseUrl)
  greeting.catch(() => {})
  const liveRounds = await readRounds(journalDirectory)
  const journal = openJournal<Fact>({
    store: openSoundLmdbStore(journalDirectory),
    parse: toFact,
    onFailure: (error) =>
      log.error({ fault: describeFault(error) }, 'the journal cannot write; nothing is sold'),
    onRecovery: () => log.info('the journal writes again'),
  })
  const isNew = journal.note('station') === undefined
  const { databaseUrl, sql, isUpToDate } = await greeting
  if (isNew)
    await untilAnswered(
      () => migrate(sql),
      isPassing,
      (error) =>
        say(`waiting for Postgres, which a first start needs (${(error as { code?: string }).code})`),
    )
  const station = await claimStation(journal, sql, config.station)
  const cache = config.cacheRedisUrl
    ? (await import('./db/racing/round.redis.cache.ts')).redisRoundCache(config.cacheRedisUrl, (error) =>
        trouble('the cache is away', error),
      )
    : memoryRoundCache(now)

  // Accounts
  const directory = new UsersDirectory({ sql, directory: dataDirectory, clock, onTrouble: trouble })
  if (!isNew)
    try {
      if (!(await isUpToDate)) await migrate(sql)
    } catch (error) {
      if (!isPassing(error)) throw error
      trouble('Postgres is not there yet', error)
    }
  await directory.start()
  const passwords = createPasswords()
  const tokens = createTokens({
    secret: await loadSecret(dataDirectory, config.jwtSecret),
    lifetimeMs: TOKEN_LIFETIME_MS,
    directory,
    now,
  })
  const { adminPassword, cashierPassword } = config
  const firstAccounts = () =>
    createFirstAccounts({ directory, hash: passwords.hash, dataDirectory, adminPassword, cashierPassword })
  if (isNew) announceAccounts(await firstAccounts())
  const limiter = createLoginLimiter(config.loginLimitPerMinute)
  const addressOf = addressesBehind(networkOf(config.trustedProxies))
  const sessions = limitedSessions(tokens, config.rateLimitPerMinute, addressOf)

  // Racing
  const store = racingStore(sql)
  const cacheDebts = new CacheDebts(store.archive, journal, cache)
  const racing = new Racing({
    tracks: config.tracks,
    station,
    field: config.field,
    limits: config.limits,
    durationsMs: config.durationsMs,
    journal,
    rounds: liveRounds,
    archive: cacheDebts.archive,
    clock,
    randomSecret: () => randomBytes(32).toString('hex'),
    hashing: hashingOfRuntime,
    onFault: (fault) => log.error({ fault: describeFault(fault) }, 'a listener of racing met a fault'),
  })
  const jobs = new RacingJobs({
    racing,
    journal,
    store,
    cache,
    cacheDebts,
    now,
    onTrouble: trouble,
    onSuperseded: () => log.error('another data directory has claimed this station number'),
    onDiscrepancy: (roundId, found) => log.error({ roundId, found }, 'rows and facts of a round differ'),
  })

  // Sockets
  const hub = new LiveHub({
    epoch: randomUUID(),
    tracks: config.tracks,
    sessions: tokens,
    clock,
    limits: { socketsPerAddress: config.connectionsPerAddress },
    countRequest: (session) => sessions.countUser(session),
    onFault: (fault, id) =>
      log.error({ ...(id && { id }), fault: describeFault(fault) }, 'a socket met a fault'),
  })
  hub.addCommand(sellByMessage(racing))
  const live = new RacingLive({ hub, racing, clock })
  racing.listenArchive((paid) => live.publishPaid(paid))

  // Routes
  const machine = new MachineWatch({
    freeBytes: () => freeBytes(dataDirectory),
    clockAhead: () => asking(() => clockAhead(sql, now)),
    now,
    steadyMs: () => performance.now(),
    bounds: { freeBytes: config.alerts.diskFreeBytes, clockMs: config.alerts.clockMs },
    onError: (error) => trouble('the machine could not be looked at', error),
  })
  const figures = racingFigures({
    racing,
    journal,
    jobs,
    live: () => hub.figures(),
    pingPostgres: () => asking(() => sql`select 1`),
    machine: () => machine.last,
    now,
  })
  const { webhookUrl } = config.alerts
  const webhook =
    webhookUrl === undefined ? undefined : new Webhook({ url: webhookUrl, now, onTrouble: trouble })
  const alarms = new AlarmWatch({
    look: async () => {
      await machine.look()
      return figures.look()
    },
    now,
    tell: (told) => webhook?.send(randomUUID(), { ...told, station: config.station, version }),
    onError: (error) => trouble('the alarms could not be looked at', error),
  })
  const metrics = createMetrics(figures.gauges)
  racing.listen(({ fact }) => metrics.countFact(fact.type))
  const board = jobBoard(tokens, config.isDemonstration)
  const nameOf = (id: number) => directory.byId(id)?.name
  const pages = receiptPages({
    shop: SHOP_NAME,
    station: config.station,
    currency: config.currency,
    timeZone: config.timeZone,
    publicUrl: config.publicUrl,
    isDemonstration: config.isDemonstration,
    nameOf,
    now,
  })

  const receipts = receiptsRoutes({ racing, sessions, pages, nameOf })
  const app = new Hono()
  // The counter has a router of its own: all routes together need one that takes its time to find a path.
  const counter = new Hono()
  for (const one of [app, counter]) {
    one.onError(onError(log))
    one.notFound(notFound(app))
  }
  app.use(metrics.measure)
  counter.route('/api/v1', receipts)
  const atCounter = metrics.measured('/api/v1/receipts/', counter.fetch)
  const api = new Hono()
  api.route('/', receipts)
  api.route(
    '/',
    myBetsRoutes({ racing, archive: store.lists, sessions, timeZone: config.timeZone, nameOf, now }),
  )
  const { timeZone } = config
  const cashierDay = (...asked: DropFirst<typeof retiredDay>) => asking(() => retiredDay(sql, ...asked))
  api.route('/', myDayRoutes({ racing, archive: cashierDay, sessions, timeZone, now }))
  api.route('/', shopRoutes(sessions, { ...config, name: SHOP_NAME }))
  api.route('/', initRoutes({ racing, sessions, now }))
  const rounds = {
    one: (id: number) => asking(() => retiredRound(sql, id)),
    page: (...asked: DropFirst<typeof retiredRounds>) => asking(() => retiredRounds(sql, ...asked)),
    count: (track: string) => asking(() => retiredRoundCount(sql, track)),
    stakes: (roundId: number) => asking(() => retiredStakes(sql, roundId)),
  }
  api.route('/', roundsRoutes({ racing, archive: rounds, cache, sessions, now }))
  api.route('/', controlRoutes({ racing, archive: rounds, sessions }))
  const search = (...asked: DropFirst<typeof searchReceipts>) => asking(() => searchReceipts(sql, ...asked))
  api.route(
    '/',
    figuresRoutes({
      racing,
      archive: {
        days: {
          sums: (bounds) => asking(() => sumsByDay(sql, bounds), SLOW_ANSWER_LIMIT_MS),
          handedOut: (bounds) => asking(() => handedOutByDay(sql, bounds), SLOW_ANSWER_LIMIT_MS),
        },
        rounds: (...asked) => asking(() => searchRounds(sql, ...asked)),
        receipts: search,
      },
      sessions,
      currency: config.currency,
      timeZone: config.timeZone,
      nameOf,
      now,
    }),
  )
  api.route(
    '/',
    auditRoutes({
      racing,
      journal,
      archive: {
        receipts: search,
        facts: (roundId, id) => asking(() => factsOfReceipt(sql, roundId, id), SLOW_ANSWER_LIMIT_MS),
      },
      sessions,
      timeZone: config.timeZone,
      nameOf,
    }),
  )
  api.route(
    '/',
    opsRoutes(sessions, figures.persistence, () => alarms.current()),
  )
  const failed = new FailedJobs({
    queues: () => jobs.queues,
    journal,
    record: {
      ask: (asked) => asking(() => recordRetries(sql, config.station, asked)),
      conclude: (results) => asking(() => concludeRetries(sql, results)),
      list: (...asked) => asking(() => jobRetries(sql, config.station, ...asked)),
    },
    now,
  })
  api.route('/', failedJobsRoutes({ failed, sessions, nameOf }))
  api.route('/', accountsRoutes({ directory, tokens, sessions, passwords, limiter, addressOf, now, log }))
  app.route('/api/v1', api)
  app.route(
    '/',
    healthRoutes({
      metrics,
      watchers: watchersOnly(config.metricsFrom, config.trustedProxies, tokens),
      isSelling: figures.isSelling,
      checks: figures.checks,
      version,
      startedAt,
      now,
    }),
  )
  const websocket = mountLive(app, {
    hub,
    addressOf,
    sessionOf: async (c) => {
      const admission = await admit(c, tokens)
      return typeof admission === 'string' ? undefined : admission
    },
  })
  app.route('/', board.app)
  app.route('/', homePage(config.tracks, config.isDemonstration))
  app.route('/', signInPage(config.isDemonstration))
  app.route('/', docsRoutes(app, version, config.isDemonstration))
  app.route('/', webRoutes(WEB_DIRECTORY))

  // What follows: in the background, as soon as its stores are there.
  let isClosing = false
  let opening = Promise.resolve()
  const openJobs = async (): Promise<void> => {
    await migrate(sql)
    if (directory.all().length === 0) announceAccounts(await firstAccounts())
    if (isClosing) return
    const store = config.redisUrl
      ? { redisUrl: config.redisUrl, station: config.station }
      : { postgresUrl: databaseUrl, station: config.station }
    const { openQueues } = await import('./jobs/bullmq.queues.ts')
    const queues = await openQueues(
      store,
      (error) => trouble('the queues have trouble', error),
      (queue, job, error) => trouble(`an attempt of job ${job} in queue ${queue} failed`, error),
    )
    if (isClosing) return queues.close()
    try {
      await jobs.start(queues)
    } catch (error) {
      await queues.close()
      throw error
    }
    board.show(queues.boards).catch((error) => trouble('the job dashboard could not be loaded', error))
  }

  return {
    fetch: (request, ...rest) =>
      isAtCounter(request.url) ? atCounter(request, ...rest) : app.fetch(request, ...rest),
    websocket,
    routes: async () => [...app.routes, ...counter.routes, ...(await board.routes())],
    start: () => {
      racing.start()
      alarms.start()
      void keepTrying(
        () => {
          opening = openJobs()
          return opening
        },
        () => isClosing,
        (error) => trouble('the background jobs wait for their stores', error),
      )
    },
    drain: async () => {
      isClosing = true
      await hub.close()
    },
    close: async () => {
      racing.stop()
      live.stop()
      const stores = [
        () => alarms.stop(),
        async () => webhook?.stop(),
        // Queues that are still being opened close themselves, before Postgres goes.
        () =>
          within(
            opening.catch(() => {}),
            JOBS_STOP_LIMIT_MS,
          ),
        () => within(jobs.stop(), JOBS_STOP_LIMIT_MS),
        () => journal.close(),
        () => directory.stop(),
        () => cache.close(),
        () => sql.end({ timeout: 2 }),
      ]
      for (const close of stores) await close().catch((error) => trouble('a store did not close', error))
    },
  }
}

/** Connects, and only looks whether the database is up to date: the answer may come later, or tell that Postgres is away. */
const greetPostgres = async (url: AppOptions['databaseUrl']) => {
  const databaseUrl = await url
  const sql = connectPostgres(databaseUrl, POSTGRES_CONNECTIONS)
  const isUpToDate = asking(() => isMigrated(sql))
  isUpToDate.catch(() => {})
  return { databaseUrl, sql, isUpToDate }
}

/** Whether an address (`http://host/api/v1/receipts…`) is one of those that sell, cancel and print. */
const isAtCounter = (url: string): boolean => url.startsWith('/api/v1/receipts', url.indexOf('/', 8))

type DropFirst<F> = F extends (first: never, ...rest: infer R) => unknown ? R : never
