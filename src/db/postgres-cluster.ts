// The database on disk: made whole or not at all, and set up anew at every start.
//   C1. `initdb` works in a directory `new-…` beside; only when everything is on disk does it become `cluster`.
//   C2. The password is part of the cluster, so that the two are never moved or restored apart.
import { randomBytes } from 'node:crypto'
import {
  appendFile,
  chown,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { lastLine, type OsUser, reasonOf, runCommand } from './postgres-command.ts'
import { clusterOf, type PostgresHome } from './postgres-home.ts'

const initdbLimitMs = 120_000
const keptLogMs = 6 * 24 * 3600 * 1000
const keptLogBytes = 20_000_000
const passwordFile = 'galop.password'
const settingsFile = 'galop.conf'

/** Makes the cluster where there is none, and gives the password of its user `galop`. */
export const openCluster = async (home: PostgresHome, binaries: PostgresBinaries): Promise<string> => {
  const cluster = clusterOf(home.directory)
  await removeUnfinished(home.directory)
  if (!(await entriesOf(home.directory)).includes('cluster')) await makeCluster(home, binaries)
  const written = await readPart(cluster, 'PG_VERSION')
  if (written !== binaries.major)
    throw new Error(
      `the database in ${cluster} was written by Postgres ${written}, and this is Postgres ${binaries.major}: start the release of Galop that made it, or move the directory away`,
    )
  return await readPart(cluster, passwordFile)
}

const readPart = async (cluster: string, name: string): Promise<string> => {
  try {
    return (await readFile(join(cluster, name), 'utf8')).trim()
  } catch (error) {
    throw new Error(
      `${cluster} is not a whole database of Galop (${name}: ${reasonOf(error)}): put back a copy, or move the directory away`,
      { cause: error },
    )
  }
}

const makeCluster = async (home: PostgresHome, binaries: PostgresBinaries): Promise<void> => {
  const unfinished = await mkdtemp(join(home.directory, 'new-'))
  try {
    const made = join(unfinished, 'cluster')
    const password = join(unfinished, passwordFile)
    await give(unfinished, home.user)
    await writeFile(password, randomBytes(24).toString('hex'), { mode: 0o600 })
    await give(password, home.user)
    await runInitdb(binaries.initdb, made, password, home.user)
    await rename(password, join(made, passwordFile))
    await appendFile(join(made, 'postgresql.conf'), `\ninclude_if_exists = '${settingsFile}'\n`)
    for (const file of [passwordFile, 'postgresql.conf', '.']) await sync(join(made, file))
    await rename(made, clusterOf(home.directory))
    await sync(home.directory)
  } finally {
    await rm(unfinished, { recursive: true, force: true, maxRetries: 5 })
  }
}

const runInitdb = async (
  initdb: string,
  made: string,
  password: string,
  user: OsUser | undefined,
): Promise<void> => {
  const access = ['--username=galop', `--pwfile=${password}`, '--auth=scram-sha-256']
  const text = ['--encoding=UTF8', '--locale=C', '--no-instructions']
  const { code, output } = await runCommand(initdb, [`--pgdata=${made}`, ...access, ...text], {
    as: user,
    cwd: made.slice(0, -'/cluster'.length),
    limitMs: initdbLimitMs,
  })
  if (code === 0) return
  const complaint = output.split('\n').find((line) => /error|fatal|could not/i.test(line)) ?? lastLine(output)
  throw new Error(`a new database cannot be made in ${made}: ${complaint}`)
}

/** Left by a start that was killed half-way. */
const removeUnfinished = async (home: string): Promise<void> => {
  for (const name of await entriesOf(home)) {
    const isUnfinished = name.startsWith('new-') || /^binaries-.*\.new-/.test(name)
    if (isUnfinished) await rm(join(home, name), { recursive: true, force: true, maxRetries: 5 })
  }
}

const entriesOf = (directory: string): Promise<string[]> => readdir(directory)

/** Written at every start: a later release may change them, and the port is a new one each time. */
export const writeSettings = async (home: PostgresHome, port: number): Promise<void> => {
  const cluster = clusterOf(home.directory)
  const fresh = join(cluster, `${settingsFile}.new`)
  await rm(fresh, { force: true })
  await writeFile(fresh, settingsFor(port), { mode: 0o600, flag: 'wx' })
  await give(fresh, home.user)
  await rename(fresh, join(cluster, settingsFile))
}

// Sized for one old PC that also runs the shop. `io_method` and the parallel workers: no processes and no
// shared memory beyond need. The log is a file per weekday, emptied when its day comes again.
const settingsFor = (
  port: number,
) => `# Written by Galop at every start. Change settings with ALTER SYSTEM, which wins.
listen_addresses = '127.0.0.1'
port = ${port}
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
max_connections = 60
shared_buffers = 64MB
max_wal_size = 256MB
io_method = sync
max_parallel_workers_per_gather = 0
fsync = on
synchronous_commit = on
timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = on
log_directory = 'log'
log_filename = 'postgres-%a.log'
log_truncate_on_rotation = on
log_rotation_age = 1d
log_rotation_size = 0
log_min_messages = warning
log_min_error_statement = panic
log_checkpoints = off
`

/** A PC that is switched off every night never sees Postgres empty a log by itself. */
export const pruneLogs = async (cluster: string): Promise<void> => {
  await rm(startLogOf(cluster), { force: true })
  const directory = join(cluster, 'log')
  const names = await entriesOf(directory).catch(() => [])
  for (const name of names.filter((name) => name.startsWith('postgres-'))) {
    const { mtimeMs, size } = await stat(join(directory, name))
    if (Date.now() - mtimeMs > keptLogMs || size > keptLogBytes)
      await rm(join(directory, name), { force: true })
  }
}

/** What Postgres says before its log is open. */
export const startLogOf = (cluster: string): string => join(cluster, 'start.log')

const give = async (path: string, user: OsUser | undefined): Promise<void> => {
  if (user !== undefined) await chown(path, user.uid, user.gid)
}

const sync = async (path: string): Promise<void> => {
  if (process.platform === 'win32') return
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
