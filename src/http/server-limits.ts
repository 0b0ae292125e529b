import type { IncomingMessage, RequestListener, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { limitKey, type Network } from './client-address.ts'

// What a connection may take before anybody looks at what it says.
//   S1. Whoever sends nothing, or too slowly, or does not read its answer, is gone after a bounded time.
//   S2. One address has so many connections, a trusted proxy as many as the server takes.
//   S3. A connection asks to become a WebSocket, or it stays one of HTTP: nothing is left open in between.

export const serverLimits = {
  /** Request line and headers together; more is answered 431. */
  headerBytes: 16_384,
  /** More are answered 431. */
  headerFields: 100,
  connections: 12_000,
  headersMs: 10_000,
  requestMs: 30_000,
  /** Without a byte in either direction, while a request is answered and between two of them. */
  quietMs: 120_000,
  /** How often it is looked whether somebody takes too long. */
  lookEveryMs: 2_000,
} as const

/** For whoever creates the server; the rest can be set later. */
export const serverOptions = {
  maxHeaderSize: serverLimits.headerBytes,
  connectionsCheckingInterval: serverLimits.lookEveryMs,
} as const

export type ConnectionLimits = {
  readonly connectionsPerAddress: number
  readonly trusted: Network
  readonly quietMs?: number
}

export const limitServer = (
  server: Server,
  { connectionsPerAddress, trusted, quietMs = serverLimits.quietMs }: ConnectionLimits,
): void => {
  server.headersTimeout = serverLimits.headersMs
  server.requestTimeout = serverLimits.requestMs
  // Set for each connection by its first request, and then left alone: see `aroundRequests`.
  server.timeout = 0
  server.keepAliveTimeout = 0
  server.maxConnections = serverLimits.connections

  const connections = new Map<string, number>()
  server.on('connection', (socket) => {
    const address = socket.remoteAddress ?? ''
    if (trusted.has(address)) return
    const key = limitKey(address)
    const count = (connections.get(key) ?? 0) + 1
    if (count > connectionsPerAddress) return socket.destroy()
    connections.set(key, count)
    socket.on('close', () => {
      const left = connections.get(key)! - 1
      if (left > 0) connections.set(key, left)
      else connections.delete(key)
    })
  })
  aroundRequests(server, quietMs)
  aroundUpgrades(server)
}

/**
 * Node only leaves out headers that are too many, and what is left would be taken for the whole. And it would give each
 * connection its time from the start: one that becomes a WebSocket has use for none, and keeps 1.4 KB more for having had it.
 */
const aroundRequests = (server: Server, quietMs: number): void => {
  const answer = take(server, 'request') as RequestListener
  server.on('request', (request, response) => {
    if (!request.socket.timeout) request.socket.setTimeout(quietMs)
    if (request.rawHeaders.length <= 2 * serverLimits.headerFields) return answer(request, response)
    response.writeHead(431, { Connection: 'close', 'Content-Length': 0 }).end()
  })
}

/** The server package answers none but WebSockets here, and would leave all others open without any time limit. */
const aroundUpgrades = (server: Server): void => {
  const upgrade = take(server, 'upgrade') as (...of: [IncomingMessage, Duplex, Buffer]) => void
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const isTooLong = request.rawHeaders.length > 2 * serverLimits.headerFields
    if (request.headers.upgrade?.toLowerCase() === 'websocket' && !isTooLong)
      return upgrade(request, socket, head)
    const status = isTooLong ? '431 Request Header Fields Too Large' : '400 Bad Request'
    socket.on('error', () => {})
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
  })
}

/** The one listener of an event, in whose place another comes. */
const take = (server: Server, event: string): unknown => {
  const [listener] = server.listeners(event)
  server.removeAllListeners(event)
  return listener?.bind(server)
}
