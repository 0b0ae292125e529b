import { Hono, type MiddlewareHandler } from 'hono'
import type { DescribeRouteOptions } from 'hono-openapi'
import * as v from 'valibot'
import { adminRefusals, jsonOf, refusalsOf, signedInSecurity } from './answer.schema.ts'
import type { Env } from './guard.ts'
import type { Metrics } from './metrics.ts'
import { route } from './route.ts'

export type Check = { readonly ok: boolean; readonly [figure: string]: unknown }
export type HealthOptions = {
  readonly metrics: Metrics
  /** Whom the figures are for. */
  readonly watchers: MiddlewareHandler<Env>
  /** Whether receipts can be sold at this moment: all that `/health` is about. */
  readonly isSelling: () => boolean
  /** Everything that can be looked at, each within its own time limit. */
  readonly checks: () => Promise<Record<string, Check>>
  readonly version: string
  readonly startedAt: number
  readonly now: () => number
}

/** `/health` for a load balancer; `/health/detailed` for a person and `/metrics` for Prometheus, both for watchers. */
export const healthRoutes = ({
  metrics,
  watchers,
  isSelling,
  checks,
  version,
  startedAt,
  now,
}: HealthOptions) => {
  const app = new Hono<Env>()
  route(app, 'GET', '/health', docs.health, (c) => {
    const status = isSelling() ? 'ok' : 'unavailable'
    return c.json({ status }, status === 'ok' ? 200 : 503, { 'Cache-Control': 'no-store' })
  })
  route(app, 'GET', '/health/detailed', docs.detailed, watchers, async (c) => {
    const found = await checks()
    const selling = isSelling()
    const status = !selling
      ? 'unavailable'
      : Object.values(found).every((check) => check.ok)
        ? 'ok'
        : 'degraded'
    const uptimeSeconds = Math.floor((now() - startedAt) / 1000)
    return c.json({ status, version, uptimeSeconds, checks: found }, selling ? 200 : 503, {
      'Cache-Control': 'no-store',
    })
  })
  route(app, 'GET', '/metrics', docs.metrics, watchers, async (c) =>
    c.body(await metrics.registry.metrics(), 200, { 'Content-Type': metrics.registry.contentType }),
  )
  return app
}

const Health = v.object({ status: v.picklist(['ok', 'unavailable']) })
const DetailedHealth = v.object({
  status: v.picklist(['ok', 'degraded', 'unavailable']),
  version: v.string(),
  uptimeSeconds: v.number(),
  checks: v.record(v.string(), v.objectWithRest({ ok: v.boolean() }, v.unknown())),
})

const docs = {
  health: {
    tags: ['operations'],
    summary: 'Whether receipts can be sold',
    responses: {
      200: { description: 'They can', content: jsonOf(Health) },
      503: { description: 'They cannot', content: jsonOf(Health) },
    },
  },
  detailed: {
    tags: ['operations'],
    summary: 'Journal, Postgres, Redis and queues one by one',
    description: 'For admins, and without signing in from the networks of METRICS_FROM.',
    security: [{}, ...signedInSecurity],
    responses: {
      ...refusalsOf(adminRefusals),
      200: { description: 'Selling; degraded where something else is away', content: jsonOf(DetailedHealth) },
      503: { description: 'Not selling', content: jsonOf(DetailedHealth) },
    },
  },
  metrics: {
    tags: ['operations'],
    summary: 'Figures for Prometheus',
    description: 'For admins, and without signing in from the networks of METRICS_FROM.',
    security: [{}, ...signedInSecurity],
    responses: {
      ...refusalsOf(adminRefusals),
      200: {
        description: 'Text exposition format',
        content: { 'text/plain': { schema: { type: 'string' as const } } },
      },
    },
  },
} satisfies Record<string, DescribeRouteOptions>
