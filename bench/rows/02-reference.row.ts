import { createHmac } from 'node:crypto'
import { startTestRedis } from '../../tests/support/redis.ts'
import { installPeers } from '../peers.ts'
import { startBenchPostgres } from '../postgres.bench.ts'
import type { Row } from '../row.ts'
import { CONNECTIONS, selling } from '../sale.ts'
import { runLoad, startGalop, startServer } from '../servers.ts'
import { figure } from '../table.ts'
import { alternate } from '../turns.ts'

// Selling over HTTP against the earlier design. Both sell a round from its beginning, for the design's cost grows with it.

const SECRET = 'the secret of the peer, and of nobody else'

const signed = (payload: unknown): string => {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(payload)}`
  return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`
}

export const row: Row = {
  number: 2,
  work: `sell over HTTP, as in row 1, ${CONNECTIONS} connections`,
  seconds: 150,
  run: async ({ isShort, say }) => {
    installPeers(say)
    const turns = isShort ? 1 : 5
    const common = {
      connections: CONNECTIONS,
      durationMs: isShort ? 500 : 10_000,
      warmUpMs: isShort ? 200 : 1_000,
    }
    const unstored: string[] = []
    const postgres = await startBenchPostgres()
    const redis = await startTestRedis()
    try {
      const token = signed({ userId: 2, role: 'cashier' })
      const theirs = async (): Promise<number> => {
        const options = { databaseUrl: postgres.url, redisUrl: redis.url, secret: SECRET }
        const peer = await startServer('peers/reference.server.mjs', { options })
        try {
          const { answers, perSecond } = await runLoad({ ...common, ...selling({ port: peer.port, token }) })
          const { sold, stored } = (await (await fetch(`http://127.0.0.1:${peer.port}/figures`)).json()) as {
            sold: number
            stored: number
          }
          if (sold < answers) throw new Error(`the peer answered ${answers} sales and made ${sold}`)
          unstored.push(`${sold - stored} of ${sold}`)
          return perSecond
        } finally {
          await peer.stop()
        }
      }
      const galop = await startGalop()
      const measured = await alternate({
        say,
        turns,
        port: galop.port,
        theirs,
        ours: async () => (await runLoad({ ...common, ...selling(galop) })).perSecond,
        told: (ours, theirs) =>
          `the earlier design ${figure(theirs)}/s (${unstored.at(-1)} not stored at the end), sell ${figure(ours)}/s`,
      }).finally(() => galop.stop())
      return [
        {
          against:
            'the earlier design: Express, array in memory, rows by a pool, JSON in Redis, answered before stored',
          unit: '/s',
          ...measured,
          reach: { atLeast: 20 },
          notes: [
            `acknowledged by it and not in Postgres when the turn ended: ${unstored.join(', ')}`,
            'acknowledged by Galop and not on disk: none, by construction',
          ],
        },
      ]
    } finally {
      await Promise.all([redis.stop(), postgres.stop()])
    }
  },
}
