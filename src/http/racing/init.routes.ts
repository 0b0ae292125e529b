import { type Context, Hono } from 'hono'
import type { DescribeRouteOptions } from 'hono-openapi'
import * as v from 'valibot'
import type { RacingPort } from '../../actors/racing/racing.port.ts'
import { viewReceipt } from '../../domain/racing/receipt-view.ts'
import type { Receipt } from '../../domain/racing/receipts.ts'
import { refuse } from '../../domain/racing/refusals.ts'
import type { Round } from '../../domain/racing/round.ts'
import { answersOf, signedInRefusals, signedInSecurity } from '../answer.schema.ts'
import { ok } from '../answer.ts'
import { checked } from '../body.ts'
import { type Env, maybeSignedIn, type OpenEnv, signedIn } from '../guard.ts'
import { route } from '../route.ts'
import { isAdmin, type Session, type Sessions } from '../session.ts'
import { PublicTicketSchema, RoundSchema, SystemTicketSchema, TimerSchema } from './racing.schema.ts'
import { publicRound, systemTicket, timerOf } from './racing.view.ts'
import { trackParameter } from './receipts.docs.ts'
import { refuseWith, trackOf, unknownTrack } from './receipts.routes.ts'
import { publicTicket, toShown } from './tickets.view.ts'

export type InitOptions = {
  readonly racing: RacingPort
  readonly sessions: Sessions
  readonly now: () => number
}

/** `/init`: what a screen needs to begin with. */
export const initRoutes = ({ racing, sessions, now }: InitOptions) => {
  const app = new Hono<Env>()

  /** What is asked for: a track's round, and a page of the receipts in it that this session may see. */
  const asked = (c: Context, session: Session | undefined): Asked | Response => {
    const query = checked(c, PageQuery, c.req.query())
    if (query instanceof Response) return query
    const track = trackOf(racing, query.track)
    if (track === undefined) return unknownTrack(c, racing)
    const round = racing.current(track)
    const { before, limit } = query
    if (round && before && before.roundId !== round.id)
      return refuseWith(c, refuse('ROUND_CHANGED', { roundId: round.id, asked: before.roundId }))
    return { round, page: round && session ? pageOf(round, session, before?.place, limit) : NOTHING }
  }

  const dashboard = async (c: Context<Env>): Promise<Response> => {
    const what = asked(c, c.get('session'))
    if (what instanceof Response) return what
    const { round, page } = what
    const at = now()
    const data = {
      round: round ? publicRound(round, at) : null,
      tickets: page.receipts.map((receipt) => publicTicket(viewReceipt(round!, receipt), 'memory')),
      ticketsTotal: page.total,
      next: page.next,
      timer: round ? timerOf(round, at) : null,
      totalPrize: toShown(page.totalPrize),
      cacheTimestamp: at,
      source: 'memory+db',
    }
    await racing.settled()
    keepFor2Seconds(c, true)
    return ok(c, data)
  }

  const game = async (c: Context<OpenEnv>): Promise<Response> => {
    const session = c.get('session')
    const what = asked(c, session)
    if (what instanceof Response) return what
    const { round, page } = what
    const at = now()
    const data = {
      round: round ? publicRound(round, at) : null,
      timer: round ? timerOf(round, at) : null,
      tickets: page.receipts.map((receipt) => systemTicket(viewReceipt(round!, receipt))),
      ticketsTotal: page.total,
      next: page.next,
      isRaceRunning: round?.phase === 'running',
      nextRoundStartTime: round?.opened.nextAt ?? at,
      cacheTimestamp: at,
      source: 'memory',
    }
    await racing.settled()
    keepFor2Seconds(c, session !== undefined)
    return ok(c, data)
  }

  route(app, 'GET', '/init/dashboard', docs.dashboard, signedIn(sessions), dashboard)
  route(app as unknown as Hono<OpenEnv>, 'GET', '/init/game', docs.game, maybeSignedIn(sessions), game)
  return app
}

type Page = {
  /** Not cancelled, latest first. */
  readonly receipts: readonly Receipt[]
  /** Where it goes on; `null` at the end. */
  readonly next: string | null
  /** Of all that are not cancelled, not only of this page. */
  readonly total: number
  readonly totalPrize: number
}
type Asked = { readonly round: Round | undefined; readonly page: Page }
const NOTHING: Page = { receipts: [], next: null, total: 0, totalPrize: 0 }

