import { type Context, Hono } from 'hono'
import type { DescribeRouteOptions } from 'hono-openapi'
import * as v from 'valibot'
import type { Journal } from '../../actors/journal.port.ts'
import type { RacingPort } from '../../actors/racing/racing.port.ts'
import type { NumberedFact, ReceiptLine, ReceiptSearch, TimeKey } from '../../db/racing/audit.queries.ts'
import type { TimeZone } from '../../domain/day.ts'
import type { Fact } from '../../domain/racing/facts.ts'
import { refuse } from '../../domain/racing/refusals.ts'
import { adminRefusals, answersOf, signedInSecurity } from '../answer.schema.ts'
import { ok } from '../answer.ts'
import { checked } from '../body.ts'
import { adminOnly, type Env } from '../guard.ts'
import { route } from '../route.ts'
import type { Sessions } from '../session.ts'
import { RECEIPT_STATUSES } from './racing.schema.ts'
import { type FactOfReceipt, isAboutReceipt, shownFact } from './receipt.history.ts'
import { IdParameter } from './receipts.docs.ts'
import { type NameOf, refuseWith } from './receipts.routes.ts'
import { liveReceiptLines, type Page, pageByTime } from './time.list.ts'
import { keyText, parameters, ReceiptsQuery, timesBetween } from './time.query.ts'

export type AuditOptions = {
  readonly racing: RacingPort
  readonly journal: Pick<Journal<Fact>, 'read'>
  readonly archive: {
    readonly receipts: (
      asked: ReceiptSearch,
      after: TimeKey | undefined,
      limit: number,
    ) => Promise<ReceiptLine[]>
    readonly facts: (roundId: number, id: number) => Promise<NumberedFact[]>
  }
  readonly sessions: Sessions
  readonly timeZone: TimeZone
  readonly nameOf: NameOf
}

