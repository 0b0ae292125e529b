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

/**
 * Starts the server of the peers, on the Node that Colyseus needs.
 * @param news what is told to everybody once a client says `begin`
 */
export const startColyseus = async (news: readonly News[] = []): Promise<Colyseus> => {
  const options = JSON.stringify({ sale: JSON.parse(SALE), news })
  const args = [join(PEERS, 'colyseus.server.mjs'), options]
  const child = spawn(join(PEERS, 'node_modules/node/bin/node'), args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, NODE_ENV: 'production' },
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
