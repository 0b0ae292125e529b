import { type Context, Hono } from 'hono'
import type * as v from 'valibot'
import type { RacingPort } from '../../actors/racing/racing.port.ts'
import { Unavailable } from '../../actors/unavailable.port.ts'
import type { ReceiptFilter, StatusTotals } from '../../db/racing/receipts.queries.ts'
import { dayIn, type TimeZone } from '../../domain/day.ts'
import { amountDue } from '../../domain/racing/receipt-view.ts'
import { isRefusal, refuse } from '../../domain/racing/refusals.ts'
import { ok, refusal } from '../answer.ts'
import { checked } from '../body.ts'
import { type Env, signedIn } from '../guard.ts'
import { route } from '../route.ts'
import { isAdmin, type Session, type Sessions } from '../session.ts'
import { MyBetsCache } from './my-bets.cache.ts'
import { docs, ListQuery } from './my-bets.docs.ts'
import {
  type ArchiveLists,
  listLiveReceipts,
  listReceipts,
  matches,
  type PageOf,
  type ReceiptPage,
  totalsOf,
} from './my-bets.list.ts'
import { IdParameter } from './receipts.docs.ts'
import { type NameOf, onceKey, refuseWith } from './receipts.routes.ts'
import { personOf } from './sale.ts'
import { publicTicket, toShown } from './tickets.view.ts'

export type MyBetsOptions = {
  readonly racing: RacingPort
  readonly archive: ArchiveLists
  readonly sessions: Sessions
  readonly timeZone: TimeZone
  readonly nameOf: NameOf
  readonly now: () => number
}

type Query = v.InferOutput<typeof ListQuery>

/** `/my-bets`: the receipts of whoever is signed in, one of them, and paying it. */
export const myBetsRoutes = ({ racing, archive, sessions, timeZone, nameOf, now }: MyBetsOptions) => {
  const app = new Hono<Env>()
  const guest = signedIn(sessions)
  const cache = new MyBetsCache(now)
  racing.listen((heard) => cache.hear(heard))
  racing.listenArchive((paid) => cache.drop(paid.by))

  const list = async (c: Context<Env>): Promise<Response> => {
    const query = checked(c, ListQuery, c.req.query())
    if (query instanceof Response) return query
    const session = c.get('session')
    if (query.user_id !== undefined && !isAdmin(session) && query.user_id !== session.userId)
      return refusal(c, 'FORBIDDEN', 'Only an admin may list the receipts of others; leave user_id out.')
    const filter = filterOf(query, session, timeZone)
    if (!filter)
      return refusal(c, 'BAD_REQUEST', undefined, [{ path: 'date', message: 'There is no such day' }])
    const reader = isAdmin(session) ? undefined : session.userId
    const body = await cache.answer(reader, JSON.stringify(query), async () => {
      const answer = await page(filter, query)
      return { body: JSON.stringify({ success: true, data: answer }), mayKeep: answer.history === 'complete' }
    })
    return c.body(body, 200, { 'Content-Type': 'application/json', 'Cache-Control': 'private, no-cache' })
  }

  const page = async (filter: ReceiptFilter, query: Query) => {
    const of = { offset: (query.page - 1) * query.limit, limit: query.limit }
    if (query.searchId !== undefined) {
      const found = await racing.find(query.searchId)
      return shown(found && matches(found, filter) ? oneOf(found, of) : NONE, query, 'complete')
    }
    try {
      return shown(await listReceipts(racing, archive, filter, of), query, 'complete')
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      return shown(await listLiveReceipts(racing, filter, of), query, 'unavailable')
    }
  }

  const one = async (c: Context<Env>): Promise<Response> => {
    const parameters = checked(c, IdParameter, c.req.param())
    if (parameters instanceof Response) return parameters
    const { id } = parameters
    const receipt = await racing.find(id)
    if (!receipt) return refuseWith(c, refuse('RECEIPT_UNKNOWN', { id }))
    const session = c.get('session')
    if (!isAdmin(session) && receipt.by !== session.userId)
      return refuseWith(c, refuse('RECEIPT_FOREIGN', { id }))
    const { closed } = receipt
    return ok(c, { ...publicTicket(receipt), ...(closed && { closedByName: nameOf(closed.by) ?? null }) })
  }

  const pay = async (c: Context<Env>): Promise<Response> => {
    const parameters = checked(c, IdParameter, c.req.param())
    if (parameters instanceof Response) return parameters
    const { id } = parameters
    const session = c.get('session')
    const once = onceKey(c, session, 'pay', id)
    if (once instanceof Response) return once
    const outcome = await racing.change({ type: 'PayReceipt', by: personOf(session), id }, once)
    if (isRefusal(outcome)) return refuseWith(c, outcome, nameOf)
    return ok(c, {
      id,
      receipt_id: id,
      roundId: outcome.roundId,
      status: outcome.status,
      prize: toShown(outcome.prize),
      amount: toShown(amountDue(outcome)),
      paidAt: new Date(outcome.closed!.at).toISOString(),
      paidBy: outcome.closed!.by,
    })
  }

  route(app, 'GET', '/my-bets/', docs.list, guest, list)
  route(app, 'GET', '/my-bets/:id', docs.one, guest, one)
  route(app, 'POST', '/my-bets/pay/:id', docs.pay, guest, pay)
  return app
}

const NONE: ReceiptPage = { receipts: [], totals: {} }
type Found = ReceiptPage['receipts'][number]

const oneOf = (found: Found, { offset }: PageOf): ReceiptPage => ({
  receipts: offset === 0 ? [found] : [],
  totals: totalsOf([{ receipt: found }]),
})

/** Later times are written with a longer year, which Postgres does not read. */
const LAST_DAY = Date.UTC(9999, 11, 30)

const filterOf = (query: Query, session: Session, timeZone: TimeZone): ReceiptFilter | undefined => {
  const userId = isAdmin(session) ? query.user_id : session.userId
  const filter = { userId, status: query.status }
  if (query.date === undefined) return filter
  const day = dayIn(query.date, timeZone)
  return day && day.to <= LAST_DAY ? { ...filter, ...day } : undefined
}

const shown = (
  { receipts, totals }: ReceiptPage,
  { page, limit }: Query,
  history: 'complete' | 'unavailable',
) => {
  const totalItems = Object.values(totals).reduce((sum, one) => sum + one.receipts, 0)
  const first = (page - 1) * limit + 1
  return {
    pagination: {
      currentPage: page,
      totalPages: Math.ceil(totalItems / limit),
      totalItems,
      limit,
      displayedRange: receipts.length === 0 ? '0-0' : `${first}-${first + receipts.length - 1}`,
    },
    stats: statsOf(totals),
    tickets: receipts.map((receipt) => publicTicket(receipt)),
    history,
  }
}

const statsOf = (totals: StatusTotals) => {
  const of = (status: keyof StatusTotals) => totals[status] ?? { receipts: 0, stakes: 0, prizes: 0 }
  const won = of('won').receipts + of('paid').receipts
  const settled = won + of('lost').receipts
  return {
    totalBetAmount: toShown(Object.values(totals).reduce((sum, one) => sum + one.stakes, 0)),
    potentialWinnings: toShown(of('pending').prizes),
    activeTicketsCount: of('pending').receipts,
    winRate: String(settled === 0 ? 0 : Math.round((100 * won) / settled)),
    paidWinnings: toShown(of('paid').prizes),
    pendingPayments: toShown(of('won').prizes),
    pendingRefunds: toShown(of('refundable').stakes),
  }
}
