// Starting and stopping, as a person at a terminal and as a supervisor see it.
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { startBreakablePostgres } from '../support/breakable-postgres.ts'
import { createTestDatabase } from '../support/postgres.ts'
import {
  commandOf,
  endPostgresOf,
  eventually,
  gone,
  Program,
  processesOf,
  ROOT,
  runToItsEnd,
  startServer,
  type TestServer,
  temporaryDirectory,
} from '../support/server.ts'
import { ask, Crowd, Listener, Station, saleOf } from '../support/station.ts'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
}, 60_000)

const directory = async (): Promise<string> => {
  const data = join(await temporaryDirectory(), 'data')
  ends.push(() => endPostgresOf(data))
  return data
}
const serve = async (options: Parameters<typeof startServer>[0] = {}): Promise<TestServer> => {
  const server = await startServer(options)
  ends.push(() => server.stop())
  return server
}
const database = async (): Promise<string> => {
  const made = await createTestDatabase()
  ends.push(() => made.drop())
  return made.url
}

const expectOneLine = (
  ended: { code: number | null; stdout: string; stderr: string },
  says: RegExp,
  data: string,
): void => {
  expect(ended.stderr).toMatch(says)
  expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1)
  expect(ended.stderr).toMatch(/^galop: /)
  expect(ended.code).toBe(1)
  expect(processesOf(data)).toEqual([])
  expect(existsSync(join(data, 'server.pid'))).toBe(false)
}

describe('a server that cannot start', () => {
  it('says that its port is in use, before it has started anything', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    ends.push(async () => other.close())
    const { port } = other.address() as { port: number }
    const data = await directory()
    const ended = await runToItsEnd({ PORT: String(port), DATA_DIR: data })
    expectOneLine(ended, new RegExp(`port ${port} is in use`), data)
    expect(existsSync(join(data, 'postgres'))).toBe(false)
  })

  it('says that it cannot listen at an address which this machine does not have', async () => {
    const data = await directory()
    const ended = await runToItsEnd({ HOST: '192.0.2.1', DATA_DIR: data })
    expectOneLine(ended, /cannot listen at 192\.0\.2\.1/, data)
  })

  it('says that it cannot write its data directory', async () => {
    const data = await directory()
    mkdirSync(join(data, '..', 'parent'))
    writeFileSync(join(data, '..', 'parent', 'file'), '')
    const beneathAFile = join(data, '..', 'parent', 'file', 'data')
    const ended = await runToItsEnd({ DATA_DIR: beneathAFile })
    expectOneLine(ended, /cannot write to the data directory .*ENOTDIR.*DATA_DIR/, beneathAFile)
  })

  const wrong: readonly (readonly [string, Record<string, string>, RegExp])[] = [
    ['a port that is no number', { PORT: 'http' }, /PORT is wrong.*whole number/],
    ['a database address of another scheme', { DATABASE_URL: 'mysql://x' }, /DATABASE_URL is wrong/],
    [
      'a lock that is longer than the wait',
      { ROUND_WAIT_DURATION_MS: '100', BETTING_LOCK_DURATION_MS: '100' },
      /BETTING_LOCK_DURATION_MS is wrong/,
    ],
    ['limits that cross', { MIN_BET_AMOUNT: '10', MAX_BET_AMOUNT: '9' }, /MIN_BET_AMOUNT is wrong/],
    ['a return above all stakes', { RETURN_TO_PLAYER: '1.2' }, /RETURN_TO_PLAYER is wrong/],
    ['a time zone that is none', { TIME_ZONE: 'Port-au-Prince' }, /TIME_ZONE is wrong/],
    ['a field file that is missing', { FIELD_FILE: '/nowhere.json' }, /FIELD_FILE is wrong/],
    ['a secret that is too short', { JWT_SECRET: 'secret' }, /JWT_SECRET is wrong/],
    ['a cache without a host', { CACHE_REDIS_URL: 'redis:cache' }, /CACHE_REDIS_URL is wrong/],
    ['a currency that is none', { CURRENCY: 'ZZZ' }, /CURRENCY is wrong/],
    ['a station of zeros', { STATION_NUMBER: '00' }, /STATION_NUMBER is wrong/],
    ['a track that stands twice', { TRACKS: 'main,main' }, /TRACKS is wrong/],
  ]
  it.each(wrong)('names %s', async (_what, env, says) => {
    const data = await directory()
    expectOneLine(await runToItsEnd({ DATA_DIR: data, ...env }), says, data)
    expect(existsSync(data)).toBe(false)
  })

  it('does not show a secret that was set wrongly', async () => {
    const data = await directory()
    const url = 'mysql://galop:hunter2@127.0.0.1/galop'
    const ended = await runToItsEnd({ DATA_DIR: data, DATABASE_URL: url, JWT_SECRET: 'opensesame' })
    expect(`${ended.stdout}${ended.stderr}`).not.toMatch(/hunter2|opensesame/)
  })

  it('says that another server uses its data directory, and leaves that one alone', async () => {
    const server = await serve({ env: { DATABASE_URL: await database() } })
    const ended = await runToItsEnd({ DATA_DIR: server.dataDirectory })
    expect(ended.stderr).toMatch(
      new RegExp(`^galop: another server \\(process ${server.pid}\\) uses the data directory`),
    )
    expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(ended.code).toBe(1)
    expect((await fetch(`${server.url}/health`)).status).toBe(200)
  })

  it('says that its data directory belongs to another station', async () => {
    const url = await database()
    const server = await serve({ env: { DATABASE_URL: url, STATION_NUMBER: '07' } })
    await server.kill('SIGTERM')
    const data = server.dataDirectory
    const ended = await runToItsEnd({ DATA_DIR: data, DATABASE_URL: url, STATION_NUMBER: '08' })
    expectOneLine(ended, /belongs to station 07: set STATION_NUMBER=07/, data)
  })
})

