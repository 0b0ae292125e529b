import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { UserDirectory } from '../../../src/actors/accounts/users.port.ts'
import { createFirstAccounts } from '../../../src/db/accounts/first-accounts.ts'
import { UsersDirectory } from '../../../src/db/accounts/users.directory.ts'
import { migrate } from '../../../src/db/migrate.ts'
import { connectPostgres, type Sql } from '../../../src/db/postgres.ts'
import { createTokens } from '../../../src/http/accounts/tokens.ts'
import { Cable } from '../../support/cable.ts'
import { WoundClock } from '../../support/clock.ts'
import { createTestDatabase } from '../../support/postgres.ts'

type Server = { directory: UsersDirectory; sql: Sql; cable: Cable; clock: WoundClock; place: string }

let database: Awaited<ReturnType<typeof createTestDatabase>>
let troubles: string[]
let open: Server[]
let places: string[]

beforeEach(async () => {
  troubles = []
  open = []
  places = []
  database = await createTestDatabase()
  const sql = connectPostgres(database.url, 1)
  await migrate(sql)
  await sql.end()
})

afterEach(async () => {
  for (const server of [...open]) await stop(server)
  for (const place of places) await rm(place, { recursive: true })
  await database.drop()
})

const start = async (place?: string, { isPlugged = true } = {}): Promise<Server> => {
  const server = await prepare(place)
  if (!isPlugged) await server.cable.pull()
  await server.directory.start()
  return server
}

const prepare = async (place?: string): Promise<Server> => {
  const cable = await Cable.to(database.url)
  const sql = connectPostgres(cable.url, 3)
  const clock = new WoundClock(Date.now())
  if (place === undefined) {
    place = await mkdtemp(join(tmpdir(), 'galop-accounts-'))
    places.push(place)
  }
  const onTrouble = (message: string) => troubles.push(message)
  const directory = new UsersDirectory({ sql, directory: place, clock, onTrouble })
  const server = { directory, sql, cable, clock, place }
  open.push(server)
  return server
}

/** Winds the clock of a server until something is over. */
const settledBy = async <T>({ clock }: Server, work: Promise<T>): Promise<T> => {
  let isOver = false
  const over = work.finally(() => {
    isOver = true
  })
  over.catch(() => {})
  while (!isOver) await clock.advance(1_000)
  return over
}

/** As a crash would: nothing is said to anyone, nothing more is written. */
const crash = async (server: Server) => {
  open = open.filter((one) => one !== server)
  await server.cable.pull()
  await server.sql.end({ timeout: 0 })
}

const stop = async (server: Server) => {
  await settledBy(server, server.directory.stop())
  await crash(server)
}

const newAccount = (name: string, role: 'admin' | 'cashier' = 'cashier') => ({
  name,
  role,
  passwordHash: `hash of ${name}`,
})
const create = async (server: Server, name: string, role: 'admin' | 'cashier' = 'cashier') => {
  const created = await server.directory.create(newAccount(name, role), null)
  if ('refused' in created) throw new Error(created.refused)
  return created
}
const tokensOf = ({ directory, clock }: Server) =>
  createTokens({ secret: 's'.repeat(32), lifetimeMs: 1_000_000, directory, now: () => clock.now() })
const rowsOf = async (question: (sql: Sql) => Promise<unknown>) => {
  const sql = connectPostgres(database.url, 1)
  try {
    return await question(sql)
  } finally {
    await sql.end()
  }
}

