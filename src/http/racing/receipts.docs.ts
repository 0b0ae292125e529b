import type { DescribeRouteOptions } from 'hono-openapi'
import * as v from 'valibot'
import { answersOf, bodyRefusals, jsonOf, signedInRefusals, signedInSecurity } from '../answer.schema.ts'
import { plainFirst, plainSale } from './plain.sale.ts'
import { SystemBetSchema } from './racing.schema.ts'

const ReceiptId = v.pipe(
  v.string(),
  v.regex(/^\d{1,15}$/, 'The number of a receipt, with or without its first zero'),
  v.transform(Number),
)

const LONGEST_NAME = 100
const AskedBet = v.object({
  participant: v.object({
    number: v.pipe(v.number(), v.integer()),
    name: v.optional(v.pipe(v.string(), v.maxLength(LONGEST_NAME))),
    coeff: v.optional(v.number()),
  }),
  value: v.pipe(v.number(), v.safeInteger('An amount is a whole number of the smallest unit')),
})
/** How many bets stand on a receipt at most. */
export const MOST_BETS = 30

/** What a sale is, by the schema alone. */
export const SaleSchema = v.pipe(
  v.object({
    user_id: v.optional(v.number()),
    round_id: v.optional(v.pipe(v.number(), v.safeInteger())),
    bets: v.pipe(v.array(AskedBet), v.minLength(1, 'A receipt has at least one bet'), v.maxLength(MOST_BETS)),
  }),
  v.metadata({
    ref: 'Sale',
    description:
      'Amounts in the smallest unit: 10000 is 100.00. Name and coeff are checked, never used. With round_id the sale is for that round or for none.',
  }),
)
export const SaleBody = plainFirst(SaleSchema, (input) =>
  plainSale(input, { mostBets: MOST_BETS, longestName: LONGEST_NAME }),
)

const track = v.optional(v.string())
export const ChangeQuery = v.variant('action', [
  v.object({ action: v.literal('add'), track }),
  v.object({ action: v.literal('delete'), id: ReceiptId, track }),
])
export const PrintQuery = v.object({
  action: v.picklist(['print', 'payout']),
  id: ReceiptId,
  lang: v.optional(v.string()),
})
export const IdParameter = v.object({ id: ReceiptId })

const Sold = v.pipe(
  v.object({
    id: v.number(),
    roundId: v.number(),
    total_amount: v.number(),
    prize: v.number(),
    created_at: v.string(),
    bets: v.array(SystemBetSchema),
  }),
  v.metadata({ ref: 'SoldReceipt', description: 'Amounts in the smallest unit.' }),
)

export const trackParameter = {
  name: 'track',
  in: 'query' as const,
  required: false,
  schema: { type: 'string' as const },
  description: 'The first track where absent.',
}
export const idempotencyParameter = {
  name: 'Idempotency-Key',
  in: 'header' as const,
  required: false,
  schema: { type: 'string' as const, minLength: 1, maxLength: 200 },
  description: 'The same key again within a day gets the first answer; nothing is done twice.',
}
const idParameter = {
  name: 'id',
  in: 'query' as const,
  required: false,
  schema: { type: 'string' as const, pattern: '^\\d{1,15}$' },
}
const actionParameter = (actions: string[]) => ({
  name: 'action',
  in: 'query' as const,
  required: true,
  schema: { type: 'string' as const, enum: actions },
})
const page = { 'text/html': { schema: { type: 'string' as const } } }

const soldOrCancelled = answersOf(Sold, [
  ...signedInRefusals,
  ...bodyRefusals,
  'FORBIDDEN',
  'NO_ROUND',
  'ROUND_CHANGED',
  'BETTING_LOCKED',
  'RACE_RUNNING',
  'ROUND_SETTLED',
  'ROUND_VOIDED',
  'STAKE_OUT_OF_LIMITS',
  'PARTICIPANT_UNKNOWN',
  'PARTICIPANT_REPEATED',
  'PARTICIPANT_CHANGED',
  'COEFFICIENT_CHANGED',
  'EXPOSURE_REACHED',
  'RECEIPT_UNKNOWN',
  'RECEIPT_FOREIGN',
  'RECEIPT_HISTORICAL',
  'RECEIPT_CANCELLED',
  'IDEMPOTENCY_KEY_REUSED',
  'TOO_MANY_KEYS',
  'TOO_MANY_REQUESTS',
  'JOURNAL_UNAVAILABLE',
  'POSTGRES_UNAVAILABLE',
])

export const docs = {
  change: {
    tags: ['receipts'],
    summary: 'Sell a receipt (action=add) or cancel one (action=delete)',
    description:
      'A receipt is on disk before it is answered. A station that keeps a socket open may sell by it instead: the message `sell` of `/ws`. `action=delete` takes `id` and no body, and answers `{"success": true}` alone.',
    security: signedInSecurity,
    parameters: [actionParameter(['add', 'delete']), idParameter, trackParameter, idempotencyParameter],
    requestBody: { required: false, content: jsonOf(SaleBody) },
    responses: {
      ...soldOrCancelled,
      200: {
        description: 'Sold, or cancelled',
        content: jsonOf(v.object({ success: v.literal(true), data: v.optional(Sold) })),
      },
    },
  },
  print: {
    tags: ['receipts'],
    summary: 'The page of a receipt (action=print), or of its prize or refund (action=payout), 55 mm wide',
    description: 'Printing is counted: every page after the first says that it is a reprint.',
    security: signedInSecurity,
    parameters: [
      actionParameter(['print', 'payout']),
      { ...idParameter, required: true },
      { name: 'lang', in: 'query', required: false, schema: { type: 'string', enum: ['fr', 'en'] } },
    ],
    responses: {
      ...answersOf(v.null(), [
        ...signedInRefusals,
        'BAD_REQUEST',
        'RECEIPT_UNKNOWN',
        'RECEIPT_FOREIGN',
        'RECEIPT_CANCELLED',
        'RECEIPT_NOT_SETTLED',
        'RECEIPT_NOT_A_WINNER',
        'RECEIPT_ALREADY_PAID',
        'RECEIPT_ALREADY_REFUNDED',
        'TOO_MANY_REQUESTS',
        'JOURNAL_UNAVAILABLE',
        'POSTGRES_UNAVAILABLE',
      ]),
      200: { description: 'A page that prints itself', content: page },
    },
  },
} satisfies Record<string, DescribeRouteOptions>
