import { type Context, Hono } from 'hono'
import type { DescribeRouteOptions } from 'hono-openapi'
import * as v from 'valibot'
import type { JobRetry } from '../../db/job-retries.queries.ts'
import { adminRefusals, answersOf, bodyRefusals, jsonOf, signedInSecurity } from '../answer.schema.ts'
import { ok } from '../answer.ts'
import { checked, readBody } from '../body.ts'
import { adminOnly, type Env } from '../guard.ts'
import { route } from '../route.ts'
import type { Sessions } from '../session.ts'
import type { NameOf } from './receipts.routes.ts'

type Queue = 'persist' | 'cache'
type Failed = v.InferOutput<typeof FailedList>
type Retried = v.InferOutput<typeof RetriedJob>

/** Failed jobs, ready to be asked. Every question may throw `Unavailable`. */
export type FailedJobsSeen = {
  list(queue: Queue): Promise<{ readonly [M in keyof Failed]: Readonly<Failed[M]> }>
  retry(queue: Queue, which: readonly string[] | 'all', by: number): Promise<readonly Readonly<Retried>[]>
  retries(before: number | undefined, limit: number): Promise<readonly JobRetry[]>
}
export type FailedJobsOptions = {
  readonly failed: FailedJobsSeen
  readonly sessions: Sessions
  readonly nameOf: NameOf
}

/** `/ops/jobs`: admins look at failed jobs, try them again, and see who did so. */
export const failedJobsRoutes = ({ failed, sessions, nameOf }: FailedJobsOptions) => {
  const app = new Hono<Env>()
  const admin = adminOnly(sessions)

  const list = async (c: Context<Env>): Promise<Response> => {
    const query = checked(c, QueueQuery, c.req.query())
    return query instanceof Response ? query : ok(c, await failed.list(query.queue))
  }

  const retry = async (c: Context<Env>): Promise<Response> => {
    const body = await readBody(c, RetryBody)
    if (body instanceof Response) return body
    const which = 'all' in body ? 'all' : body.ids
    const results = await failed.retry(body.queue, which, c.get('session').userId)
    const retried = results.filter(({ result }) => result === 'retried').length
    return ok(c, { asked: results.length, retried, results })
  }

  const retries = async (c: Context<Env>): Promise<Response> => {
    const query = checked(c, RetriesQuery, c.req.query())
    if (query instanceof Response) return query
    const found = await failed.retries(query.before, query.limit)
    const next = found.length === query.limit ? found.at(-1)!.id : null
    return ok(c, { retries: found.map((one) => ({ ...one, byName: nameOf(one.by) ?? null })), next })
  }

  route(app, 'GET', '/ops/jobs/failed', docs.list, admin, list)
  route(app, 'POST', '/ops/jobs/retry', docs.retry, admin, retry)
  route(app, 'GET', '/ops/jobs/retries', docs.retries, admin, retries)
  return app
}

const queue = v.picklist(['persist', 'cache'], 'persist or cache')
const QueueQuery = v.object({ queue: v.optional(queue, 'persist') })
const RetriesQuery = v.object({
  before: v.optional(
    v.pipe(v.string(), v.regex(/^\d{1,15}$/, 'What an earlier page gave as next'), v.transform(Number)),
  ),
  limit: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^([1-9]\d?|1\d\d|200)$/, 'A whole number from 1 to 200'),
      v.transform(Number),
    ),
    '50',
  ),
})
const RetryBody = v.pipe(
  v.union([
    v.strictObject({
      queue,
      ids: v.pipe(
        v.array(v.pipe(v.string(), v.nonEmpty(), v.maxLength(200))),
        v.minLength(1),
        v.maxLength(500),
      ),
    }),
    v.strictObject({ queue, all: v.literal(true) }),
  ]),
  v.metadata({ ref: 'RetryJobs', description: 'Some jobs by their ids, or all that failed.' }),
)

const money = { receipts: v.number(), amount: v.number() }
const FailedList = v.object({
  jobs: v.array(
    v.pipe(
      v.object({
        queue,
        id: v.string(),
        name: v.string(),
        roundId: v.nullable(v.number()),
        facts: v.nullable(v.object({ first: v.number(), last: v.number() })),
        ...money,
        reason: v.string(),
        attempts: v.number(),
        failedAt: v.nullable(v.number()),
      }),
      v.metadata({
        ref: 'FailedJob',
        description: 'The receipts that its facts are about, and their stakes.',
      }),
    ),
  ),
  totals: v.object({ jobs: v.number(), ...money }),
  truncated: v.boolean(),
})
const RetriedJob = v.object({ id: v.string(), result: v.picklist(['retried', 'gone', 'not-failed']) })
const Retry = v.pipe(
  v.object({
    id: v.number(),
    at: v.number(),
    by: v.number(),
    byName: v.nullable(v.string()),
    queue: v.string(),
    jobId: v.string(),
    jobName: v.string(),
    roundId: v.nullable(v.number()),
    ...money,
    result: v.picklist(['asked', 'retried', 'gone', 'not-failed']),
  }),
  v.metadata({
    ref: 'JobRetry',
    description: 'Who had a job tried again, and when. `asked` where nobody knows what came of it.',
  }),
)

const refusals = [...adminRefusals, 'BAD_REQUEST', 'POSTGRES_UNAVAILABLE'] as const
const docs = {
  list: {
    tags: ['operations'],
    summary: 'Jobs that failed for good, with the receipts and the money in them',
    description:
      'For admins. Amounts in the smallest unit. At most 1,000, latest first; a receipt in several jobs counts once in the totals.',
    security: signedInSecurity,
    parameters: [
      { name: 'queue', in: 'query', required: false, schema: { type: 'string', enum: ['persist', 'cache'] } },
    ],
    responses: answersOf(FailedList, refusals),
  },
  retry: {
    tags: ['operations'],
    summary: 'Try failed jobs again: some, or all of a queue',
    description: 'For admins. Safe to repeat. Who asked for it is kept.',
    security: signedInSecurity,
    requestBody: { required: true, content: jsonOf(RetryBody) },
    responses: answersOf(v.object({ asked: v.number(), retried: v.number(), results: v.array(RetriedJob) }), [
      ...refusals,
      ...bodyRefusals,
    ]),
  },
  retries: {
    tags: ['operations'],
    summary: 'Who had which failed jobs tried again, and when; latest first',
    security: signedInSecurity,
    parameters: [
      { name: 'before', in: 'query', required: false, schema: { type: 'integer', minimum: 0 } },
      {
        name: 'limit',
        in: 'query',
        required: false,
        schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
      },
    ],
    responses: answersOf(v.object({ retries: v.array(Retry), next: v.nullable(v.number()) }), refusals),
  },
} satisfies Record<string, DescribeRouteOptions>
