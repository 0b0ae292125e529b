import type { Env as AnyEnv, Handler, Hono, MiddlewareHandler } from 'hono'
import { type DescribeRouteOptions, describeRoute } from 'hono-openapi'

/** Registers a route with and without a slash at its end; the OpenAPI document shows it once. */
export const route = <E extends AnyEnv>(
  app: Hono<E>,
  method: 'GET' | 'POST',
  path: string,
  doc: DescribeRouteOptions,
  ...handlers: (Handler<E> | MiddlewareHandler<E>)[]
): void => {
  const otherPath = path.endsWith('/') ? path.slice(0, -1) : `${path}/`
  app.on(method, [path], describeRoute(doc), ...handlers)
  if (otherPath !== '') app.on(method, [otherPath], ...handlers)
}
