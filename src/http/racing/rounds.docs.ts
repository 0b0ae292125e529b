import type { DescribeRouteOptions } from 'hono-openapi'
import * as v from 'valibot'
import { answersOf } from '../answer.schema.ts'
import { PaginationSchema, PastRoundSchema, RoundSchema, RoundStatsSchema } from './racing.schema.ts'
import { trackParameter } from './receipts.docs.ts'

export const RoundParameter = v.object({
  id: v.pipe(v.string(), v.regex(/^[1-9]\d{0,14}$/, 'The id of a round is a number'), v.transform(Number)),
})
const page = (fallback: string, most: number) =>
  v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[1-9]\d{0,8}$/, `A whole number from 1 to ${most}`),
      v.transform(Number),
      v.maxValue(most, `A whole number from 1 to ${most}`),
    ),
    fallback,
  )
export const PageQuery = v.object({
  page: page('1', 100_000_000),
  limit: page('10', 100),
  track: v.optional(v.string()),
})

export const docs = {
  current: {
    tags: ['rounds'],
    summary: 'The current round of a track; for staff with its sums',
    parameters: [trackParameter],
    responses: answersOf(
      v.object({
        ...RoundSchema.pipe[0].entries,
        paused: v.pipe(
          v.boolean(),
          v.description('No other round opens after this one until it is resumed.'),
        ),
        stats: v.optional(RoundStatsSchema),
      }),
      ['NO_ROUND', 'BAD_REQUEST', 'TOO_MANY_REQUESTS'],
    ),
  },
  one: {
    tags: ['rounds'],
    summary: 'A round; for staff with its sums',
    parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer', minimum: 1 } }],
    responses: answersOf(
      v.union([
        v.object({ ...RoundSchema.pipe[0].entries, stats: v.optional(RoundStatsSchema) }),
        v.object({ ...PastRoundSchema.pipe[0].entries, stats: v.optional(RoundStatsSchema) }),
      ]),
      ['BAD_REQUEST', 'NOT_FOUND', 'TOO_MANY_REQUESTS', 'POSTGRES_UNAVAILABLE'],
    ),
  },
  list: {
    tags: ['rounds'],
    summary: 'Rounds that are over, with their results, latest first',
    parameters: [
      trackParameter,
      { name: 'page', in: 'query', required: false, schema: { type: 'integer', minimum: 1, default: 1 } },
      {
        name: 'limit',
        in: 'query',
        required: false,
        schema: { type: 'integer', minimum: 1, maximum: 100, default: 10 },
      },
    ],
    responses: answersOf(v.object({ pagination: PaginationSchema, rounds: v.array(PastRoundSchema) }), [
      'BAD_REQUEST',
      'TOO_MANY_REQUESTS',
      'POSTGRES_UNAVAILABLE',
    ]),
  },
  proof: {
    tags: ['rounds'],
    summary: 'What anybody needs to check a round’s outcome',
    description:
      'Seed and order are null until the race is over. Of a voided round the seed is shown; its race has no order.',
    parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer', minimum: 1 } }],
    responses: answersOf(
      v.object({
        roundId: v.number(),
        commitment: v.string(),
        chain: v.object({ anchor: v.string(), index: v.number() }),
        field: v.array(v.object({ number: v.number(), name: v.string(), chance: v.number() })),
        seed: v.nullable(v.string()),
        order: v.nullable(v.array(v.number())),
        voided: v.boolean(),
        method: v.array(v.string()),
      }),
      ['BAD_REQUEST', 'NOT_FOUND', 'TOO_MANY_REQUESTS', 'POSTGRES_UNAVAILABLE'],
    ),
  },
} satisfies Record<string, DescribeRouteOptions>