describe('a server that cannot have its Postgres', () => {
  it('says that the embedded one is missing where it was kept', async () => {
    const data = await directory()
    mkdirSync(join(data, 'postgres'), { recursive: true })
    writeFileSync(join(data, 'postgres', 'location'), '/nowhere/at/all')
    const ended = await runToItsEnd({ DATA_DIR: data })
    expectOneLine(ended, /the database is in \/nowhere\/at\/all, which is missing/, data)
  })

  it('says that the one of its settings refuses the password, without showing it', async () => {
    const url = new URL(await database())
    url.password = 'hunter2'
    const data = await directory()
    const ended = await runToItsEnd({ DATA_DIR: data, DATABASE_URL: url.href })
    expectOneLine(ended, /password authentication failed.*DATABASE_URL/, data)
    expect(`${ended.stdout}${ended.stderr}`).not.toContain('hunter2')
  })

  it('says that its database does not exist', async () => {
    const url = new URL(await database())
    url.pathname = '/nobodys'
    const data = await directory()
    const ended = await runToItsEnd({ DATA_DIR: data, DATABASE_URL: url.href })
    expectOneLine(ended, /"nobodys" does not exist.*DATABASE_URL/, data)
  })
})

describe('a server at its first start', () => {
  it('makes passwords, prints them once, and keeps them where only its owner may read', async () => {
    const server = await serve()
    const { passwords } = server
    expect(Object.keys(passwords)).toEqual(['admin', 'caisse'])
    expect(statSync(join(server.dataDirectory, 'first-passwords.txt')).mode & 0o777).toBe(0o600)
    expect(statSync(join(server.dataDirectory, 'jwt-secret')).mode & 0o777).toBe(0o600)
    for (const [name, password] of Object.entries(passwords)) {
      expect(server.output.split(password)).toHaveLength(2)
      expect((await Station.signIn(server, name, password)).user.name).toBe(name)
    }
    await server.restart()
    for (const password of Object.values(passwords)) expect(server.output.split(password)).toHaveLength(2)
    await Station.signIn(server, 'admin')
  })

  it('prints addresses that open', async () => {
    const server = await serve({ env: { DATABASE_URL: await database(), HOST: '0.0.0.0' } })
    const addresses = [...server.output.matchAll(/http:\/\/\S+/g)].map(([address]) => address)
    expect(addresses.length).toBeGreaterThanOrEqual(8)
    for (const address of addresses) {
      const isWhole = new URL(address).pathname !== '/'
      expect((await fetch(isWhole ? address : `${address}/health`)).status, address).toBeLessThan(402)
    }
  })

  it('takes the passwords that are set, and neither prints nor keeps them', async () => {
    const env = { ADMIN_PASSWORD: 'a-password-of-mine', CASHIER_PASSWORD: 'another-of-mine' }
    const server = await serve({ env: { ...env, DATABASE_URL: await database() } })
    expect(server.output).not.toContain('of-mine')
    expect(existsSync(join(server.dataDirectory, 'first-passwords.txt'))).toBe(false)
    expect((await Station.signIn(server, 'admin', env.ADMIN_PASSWORD)).user.role).toBe('admin')
    expect((await Station.signIn(server, 'caisse', env.CASHIER_PASSWORD)).user.role).toBe('cashier')
  })
})

