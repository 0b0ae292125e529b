import type { Env as AnyEnv, Handler, Hono, MiddlewareHandler } from 'hono'
import { type DescribeRouteOptions, describeRoute, uniqueSymbol } from 'hono-openapi'

/** Registers a route with and without a slash at its end; the OpenAPI document shows it once. */
export const route = <E extends AnyEnv>(
  app: Hono<E>,
  method: 'GET' | 'POST',
  path: string,
  doc: DescribeRouteOptions,
  ...handlers: (Handler<E> | MiddlewareHandler<E>)[]
): void => {
  const otherPath = path.endsWith('/') ? path.slice(0, -1) : `${path}/`
  app.on(method, [path], ...handlers.slice(0, -1), documented(handlers.at(-1)!, doc))
  if (otherPath !== '') app.on(method, [otherPath], ...handlers)
}

/** The handler with its description on it: as a middleware the description would be called for every request. */
const documented = <E extends AnyEnv>(
  handler: Handler<E> | MiddlewareHandler<E>,
  doc: DescribeRouteOptions,
): Handler<E> => {
  const own: Handler<E> = (c, next) => handler(c, next)
  return Object.assign(own, { [uniqueSymbol]: Reflect.get(describeRoute(doc), uniqueSymbol) })
}
