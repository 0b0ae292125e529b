import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { serve } from '@hono/node-server'
import { pino } from 'pino'
import type { Clock } from './actors/clock.port.ts'
import type { App } from './app.ts'
import { type Config, environment, readConfig, SettingError } from './config.ts'
import type { FirstAccount } from './db/accounts/first-accounts.ts'
import { CannotStart, takeDataDirectory } from './db/data-directory.ts'
import { startEmbeddedPostgres } from './db/embedded-postgres.ts'
import { networkOf } from './http/client-address.ts'
import { limitServer, serverOptions } from './http/server-limits.ts'
import { keepHeapSmall } from './memory.ts'

// The program: settings, stores, server; and on a signal all of it backwards.

const DRAIN_LIMIT_MS = 10_000
const STOP_LIMIT_MS = 30_000
/** It takes tens of milliseconds when there are many receipts: the first sales come before it. */
const HEAP_LIMIT_AFTER_MS = 1_000
/** Classes of SQLSTATE: wrong name or password, no such database, missing rights. */
const NOT_LET_IN = /^(28|3D|42501)/
/** Ctrl-C reaches npm and the server, and npm hands it on: two signals that are one. */
const ECHO_MS = 1_000

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const clock: Clock = {
  now: Date.now,
  setTimeout: (fn, delayMs) => setTimeout(fn, delayMs),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
}

const main = async (): Promise<void> => {
  const config = readConfig(environment())
  const version = (
    JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  ).version
  const log = pino({ level: config.logLevel, base: null })
  const data = takeDataDirectory(config.dataDirectory)
  const undo: (() => Promise<unknown> | unknown)[] = [() => data.release()]
  const isStopping = stopOnSignal(async () => {
    say('stopping: no new requests, finishing those under way')
    for (const step of [...undo]) await step()
  })
  try {
    await portIsFree(config)
    let databaseUrl: string | Promise<string> | undefined = config.databaseUrl
    if (databaseUrl === undefined) {
      // Most of the program is loaded, and the journal is read, while Postgres starts.
      const starting = startEmbeddedPostgres({ dataDirectory: join(data.path, 'postgres'), say })
      // A signal may come before it runs: then it is awaited, and stopped.
      undo.unshift(() =>
        starting.then(
          (postgres) => postgres.stop(),
          () => {},
        ),
      )
      databaseUrl = starting.then(({ url }) => {
        if (isStopping()) throw new Error('the server is being stopped')
        return url
      })
      // Whoever waits for it hears what is wrong. Until then nobody does.
      databaseUrl.catch(() => {})
    }
    const { openApp } = await import('./app.ts')
    if (isStopping()) return
    const app = await openApp({
      config,
      databaseUrl,
      dataDirectory: data.path,
      version,
      clock,
      log,
      say,
      announceAccounts: (accounts) => announceAccounts(accounts, data.path),
    }).catch(explain)
    if (isStopping()) return
    undo.unshift(() => app.close())
    const server = await listen(app, config)
    undo.unshift(async () => {
      const closed = closeServer(server)
      await app.drain()
      await closed
    })
    if (isStopping()) return
    app.start()
    announceAddresses(server, config)
    setTimeout(keepHeapSmall, HEAP_LIMIT_AFTER_MS).unref()
  } catch (error) {
    // What breaks because it is being stopped is no failure of the start.
    if (isStopping()) return
    for (const step of undo) await Promise.resolve(step()).catch(() => {})
    throw error
  }
}

/** A state of the world that forbids to start is told in one line. Bugs keep their stack. */
const explain = (error: Error): never => {
  const { name, message } = error
  if (name === 'PostgresError' && NOT_LET_IN.test((error as Error & { code: string }).code))
    throw new CannotStart(`Postgres refuses (${message}): check DATABASE_URL`, { cause: error })
  // Refusals to start are plain errors with a sentence. A class of its own is a library's, or a bug's.
  throw name === 'Error' ? new CannotStart(message, { cause: error }) : error
}

/** Asks for the port before anything is started that would have to be stopped again. */
const portIsFree = ({ port, host }: Config): Promise<void> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error) => reject(cannotListen(error, port, host)))
    probe.listen(port, host, () => probe.close(() => resolve()))
  })

