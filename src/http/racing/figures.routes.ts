import { type Context, Hono } from 'hono'
import type { RacingPort } from '../../actors/racing/racing.port.ts'
import type { ReceiptLine, ReceiptSearch, TimeKey } from '../../db/racing/audit.queries.ts'
import type { RoundLine, RoundSearch } from '../../db/racing/figures.queries.ts'
import { nameOfZone, type TimeZone } from '../../domain/day.ts'
import { exposureOf } from '../../domain/racing/round.ts'
import { ok, refusal } from '../answer.ts'
import { checked } from '../body.ts'
import { adminOnly, type Env } from '../guard.ts'
import { route } from '../route.ts'
import type { Sessions } from '../session.ts'
import {
  type ArchiveDays,
  byPerson,
  daysBetween,
  figuresByDay,
  MOST_DAYS,
  type Sums,
  totalOf,
} from './day.figures.ts'
import { docs } from './figures.docs.ts'
import { tablesOf } from './figures.tables.ts'
import { publicRound } from './racing.view.ts'
import { type NameOf, trackOf, unknownTrack } from './receipts.routes.ts'
import { liveStats } from './rounds.routes.ts'
import { liveRoundLines, marginOf, pageByTime } from './time.list.ts'
import {
  DaysQuery,
  keyText,
  ReceiptsTableQuery,
  RoundsQuery,
  RoundsTableQuery,
  timesBetween,
} from './time.query.ts'

export type FiguresRoutesOptions = {
  readonly racing: RacingPort
  readonly archive: {
    readonly days: ArchiveDays
    readonly rounds: (asked: RoundSearch, after: TimeKey | undefined, limit: number) => Promise<RoundLine[]>
    readonly receipts: (
      asked: ReceiptSearch,
      after: TimeKey | undefined,
      limit: number,
    ) => Promise<ReceiptLine[]>
  }
  readonly sessions: Sessions
  readonly currency: string
  readonly timeZone: TimeZone
  readonly nameOf: NameOf
  readonly now: () => number
}

/** `/figures`: what the owner of a shop looks at, as JSON and as tables. */
export const figuresRoutes = (options: FiguresRoutesOptions) => {
  const { racing, archive, sessions, currency, timeZone, nameOf, now } = options
  const app = new Hono<Env>()
  const admin = adminOnly(sessions)
  const tables = tablesOf(options)

  const live = async (c: Context<Env>): Promise<Response> => {
    const track = trackOf(racing, c.req.query('track'))
    if (track === undefined) return unknownTrack(c, racing)
    const round = racing.current(track)
    if (!round) return refusal(c, 'NO_ROUND', undefined, { track })
    const { totalReceipts: receipts, totalMise: stakes, participantMise } = liveStats(round)
    const { field, limits } = round.opened
    const view = {
      round: publicRound(round, now()),
      paused: racing.trackState(track).paused,
      receipts,
      stakes,
      cancelled: { receipts: round.receipts.size - receipts, stakes: round.stakesIn - stakes },
      exposure: { worst: exposureOf(round), cap: limits.maxExposure },
      participants: field.map(({ number, name, coeff }) => ({
        number,
        name,
        coeff: coeff / 100,
        stakes: participantMise[number] ?? 0,
        liability: round.liabilities.get(number) ?? 0,
      })),
    }
    await racing.settled()
    return ok(c, view)
  }

  const daysAsked = (c: Context) => {
    const query = checked(c, DaysQuery, c.req.query())
    if (query instanceof Response) return query
    const asked = daysBetween(query.from, query.to, timeZone)
    const times = timesBetween(c, query, timeZone)
    if (times instanceof Response) return times
    return (
      asked ??
      refusal(c, 'BAD_REQUEST', undefined, [
        {
          path: 'to',
          message: `A day that is not before from, and at most ${MOST_DAYS} days of both together`,
        },
      ])
    )
  }

  const days = async (c: Context<Env>): Promise<Response> => {
    const asked = daysAsked(c)
    if (asked instanceof Response) return asked
    const { days, history } = await figuresByDay(racing, archive.days, asked.bounds)
    return ok(c, {
      timeZone: nameOfZone(timeZone),
      currency,
      days: asked.dates.map((date, i) => ({
        date,
        ...totalOf(days[i]!.values()),
        cashiers: named(days[i]!),
      })),
      totals: totalOf(days.flatMap((day) => [...day.values()])),
      cashiers: named(byPerson(days)),
      history,
    })
  }

  const named = (people: ReadonlyMap<number, Sums>) =>
    [...people]
      .sort(([one], [other]) => one - other)
      .map(([userId, sums]) => ({ userId, name: nameOf(userId) ?? null, ...sums }))

  const rounds = async (c: Context<Env>): Promise<Response> => {
    const query = checked(c, RoundsQuery, c.req.query())
    if (query instanceof Response) return query
    const times = timesBetween(c, query, timeZone)
    if (times instanceof Response) return times
    const asked = { track: query.track, ...times }
    const { lines, next, history } = await pageByTime(
      racing,
      () => liveRoundLines(racing, asked),
      (after, limit) => archive.rounds(asked, after, limit),
      query.before,
      query.limit,
      true,
    )
    return ok(c, { rounds: lines.map(shownRound), next: keyText(next), history })
  }

  const daysTable = async (c: Context<Env>): Promise<Response> => {
    const asked = daysAsked(c)
    return asked instanceof Response ? asked : tables.days(c, asked)
  }
  const roundsTable = async (c: Context<Env>): Promise<Response> => {
    const query = checked(c, RoundsTableQuery, c.req.query())
    if (query instanceof Response) return query
    const times = timesBetween(c, query, timeZone)
    return times instanceof Response ? times : tables.rounds(c, { track: query.track, ...times })
  }
  const receiptsTable = async (c: Context<Env>): Promise<Response> => {
    const query = checked(c, ReceiptsTableQuery, c.req.query())
    if (query instanceof Response) return query
    const times = timesBetween(c, query, timeZone)
    return times instanceof Response ? times : tables.receipts(c, { ...query, ...times })
  }

  route(app, 'GET', '/figures/live', docs.live, admin, live)
  route(app, 'GET', '/figures/days', docs.days, admin, days)
  route(app, 'GET', '/figures/rounds', docs.rounds, admin, rounds)
  route(app, 'GET', '/figures/days.csv', docs.daysTable, admin, daysTable)
  route(app, 'GET', '/figures/rounds.csv', docs.roundsTable, admin, roundsTable)
  route(app, 'GET', '/figures/receipts.csv', docs.receiptsTable, admin, receiptsTable)
  return app
}

/** A round as the desk lists it. */
const shownRound = (line: RoundLine) => ({
  roundId: line.id,
  track: line.track,
  status: line.status,
  openedAt: line.at,
  settledAt: line.settledAt,
  winner: line.winner,
  voided: line.isVoided,
  receipts: line.receipts,
  stakes: line.stakes,
  prizes: line.prizes,
  margin: marginOf(line),
})