describe('the directory', () => {
  it('knows at once what was changed here, and the others within one refresh', async () => {
    const here = await start()
    const there = await start()
    const admin = await create(here, 'admin', 'admin')
    const marie = await create(here, 'marie')
    expect(here.directory.byName('marie')).toMatchObject({ id: marie.id, passwordHash: 'hash of marie' })
    expect(there.directory.byName('marie')).toBeUndefined()
    await there.clock.advance(5_000)
    await vi.waitFor(() => expect(there.directory.byId(marie.id)).toMatchObject({ disabled: false }))

    await here.directory.setDisabled(marie.id, true, admin.id)
    expect(here.directory.byId(marie.id)).toMatchObject({ disabled: true, tokenVersion: 2 })
    await here.directory.setPassword(admin.id, 'another hash')
    // The next refresh, and the one after it: refreshing does not end.
    for (const check of [
      () => expect(there.directory.byId(marie.id)).toMatchObject({ disabled: true, tokenVersion: 2 }),
      () => expect(there.directory.byId(admin.id)).toMatchObject({ passwordHash: 'another hash' }),
    ]) {
      await vi.waitFor(async () => {
        await there.clock.advance(5_000)
        check()
      })
    }
  })

  it('makes the token version grow with each change that ends sessions, and with no other', async () => {
    const { directory, ...server } = await start()
    const admin = await create({ directory, ...server }, 'admin', 'admin')
    const { id } = await create({ directory, ...server }, 'marie')
    const versions = [directory.byId(id)!.tokenVersion]
    for (const change of [
      () => directory.setDisabled(id, true, admin.id),
      () => directory.setDisabled(id, true, admin.id),
      () => directory.setDisabled(id, false, admin.id),
      () => directory.setDisabled(id, false, admin.id),
      () => directory.setPassword(id, 'new'),
    ]) {
      await change()
      versions.push(directory.byId(id)!.tokenVersion)
    }
    expect(versions).toEqual([1, 2, 2, 3, 3, 4])
  })

  it('refuses a name that is taken, whichever server took it, and users that do not exist', async () => {
    const here = await start()
    const there = await start()
    await create(here, 'marie')
    expect(await there.directory.create(newAccount('marie'), null)).toMatchObject({ refused: 'NAME_TAKEN' })
    expect(await here.directory.setDisabled(99, true, 1)).toMatchObject({ refused: 'USER_UNKNOWN' })
    expect(await here.directory.setDisabled(99, false, 1)).toMatchObject({ refused: 'USER_UNKNOWN' })
    expect(await here.directory.setPassword(99, 'x')).toMatchObject({ refused: 'USER_UNKNOWN' })
  })

  it('keeps the last enabled admin', async () => {
    const server = await start()
    const one = await create(server, 'one', 'admin')
    const two = await create(server, 'two', 'admin')
    await create(server, 'marie')
    expect(await server.directory.setDisabled(two.id, true, one.id)).toMatchObject({ disabled: true })
    expect(await server.directory.setDisabled(one.id, true, one.id)).toMatchObject({ refused: 'LAST_ADMIN' })
    expect(server.directory.byId(one.id)).toMatchObject({ disabled: false, tokenVersion: 1 })
    await server.directory.setDisabled(two.id, false, one.id)
    expect(await server.directory.setDisabled(one.id, true, two.id)).toMatchObject({ disabled: true })
  })

  it('keeps one of two admins who disable each other at the same moment on two servers', async () => {
    const here = await start()
    const there = await start()
    for (let trial = 0; trial < 20; trial += 1) {
      const one = await create(here, `one-${trial}`, 'admin')
      const two = await create(here, `two-${trial}`, 'admin')
      // Two admins of this trial and nobody else.
      await rowsOf(
        (sql) =>
          sql`update users set disabled_at = now() where role = 'admin' and user_id not in (${one.id}, ${two.id})`,
      )
      const outcomes = await Promise.all([
        here.directory.setDisabled(one.id, true, two.id),
        there.directory.setDisabled(two.id, true, one.id),
      ])
      expect(outcomes.filter((outcome) => 'refused' in outcome)).toHaveLength(1)
      const enabled = await rowsOf(
        (sql) => sql`select name from users where role = 'admin' and disabled_at is null`,
      )
      expect(enabled).toHaveLength(1)
    }
  })

  it('does not let a refresh that was asked before a change undo it', async () => {
    const server = await start()
    const marie = await create(server, 'marie')
    // A refresh whose answer is on its way for as long as the test likes.
    let arrive = () => {}
    const onItsWay = new Promise<void>((resolve) => {
      arrive = resolve
    })
    let answered = 0
    const slowly = new Proxy(server.sql, {
      apply(sql, self, question: [TemplateStringsArray]) {
        const answer = Reflect.apply(sql, self, question)
        if (!question[0].join().includes('order by user_id')) return answer
        return answer.then((rows: unknown) => {
          answered += 1
          return onItsWay.then(() => rows)
        })
      },
    })
    const directory = new UsersDirectory({ sql: slowly, directory: server.place, clock: server.clock })
    const refreshing = directory.refresh()
    await vi.waitFor(() => expect(answered).toBe(1))
    await directory.setDisabled(marie.id, true, marie.id)
    arrive()
    await refreshing
    expect(directory.byId(marie.id)).toMatchObject({ disabled: true })
    expect(answered).toBe(2)
  })
})