const listen = (app: App, config: Config): Promise<Server> =>
  new Promise((resolve, reject) => {
    const { port, host, connectionsPerAddress } = config
    const { fetch, websocket } = app
    const server = serve({ fetch, websocket, port, hostname: host, serverOptions }, () =>
      resolve(server),
    ) as Server
    server.once('error', (error) => reject(cannotListen(error, port, host)))
    limitServer(server, { connectionsPerAddress, trusted: networkOf(config.trustedProxies) })
  })

const cannotListen = (error: NodeJS.ErrnoException, port: number, host: string): Error => {
  if (error.code === 'EADDRINUSE')
    return new CannotStart(`port ${port} is in use: stop the other program, or set PORT to a free one`, {
      cause: error,
    })
  return new CannotStart(
    `cannot listen at ${host}:${port} (${error.code}): set HOST and PORT to what this machine has`,
    {
      cause: error,
    },
  )
}

const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    if (!server.listening) return resolve()
    const late = setTimeout(() => server.closeAllConnections(), DRAIN_LIMIT_MS)
    // A connection that is kept alive becomes idle when its last request is answered.
    const idle = setInterval(() => server.closeIdleConnections(), 20)
    server.close(() => {
      clearTimeout(late)
      clearInterval(idle)
      resolve()
    })
  })

/** The first signal stops in order; a later one, or too long a stop, at once. @returns whether the first one came */
const stopOnSignal = (stop: () => Promise<void>): (() => boolean) => {
  let since: number | undefined
  const onSignal = (): void => {
    if (since !== undefined) {
      if (performance.now() - since > ECHO_MS) process.exit(1)
      return
    }
    since = performance.now()
    setTimeout(() => {
      process.stderr.write('galop: did not stop in time\n')
      process.exit(1)
    }, STOP_LIMIT_MS).unref()
    stop().then(
      () => process.exit(0),
      (error: Error) => {
        process.stderr.write(`galop: ${error.stack}\n`)
        process.exit(1)
      },
    )
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return () => since !== undefined
}

/** The message of an error and of what caused it, in one line. */
const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const { message, cause } = error
  const isComplete = error instanceof SettingError || error instanceof CannotStart || cause === undefined
  return (isComplete ? message : `${message}: ${reasonOf(cause)}`).replaceAll('\n', ' ')
}

const announceAccounts = (accounts: readonly FirstAccount[], directory: string): void => {
  if (accounts.length === 0) return
  say('')
  say('First accounts:')
  for (const { name, role, generatedPassword } of accounts)
    say(`  ${name.padEnd(8)} ${generatedPassword ?? '(the password that was set)'}   ${role}`)
  if (accounts.some((account) => account.generatedPassword !== undefined))
    say(`Shown once; kept in ${join(directory, 'first-passwords.txt')}`)
}

const announceAddresses = (server: Server, { host }: Config): void => {
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const isEverywhere = host === '0.0.0.0' || host === '::'
  const local = `http://${isEverywhere ? 'localhost' : host}:${port}`
  const others = isEverywhere
    ? Object.values(networkInterfaces())
        .flat()
        .filter((one) => one && !one.internal && one.family === 'IPv4')
        .map((one) => `http://${one!.address}:${port}`)
    : []
  say('')
  say(`Galop is open at ${[local, ...others].join('  ')}`)
  say(`  Station        ${local}/station`)
  say(`  Race screen    ${local}/screen`)
  say(`  Desk           ${local}/desk`)
  say(`  Verify a race  ${local}/verify`)
  say(`  API reference  ${local}/docs`)
  say(`  Job dashboard  ${local}/admin/jobs`)
  say(`  Health         ${local}/health/detailed`)
  say('')
}

// Whoever read may be gone, as `tee` is after Ctrl-C. That is no reason to stop, and none to stop in disorder.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

main().catch((error: Error) => {
  // One line for a person; where it happened is for those who look for it.
  process.stderr.write(`galop: ${reasonOf(error)}\n`)
  if (['debug', 'trace'].includes(environment().LOG_LEVEL ?? '')) process.stderr.write(`${inspect(error)}\n`)
  process.exit(1)
})
