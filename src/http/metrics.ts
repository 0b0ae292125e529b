import type { Hono, MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

// Figures for Prometheus. Labels are bounded: routes as they are registered, never as they were asked for.

export type Gauges = Readonly<
  Record<string, { readonly help: string; readonly read: () => number | Promise<number> }>
>

export type Metrics = {
  readonly registry: Registry
  /** Counts and times every request. */
  readonly measure: MiddlewareHandler
  /** The same around a whole app of one route: it costs less than a layer within. */
  readonly measured: (route: string, fetch: Hono['fetch']) => Hono['fetch']
  /** Counts what happened, by kind. */
  readonly countFact: (type: string) => void
}

export const createMetrics = (gauges: Gauges): Metrics => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const requests = new Counter({
    name: 'galop_http_requests_total',
    help: 'Requests answered, by method, route and class of status',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  })
  const durations = new Histogram({
    name: 'galop_http_request_seconds',
    help: 'Time from request to answer',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers: [registry],
  })
  const facts = new Counter({
    name: 'galop_facts_total',
    help: 'Facts on disk, by type',
    labelNames: ['type'],
    registers: [registry],
  })
  for (const [name, { help, read }] of Object.entries(gauges)) {
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.set(await read())
      },
    })
  }
  const factsByType = new Map<string, { inc(): void }>()
  const known = new Map<string, { inc(): void }>()
  const count = (method: string, route: string, status: number, seconds: number): void => {
    durations.observe(seconds)
    const key = `${method} ${route} ${status}`
    let counter = known.get(key)
    if (!counter) {
      counter = requests.labels(
        METHODS.has(method) ? method : 'other',
        route,
        `${Math.floor(status / 100)}xx`,
      )
      if (known.size < MOST_KEYS) known.set(key, counter)
    }
    counter.inc()
  }

  return {
    registry,
    countFact: (type) => {
      const counter = factsByType.get(type) ?? facts.labels(type)
      factsByType.set(type, counter)
      counter.inc()
    },
    measure: async (c, next) => {
      const began = performance.now()
      await next()
      const route = c.res.status === 404 ? 'none' : routePath(c, -1)
      count(c.req.method, route, c.res.status, (performance.now() - began) / 1000)
    },
    measured:
      (route, fetch) =>
      (request, ...rest) => {
        const began = performance.now()
        const counted = (response: Response): Response => {
          const { status } = response
          count(request.method, status === 404 ? 'none' : route, status, (performance.now() - began) / 1000)
          return response
        }
        const response = fetch(request, ...rest)
        return response instanceof Promise ? response.then(counted) : counted(response)
      },
  }
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const MOST_KEYS = 1_000
