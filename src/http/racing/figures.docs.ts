import type { DescribeRouteOptions } from 'hono-openapi'
import * as v from 'valibot'
import { adminRefusals, answersOf, signedInSecurity } from '../answer.schema.ts'
import { RoundSchema } from './racing.schema.ts'
import { trackParameter } from './receipts.docs.ts'
import { parameters } from './time.query.ts'

const sums = {
  receipts: v.number(),
  turnover: v.number(),
  cancelledReceipts: v.number(),
  cancelled: v.number(),
  pending: v.number(),
  refunds: v.number(),
  prizes: v.number(),
  margin: v.number(),
  paidOut: v.number(),
}
const Sums = v.pipe(
  v.object(sums),
  v.metadata({
    ref: 'Sums',
    description:
      'Amounts in the smallest unit. By the day of the sale and its seller: receipts that are not cancelled and their stakes (turnover), of which pending are undecided and refunds of voided rounds; ' +
      'prizes won, paid or not; margin = turnover − pending − refunds − prizes. paidOut: prizes and refunds handed out on that day by that person.',
  }),
)
const PersonSums = v.pipe(
  v.object({ userId: v.number(), name: v.nullable(v.string()), ...sums }),
  v.metadata({ ref: 'PersonSums' }),
)
const history = v.picklist(['complete', 'unavailable'])
const Days = v.pipe(
  v.object({
    timeZone: v.string(),
    currency: v.string(),
    days: v.array(v.object({ date: v.string(), ...sums, cashiers: v.array(PersonSums) })),
    totals: Sums,
    cashiers: v.array(PersonSums),
    history,
  }),
  v.metadata({ ref: 'DayFigures' }),
)
const Live = v.pipe(
  v.object({
    round: RoundSchema,
    paused: v.boolean(),
    receipts: v.number(),
    stakes: v.number(),
    cancelled: v.object({ receipts: v.number(), stakes: v.number() }),
    exposure: v.object({ worst: v.number(), cap: v.number() }),
    participants: v.array(
      v.object({
        number: v.number(),
        name: v.string(),
        coeff: v.number(),
        stakes: v.number(),
        liability: v.number(),
      }),
    ),
  }),
  v.metadata({
    ref: 'LiveFigures',
    description:
      'Amounts in the smallest unit. liability: the prizes due if this one wins; worst: the largest of them; cap: what a round may cost.',
  }),
)
const RoundFigures = v.pipe(
  v.object({
    roundId: v.number(),
    track: v.string(),
    status: v.picklist(['waiting', 'betting-locked', 'running', 'settled']),
    openedAt: v.number(),
    settledAt: v.nullable(v.number()),
    winner: v.nullable(v.number()),
    voided: v.boolean(),
    receipts: v.number(),
    stakes: v.number(),
    prizes: v.number(),
    margin: v.nullable(v.number()),
  }),
  v.metadata({
    ref: 'RoundFigures',
    description: 'Amounts in the smallest unit. margin is null until the round is over.',
  }),
)

const table = (summary: string, asked: DescribeRouteOptions['parameters']): DescribeRouteOptions => ({
  tags: ['figures'],
  summary,
  description:
    'For admins. Comma-separated, UTF-8; amounts in the public unit with two decimals, times as the clocks of the shop show them. Texts that a spreadsheet would run as formulas begin with an apostrophe.',
  security: signedInSecurity,
  parameters: asked ?? [],
  responses: {
    ...answersOf(v.null(), [...adminRefusals, 'BAD_REQUEST', 'POSTGRES_UNAVAILABLE', 'JOURNAL_UNAVAILABLE']),
    200: { description: 'A table', content: { 'text/csv': { schema: { type: 'string' as const } } } },
  },
})

export const docs = {
  live: {
    tags: ['figures'],
    summary: 'The current round of a track: stakes and liabilities by participant, exposure and its cap',
    security: signedInSecurity,
    parameters: [trackParameter],
    responses: answersOf(Live, [...adminRefusals, 'BAD_REQUEST', 'NO_ROUND', 'JOURNAL_UNAVAILABLE']),
  },
  days: {
    tags: ['figures'],
    summary: 'Turnover, prizes, cancellations, refunds and margin by day and cashier',
    description:
      'At most 366 days. `history` is `unavailable` while Postgres is away: then only live rounds are counted.',
    security: signedInSecurity,
    parameters: parameters.days,
    responses: answersOf(Days, [...adminRefusals, 'BAD_REQUEST', 'JOURNAL_UNAVAILABLE']),
  },
  rounds: {
    tags: ['figures'],
    summary: 'Rounds with what they took in and cost, latest first',
    security: signedInSecurity,
    parameters: [...parameters.rounds, ...parameters.page],
    responses: answersOf(v.object({ rounds: v.array(RoundFigures), next: v.nullable(v.string()), history }), [
      ...adminRefusals,
      'BAD_REQUEST',
      'JOURNAL_UNAVAILABLE',
    ]),
  },
  daysTable: table('Days as a table', parameters.days),
  roundsTable: table('Rounds as a table', parameters.rounds),
  receiptsTable: table('Receipts as a table', parameters.receipts),
} satisfies Record<string, DescribeRouteOptions>
