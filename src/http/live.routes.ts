import type { IncomingMessage } from 'node:http'
import { upgradeWebSocket, type WebSocketServerLike } from '@hono/node-server'
import type { Context, Hono } from 'hono'
import { type WebSocket, WebSocketServer } from 'ws'
import { refusal } from './answer.ts'
import type { LiveHub } from './live-hub.ts'
import type { LiveSocket } from './live-socket.ts'
import { greet, listen } from './live-talk.ts'
import { isForeign } from './request-token.ts'
import type { Session } from './session.ts'

export type LiveRouteOptions = {
  readonly hub: LiveHub
  /** Whose request this is, if anybody's. */
  readonly sessionOf: (c: Context) => Session | undefined | Promise<Session | undefined>
}

/**
 * Mounts `GET /ws`.
 * @returns what `serve({ fetch, websocket })` of the server package needs
 */
export const mountLive = (
  // biome-ignore lint/suspicious/noExplicitAny: a route fits every app, whatever its context holds
  app: Hono<any>,
  { hub, sessionOf }: LiveRouteOptions,
): { readonly server: WebSocketServerLike } => {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: hub.limits.frameBytes,
  })
  // A frame that arrives with the handshake may be broken before anybody else listens for errors.
  server.on('connection', (ws) => ws.on('error', () => {}))

  app.get('/ws', async (c, next) => {
    if (c.req.header('upgrade')?.toLowerCase() !== 'websocket') {
      c.header('Upgrade', 'websocket')
      return c.text('This address speaks WebSocket.', 426)
    }
    if (isForeign(c.req.raw.headers)) return refusal(c, 'CROSS_SITE')
    if (!hub.hasRoom) {
      c.header('Retry-After', '5')
      return c.body(null, 503)
    }
    const session = await sessionOf(c)
    const holding = session && hub.holds(session) ? session : undefined
    const query = new URL(c.req.url).searchParams
    const { incoming } = c.env as { incoming: IncomingMessage }
    let socket: LiveSocket | undefined
    const upgrade = upgradeWebSocket(
      () => ({
        onOpen: (_event, context) => {
          const ws = context.raw as unknown as WebSocket
          const joined = hub.join(ws, incoming.socket, holding)
          socket = joined
          ws.on('pong', () => {
            joined.isAlive = true
          })
          greet(hub, joined, query)
        },
        onMessage: ({ data }) => {
          if (socket) listen(hub, socket, data)
        },
        onClose: () => {
          if (socket) hub.leave(socket)
        },
      }),
      { onError: (fault) => hub.onFault(fault) },
    )
    return upgrade(c, next)
  })
  return { server: server as unknown as WebSocketServerLike }
}
