// A client process that follows and sells until it is told to report; its parent stops and continues it (SIGSTOP).
// Arguments: address, token, user's id. On SIGTERM it writes its books as one line of JSON.
import process from 'node:process'
import { Crowd, Station } from '../tests/support/station.ts'
import { Sockets } from './sockets.ts'

const [url, token, user] = process.argv.slice(2) as [string, string, string]
const SOCKETS = 20
const SELLERS = 8

const server = { url }
const station = new Station(server, token, { id: Number(user), name: 'caisse', role: 'cashier' })
const crowd = new Crowd(station, { clients: SELLERS, restMs: 100, cancelEvery: 5 })
const sockets = new Sockets(
  () => url,
  Array.from({ length: SOCKETS }, () => ({ token, topic: 'receipts' as const, stream: 'own receipts' })),
)
process.stdout.write('ready\n')
process.once('SIGTERM', () => {
  const report = async (): Promise<void> => {
    await crowd.stop()
    while ((await crowd.settleUnknown()) > 0);
    await sockets.stop()
    const { counts, faults } = sockets
    process.stdout.write(`${JSON.stringify({ sales: crowd.sales, counts, faults })}\n`, () => process.exit(0))
  }
  report().catch((error: Error) => {
    process.stderr.write(`${error.stack}\n`)
    process.exit(1)
  })
})
