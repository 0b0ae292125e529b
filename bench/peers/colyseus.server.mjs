// A Colyseus server as its users write one: a room that validates a sale and answers it, and a room that tells everybody.
// Everything is in memory. Its first line on stdout is JSON: the port, and how to speak to it in its own bytes.
import http from 'node:http'
import { Room, Server, validate } from '@colyseus/core'
import { WebSocketTransport } from '@colyseus/ws-transport'
import { Packr } from 'msgpackr'
import { z } from 'zod'
import { receiptAdded } from './receipt.mjs'

const { sale, news } = JSON.parse(process.argv[2])

const FIELD = new Map(
  [
    [1, 'Cheval 1', 250],
    [2, 'Cheval 2', 400],
    [3, 'Cheval 3', 550],
    [4, 'Cheval 4', 730],
    [5, 'Cheval 5', 880],
    [6, 'Cheval 6', 1100],
  ].map(([number, name, coeff]) => [number, { number, name, coeff }]),
)

const Sale = z.object({
  id: z.string().regex(/^[\w.:-]{1,64}$/),
  sale: z.object({
    bets: z
      .array(
        z.object({
          participant: z.object({
            number: z.number().int(),
            name: z.string().max(100).optional(),
            coeff: z.number().optional(),
          }),
          value: z.number().int().min(100).max(1_000_000),
        }),
      )
      .min(1)
      .max(30),
  }),
})

class Shop extends Room {
  maxClients = 100_000
  autoDispose = false
  receipts = new Map()
  lastId = 1_000_000

  messages = {
    sell: validate(Sale, (client, { id, sale }) => {
      const bets = []
      const seen = new Set()
      let total = 0
      let prize = 0
      for (const { participant, value } of sale.bets) {
        const known = FIELD.get(participant.number)
        if (!known) return client.send('refused', { id, code: 'PARTICIPANT_UNKNOWN' })
        if (seen.has(known.number)) return client.send('refused', { id, code: 'PARTICIPANT_REPEATED' })
        if (participant.name !== undefined && participant.name !== known.name)
          return client.send('refused', { id, code: 'PARTICIPANT_CHANGED' })
        if (participant.coeff !== undefined && Math.round(participant.coeff * 100) !== known.coeff)
          return client.send('refused', { id, code: 'COEFFICIENT_CHANGED' })
        seen.add(known.number)
        const wins = Math.floor((value * known.coeff) / 100)
        bets.push({
          number: known.number,
          value,
          participant: { number: known.number, name: known.name, coeff: known.coeff / 100 },
          prize: wins,
        })
        total += value
        prize = Math.max(prize, wins)
      }
      const receipt = {
        id: ++this.lastId,
        roundId: 1,
        total_amount: total,
        prize,
        created_at: new Date().toISOString(),
        bets,
      }
      this.receipts.set(receipt.id, receipt)
      client.send('sold', { id, success: true, data: receipt })
    }),
  }
}

/** Tells everybody of a receipt, so many times a second, from when it is asked to. */
class News extends Room {
  maxClients = 100_000
  autoDispose = false
  messages = {
    begin: (_client, { perSecond, durationMs }) => {
      const began = performance.now()
      let told = 0
      const tick = () => {
        const passed = Math.min(performance.now() - began, durationMs)
        const due = Math.floor((passed * perSecond) / 1000)
        // As many as are due, but not so many that nothing else happens.
        for (let n = 0; told < due && n < 10; n++) this.broadcast('receipt_added', receiptAdded(++told))
        if (performance.now() - began < durationMs) setTimeout(tick, 1)
      }
      tick()
    },
  }
}

const server = http.createServer()
const game = new Server({ transport: new WebSocketTransport({ server }), greet: false })
game.define('shop', Shop)
game.define('news', News)
await game.listen(0, '127.0.0.1')

const packr = new Packr({ useRecords: false })
const said = (type, message) =>
  Buffer.concat([Buffer.from([13, 0xa0 | type.length]), Buffer.from(type), packr.pack(message)])
const answer = said('sold', { id: 'A', success: true })
process.stdout.write(
  `${JSON.stringify({
    port: server.address().port,
    sales: Array.from({ length: 26 }, (_, n) =>
      said('sell', { id: String.fromCharCode(65 + n), sale }).toString('base64'),
    ),
    mustHold: Buffer.concat([packr.pack('success'), packr.pack(true)]).toString('base64'),
    letterAt: answer.indexOf(packr.pack('A')) + 1,
    begins: news.map((one) => said('begin', one).toString('base64')),
  })}\n`,
)
process.on('SIGTERM', () => process.exit(0))