describe('a server that is told to stop', () => {
  const DURATIONS = { ROUND_WAIT_DURATION_MS: '20000', BETTING_LOCK_DURATION_MS: '200' }

  /** Sells from 16 stations, ends it as told, and compares what was answered with what is there afterwards. */
  const stopWhileSelling = async (server: TestServer, stop: () => void): Promise<void> => {
    const cashier = await Station.signIn(server, 'caisse')
    const round = await cashier.openRound(5_000)
    const crowd = new Crowd(cashier, { clients: 16, restMs: 1 })
    await eventually('the crowd sells', () => crowd.with('acknowledged').length > 200)
    const postmaster = await server.postmaster()
    stop()
    expect(await server.program.end()).toEqual({ code: 0, signal: null })
    expect(server.program.stderr).toBe('')
    await eventually('Postgres is gone too', () => gone(postmaster))
    expect(processesOf(server.dataDirectory)).toEqual([])
    await crowd.stop()
    await server.restart()
    await crowd.settleUnknown()
    const sold = crowd.with('acknowledged')
    expect(new Set(sold.map(({ id }) => id)).size).toBe(sold.length)
    const cancelled = sold.filter(({ cancel }) => cancel?.outcome === 'acknowledged').length
    const { data } = await cashier.ask(`/api/v1/rounds/${round.id}`)
    expect(data.stats.totalReceipts).toBe(sold.length - cancelled)
  }

  it('answers what it has accepted, stops its Postgres and leaves with 0 on SIGTERM', async () => {
    const server = await serve({ env: DURATIONS })
    await stopWhileSelling(server, () => server.program.signal('SIGTERM'))
  })

  it('does the same on the Ctrl-C of a terminal, which reaches its whole process group', async () => {
    const server = await serve({ env: DURATIONS, group: true })
    await stopWhileSelling(server, () => server.program.signalGroup('SIGINT'))
  })

  it('does so within seconds, however many idle connections and sockets are open', async () => {
    const server = await serve({ env: { DATABASE_URL: await database() } })
    const sockets = await Promise.all(Array.from({ length: 20 }, () => Listener.open(server)))
    await Promise.all(Array.from({ length: 20 }, () => ask(`${server.url}/health`)))
    const begun = Date.now()
    expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    expect(Date.now() - begun).toBeLessThan(5_000)
    expect(new Set(await Promise.all(sockets.map(({ closed }) => closed)))).toEqual(new Set([1012]))
  })

  it('takes two signals that come together for one', async () => {
    const server = await serve({ env: { DATABASE_URL: await database() } })
    server.program.signal('SIGINT')
    server.program.signal('SIGTERM')
    expect(await server.program.end()).toEqual({ code: 0, signal: null })
  })

  it('leaves at once on a second signal, when it cannot stop in order', async () => {
    const store = await startBreakablePostgres()
    ends.push(() => store.end())
    const server = await serve({ env: { DATABASE_URL: store.url } })
    const station = await Station.signIn(server, 'caisse')
    await station.openRound(1_000)
    await station.sold()
    await store.freeze()
    server.program.signal('SIGTERM')
    const begun = Date.now()
    await eventually('the person grows impatient', () => Date.now() - begun > 1_100)
    server.program.signal('SIGTERM')
    expect((await server.program.end()).signal).toBeNull()
    expect(Date.now() - begun).toBeLessThan(2_500)
  })

  const byNpm: readonly (readonly [string, (npm: Program) => void])[] = [
    ['npm, which started it, is told to', (npm) => npm.signal('SIGTERM')],
    ['Ctrl-C reaches npm and the server both', (npm) => npm.signalGroup('SIGINT')],
  ]
  it.each(byNpm)(
    'stops when %s',
    async (_how, stop) => {
      const data = await directory()
      const env = { DATA_DIR: data, PORT: '0', HOST: '127.0.0.1' }
      const npm = new Program(['npm', 'start'], env, { cwd: ROOT, group: true })
      ends.push(async () => {
        if (!npm.hasEnded) npm.signalGroup('SIGKILL')
      })
      await eventually('npm start opens', () => npm.hasEnded || /open at \S+/.test(npm.stdout), 90_000)
      const [, url] = /open at (\S+)/.exec(npm.stdout) ?? expect.fail(`${npm.stdout}${npm.stderr}`)
      await eventually('it sells', async () => (await fetch(`${url}/health`)).ok)
      expect(processesOf(data).length).toBeGreaterThan(1)
      stop(npm)
      await npm.end()
      await eventually('all of it is gone', () => processesOf(data).length === 0)
      expect(npm.stdout).toContain('stopping: no new requests')
      expect(npm.stderr).not.toMatch(/galop:/)
    },
    120_000,
  )

  it('stops in the middle of its start, too', async () => {
    for (const untilMs of [50, 400, 1_200]) {
      const data = await directory()
      const program = new Program(commandOf(), { DATA_DIR: data, PORT: '0', HOST: '127.0.0.1' }, {})
      const begun = Date.now()
      await eventually('it is in the middle of its start', () => Date.now() - begun > untilMs)
      program.signal('SIGTERM')
      await program.end()
      expect(program.stderr).toBe('')
      await eventually('nothing of it is left', () => processesOf(data).length === 0)
    }
  })

  it('stops in order while its queues are being opened', async () => {
    const data = await directory()
    // How long they take is not known here: some of these moments are before, some amid them, some after.
    for (const afterMs of [0, 100, 150, 200, 250, 300, 400]) {
      const program = new Program(commandOf(), { DATA_DIR: data, PORT: '0', HOST: '127.0.0.1' })
      await eventually('it is open', () => program.stdout.includes('open at'))
      const begun = performance.now()
      await eventually('its queues may be half open', () => performance.now() - begun > afterMs)
      program.signal('SIGTERM')
      expect({ afterMs, ...(await program.end()) }).toEqual({ afterMs, code: 0, signal: null })
      expect(program.stderr).toBe('')
    }
  })

  it('stops while a first start waits for a Postgres that is not there', async () => {
    const data = await directory()
    const env = { DATA_DIR: data, PORT: '0', HOST: '127.0.0.1', DATABASE_URL: 'postgres://a:b@127.0.0.1:9/c' }
    const program = new Program(commandOf(), env)
    await eventually('it waits', () => program.stdout.includes('waiting for Postgres'))
    program.signal('SIGTERM')
    expect(await program.end(5_000)).toEqual({ code: 0, signal: null })
    expect(program.stderr).toBe('')
    expect(existsSync(join(data, 'server.pid'))).toBe(false)
  })

  it('answers sales whose bodies are still on their way, and waits for no screen that has gone deaf', async () => {
    const server = await serve({ env: { ...DURATIONS, DATABASE_URL: await database() } })
    const cashier = await Station.signIn(server, 'caisse')
    await cashier.openRound(10_000)
    const body = JSON.stringify(saleOf([[1, 1_000]]))
    const head = [
      'POST /api/v1/receipts/?action=add HTTP/1.1',
      'Host: shop',
      `Authorization: Bearer ${cashier.token}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      'Expect: 100-continue',
    ]
    const clients = await Promise.all(Array.from({ length: 16 }, () => RawClient.open(server.url)))
    for (const client of clients) client.say(head)
    for (const client of clients) await client.heard('the request is taken', /^HTTP\/1\.1 100 /)
    const screen = await RawClient.open(server.url)
    screen.say(['GET /ws HTTP/1.1', 'Host: shop', 'Upgrade: websocket', 'Connection: Upgrade', ...HANDSHAKE])
    await screen.heard('the screen is let in', /^HTTP\/1\.1 101 /)
    screen.socket.pause()

    server.program.signal('SIGTERM')
    await eventually('nobody is let in any more', async () =>
      RawClient.open(server.url).then(
        (client) => {
          client.socket.destroy()
          return false
        },
        () => true,
      ),
    )
    for (const client of clients) client.socket.write(body)
    const ids: number[] = []
    for (const client of clients) {
      const [, answer] = await client.heard('the sale is answered', /HTTP\/1\.1 200 [\s\S]*?\r\n\r\n(\{.*\})/)
      ids.push(JSON.parse(answer!).data.id)
    }
    expect(await server.program.end(8_000)).toEqual({ code: 0, signal: null })
    expect(server.program.stderr).toBe('')

    await server.restart()
    for (const id of ids) expect((await cashier.receipt(id)).data).toMatchObject({ id })
    expect(new Set(ids).size).toBe(clients.length)
  })

  it('takes over the Postgres of a killed server, and stops it even when nobody reads what it prints', async () => {
    const server = await serve({ env: DURATIONS })
    const postmaster = await server.postmaster()
    await server.kill('SIGKILL')
    expect(gone(postmaster)).toBe(false)
    await server.restart()
    expect(server.output).toContain(`still running from before (process ${postmaster}), taken over`)
    expect(await server.postmaster()).toBe(postmaster)
    await Station.signIn(server, 'admin')

    server.program.child.stdout?.destroy()
    server.program.child.stderr?.destroy()
    expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    expect(processesOf(server.dataDirectory)).toEqual([])
  })
})

const HANDSHAKE = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==']

/** HTTP by hand, for what no well-behaved client does. */
class RawClient {
  readonly socket: Socket
  #text = ''

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text
    })
    socket.on('error', () => {})
    ends.push(async () => socket.destroy())
  }

  static open(url: string): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(Number(new URL(url).port), new URL(url).hostname)
      socket.once('error', reject)
      socket.once('connect', () => resolve(new RawClient(socket)))
    })
  }

  say(head: readonly string[]): void {
    this.socket.write(`${head.join('\r\n')}\r\n\r\n`)
  }

  heard(what: string, like: RegExp): Promise<RegExpExecArray> {
    return eventually(what, () => like.exec(this.#text))
  }
}
