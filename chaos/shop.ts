// A shop under attack: the built server, its Postgres, its Redis, cables between all of them, and everybody who uses it.
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type BreakablePostgres, startBreakablePostgres } from '../tests/support/breakable-postgres.ts'
import { Cable } from '../tests/support/cable.ts'
import { startTestRedis, type TestRedis } from '../tests/support/redis.ts'
import { eventually, ROOT, startServer, type TestServer } from '../tests/support/server.ts'
import { Crowd, type CrowdOptions, Station } from '../tests/support/station.ts'
import { Sockets } from './sockets.ts'

export const CLIENTS = 64
export const SOCKETS = 200
/** Of the sockets, those that follow all receipts, and those that follow their own. */
const ADMIN_SOCKETS = 12
const CASHIER_SOCKETS = 24

/** Rounds of some three seconds, so that trouble meets all of their phases. */
const SETTINGS = {
  ROUND_WAIT_DURATION_MS: '2000',
  BETTING_LOCK_DURATION_MS: '300',
  RACE_DURATION_MS: '600',
  RESULTS_DURATION_MS: '300',
  MAX_ROUND_EXPOSURE: '900000000000000',
  ADMIN_PASSWORD: 'chaos-admin-password',
  CASHIER_PASSWORD: 'chaos-cashier-password',
}

export type ShopOptions = {
  readonly env?: Readonly<Record<string, string>>
  readonly crowd?: Partial<CrowdOptions>
  readonly dataDirectory?: string
  readonly build?: string | undefined
  /** Whether clients reach the server through `clientCable`. */
  readonly throughCable?: boolean
}

type Undo = (() => Promise<unknown> | unknown)[]
type Parts = {
  readonly server: TestServer
  readonly postgres: BreakablePostgres
  readonly redis: TestRedis
  readonly postgresCable: Cable
  readonly redisCable: Cable
  readonly clientCable: Cable
  readonly admin: Station
  readonly cashier: Station
  readonly sockets: Sockets
}

export class Shop {
  readonly parts: Parts
  readonly crowds: Crowd[] = []
  readonly #undo: Undo
  readonly #options: ShopOptions
  readonly #counter: Station

  private constructor(parts: Parts, counter: Station, options: ShopOptions, undo: Undo) {
    this.parts = parts
    this.#counter = counter
    this.#options = options
    this.#undo = undo
  }

  static async open(options: ShopOptions = {}): Promise<Shop> {
    const undo: Undo = []
    try {
      const built = copyOf(options.build ?? BUILD)
      undo.unshift(() => rmSync(join(built, '..'), { recursive: true, force: true }))
      const postgres = await startBreakablePostgres()
      undo.unshift(() => postgres.end())
      const redis = await startTestRedis({ durable: true })
      undo.unshift(() => redis.stop())
      const postgresCable = await Cable.to(postgres.url)
      undo.unshift(() => postgresCable.pull())
      const redisCable = await Cable.to(redis.url)
      undo.unshift(() => redisCable.pull())
      const server = await startServer({
        built: join(built, 'main.js'),
        ...(options.dataDirectory !== undefined && { dataDirectory: options.dataDirectory }),
        env: {
          ...SETTINGS,
          DATABASE_URL: postgresCable.url,
          REDIS_URL: redisCable.url,
          CONNECTIONS_PER_ADDRESS: '4000',
          ...options.env,
        },
      })
      undo.unshift(() => server.stop())
      const clientCable = await Cable.to(server.url)
      undo.unshift(() => clientCable.pull())
      const [admin, cashier] = [await Station.signIn(server, 'admin'), await Station.signIn(server, 'caisse')]
      const reached = options.throughCable ? clientCable : server
      const counter = new Station(reached, cashier.token, cashier.user)
      const sockets = new Sockets(() => reached.url, followersOf(admin, cashier))
      undo.unshift(() => sockets.stop())
      const parts = {
        server,
        postgres,
        redis,
        postgresCable,
        redisCable,
        clientCable,
        admin,
        cashier,
        sockets,
      }
      const shop = new Shop(parts, counter, options, undo)
      undo.unshift(() => Promise.all(shop.crowds.map((crowd) => crowd.stop())))
      return shop
    } catch (error) {
      for (const step of undo) await Promise.resolve(step()).catch(() => {})
      throw error
    }
  }

  /** 64 clients begin to sell, cancel and pay. */
  gather(options: Partial<CrowdOptions> = {}): Crowd {
    const crowd = new Crowd(this.#counter, {
      clients: CLIENTS,
      restMs: 120,
      cancelEvery: 5,
      payEvery: 4,
      insists: true,
      ...this.#options.crowd,
      ...options,
    })
    this.crowds.push(crowd)
    return crowd
  }

  get acknowledged(): number {
    return this.crowds.reduce((sum, crowd) => sum + crowd.with('acknowledged').length, 0)
  }

  /** Until so many more receipts were sold. */
  soldMore(count: number, withinMs = 60_000): Promise<unknown> {
    const before = this.acknowledged
    return eventually(`${count} more are sold`, () => this.acknowledged >= before + count, withinMs)
  }

  /** Starts the server again after a kill. */
  async back(): Promise<void> {
    this.parts.server.launch()
    await this.parts.server.untilOpen()
  }

  async close(): Promise<void> {
    for (const step of this.#undo.splice(0)) await Promise.resolve(step()).catch(() => {})
  }
}

/** The build of this checkout. */
export const BUILD = join(ROOT, 'dist')

/** A copy that no later build changes, beside `dist`, so that it finds the packages. */
const copyOf = (from: string): string => {
  const home = mkdtempSync(join(ROOT, '.dist-chaos-'))
  cpSync(from, join(home, 'dist'), { recursive: true })
  symlinkSync(join(ROOT, 'package.json'), join(home, 'package.json'))
  return join(home, 'dist')
}

const followersOf = (admin: Station, cashier: Station) =>
  Array.from({ length: SOCKETS }, (_, index) => {
    if (index < ADMIN_SOCKETS)
      return { token: admin.token, topic: 'receipts' as const, stream: 'all receipts' }
    if (index < ADMIN_SOCKETS + CASHIER_SOCKETS)
      return { token: cashier.token, topic: 'receipts' as const, stream: 'own receipts' }
    return { token: undefined, topic: 'race' as const, stream: 'race' }
  })
