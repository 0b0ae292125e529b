import { type Context, Hono } from 'hono'
import type { DescribeRouteOptions } from 'hono-openapi'
import * as v from 'valibot'
import type { RacingPort } from '../../actors/racing/racing.port.ts'
import { viewReceipt } from '../../domain/racing/receipt-view.ts'
import type { Receipt, Round } from '../../domain/racing/round.ts'
import { answersOf, signedInRefusals, signedInSecurity } from '../answer.schema.ts'
import { ok } from '../answer.ts'
import { type Env, maybeSignedIn, type OpenEnv, signedIn } from '../guard.ts'
import { route } from '../route.ts'
import { isAdmin, type Session, type Sessions } from '../session.ts'
import { PublicTicketSchema, RoundSchema, SystemTicketSchema, TimerSchema } from './racing.schema.ts'
import { publicRound, systemTicket, timerOf } from './racing.view.ts'
import { trackParameter } from './receipts.docs.ts'
import { trackOf, unknownTrack } from './receipts.routes.ts'
import { publicTicket, toShown } from './tickets.view.ts'

export type InitOptions = {
  readonly racing: RacingPort
  readonly sessions: Sessions
  readonly now: () => number
}

/** `/init`: what a screen needs to begin with. */
export const initRoutes = ({ racing, sessions, now }: InitOptions) => {
  const app = new Hono<Env>()

  const dashboard = async (c: Context<Env>): Promise<Response> => {
    const track = trackOf(racing, c.req.query('track'))
    if (track === undefined) return unknownTrack(c, racing)
    const round = racing.current(track)
    const receipts = round ? visible(round, c.get('session')) : []
    const at = now()
    const data = {
      round: round ? publicRound(round, at) : null,
      tickets: receipts.map((receipt) => ({
        ...publicTicket(viewReceipt(round!, receipt)),
        _source: 'memory',
      })),
      timer: round ? timerOf(round, at) : null,
      totalPrize: toShown(receipts.reduce((sum, receipt) => sum + receipt.prize, 0)),
      cacheTimestamp: at,
      source: 'memory+db',
    }
    await racing.settled()
    keepFor2Seconds(c, true)
    return ok(c, data)
  }

  const game = async (c: Context<OpenEnv>): Promise<Response> => {
    const track = trackOf(racing, c.req.query('track'))
    if (track === undefined) return unknownTrack(c, racing)
    const round = racing.current(track)
    const session = c.get('session')
    const at = now()
    const data = {
      round: round ? publicRound(round, at) : null,
      timer: round ? timerOf(round, at) : null,
      tickets: round
        ? visible(round, session).map((receipt) => systemTicket(viewReceipt(round, receipt)))
        : [],
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

/** Receipts of a round that this session may see and that are not cancelled, latest first. */
const visible = (round: Round, session: Session | undefined): Receipt[] => {
  if (!session) return []
  const ids = isAdmin(session) ? [...round.receipts.keys()] : (round.byUser.get(session.userId) ?? [])
  return ids
    .map((id) => round.receipts.get(id)!)
    .filter((receipt) => receipt.status !== 'cancelled')
    .reverse()
}

const keepFor2Seconds = (c: Context, isPrivate: boolean): void => {
  c.header('Cache-Control', `${isPrivate ? 'private' : 'public'}, max-age=2`)
  c.header('Vary', 'Authorization, Cookie')
}

const docs = {
  dashboard: {
    tags: ['init'],
    summary: 'The current round with its receipts: one’s own, or all of them for an admin',
    description: 'Amounts in the public unit. May be kept for 2 seconds.',
    security: signedInSecurity,
    parameters: [trackParameter],
    responses: answersOf(
      v.object({
        round: v.nullable(RoundSchema),
        tickets: v.array(PublicTicketSchema),
        timer: v.nullable(TimerSchema),
        totalPrize: v.number(),
        cacheTimestamp: v.number(),
        source: v.string(),
      }),
      [...signedInRefusals, 'BAD_REQUEST', 'TOO_MANY_REQUESTS'],
    ),
  },
  game: {
    tags: ['init'],
    summary: 'The state of the game, for everybody; with receipts for staff',
    description: 'Amounts in the smallest unit. May be kept for 2 seconds.',
    parameters: [trackParameter],
    responses: answersOf(
      v.object({
        round: v.nullable(RoundSchema),
        timer: v.nullable(TimerSchema),
        tickets: v.array(SystemTicketSchema),
        isRaceRunning: v.boolean(),
        nextRoundStartTime: v.number(),
        cacheTimestamp: v.number(),
        source: v.string(),
      }),
      ['BAD_REQUEST', 'TOO_MANY_REQUESTS'],
    ),
  },
} satisfies Record<string, DescribeRouteOptions>
