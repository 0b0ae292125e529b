import { type Context, Hono } from 'hono'
import type { DescribeRouteOptions } from 'hono-openapi'
import * as v from 'valibot'
import type { RacingPort } from '../../actors/racing/racing.port.ts'
import { Unavailable } from '../../actors/unavailable.port.ts'
import type { CashierDay, Sum } from '../../db/racing/cashier-day.queries.ts'
import { type Day, dateIn, dayIn, type TimeZone } from '../../domain/day.ts'
import { amountDue, viewReceipt } from '../../domain/racing/receipt-view.ts'
import { answersOf, signedInRefusals, signedInSecurity } from '../answer.schema.ts'
import { ok, refusal } from '../answer.ts'
import { checked } from '../body.ts'
import { type Env, signedIn } from '../guard.ts'
import { route } from '../route.ts'
import type { Sessions } from '../session.ts'
import { DateQuery } from './my-bets.docs.ts'

export type MyDayOptions = {
  readonly racing: RacingPort
  /** What the archive has of somebody's day. */
  readonly archive: (userId: number, day: Day) => Promise<CashierDay>
  readonly sessions: Sessions
  readonly timeZone: TimeZone
  readonly now: () => number
}

/** `/my-day`: what whoever is signed in took in and gave out on a day of the shop. */
export const myDayRoutes = ({ racing, archive, sessions, timeZone, now }: MyDayOptions) => {
  const app = new Hono<Env>()

  const myDay = async (c: Context<Env>): Promise<Response> => {
    const query = checked(c, DateQuery, c.req.query())
    if (query instanceof Response) return query
    const date = query.date ?? dateIn(now(), timeZone)
    const day = dayIn(date, timeZone)
    if (!day) return refusal(c, 'BAD_REQUEST', undefined, [{ path: 'date', message: 'There is no such day' }])
    c.header('Cache-Control', 'no-store')
    return ok(c, { date, ...(await read(c.get('session').userId, day)) })
  }

  /** Live receipts from their actors, the others from the archive, read between hand-overs so that each counts once. */
  const read = async (userId: number, day: Day) => {
    for (;;) {
      const before = await racing.betweenHandOvers()
      const live = liveDay(racing, userId, day)
      await racing.settled()
      try {
        const retired = await archive(userId, day)
        if ((await racing.betweenHandOvers()) === before) return shown(added(live, retired), 'complete')
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error
        return shown(live, 'unavailable')
      }
    }
  }

  route(app, 'GET', '/my-day/', docs.day, signedIn(sessions), myDay)
  return app
}

const liveDay = (racing: RacingPort, userId: number, { from, to }: Day): CashierDay => {
  const day = { sold: NOTHING, cancelled: NOTHING, paid: NOTHING, refunded: NOTHING }
  const isIn = (at: number): boolean => at >= from && at < to
  for (const round of racing.rounds())
    for (const receipt of round.receipts.values()) {
      const { by, at, status, closed, total } = receipt
      if (by === userId && isIn(at)) day.sold = plus(day.sold, { receipts: 1, amount: total })
      if (closed?.by !== userId || !isIn(closed.at)) continue
      const amount = status === 'cancelled' ? total : amountDue(viewReceipt(round, receipt))
      const what = status as 'cancelled' | 'paid' | 'refunded'
      day[what] = plus(day[what], { receipts: 1, amount })
    }
  return day
}

const NOTHING: Sum = { receipts: 0, amount: 0 }
const plus = (one: Sum, other: Sum): Sum => ({
  receipts: one.receipts + other.receipts,
  amount: one.amount + other.amount,
})
const added = (one: CashierDay, other: CashierDay): CashierDay => ({
  sold: plus(one.sold, other.sold),
  cancelled: plus(one.cancelled, other.cancelled),
  paid: plus(one.paid, other.paid),
  refunded: plus(one.refunded, other.refunded),
})

const shown = (day: CashierDay, history: 'complete' | 'unavailable') => ({
  ...day,
  balance: day.sold.amount - day.cancelled.amount - day.paid.amount - day.refunded.amount,
  history,
})

const SumSchema = v.object({ receipts: v.number(), amount: v.number() })
const docs = {
  day: {
    tags: ['my-bets'],
    summary: 'What whoever is signed in took in and gave out on a day: the money in the drawer',
    description:
      'Amounts in the smallest unit. `sold` counts every sale of the day, `cancelled`, `paid` and `refunded` what this person gave back or out on the day, whenever it was sold. The balance is what was sold less the rest. `history` is `unavailable` while Postgres is away: then only rounds not yet handed over count.',
    security: signedInSecurity,
    parameters: [
      {
        name: 'date',
        in: 'query',
        required: false,
        schema: { type: 'string', format: 'date' },
        description: 'A day in the time zone of the shop; today where absent.',
      },
    ],
    responses: answersOf(
      v.pipe(
        v.object({
          date: v.string(),
          sold: SumSchema,
          cancelled: SumSchema,
          paid: SumSchema,
          refunded: SumSchema,
          balance: v.number(),
          history: v.picklist(['complete', 'unavailable']),
        }),
        v.metadata({ ref: 'MyDay' }),
      ),
      [...signedInRefusals, 'BAD_REQUEST'],
    ),
  },
} satisfies Record<string, DescribeRouteOptions>
