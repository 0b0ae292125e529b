import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { upgradeWebSocket, type WebSocketLike, type WebSocketServerLike } from '@hono/node-server'
import type { Context, Hono } from 'hono'
import type { WSEvents } from 'hono/ws'
import { type WebSocket, WebSocketServer } from 'ws'
import { refusal } from './answer.ts'
import { type AddressOf, limitKey } from './client-address.ts'
import type { LiveHub } from './live-hub.ts'
import type { LiveSocket } from './live-socket.ts'
import { greet, listen } from './live-talk.ts'
import { isForeign } from './request-token.ts'
import type { Session } from './session.ts'

export type LiveRouteOptions = {
  readonly hub: LiveHub
  /** Whose request this is, if anybody's. */
  readonly sessionOf: (c: Context) => Session | undefined | Promise<Session | undefined>
  /** Where a request comes from. */
  readonly addressOf: AddressOf
}

/**
 * Mounts `GET /ws`.
 * @returns what `serve({ fetch, websocket })` of the server package needs
 */
export const mountLive = (
  // biome-ignore lint/suspicious/noExplicitAny: a route fits every app, whatever its context holds
  app: Hono<any>,
  { hub, sessionOf, addressOf }: LiveRouteOptions,
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
    const address = limitKey(addressOf(c))
    if (!hub.hasRoomFor(address, holding))
      return refusal(c, 'TOO_MANY_REQUESTS', undefined, { retryAfterSeconds: 5 })
    const query = new URL(c.req.url).searchParams
    const { incoming } = c.env as { incoming: IncomingMessage }
    const events = connection(hub, incoming.socket, holding, address, query)
    return upgradeWebSocket(() => events, { onError: (fault) => hub.onFault(fault) })(c, next)
  })
  return { server: server as unknown as WebSocketServerLike }
}

/**
 * What happens on one connection. The server package's listeners keep the whole request for as long as they live: an
 * idle socket took 10.9 KB of heap, where a bare one takes 2.7. So they make room for ours, which know the socket alone
 * (3.8 KB by `npm run bench -- 9`).
 */
const connection = (
  hub: LiveHub,
  tcp: Socket,
  session: Session | undefined,
  address: string,
  query: URLSearchParams,
): WSEvents<WebSocketLike> => {
  let hear = (_data: unknown): void => {}
  return {
    onOpen: (_event, context) => {
      const ws = context.raw as unknown as WebSocket
      const socket = hub.join(ws, tcp, session, address)
      hear = (data) => guarded(hub, () => listen(hub, socket, data))
      greet(hub, socket, query)
      queueMicrotask(() => adopt(hub, ws, socket))
    },
    // What came before the server package's listeners made room.
    onMessage: ({ data }) => hear(data),
  }
}

const adopt = (hub: LiveHub, ws: WebSocket, socket: LiveSocket): void => {
  for (const event of ['message', 'close', 'error']) ws.removeAllListeners(event)
  ws.on('message', (data, isBinary) =>
    guarded(hub, () => listen(hub, socket, isBinary ? undefined : String(data))),
  )
  ws.on('pong', () => {
    socket.isAlive = true
  })
  ws.on('error', () => {})
  ws.on('close', () => hub.leave(socket))
  if (ws.readyState === ws.CLOSED) hub.leave(socket)
}

const guarded = (hub: LiveHub, run: () => void): void => {
  try {
    run()
  } catch (fault) {
    hub.onFault(fault)
  }
}
