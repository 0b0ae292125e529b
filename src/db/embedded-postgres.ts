// A Postgres of our own, for the shop that has none: made, started, watched and stopped through `pg_ctl`.
//   E1. One Postgres per data directory. One that outlived a killed server is taken over, not fought.
//   E2. It listens on 127.0.0.1 only, and lets nobody in without the password in its directory.
//   E3. When it dies it comes back on the same port, so that the pools of the server recover by themselves.
//   E4. What we started does not outlive an error of ours; what we found running is left as it was.
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { clearInterval, clearTimeout, setInterval, setTimeout } from 'node:timers'
import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import { type PostgresBinaries, providePostgresBinaries } from './postgres-binaries.ts'
import { openCluster, pruneLogs, startLogOf, writeSettings } from './postgres-cluster.ts'
import { lastLine, reasonOf, runCommand } from './postgres-command.ts'
import { clusterOf, findPostgresHome, type PostgresHome } from './postgres-home.ts'
import { lowerPriority, lowerSessions } from './postgres-priority.ts'
import { findPostmaster, type Postmaster, stillRuns, takeOverStalePidFile } from './postmaster.ts'

export type EmbeddedPostgres = {
  /** Of the database `galop`, whose user `galop` may do anything. */
  readonly url: string
  /** Where it is kept, which is elsewhere than asked for where the OS user cannot enter there. */
  readonly directory: string
  /** The OS user it runs as, where that is not ourselves. */
  readonly runsAs: string | undefined
  /** Waits for its end. Sessions still open are cut. May be called again. */
  stop(): Promise<void>
}

export type EmbeddedPostgresOptions = { dataDirectory: string; say: (line: string) => void }

const startLimitS = 120
const stopLimitS = 10
const answerLimitMs = 5_000
const watchIntervalMs = 1_000
const portAttempts = 5

/** Throws an Error with one line for a human when there can be none. */
export const startEmbeddedPostgres = async (options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> => {
  const { dataDirectory, say } = options
  const home = await findPostgresHome(dataDirectory, say)
  const binaries = await providePostgresBinaries(home, say)
  const password = await openCluster(home, binaries)
  const server: Server = { home, binaries, password, cluster: clusterOf(home.directory), say }

  const found = await reattach(server)
  const postmaster = found ?? (await launchOnFreePort(server))
  try {
    await makeDatabase(server, postmaster.port)
  } catch (error) {
    if (found === undefined) await halt(server)
    throw error
  }
  const watch = keepRunning(server, postmaster)
  let stopped: Promise<void> | undefined
  return {
    url: urlOf(server, postmaster.port, 'galop'),
    directory: home.directory,
    runsAs: home.user?.name,
    stop: () => {
      stopped ??= watch.end().then(() => halt(server))
      return stopped
    },
  }
}

type Server = {
  readonly home: PostgresHome
  readonly binaries: PostgresBinaries
  readonly password: string
  readonly cluster: string
  readonly say: (line: string) => void
}

const urlOf = ({ password }: Server, port: number, database: string) =>
  `postgres://galop:${password}@127.0.0.1:${port}/${database}`

/** The Postgres that an earlier server left behind, once it answers. */
const reattach = async (server: Server): Promise<Postmaster | undefined> => {
  const deadline = Date.now() + startLimitS * 1000
  let found = await findPostmaster(server.cluster)
  while (found !== undefined && !found.isReady && Date.now() < deadline) {
    await delay(20)
    found = await findPostmaster(server.cluster)
  }
  if (found === undefined) return undefined
  try {
    await ask(server, found.port, 'postgres', (sql) => sql`select 1`)
  } catch (error) {
    throw new Error(
      `the Postgres already running on ${server.cluster} (process ${found.pid}) does not answer (${reasonOf(error)}): end it with "kill -9 ${found.pid}", then start again`,
      { cause: error },
    )
  }
  server.say(`Postgres: still running from before (process ${found.pid}), taken over`)
  return found
}

const launchOnFreePort = async (server: Server): Promise<Postmaster> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await launch(server, await findFreePort())
    } catch (error) {
      const isTaken = /could not (bind|create any)|in use/.test((error as Error).message)
      if (!isTaken || attempt === portAttempts) throw error
    }
  }
}

// Below the ports that the kernel lends to outgoing connections: one of those could be lent while Postgres
// is away, even to a pool that tries to reach Postgres, and it could then not come back on the same port.
const findFreePort = async (): Promise<number> => {
  for (let attempt = 1; attempt <= 100; attempt += 1) {
    const port = 15_000 + Math.floor(Math.random() * 17_000)
    if (await isFree(port)) return port
  }
  throw new Error('no port is free on 127.0.0.1: is the loopback network interface up?')
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const listener = createServer()
    listener.once('error', () => resolve(false))
    listener.listen(port, '127.0.0.1', () => listener.close(() => resolve(true)))
  })

