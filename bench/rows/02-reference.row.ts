import { createHmac } from 'node:crypto'
import { startTestRedis } from '../../tests/support/redis.ts'
import { installPeers } from '../peers.ts'
import { startBenchPostgres } from '../postgres.bench.ts'
import type { Row } from '../row.ts'
import { CONNECTIONS, selling } from '../sale.ts'
import { runLoad, startGalop, startServer, untilStored } from '../servers.ts'
import { figure } from '../table.ts'

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
    const ours: number[] = []
    const theirs: number[] = []
    const unstored: string[] = []
    const postgres = await startBenchPostgres()
    const redis = await startTestRedis()
    try {
      const token = signed({ userId: 2, role: 'cashier' })
      const galop = await startGalop()
      try {
        for (let turn = 1; turn <= turns; turn++) {
          await untilStored(galop.port)
          const peer = await startServer('peers/reference.server.mjs', {
            env: { ...process.env, DATABASE_URL: postgres.url, REDIS_URL: redis.url, SECRET },
          })
          try {
            const its = await runLoad({
              ...common,
              ...selling({ port: peer.port, token }),
            })
            const { sold, stored } = (await (
              await fetch(`http://127.0.0.1:${peer.port}/figures`)
            ).json()) as { sold: number; stored: number }
            if (sold < its.answers) throw new Error(`the peer answered ${its.answers} sales and made ${sold}`)
            theirs.push(its.perSecond)
            unstored.push(`${sold - stored} of ${sold}`)
          } finally {
            await peer.stop()
          }
          const sold = await runLoad({ ...common, ...selling(galop) })
          ours.push(sold.perSecond)
          say(
            `turn ${turn} of ${turns}: the earlier design ${figure(theirs.at(-1)!)}/s ` +
              `(${unstored.at(-1)} not stored at the end), sell ${figure(sold.perSecond)}/s`,
          )
        }
      } finally {
        await galop.stop()
      }
      return [
        {
          against:
            'the earlier design: Express, array in memory, rows by a pool, JSON in Redis, answered before stored',
          unit: '/s',
          ours,
          theirs,
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
