import type { SocketLimits } from './live-socket.ts'

/** The bounds of all that sockets may cost. */
export type LiveLimits = SocketLimits & {
  readonly sockets: number
  /** Of one address, where it is known, and of one user. */
  readonly socketsPerAddress: number
  readonly socketsPerUser: number
  readonly subscriptionsPerSocket: number
  /** The longest frame taken from a client. */
  readonly frameBytes: number
  /** Messages kept of each stream, unless the stream says otherwise. */
  readonly historyMessages: number
  /** The least time between two turns: what a message may wait for others while many come. */
  readonly batchMs: number
  readonly pingMs: number
}

export const usualLimits: LiveLimits = {
  sockets: 10_000,
  socketsPerAddress: 1_000,
  socketsPerUser: 256,
  subscriptionsPerSocket: 32,
  frameBytes: 32_768,
  historyMessages: 1_024,
  batchMs: 5,
  pingMs: 30_000,
  slowBytes: 1_048_576,
  closeWaitMs: 3_000,
  messagesPerSecond: 20,
  badMessages: 10,
  commandsUnderWay: 32,
}
