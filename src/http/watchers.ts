import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context, MiddlewareHandler } from 'hono'
import { clientAddress, networkOf } from './client-address.ts'
import { adminOnly, type Env } from './guard.ts'
import type { Sessions } from './session.ts'

/** What a proxy adds: with one of these a connection from this machine is somebody else's. */
const HANDED_ON = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via']

/**
 * Lets those in who look after the server: admins from anywhere, and without signing in whoever asks from these
 * networks. `anyone` is everybody.
 */
export const watchersOnly = (
  from: readonly string[],
  trustedProxies: readonly string[],
  sessions: Sessions,
): MiddlewareHandler<Env> => {
  const isOpen = from.includes('anyone')
  const network = networkOf(from.filter((one) => one !== 'anyone'))
  const trusted = networkOf(trustedProxies)
  const admins = adminOnly(sessions)
  const isNear = (c: Context): boolean => {
    const connection = getConnInfo(c).remote.address ?? ''
    const isHandedOn = HANDED_ON.some((name) => c.req.header(name) !== undefined)
    if (isHandedOn && !trusted.has(connection)) return false
    const address = clientAddress(connection, (name) => c.req.header(name), trusted)
    // A trusted proxy that does not say for whom it asks is not whom it asks for.
    return network.has(address) && !(isHandedOn && address === connection)
  }
  return (c, next) => (isOpen || isNear(c) ? next() : admins(c, next))
}
