import { Hono } from 'hono'
import type { DescribeRouteOptions } from 'hono-openapi'
import type { Metrics } from './metrics.ts'
import { route } from './route.ts'

export type Check = { readonly ok: boolean; readonly [figure: string]: unknown }
export type HealthOptions = {
  readonly metrics: Metrics
  /** Whether receipts can be sold at this moment: all that `/health` is about. */
  readonly isSelling: () => boolean
  /** Everything that can be looked at, each within its own time limit. */
  readonly checks: () => Promise<Record<string, Check>>
  readonly version: string
  readonly startedAt: number
  readonly now: () => number
}

/** `/health` for a load balancer, `/health/detailed` for a person, `/metrics` for Prometheus. */
export const healthRoutes = ({ metrics, isSelling, checks, version, startedAt, now }: HealthOptions) => {
  const app = new Hono()
  route(app, 'GET', '/health', docs.health, (c) => {
    const status = isSelling() ? 'ok' : 'unavailable'
    return c.json({ status }, status === 'ok' ? 200 : 503, { 'Cache-Control': 'no-store' })
  })
  route(app, 'GET', '/health/detailed', docs.detailed, async (c) => {
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
  route(app, 'GET', '/metrics', docs.metrics, async (c) =>
    c.body(await metrics.registry.metrics(), 200, { 'Content-Type': metrics.registry.contentType }),
  )
  return app
}

const docs = {
  health: {
    tags: ['operations'],
    summary: 'Whether receipts can be sold',
    responses: { 200: { description: 'They can' }, 503: { description: 'They cannot' } },
  },
  detailed: {
    tags: ['operations'],
    summary: 'Journal, Postgres, Redis and queues one by one',
    responses: {
      200: { description: 'Selling; degraded where something else is away' },
      503: { description: 'Not selling' },
    },
  },
  metrics: {
    tags: ['operations'],
    summary: 'Figures for Prometheus',
    responses: { 200: { description: 'Text exposition format' } },
  },
} satisfies Record<string, DescribeRouteOptions>
