import { Hono } from 'hono'
import type { DescribeRouteOptions } from 'hono-openapi'
import * as v from 'valibot'
import { nameOfZone, type TimeZone } from '../../domain/day.ts'
import { answersOf } from '../answer.schema.ts'
import { ok } from '../answer.ts'
import { maybeSignedIn, type OpenEnv } from '../guard.ts'
import { route } from '../route.ts'
import type { Sessions } from '../session.ts'
import { MOST_BETS } from './receipts.docs.ts'

/** What a page must know of the shop before anybody signs in. Amounts in the smallest unit, durations in milliseconds. */
export type Shop = {
  readonly name: string
  readonly station: string
  readonly currency: string
  readonly timeZone: TimeZone
  /** Where customers reach it; `undefined` where nobody said. */
  readonly publicUrl: string | undefined
  readonly tracks: readonly string[]
  readonly limits: { readonly minStake: number; readonly maxStake: number }
  readonly durationsMs: {
    readonly wait: number
    readonly lock: number
    readonly race: number
    readonly results: number
  }
  /** Nothing that is sold here is worth anything; every page and every print says so. */
  readonly isDemonstration: boolean
}

/** `/shop`: its name, money, time zone, address, tracks and limits. Public. */
export const shopRoutes = (sessions: Sessions, shop: Shop) => {
  const app = new Hono<OpenEnv>()
  const { name, station, currency, timeZone, publicUrl, tracks, limits, durationsMs, isDemonstration } = shop
  const { minStake, maxStake } = limits
  const view = {
    name,
    station,
    currency,
    publicUrl: publicUrl ?? null,
    tracks,
    limits: { minStake, maxStake, betsPerReceipt: MOST_BETS },
    durationsMs,
    isDemonstration,
  }
  route(app, 'GET', '/shop', docs.shop, maybeSignedIn(sessions), (c) => {
    c.header('Cache-Control', 'no-cache')
    return ok(c, { ...view, timeZone: nameOfZone(timeZone) })
  })
  return app
}

const docs = {
  shop: {
    tags: ['init'],
    summary: 'What a page must know of the shop: its money, time zone, tracks and limits',
    description:
      'Amounts in the smallest unit. The first track is the default. `publicUrl` is where customers reach the pages, if it was set.',
    responses: answersOf(
      v.pipe(
        v.object({
          name: v.string(),
          station: v.string(),
          currency: v.string(),
          timeZone: v.string(),
          publicUrl: v.nullable(v.string()),
          tracks: v.array(v.string()),
          limits: v.object({ minStake: v.number(), maxStake: v.number(), betsPerReceipt: v.number() }),
          durationsMs: v.object({
            wait: v.number(),
            lock: v.number(),
            race: v.number(),
            results: v.number(),
          }),
          isDemonstration: v.boolean(),
        }),
        v.metadata({ ref: 'Shop' }),
      ),
      ['TOO_MANY_REQUESTS'],
    ),
  },
} satisfies Record<string, DescribeRouteOptions>
