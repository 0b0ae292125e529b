// Postgres, Redis, or both are killed, or their links are cut, frozen or slow, for longer than a round lasts.
import { setTimeout as delay } from 'node:timers/promises'
import { type Attack, between, faultUnless, type Result, type Trials } from './attack.ts'
import { reckon } from './reckoning.ts'
import { Shop, type ShopOptions } from './shop.ts'

/** Longer than a round of this shop, which takes 2.9 s. */
const OUTAGE_MS = 4_500
/** Selling waits for neither of the two. */
const LEAST_SOLD = 100

type Trouble = {
  readonly name: string
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
    begin: (shop) => Promise.all([killPostgres(shop), killRedis(shop)]),
    end: (shop) => Promise.all([mendPostgres(shop), mendRedis(shop)]),
  },
  {
    name: 'both killed, and the server too',
    begin: async (shop) => {
      await Promise.all([killPostgres(shop), killRedis(shop)])
      await shop.parts.server.kill('SIGKILL')
      await shop.back()
    },
    end: (shop) => Promise.all([mendPostgres(shop), mendRedis(shop)]),
  },
]

const LINKS: readonly Trouble[] = (['postgresCable', 'redisCable'] as const).flatMap((cable) => {
  const to = cable === 'postgresCable' ? 'Postgres' : 'Redis'
  const end = (shop: Shop): Promise<void> => shop.parts[cable].plug()
  return [
    { name: `link to ${to} cut`, begin: (shop: Shop) => shop.parts[cable].pull(), end },
    { name: `link to ${to} frozen`, begin: (shop: Shop) => shop.parts[cable].freeze(), end },
    { name: `link to ${to} slow`, begin: (shop: Shop) => shop.parts[cable].slow(150), end },
    {
      name: `link to ${to} cut again and again`,
      begin: async (shop: Shop) => {
        for (let i = 0; i < 20; i++) {
          shop.parts[cable].cut(0.5)
          await delay(between(0, OUTAGE_MS / 10))
        }
      },
      end,
    },
  ]
})

const through = async (
  troubles: readonly Trouble[],
  { times, isShort, say }: Trials,
  options: ShopOptions = {},
): Promise<Result> => {
  const turns = times ?? (isShort ? 1 : 3)
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
        await delay(Math.max(0, OUTAGE_MS - (performance.now() - begun)))
        const sold = shop.acknowledged - before
        least = Math.min(least, sold)
        faults.push(...faultUnless(sold >= LEAST_SOLD, `${name}: only ${sold} were sold meanwhile`))
        await end(shop)
        say(`turn ${turn}, ${name}: ${sold} sold meanwhile`)
        await delay(between(0, 2_000))
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
