// Postgres, Redis, or both are killed, or their links are cut, frozen or slow, for longer than a round lasts.
import { setTimeout as delay } from 'node:timers/promises'
import type { Cable } from '../tests/support/cable.ts'
import { type Attack, between, faultUnless, type Result, type Trials } from './attack.ts'
import { reckon } from './reckoning.ts'
import { Shop, type ShopOptions } from './shop.ts'

/** Longer than a round of this shop, which takes 2.9 s. */
const OUTAGE_MS = 4_500
const SHORT_OUTAGE_MS = 3_200
const LEAST_MS = 2_500
/** Selling waits for neither of the two. */
const LEAST_SOLD = 20

type Trouble = {
  readonly name: string
  /** Whether CI makes it: it makes one of each kind that no other test makes. */
  readonly isForCi?: boolean
  readonly begin: (shop: Shop) => Promise<unknown> | unknown
  readonly end: (shop: Shop) => Promise<unknown> | unknown
}

const killPostgres = (shop: Shop): Promise<void> => shop.parts.postgres.kill()
const mendPostgres = (shop: Shop): Promise<void> => shop.parts.postgres.mend()
const killRedis = (shop: Shop): Promise<void> => shop.parts.redis.kill()
const mendRedis = (shop: Shop): Promise<void> => shop.parts.redis.restart()

const KILLS: readonly Trouble[] = [
  { name: 'Postgres killed', begin: killPostgres, end: mendPostgres },
  { name: 'Redis killed', begin: killRedis, end: mendRedis },
  {
    name: 'both killed',
    isForCi: true,
    begin: (shop) => Promise.all([killPostgres(shop), killRedis(shop)]),
    end: (shop) => Promise.all([mendPostgres(shop), mendRedis(shop)]),
  },
  {
    name: 'both killed, and the server too',
    isForCi: true,
    begin: async (shop) => {
      await Promise.all([killPostgres(shop), killRedis(shop)])
      await shop.parts.server.kill('SIGKILL')
      await shop.back()
    },
    end: (shop) => Promise.all([mendPostgres(shop), mendRedis(shop)]),
  },
]

type Link = 'postgresCable' | 'redisCable'
const BOTH: readonly Link[] = ['postgresCable', 'redisCable']

const troublesOf = (to: string, cables: readonly Link[], isForCi: boolean): Trouble[] => {
  const each = (shop: Shop, work: (cable: Cable) => Promise<void> | void): Promise<unknown> =>
    Promise.all(cables.map((cable) => work(shop.parts[cable])))
  const end = (shop: Shop): Promise<unknown> => each(shop, (cable) => cable.plug())
  return [
    { name: `${to} cut`, begin: (shop) => each(shop, (cable) => cable.pull()), end, isForCi },
    { name: `${to} frozen`, begin: (shop) => each(shop, (cable) => cable.freeze()), end, isForCi },
    { name: `${to} slow`, begin: (shop) => each(shop, (cable) => cable.slow(150)), end, isForCi },
    {
      name: `${to} cut again and again`,
      begin: async (shop) => {
        for (let i = 0; i < 20; i++) {
          await each(shop, (cable) => cable.cut(0.5))
          await delay(between(0, SHORT_OUTAGE_MS / 10))
        }
      },
      end,
      isForCi,
    },
  ]
}

const LINKS: readonly Trouble[] = [
  ...troublesOf('link to Postgres', ['postgresCable'], false),
  ...troublesOf('link to Redis', ['redisCable'], false),
  ...troublesOf('links to both', BOTH, true),
]

const through = async (
  all: readonly Trouble[],
  { times, isShort, say }: Trials,
  options: ShopOptions = {},
): Promise<Result> => {
  const turns = times ?? (isShort ? 1 : 3)
  const troubles = all.filter(({ isForCi }) => !isShort || isForCi)
  const lastsMs = isShort ? SHORT_OUTAGE_MS : OUTAGE_MS
  const shop = await Shop.open(options)
  const faults: string[] = []
  let least = Number.POSITIVE_INFINITY
  try {
    shop.gather()
    await shop.soldMore(50)
    for (let turn = 1; turn <= turns; turn++)
      for (const { name, begin, end } of troubles) {
        const before = shop.acknowledged
        const begun = performance.now()
        await begin(shop)
        // Where the server was killed too, it needs a moment before it sells.
        await delay(Math.max(LEAST_MS, lastsMs - (performance.now() - begun)))
        const sold = shop.acknowledged - before
        least = Math.min(least, sold)
        faults.push(...faultUnless(sold >= LEAST_SOLD, `${name}: only ${sold} were sold meanwhile`))
        await end(shop)
        say(`turn ${turn}, ${name}: ${sold} sold meanwhile`)
        await delay(between(0, isShort ? 500 : 2_000))
      }
    await shop.soldMore(50)
    const { faults: found, figures } = await reckon(shop)
    return {
      trials: turns * troubles.length,
      figures: { ...figures, 'least sold in an outage': least },
      faults: [...faults, ...found],
    }
  } finally {
    await shop.close()
  }
}

export const outage: Attack = {
  name: 'outage',
  what: 'kill -9 of Postgres, of Redis, of both, for longer than a round',
  run: (trials) => through(KILLS, trials),
}

export const links: Attack = {
  name: 'links',
  what: 'the links to Postgres and to Redis cut, frozen and slow',
  run: (trials) => through(LINKS, trials),
}
