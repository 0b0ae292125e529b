import { Hono } from 'hono'
import type { DescribeRouteOptions } from 'hono-openapi'
import * as v from 'valibot'
import { adminRefusals, answersOf, signedInSecurity } from '../answer.schema.ts'
import { ok } from '../answer.ts'
import { adminOnly, type Env } from '../guard.ts'
import { route } from '../route.ts'
import type { Sessions } from '../session.ts'

/** What is sold and not yet in Postgres, and what is wrong. Amounts in the smallest unit, times in milliseconds. */
export type Persistence = {
  readonly unstored: {
    readonly receipts: number
    readonly amount: number
    readonly oldestAt: number | null
    readonly oldestAgeMs: number | null
  }
  /** `null` while the queues cannot be asked. */
  readonly jobs: Record<string, { waiting: number; active: number; delayed: number; failed: number }> | null
  readonly failedJobs: number | null
  readonly journal: {
    readonly writable: boolean
    readonly rounds: readonly {
      readonly roundId: number
      readonly track: string
      readonly status: string
      readonly lastFact: number
      readonly handedOver: { readonly persist: number; readonly cache: number }
      readonly notStored: number
      readonly unstored: {
        readonly receipts: number
        readonly amount: number
        readonly oldestAt: number | null
      }
    }[]
  }
  readonly alarms: readonly { readonly code: string; readonly message: string }[]
}

/** What is wrong at present, oldest first. Times in milliseconds. */
export type Alarms = {
  readonly alarms: readonly {
    readonly code: string
    readonly id: string
    readonly message: string
    readonly since: number
  }[]
  readonly checkedAt: number | null
}

/** `/ops/persistence` and `/ops/alarms`, for admins. */
export const opsRoutes = (
  sessions: Sessions,
  persistence: () => Promise<Persistence>,
  alarms: () => Promise<Alarms>,
) => {
  const app = new Hono<Env>()
  route(app, 'GET', '/ops/persistence', docs.persistence, adminOnly(sessions), async (c) =>
    ok(c, await persistence()),
  )
  route(app, 'GET', '/ops/alarms', docs.alarms, adminOnly(sessions), async (c) => ok(c, await alarms()))
  return app
}

const counts = v.object({
  waiting: v.number(),
  active: v.number(),
  delayed: v.number(),
  failed: v.number(),
  completed: v.number(),
})
const Alarm = v.pipe(
  v.object({ code: v.string(), id: v.string(), message: v.string(), since: v.number() }),
  v.metadata({
    ref: 'Alarm',
    description: 'id tells apart those of one code: a discrepancy of one round from that of another.',
  }),
)
const docs = {
  alarms: {
    tags: ['operations'],
    summary: 'What is wrong at present, and since when',
    description:
      'For admins. Looked at every five seconds. The same is sent to ALERT_WEBHOOK_URL when it begins and ends.',
    security: signedInSecurity,
    responses: answersOf(v.object({ alarms: v.array(Alarm), checkedAt: v.nullable(v.number()) }), [
      ...adminRefusals,
      'TOO_MANY_REQUESTS',
    ]),
  },
  persistence: {
    tags: ['operations'],
    summary: 'Receipts sold and not yet in Postgres, failed jobs, journal positions, alarms',
    description: 'Amounts in the smallest unit. What is not known to be stored counts as not stored.',
    security: signedInSecurity,
    responses: answersOf(
      v.object({
        unstored: v.object({
          receipts: v.number(),
          amount: v.number(),
          oldestAt: v.nullable(v.number()),
          oldestAgeMs: v.nullable(v.number()),
        }),
        jobs: v.nullable(v.record(v.string(), counts)),
        failedJobs: v.nullable(v.number()),
        journal: v.object({
          writable: v.boolean(),
          rounds: v.array(
            v.object({
              roundId: v.number(),
              track: v.string(),
              status: v.string(),
              lastFact: v.number(),
              handedOver: v.object({ persist: v.number(), cache: v.number() }),
              notStored: v.number(),
              unstored: v.object({
                receipts: v.number(),
                amount: v.number(),
                oldestAt: v.nullable(v.number()),
              }),
            }),
          ),
        }),
        alarms: v.array(v.object({ code: v.string(), message: v.string() })),
      }),
      [...adminRefusals, 'TOO_MANY_REQUESTS'],
    ),
  },
} satisfies Record<string, DescribeRouteOptions>
