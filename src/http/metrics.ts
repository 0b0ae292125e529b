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
  const requests = countedLate<'method' | 'route' | 'status'>(registry, {
    name: 'galop_http_requests_total',
    help: 'Requests answered, by method, route and class of status',
    labelNames: ['method', 'route', 'status'],
  })
  const durations = new Histogram({
    name: 'galop_http_request_seconds',
    help: 'Time from request to answer',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers: [registry],
  })
  const facts = countedLate<'type'>(registry, {
    name: 'galop_facts_total',
    help: 'Facts on disk, by type',
    labelNames: ['type'],
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
  const count = (method: string, route: string, status: number, seconds: number): void => {
    durations.observe(seconds)
    requests(`${method} ${route} ${status}`, () => ({
      method: METHODS.has(method) ? method : 'other',
      route,
      status: `${Math.floor(status / 100)}xx`,
    }))
  }

  return {
    registry,
    countFact: (type) => facts(type, () => ({ type })),
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

/**
 * A counter that costs its caller the increment of a number: what was counted reaches the registry when somebody reads it.
 * @returns counts one more of a kind; its labels are asked for when the kind is new
 */
const countedLate = <Label extends string>(
  registry: Registry,
  options: { readonly name: string; readonly help: string; readonly labelNames: Label[] },
): ((kind: string, labelsOf: () => Record<Label, string>) => void) => {
  const kinds = new Map<string, { readonly labels: Record<Label, string>; fresh: number }>()
  const counter: Counter<Label> = new Counter({
    ...options,
    registers: [registry],
    collect() {
      for (const kind of kinds.values()) {
        if (kind.fresh > 0) counter.inc(kind.labels, kind.fresh)
        kind.fresh = 0
      }
    },
  })
  return (name, labelsOf) => {
    const kind = kinds.get(name)
    if (kind) kind.fresh++
    else if (kinds.size < MOST_KINDS) kinds.set(name, { labels: labelsOf(), fresh: 1 })
    else counter.inc(labelsOf())
  }
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const MOST_KINDS = 1_000