describe('without Postgres', () => {
  it('signs in whom the file knows, verifies their tokens and changes nobody', async () => {
    const before = await start()
    const admin = await create(before, 'admin', 'admin')
    const { token } = tokensOf(before).issue(admin)
    await crash(before)

    const after = await start(before.place, { isPlugged: false })
    expect(after.directory.ready).toBe(true)
    expect(after.directory.byName('admin')).toMatchObject({ id: admin.id, passwordHash: 'hash of admin' })
    expect(tokensOf(after).verify(token)).toMatchObject({ userId: admin.id })
    const away = expect.objectContaining({ name: 'Unavailable', store: 'postgres' })
    await expect(after.directory.create(newAccount('x'), null)).rejects.toEqual(away)
    await expect(after.directory.setDisabled(admin.id, true, admin.id)).rejects.toEqual(away)
    await expect(after.directory.setPassword(admin.id, 'x')).rejects.toEqual(away)
    await expect(after.directory.refresh()).rejects.toEqual(away)
    expect(after.directory.byName('admin')).toMatchObject({ disabled: false, passwordHash: 'hash of admin' })
    expect(troubles).toEqual(['the accounts cannot be read from Postgres at present'])
  })

  it('is not ready without a file, and is once Postgres is there', async () => {
    const first = await start()
    await create(first, 'marie')
    const server = await start(undefined, { isPlugged: false })
    expect(server.directory.ready).toBe(false)
    expect(server.directory.all()).toEqual([])
    await server.cable.plug()
    await vi.waitFor(async () => {
      await server.clock.advance(5_000)
      expect(server.directory.ready).toBe(true)
    })
    expect(server.directory.byName('marie')).toBeDefined()
  })

  it('goes on with what it knows when Postgres goes away, and learns the rest when it is back', async () => {
    const here = await start()
    const there = await start()
    const admin = await create(here, 'admin', 'admin')
    await here.cable.pull()
    await here.clock.advance(5_000)
    expect(here.directory.byId(admin.id)).toBeDefined()
    await there.directory.setPassword(admin.id, 'new')
    await here.cable.plug()
    await vi.waitFor(async () => {
      await here.clock.advance(5_000)
      expect(here.directory.byId(admin.id)).toMatchObject({ passwordHash: 'new' })
    })
  })

  it('ends a token at once, keeps it ended over a crash, and tells Postgres later', async () => {
    const here = await start()
    const marie = await create(here, 'marie')
    const { token, session } = tokensOf(here).issue(marie)
    const other = tokensOf(here).issue(marie)
    await here.cable.pull()
    await here.directory.revoke(session.tokenId, session.expiresAt)
    expect(tokensOf(here).verify(token)).toBeUndefined()
    await crash(here)

    const after = await start(here.place, { isPlugged: false })
    expect(after.directory.isRevoked(session.tokenId)).toBe(true)
    expect(tokensOf(after).verify(token)).toBeUndefined()
    expect(tokensOf(after).verify(other.token)).toBeDefined()
    expect(await rowsOf((sql) => sql`select token_id from revoked_tokens`)).toEqual([])

    await after.cable.plug()
    await vi.waitFor(async () => {
      await after.clock.advance(5_000)
      expect(await rowsOf((sql) => sql`select token_id as id from revoked_tokens`)).toEqual([
        { id: session.tokenId },
      ])
    })
    const elsewhere = await start()
    expect(elsewhere.directory.isRevoked(session.tokenId)).toBe(true)
    expect(tokensOf(elsewhere).verify(token)).toBeUndefined()
  })

  it.each(['silent', 'hanging up'] as const)(
    'starts from the file, and gives changes up, while a Postgres that is there is %s',
    async (state) => {
      const before = await start()
      const admin = await create(before, 'admin', 'admin')
      await crash(before)

      const after = await prepare(before.place)
      await after.cable.pull(state)
      await settledBy(after, after.directory.start())
      expect(after.directory.byId(admin.id)).toBeDefined()
      const away = { name: 'Unavailable', store: 'postgres' }
      const late = vi.spyOn(after.sql, 'begin')
      const changing = after.directory.setPassword(admin.id, 'too late')
      await settledBy(after, expect(changing).rejects.toMatchObject(away))
      await after.directory.revoke('one', after.clock.now() + 60_000)
      expect(after.directory.isRevoked('one')).toBe(true)

      await after.cable.plug()
      await vi.waitFor(async () => {
        await after.clock.advance(5_000)
        expect(await rowsOf((sql) => sql`select token_id as id from revoked_tokens`)).toEqual([{ id: 'one' }])
      })
      // It has its turn after all, or its connection broke for good: either way nothing comes of it.
      await expect(late.mock.results[0]!.value).rejects.toThrow(/nobody waits|ECONNRESET/)
      const rows = await rowsOf((sql) => sql`select password_hash, token_version from users`)
      expect(rows).toEqual([{ password_hash: 'hash of admin', token_version: 1 }])
    },
  )

  it('starts from Postgres where the file is damaged, and says so', async () => {
    const before = await start()
    await create(before, 'marie')
    await stop(before)
    const path = join(before.place, 'users.json')
    await writeFile(path, (await readFile(path, 'utf8')).slice(0, -20))
    const after = await start(before.place)
    expect(troubles).toEqual([expect.stringContaining('cannot be read')])
    expect(after.directory.byName('marie')).toBeDefined()
    await stop(after)
    expect((await start(before.place, { isPlugged: false })).directory.byName('marie')).toBeDefined()
  })
})

