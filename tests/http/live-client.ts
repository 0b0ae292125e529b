// A server that speaks nothing but `/ws`, and clients that remember every word they heard.
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { WebSocket } from 'ws'
import { addressesBehind, networkOf } from '../../src/http/client-address.ts'
import { mountLive } from '../../src/http/live.routes.ts'
import type { LiveHub } from '../../src/http/live-hub.ts'
import { requestToken } from '../../src/http/request-token.ts'
import type { Role, Session, Sessions } from '../../src/http/session.ts'

/** What tests read of a message. */
// biome-ignore lint/suspicious/noExplicitAny: a test reads JSON as a client does
export type Message = any

/** Sessions in memory: a token is `role:id`, until it is revoked. */
export class TokenBook implements Sessions {
  readonly revoked = new Set<string>()
  /** Makes every question fail, as when its database is away. */
  fault: Error | undefined
  expiresAt = Number.MAX_SAFE_INTEGER

  async verify(token: string): Promise<Session | undefined> {
    if (this.fault) throw this.fault
    const [role, id] = token.split(':')
    if (!id || this.revoked.has(token)) return undefined
    const { expiresAt } = this
    return { userId: Number(id), name: token, role: role as Role, tokenId: token, tokenVersion: 1, expiresAt }
  }

  isCurrent(session: Session): boolean {
    return !this.revoked.has(session.tokenId)
  }
}

export type LiveServer = {
  readonly url: string
  /** The server's ends of all connections, oldest first. */
  readonly tcp: readonly Socket[]
  readonly close: () => Promise<void>
}

export const serveLive = async (hub: LiveHub, sessions: Sessions): Promise<LiveServer> => {
  const app = new Hono()
  const websocket = mountLive(app, {
    addressOf: addressesBehind(networkOf(['loopback'])),
    hub,
    sessionOf: (c) => {
      const found = requestToken(c.req.raw.headers)
      return found && sessions.verify(found.token)
    },
  })
  const server = createAdaptorServer({ fetch: app.fetch, websocket, createServer })
  const tcp: Socket[] = []
  server.on('connection', (socket: Socket) => tcp.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async (): Promise<void> => {
    await hub.close()
    for (const socket of tcp) socket.destroy()
    server.close()
    await once(server, 'close')
  }
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`, tcp, close }
}

export type ConnectOptions = {
  readonly query?: string
  readonly token?: string
  readonly headers?: Record<string, string>
  readonly autoPong?: boolean
}

export class LiveClient {
  readonly ws: WebSocket
  readonly texts: string[] = []
  readonly messages: Message[] = []
  readonly closed: Promise<{ code: number; reason: string }>
  readonly #waiting = new Set<() => void>()

  constructor(url: string, { query = '', token, headers = {}, autoPong = true }: ConnectOptions = {}) {
    const all = { ...headers, ...(token && { authorization: `Bearer ${token}` }) }
    this.ws = new WebSocket(`${url}${query}`, { headers: all, autoPong, perMessageDeflate: false })
    this.ws.on('message', (data) => {
      this.texts.push(String(data))
      this.messages.push(JSON.parse(String(data)))
      for (const look of this.#waiting) look()
    })
    this.closed = new Promise((resolve) => {
      this.ws.on('close', (code, reason) => resolve({ code, reason: String(reason) }))
    })
    this.ws.on('error', () => {})
  }

  /** Connects and waits for the greeting. */
  static async open(url: string, options?: ConnectOptions): Promise<LiveClient> {
    const client = new LiveClient(url, options)
    await client.heard('welcome')
    return client
  }

  say(message: unknown): void {
    this.ws.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message))
  }

  /** The `nth` message with these members (1 is the first), as soon as it came. */
  heard(like: string | Record<string, unknown>, nth = 1): Promise<Message> {
    const wanted = Object.entries(typeof like === 'string' ? { event: like } : like)
    return this.until(() => {
      const found = this.messages.filter((message) => wanted.every(([key, value]) => message[key] === value))
      return found[nth - 1]
    })
  }

  /** What `find` finds, as soon as it does. */
  until<T>(find: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = find()
        if (found === undefined || found === false) return
        this.#waiting.delete(look)
        resolve(found)
      }
      this.#waiting.add(look)
      look()
    })
  }

  /** Messages that are numbered in a stream: not its snapshots. */
  stream(topic: string): Message[] {
    return this.messages.filter(
      ({ topic: of, offset, event }) =>
        of === topic && offset !== undefined && event !== 'snapshot' && event !== 'subscribed',
    )
  }

  /** Everything said up to now was heard and answered by the server. */
  async settled(): Promise<void> {
    const pongs = this.messages.filter(({ event }) => event === 'pong').length
    this.say({ type: 'ping' })
    await this.heard('pong', pongs + 1)
  }

  async leave(): Promise<void> {
    this.ws.terminate()
    await this.closed
  }
}

/** How the server answers an upgrade that it refuses. */
export const refusedWith = (url: string, headers: Record<string, string>): Promise<number> =>
  new Promise((resolve, reject) => {
    const ws = new WebSocket(url, { headers })
    ws.on('unexpected-response', (_request: unknown, response: IncomingMessage) => {
      resolve(response.statusCode!)
      ws.terminate()
    })
    ws.on('error', () => {})
    ws.on('open', () => {
      ws.terminate()
      reject(new Error('the upgrade was not refused'))
    })
  })

/** Waits until something is so, looking between turns of the event loop. */
export const becomes = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
}
