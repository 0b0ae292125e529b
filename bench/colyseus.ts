import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { PEERS } from './peers.ts'
import { SALE } from './sale.ts'
import type { Running } from './servers.ts'

/** What a Colyseus server tells of itself, and how to speak to it in its own bytes, as base64. */
export type Colyseus = Running & {
  readonly sales: readonly string[]
  readonly mustHold: string
  readonly letterAt: number
  /** For each of `news`: what a client says to begin with it. */
  readonly begins: readonly string[]
}

/** So many messages a second, for so long. */
export type News = { readonly perSecond: number; readonly durationMs: number }

export type ColyseusOptions = {
  /** Whether a sale is answered with its receipt, or only that it was made. */
  readonly answer?: 'whole' | 'short'
  /** What is told to everybody once a client says `begin`. */
  readonly news?: readonly News[]
}

/** Starts the server of the peers, on the Node that Colyseus needs. */
export const startColyseus = async ({
  answer = 'whole',
  news = [],
}: ColyseusOptions = {}): Promise<Colyseus> => {
  const child = spawn(join(PEERS, 'node_modules/node/bin/node'), [join(PEERS, 'colyseus.server.mjs')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_ENV: 'production', SALE, ANSWER: answer, BEGIN: JSON.stringify(news) },
  })
  const ended = once(child, 'exit')
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await ended
  }
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve)
    child.once('exit', () => reject(new Error('Colyseus did not start')))
  })
  return { ...(JSON.parse(line) as Omit<Colyseus, 'pid' | 'stop'>), pid: child.pid!, stop }
}