describe('tokens that were given back', () => {
  it('reach the other servers with their next refresh', async () => {
    const here = await start()
    const there = await start()
    await here.directory.revoke('one', here.clock.now() + 60_000)
    await vi.waitFor(async () => {
      await there.clock.advance(5_000)
      expect(there.directory.isRevoked('one')).toBe(true)
    })
  })

  it('are forgotten everywhere an hour after they ran out, and not before', async () => {
    const server = await start()
    await server.directory.revoke('short', server.clock.now() + 60_000)
    await server.directory.revoke('long', server.clock.now() + 12 * 3_600_000)
    await server.directory.refresh()
    server.clock.jump(3_600_000)
    await server.directory.refresh()
    expect(server.directory.isRevoked('short')).toBe(true)
    server.clock.jump(3_600_000)
    await server.directory.refresh()
    expect(server.directory.isRevoked('short')).toBe(false)
    expect(server.directory.isRevoked('long')).toBe(true)
    expect(await rowsOf((sql) => sql`select token_id as id from revoked_tokens`)).toEqual([{ id: 'long' }])
  })

  it('all hold when many come at once', async () => {
    const server = await start()
    const ids = Array.from({ length: 200 }, (_, number) => `token-${number}`)
    await Promise.all(ids.map((id) => server.directory.revoke(id, server.clock.now() + 60_000)))
    await crash(server)
    const after = await start(server.place, { isPlugged: false })
    expect(ids.filter((id) => !after.directory.isRevoked(id))).toEqual([])
  })
})

describe('the file', () => {
  it('is nobody else to read, and no trace of its writing is left', async () => {
    const server = await start()
    await create(server, 'marie')
    const path = join(server.place, 'users.json')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({
      version: 1,
      accounts: [{ name: 'marie', passwordHash: 'hash of marie' }],
    })
    await expect(stat(`${path}.tmp`)).rejects.toThrow('ENOENT')
  })

  it('may fail to be written without undoing what Postgres keeps', async () => {
    const server = await start()
    await rm(server.place, { recursive: true })
    await writeFile(server.place, 'a file where the directory was')
    const marie = await create(server, 'marie')
    expect(server.directory.byId(marie.id)).toBeDefined()
    expect(troubles).toContainEqual(expect.stringContaining('could not be written'))
    await server.directory.revoke('one', server.clock.now() + 60_000)
    expect(await rowsOf((sql) => sql`select token_id as id from revoked_tokens`)).toEqual([{ id: 'one' }])
    await server.cable.pull()
    await expect(server.directory.revoke('two', server.clock.now() + 60_000)).rejects.toThrow('Postgres')
    expect(server.directory.isRevoked('two')).toBe(true)
  })
})

