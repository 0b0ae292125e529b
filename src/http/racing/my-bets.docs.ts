import type { DescribeRouteOptions } from 'hono-openapi'
import * as v from 'valibot'
import { answersOf, signedInRefusals, signedInSecurity } from '../answer.schema.ts'
import { PaginationSchema, PublicTicketSchema, RECEIPT_STATUSES } from './racing.schema.ts'
import { idempotencyParameter } from './receipts.docs.ts'

const page = (fallback: number, most: number) =>
  v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[1-9]\d{0,8}$/, `A whole number from 1 to ${most}`),
      v.transform(Number),
      v.maxValue(most, `A whole number from 1 to ${most}`),
    ),
    String(fallback),
  )

/** An absent filter and an empty one are the same: forms send both. */
const filter = <S extends v.GenericSchema<string, unknown>>(schema: S) =>
  v.optional(
    v.union([
      v.pipe(
        v.literal(''),
        v.transform(() => undefined),
      ),
      schema,
    ]),
  )

const date = filter(v.pipe(v.string(), v.regex(/^\d{4}-\d{2}-\d{2}$/, 'A day as YYYY-MM-DD')))

export const DateQuery = v.object({ date })

export const ListQuery = v.object({
  page: page(1, 100_000_000),
  limit: page(10, 200),
  date,
  status: filter(v.picklist(RECEIPT_STATUSES, 'pending, won, lost, paid, cancelled, refundable or refunded')),
  searchId: filter(v.pipe(v.string(), v.regex(/^\d{1,15}$/, 'The number of a receipt'), v.transform(Number))),
  user_id: filter(v.pipe(v.string(), v.regex(/^[1-9]\d{0,14}$/, 'The id of a user'), v.transform(Number))),
})

const Stats = v.pipe(
  v.object({
    totalBetAmount: v.number(),
    potentialWinnings: v.number(),
    activeTicketsCount: v.number(),
    winRate: v.string(),
    paidWinnings: v.number(),
    pendingPayments: v.number(),
    pendingRefunds: v.number(),
  }),
  v.metadata({
    ref: 'Stats',
    description:
      'Of all receipts that match, in the public unit: stakes; prizes that receipts not yet run can win, and how many those are; ' +
      'share of settled receipts that won, in percent; prizes paid; prizes won and not yet paid; stakes of voided rounds not yet given back.',
  }),
)
const List = v.pipe(
  v.object({
    pagination: PaginationSchema,
    stats: Stats,
    tickets: v.array(PublicTicketSchema),
    history: v.picklist(['complete', 'unavailable']),
  }),
  v.metadata({ ref: 'MyBets' }),
)
const Paid = v.pipe(
  v.object({
    id: v.number(),
    receipt_id: v.number(),
    roundId: v.number(),
    status: v.picklist(['paid', 'refunded']),
    prize: v.number(),
    amount: v.number(),
    paidAt: v.string(),
    paidBy: v.number(),
  }),
  v.metadata({
    ref: 'PaidReceipt',
    description:
      'In the public unit: the prize, and what is to be handed out: the prize, or the stake of a voided round.',
  }),
)

const OneReceipt = v.object({
  ...PublicTicketSchema.pipe[0].entries,
  closedByName: v.optional(v.nullable(v.string())),
})

const query = (name: string, schema: Record<string, unknown>, description?: string) => ({
  name,
  in: 'query' as const,
  required: false,
  schema,
  ...(description && { description }),
})
const ofOne: NonNullable<DescribeRouteOptions['parameters']> = [
  { name: 'id', in: 'path', required: true, schema: { type: 'string', pattern: '^\\d{1,15}$' } },
]

export const docs = {
  list: {
    tags: ['my-bets'],
    summary: 'Receipts of whoever is signed in; of everybody for an admin',
    description:
      'Latest first. `history` is `unavailable` while Postgres is away: then only receipts of rounds not yet handed over are listed and counted.',
    security: signedInSecurity,
    parameters: [
      query('page', { type: 'integer', minimum: 1, default: 1 }),
      query('limit', { type: 'integer', minimum: 1, maximum: 200, default: 10 }),
      query('date', { type: 'string', format: 'date' }, 'A day in the time zone of the shop.'),
      query('status', { type: 'string', enum: [...RECEIPT_STATUSES] }),
      query('searchId', { type: 'string', pattern: '^\\d{1,15}$' }),
      query('user_id', { type: 'integer', minimum: 1 }, 'For admins: receipts of one user.'),
    ],
    responses: answersOf(List, [...signedInRefusals, 'BAD_REQUEST', 'FORBIDDEN', 'TOO_MANY_REQUESTS']),
  },
  one: {
    tags: ['my-bets'],
    summary: 'One receipt with its bets, and the name of who paid, refunded or cancelled it',
    security: signedInSecurity,
    parameters: ofOne,
    responses: answersOf(OneReceipt, [
      ...signedInRefusals,
      'BAD_REQUEST',
      'RECEIPT_UNKNOWN',
      'RECEIPT_FOREIGN',
      'TOO_MANY_REQUESTS',
      'POSTGRES_UNAVAILABLE',
    ]),
  },
  pay: {
    tags: ['my-bets'],
    summary: 'Pay a winning receipt, or give back the stake of a voided round, once',
    security: signedInSecurity,
    parameters: [...ofOne, idempotencyParameter],
    responses: answersOf(Paid, [
      ...signedInRefusals,
      'BAD_REQUEST',
      'RECEIPT_UNKNOWN',
      'RECEIPT_FOREIGN',
      'RECEIPT_CANCELLED',
      'RECEIPT_NOT_SETTLED',
      'RECEIPT_NOT_A_WINNER',
      'RECEIPT_ALREADY_PAID',
      'RECEIPT_ALREADY_REFUNDED',
      'IDEMPOTENCY_KEY_REUSED',
      'TOO_MANY_KEYS',
      'TOO_MANY_REQUESTS',
      'JOURNAL_UNAVAILABLE',
      'POSTGRES_UNAVAILABLE',
    ]),
  },
} satisfies Record<string, DescribeRouteOptions>