/** `/audit`: admins look for receipts, and at all that was done to one. */
export const auditRoutes = ({ racing, journal, archive, sessions, timeZone, nameOf }: AuditOptions) => {
  const app = new Hono<Env>()
  const admin = adminOnly(sessions)

  const list = async (c: Context<Env>): Promise<Response> => {
    const query = checked(c, ReceiptsQuery, c.req.query())
    if (query instanceof Response) return query
    const times = timesBetween(c, query, timeZone)
    if (times instanceof Response) return times
    const { id, userId, roundId, status, before, limit } = query
    const asked: ReceiptSearch = { userId, roundId, status, ...times }
    const { lines, next, history } =
      id === undefined
        ? await pageByTime(
            racing,
            () => liveReceiptLines(racing, asked),
            (after, limit) => archive.receipts(asked, after, limit),
            before,
            limit,
            true,
          )
        : await oneLine(id, asked)
    return ok(c, { receipts: lines.map(shownLine), next: keyText(next), history })
  }

  const oneLine = async (id: number, asked: ReceiptSearch): Promise<Page<ReceiptLine>> => {
    const found = await racing.find(id)
    const { userId, roundId, status, from, to } = asked
    const isMeant =
      found !== undefined &&
      (userId === undefined || found.by === userId) &&
      (roundId === undefined || found.roundId === roundId) &&
      (status === undefined || found.status === status) &&
      (from === undefined || found.at >= from) &&
      (to === undefined || found.at < to)
    return { lines: isMeant ? [found] : [], next: undefined, history: 'complete' }
  }

  const one = async (c: Context<Env>): Promise<Response> => {
    const parameters = checked(c, IdParameter, c.req.param())
    if (parameters instanceof Response) return parameters
    const { id } = parameters
    for (;;) {
      const before = await racing.betweenHandOvers()
      const receipt = await racing.find(id)
      if (!receipt) return refuseWith(c, refuse('RECEIPT_UNKNOWN', { id }))
      const { roundId } = receipt
      const isLive = racing.round(roundId) !== undefined
      const facts = isLive ? await factsOnDisk(roundId, id) : await archive.facts(roundId, id)
      if ((await racing.betweenHandOvers()) !== before) continue
      return ok(c, {
        receipt: { ...shownLine(receipt), bets: receipt.bets },
        owner: isLive ? 'round' : 'archive',
        history: facts.filter(isAboutReceipt).map((one) => shownFact(one, nameOf)),
      })
    }
  }

  /** What the journal holds of a receipt. A large round is read piece by piece, so that the counter goes on meanwhile. */
  const factsOnDisk = async (roundId: number, id: number): Promise<NumberedFact[]> => {
    const found: NumberedFact[] = []
    for (let after = 0; ; after += PIECE) {
      const facts = journal.read(roundId, after, PIECE)
      facts.forEach((fact, i) => {
        const isOurs = 'sale' in fact ? fact.id === id : ENDS.has(fact.type)
        if (isOurs) found.push({ number: after + i + 1, fact })
      })
      if (facts.length < PIECE) return found
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  const shownLine = (line: ReceiptLine) => ({
    id: line.id,
    roundId: line.roundId,
    track: line.track,
    userId: line.by,
    userName: nameOf(line.by) ?? null,
    soldAt: line.at,
    stakes: line.total,
    prize: line.prize,
    status: line.status,
    prints: line.prints,
    closedBy: line.closed?.by ?? null,
    closedByName: line.closed ? (nameOf(line.closed.by) ?? null) : null,
    closedAt: line.closed?.at ?? null,
  })

  route(app, 'GET', '/audit/receipts', docs.list, admin, list)
  route(app, 'GET', '/audit/receipts/:id', docs.one, admin, one)
  return app
}

const PIECE = 500
const ENDS = new Set<Fact['type']>(['RoundSettled', 'RoundVoided'])

const line = {
  id: v.number(),
  roundId: v.number(),
  track: v.string(),
  userId: v.number(),
  userName: v.nullable(v.string()),
  soldAt: v.number(),
  stakes: v.number(),
  prize: v.number(),
  status: v.picklist(RECEIPT_STATUSES),
  prints: v.number(),
  closedBy: v.nullable(v.number()),
  closedByName: v.nullable(v.string()),
  closedAt: v.nullable(v.number()),
}
const AuditReceipt = v.pipe(
  v.object(line),
  v.metadata({
    ref: 'AuditReceipt',
    description:
      'Amounts in the smallest unit, times in milliseconds. closedBy: who paid, refunded or cancelled it.',
  }),
)
const Bet = v.object({
  number: v.number(),
  name: v.string(),
  coeff: v.pipe(v.number(), v.description('Hundredths: 250 is 2.50.')),
  stake: v.number(),
  prize: v.number(),
})
const types: [FactOfReceipt, ...FactOfReceipt[]] = [
  'sold',
  'cancelled',
  'printed',
  'paid',
  'refunded',
  'round_settled',
  'round_voided',
]
const Happened = v.pipe(
  v.object({
    number: v.number(),
    type: v.picklist(types),
    at: v.number(),
    by: v.nullable(v.number()),
    byName: v.nullable(v.string()),
    amount: v.optional(v.number()),
    copy: v.optional(v.number()),
    winner: v.optional(v.number()),
    reason: v.optional(v.string()),
  }),
  v.metadata({ ref: 'ReceiptEvent', description: 'number is the place of the fact in its round.' }),
)

const docs = {
  list: {
    tags: ['audit'],
    summary: 'Receipts by number, cashier, status, round and days, latest first, cancelled ones too',
    description:
      'For admins. `history` is `unavailable` while Postgres is away: then only live rounds are searched.',
    security: signedInSecurity,
    parameters: [parameters.number, ...parameters.receipts, ...parameters.page],
    responses: answersOf(
      v.object({
        receipts: v.array(AuditReceipt),
        next: v.nullable(v.string()),
        history: v.picklist(['complete', 'unavailable']),
      }),
      [...adminRefusals, 'BAD_REQUEST', 'JOURNAL_UNAVAILABLE', 'POSTGRES_UNAVAILABLE'],
    ),
  },
  one: {
    tags: ['audit'],
    summary: 'All that was done to a receipt: who, what and when',
    description:
      'For admins. From the journal while its round is live, from the facts in Postgres afterwards.',
    security: signedInSecurity,
    parameters: [
      { name: 'id', in: 'path', required: true, schema: { type: 'string', pattern: '^\\d{1,15}$' } },
    ],
    responses: answersOf(
      v.object({
        receipt: v.object({ ...line, bets: v.array(Bet) }),
        owner: v.picklist(['round', 'archive']),
        history: v.array(Happened),
      }),
      [...adminRefusals, 'BAD_REQUEST', 'RECEIPT_UNKNOWN', 'JOURNAL_UNAVAILABLE', 'POSTGRES_UNAVAILABLE'],
    ),
  },
} satisfies Record<string, DescribeRouteOptions>