describe('the first accounts', () => {
  const hash = async (password: string) => `hashed ${password}`
  const first = (server: Server, given: { adminPassword?: string; cashierPassword?: string } = {}) =>
    createFirstAccounts({ directory: server.directory, hash, dataDirectory: server.place, ...given })
  const passwordsFile = (server: Server) => join(server.place, 'first-passwords.txt')

  it('are an admin and a cashier with readable passwords, kept in a file for the operator alone', async () => {
    const server = await start()
    const made = await first(server)
    expect(made).toEqual([
      {
        name: 'admin',
        role: 'admin',
        generatedPassword: expect.stringMatching(/^[a-z3-9]{4}(-[a-z3-9]{4}){3}$/),
      },
      { name: 'caisse', role: 'cashier', generatedPassword: expect.stringMatching(/^[a-z3-9-]{19}$/) },
    ])
    const [admin, caisse] = made.map((account) => account.generatedPassword)
    expect(admin).not.toBe(caisse)
    expect(server.directory.byName('admin')).toMatchObject({ passwordHash: `hashed ${admin}`, role: 'admin' })
    expect(server.directory.byName('caisse')).toMatchObject({ passwordHash: `hashed ${caisse}` })
    const text = await readFile(passwordsFile(server), 'utf8')
    expect(text).toContain(`admin ${admin}\ncaisse ${caisse}\n`)
    expect((await stat(passwordsFile(server))).mode & 0o777).toBe(0o600)
  })

  it('are made once, and the file is left alone afterwards', async () => {
    const server = await start()
    await first(server)
    const text = await readFile(passwordsFile(server), 'utf8')
    expect(await first(server)).toEqual([])
    await stop(server)
    expect(await first(await start(server.place))).toEqual([])
    expect(await readFile(passwordsFile(server), 'utf8')).toBe(text)
  })

  it('are not made beside others, though this server has not heard of those', async () => {
    const here = await start()
    const there = await start()
    await create(there, 'marie')
    expect(await here.directory.createFirst([newAccount('admin', 'admin')])).toEqual([])
    expect(here.directory.all().map((user) => user.name)).toEqual(['marie'])
  })

  it('take passwords that are given, which are written nowhere', async () => {
    const both = await start()
    const given = { adminPassword: 'Given-Admin-1', cashierPassword: 'Given-Cashier-2' }
    expect((await first(both, given)).map((account) => account.generatedPassword)).toEqual([
      undefined,
      undefined,
    ])
    expect(both.directory.byName('admin')).toMatchObject({ passwordHash: 'hashed Given-Admin-1' })
    await expect(stat(passwordsFile(both))).rejects.toThrow('ENOENT')
  })

  it('name only the made one of two passwords in the file', async () => {
    const server = await start()
    await first(server, { adminPassword: 'Given-Admin-1' })
    const text = await readFile(passwordsFile(server), 'utf8')
    expect(text).toContain('caisse ')
    expect(text).not.toMatch(/Given|admin /)
  })

  it('are made by one of several servers that start at once, and only its file names them', async () => {
    const servers = await Promise.all([start(), start(), start()])
    const made = await Promise.all(servers.map((server) => first(server)))
    expect(made.map((accounts) => accounts.length).sort()).toEqual([0, 0, 2])
    for (const [index, server] of servers.entries()) {
      expect(server.directory.all().map((user) => user.name)).toEqual(['admin', 'caisse'])
      const isMaker = made[index]!.length > 0
      if (isMaker) expect(await readFile(passwordsFile(server), 'utf8')).toContain('admin ')
      else await expect(stat(passwordsFile(server))).rejects.toThrow('ENOENT')
      const admin = made.flat().find((account) => account.name === 'admin')!
      expect(server.directory.byName('admin')).toMatchObject({
        passwordHash: `hashed ${admin.generatedPassword}`,
      })
    }
  })

  it('can be read in the file though the server ended before it printed them', async () => {
    const server = await start()
    const created: UserDirectory['createFirst'] = async (accounts) => {
      await UsersDirectory.prototype.createFirst.call(server.directory, accounts)
      throw new Error('killed')
    }
    vi.spyOn(server.directory, 'createFirst').mockImplementation(created)
    await expect(first(server)).rejects.toThrow('killed')
    const text = await readFile(passwordsFile(server), 'utf8')
    expect(await first(await start(server.place))).toEqual([])
    const [, admin] = /^admin (\S+)$/m.exec(text)!
    expect(server.directory.byName('admin')).toMatchObject({ passwordHash: `hashed ${admin}` })
    expect(await readFile(passwordsFile(server), 'utf8')).toBe(text)
  })

  it('wait for Postgres', async () => {
    const server = await start(undefined, { isPlugged: false })
    await expect(first(server)).rejects.toMatchObject({ name: 'Unavailable' })
    await server.cable.plug()
    await vi.waitFor(async () => expect(await first(server)).toHaveLength(2))
  })
})