/**
 * A page of a round's receipts that this session may see. It costs what the page costs, however many there are.
 * @param before the place, in the order of sale, that the page stands before: a receipt keeps its own for good
 */
const pageOf = (round: Round, session: Session, before = Number.POSITIVE_INFINITY, limit: number): Page => {
  const seen = isAdmin(session) ? round : round.byUser.get(session.userId)
  if (!seen) return NOTHING
  const { ids, receiptCount: total, totalPrize } = seen
  const receipts: Receipt[] = []
  for (let place = Math.min(before, ids.length) - 1; place >= 0; place--) {
    const receipt = round.receipts.get(ids[place]!)!
    if (receipt.status === 'cancelled') continue
    if (receipts.length === limit) return { receipts, next: `${round.id}-${place + 1}`, total, totalPrize }
    receipts.push(receipt)
  }
  return { receipts, next: null, total, totalPrize }
}

const keepFor2Seconds = (c: Context, isPrivate: boolean): void => {
  c.header('Cache-Control', `${isPrivate ? 'private' : 'public'}, max-age=2`)
  c.header('Vary', 'Authorization, Cookie')
}

/** Receipts of a page, if it is not said otherwise, and at most. */
const TICKETS = 200
const MOST_TICKETS = 1_000
const wholeTo = `A whole number from 1 to ${MOST_TICKETS}`

const PageQuery = v.object({
  track: v.optional(v.string()),
  limit: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[1-9]\d{0,3}$/, wholeTo),
      v.transform(Number),
      v.maxValue(MOST_TICKETS, wholeTo),
    ),
    String(TICKETS),
  ),
  before: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,15}-\d{1,15}$/, 'What an earlier page gave as next'),
      v.transform((text) => {
        const [roundId, place] = text.split('-').map(Number) as [number, number]
        return { roundId, place }
      }),
    ),
  ),
})

const pageParameters = [
  trackParameter,
  {
    name: 'limit',
    in: 'query' as const,
    required: false,
    schema: { type: 'integer' as const, minimum: 1, maximum: MOST_TICKETS, default: TICKETS },
    description: 'How many receipts at most, latest first.',
  },
  {
    name: 'before',
    in: 'query' as const,
    required: false,
    schema: { type: 'string' as const, pattern: '^\\d{1,15}-\\d{1,15}$' },
    description: 'The `next` of the page before.',
  },
]

const ticketsTotal = v.pipe(v.number(), v.description('Of the whole round, not only of this page.'))
const next = v.pipe(v.nullable(v.string()), v.description('Send it as `before` for those sold earlier.'))

const docs = {
  dashboard: {
    tags: ['init'],
    summary: 'The current round with its receipts: one’s own, or all of them for an admin',
    description:
      'Receipts latest first, in pages; sums are those of the whole round. Amounts in the public unit. May be kept for 2 seconds.',
    security: signedInSecurity,
    parameters: pageParameters,
    responses: answersOf(
      v.object({
        round: v.nullable(RoundSchema),
        tickets: v.array(PublicTicketSchema),
        ticketsTotal,
        next,
        timer: v.nullable(TimerSchema),
        totalPrize: v.number(),
        cacheTimestamp: v.number(),
        source: v.string(),
      }),
      [...signedInRefusals, 'BAD_REQUEST', 'ROUND_CHANGED', 'TOO_MANY_REQUESTS'],
    ),
  },
  game: {
    tags: ['init'],
    summary: 'The state of the game, for everybody; with receipts for staff',
    description: 'Receipts latest first, in pages. Amounts in the smallest unit. May be kept for 2 seconds.',
    parameters: pageParameters,
    responses: answersOf(
      v.object({
        round: v.nullable(RoundSchema),
        timer: v.nullable(TimerSchema),
        tickets: v.array(SystemTicketSchema),
        ticketsTotal,
        next,
        isRaceRunning: v.boolean(),
        nextRoundStartTime: v.number(),
        cacheTimestamp: v.number(),
        source: v.string(),
      }),
      ['BAD_REQUEST', 'ROUND_CHANGED', 'TOO_MANY_REQUESTS'],
    ),
  },
} satisfies Record<string, DescribeRouteOptions>