const launch = async (server: Server, port: number): Promise<Postmaster> => {
  await takeOverStalePidFile(server.cluster)
  await pruneLogs(server.cluster)
  await writeSettings(server.home, port)
  const since = new Date()
  const options = ['--wait', `--timeout=${startLimitS}`, `--log=${startLogOf(server.cluster)}`]
  try {
    const { code, output } = await pgCtl(server, 'start', options, startLimitS)
    const postmaster = await findPostmaster(server.cluster)
    if (code === 0 && postmaster !== undefined) {
      lowerPriority(postmaster)
      return postmaster
    }
    const complaint = (await lastComplaint(server, since)) ?? lastLine(output)
    throw new Error(`Postgres did not start on ${server.cluster}: ${complaint}`)
  } catch (error) {
    await halt(server)
    throw error
  }
}

const pgCtl = ({ home, binaries, cluster }: Server, verb: string, options: string[], limitS: number) =>
  runCommand(binaries.pgCtl, [verb, `--pgdata=${cluster}`, ...options], {
    as: home.user,
    cwd: home.directory,
    limitMs: (limitS + 5) * 1000,
  })

/** The last line of the logs that says why Postgres gave up. Lines begin with their time. */
const lastComplaint = async ({ cluster }: Server, since: Date): Promise<string | undefined> => {
  const logs = await readdir(join(cluster, 'log')).catch(() => [])
  const files = [startLogOf(cluster), ...logs.map((name) => join(cluster, 'log', name))]
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')))
  const lines = texts.flatMap((text) => text.split('\n')).filter((line) => /FATAL|PANIC/.test(line))
  const begin = since.toISOString().replace('T', ' ').slice(0, 19)
  return lines
    .filter((line) => line >= begin)
    .sort()
    .at(-1)
}

const makeDatabase = async (server: Server, port: number): Promise<void> => {
  const found = await ask(
    server,
    port,
    'postgres',
    (sql) => sql`select 1 from pg_database where datname = 'galop'`,
  )
  if (found.length === 0) await ask(server, port, 'postgres', (sql) => sql`create database galop`)
}

/** One question over a connection of its own, answered in time or not at all. */
const ask = async <Answer>(
  server: Server,
  port: number,
  database: string,
  question: (sql: postgres.Sql) => PromiseLike<Answer>,
): Promise<Answer> => {
  const sql = postgres(urlOf(server, port, database), { max: 1, onnotice: () => {} })
  let limit: NodeJS.Timeout | undefined
  const silence = new Promise<never>((_, reject) => {
    const complain = () => reject(new Error(`Postgres does not answer on port ${port}`))
    limit = setTimeout(complain, answerLimitMs)
  })
  try {
    return await Promise.race([question(sql), silence])
  } finally {
    clearTimeout(limit)
    await sql.end({ timeout: 0 })
  }
}

/** Looks every second whether it still runs, and starts it again if not, for as long as it takes. */
const keepRunning = (server: Server, first: Postmaster): { end(): Promise<void> } => {
  let current = first
  let complaint = ''
  let look: Promise<void> | undefined
  const lower = lowerSessions()
  const lookAfterIt = async () => {
    try {
      if (await stillRuns(current, server.cluster)) return await lower(current)
      if (complaint === '') server.say(`Postgres: process ${current.pid} has died, starting it again`)
      current = (await findPostmaster(server.cluster)) ?? (await launch(server, first.port))
      server.say(`Postgres: running again (process ${current.pid})`)
      complaint = ''
    } catch (error) {
      const { message } = error as Error
      if (message !== complaint) server.say(`Postgres: ${message}; trying again`)
      complaint = message
    }
  }
  const timer = setInterval(() => {
    look ??= lookAfterIt().finally(() => {
      look = undefined
    })
  }, watchIntervalMs).unref()
  return {
    end: async () => {
      clearInterval(timer)
      await look
    },
  }
}

/** Ends it, politely first. Does nothing where none runs. */
const halt = async (server: Server): Promise<void> => {
  for (const mode of ['fast', 'immediate']) {
    if ((await findPostmaster(server.cluster)) === undefined) return
    const options = [`--mode=${mode}`, '--wait', `--timeout=${stopLimitS}`]
    await pgCtl(server, 'stop', options, stopLimitS).catch(() => undefined)
  }
  const left = await findPostmaster(server.cluster)
  if (left === undefined) return
  server.say(`Postgres: process ${left.pid} does not stop, so it is killed`)
  process.kill(left.pid, 'SIGKILL')
  const deadline = Date.now() + stopLimitS * 1000
  while (await stillRuns(left, server.cluster)) {
    if (Date.now() > deadline) throw new Error(`Postgres cannot be ended: process ${left.pid} stays`)
    await delay(20)
  }
}
