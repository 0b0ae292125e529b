import { once } from 'node:events'
import { WebSocket } from 'ws'
import { liveBytes } from '../inspector.ts'
import { pause, residentBytesOf, untilFigure } from '../observe.ts'
import type { Bench, Comparison, Row } from '../row.ts'
import { CONNECTIONS, selling } from '../sale.ts'
import { freePort, runLoad, startGalop, startServer } from '../servers.ts'

// What lives in the server for each receipt of a live round, once Postgres has it, and for each socket that only listens. Measured
// after the garbage was collected, by the inspector: what is resident depends on when that was last. The text of a receipt
// is its sale as the journal keeps it, the shortest that tells all of it.

export const row: Row = {
  number: 9,
  work: 'memory of a live receipt of two bets; of an idle socket',
  run: async (bench) => [await receipts(bench), await sockets(bench)],
}

const TEXT = JSON.stringify({
  type: 'ReceiptSold',
  at: 1_795_278_258_745,
  by: 2,
  id: 1_034_521,
  sale: {
    by: 2,
    at: 1_795_278_258_745,
    bets: [
      { number: 1, stake: 10_000, prize: 25_000 },
      { number: 3, stake: 5_000, prize: 27_500 },
    ],
  },
})

const receipts = async ({ isShort, say }: Bench): Promise<Comparison> => {
  const [warm, each] = isShort ? [200, 400] : [20_000, 60_000]
  const inspector = await freePort()
  const galop = await startGalop({}, { nodeOptions: [`--inspect=127.0.0.1:${inspector}`] })
  const sell = async (count: number): Promise<number> => {
    const { allAnswers } = await runLoad({
      ...selling(galop),
      connections: CONNECTIONS,
      warmUpMs: 0,
      durationMs: 600_000,
      mostAnswers: count,
    })
    await untilFigure(galop.port, 'galop_receipts_not_stored', (left) => left === 0)
    return allAnswers
  }
  const ours: number[] = []
  try {
    // Code, caches and the messages kept for sockets are there from then on.
    await sell(warm)
    let before = await liveBytes(inspector)
    const residentBefore = residentBytesOf(galop.pid)
    let sold = 0
    for (let turn = 1; turn <= (isShort ? 1 : 3); turn++) {
      const count = await sell(each)
      sold += count
      const after = await liveBytes(inspector)
      ours.push((after - before) / count)
      before = after
      say(`row 9, turn ${turn}: ${ours.at(-1)!.toFixed(0)} bytes a receipt, text ${TEXT.length}`)
    }
    const resident = (residentBytesOf(galop.pid) - residentBefore) / sold
    return {
      against: 'its sale as JSON in the journal',
      unit: 'bytes',
      ours,
      theirs: ours.map(() => TEXT.length),
      reach: { atMost: 2 },
      notes: [
        `resident memory grew by ${resident.toFixed(0)} bytes for each`,
        'sold without keys, stored in Postgres',
      ],
    }
  } finally {
    await galop.stop()
  }
}

const sockets = async ({ isShort, say }: Bench): Promise<Comparison> => {
  const [warm, count] = isShort ? [20, 60] : [200, 2_000]
  const ports = { ours: await freePort(), bare: await freePort() }
  const galop = await startGalop({}, { nodeOptions: [`--inspect=127.0.0.1:${ports.ours}`] })
  const bare = await startServer('bare.socket.server.ts', {
    nodeOptions: [`--inspect=127.0.0.1:${ports.bare}`],
  })
  const ours: number[] = []
  const theirs: number[] = []
  try {
    for (let turn = 1; turn <= (isShort ? 1 : 3); turn++) {
      theirs.push(await eachSocket(`ws://127.0.0.1:${bare.port}`, ports.bare, warm, count))
      ours.push(await eachSocket(`ws://127.0.0.1:${galop.port}/ws?topics=race`, ports.ours, warm, count))
      say(`row 9, turn ${turn}: ${ours.at(-1)!.toFixed(0)} bytes a socket, bare ${theirs.at(-1)!.toFixed(0)}`)
    }
  } finally {
    await Promise.all([galop.stop(), bare.stop()])
  }
  return {
    against: 'a socket of a bare `ws` server',
    unit: 'bytes',
    ours,
    theirs,
    reach: { atMost: 1.5 },
    notes: [`${count} sockets that follow the race of a track`],
  }
}

/** Opens sockets, and some before that are not counted. @returns what lives for each, in bytes */
const eachSocket = async (url: string, inspector: number, warm: number, count: number): Promise<number> => {
  const open = async (many: number): Promise<WebSocket[]> => {
    const all = Array.from({ length: many }, () => new WebSocket(url, { perMessageDeflate: false }))
    await Promise.all(all.map((one) => once(one, 'open')))
    return all
  }
  const first = await open(warm)
  await pause(300)
  const before = await liveBytes(inspector)
  const counted = await open(count)
  await pause(300)
  const after = await liveBytes(inspector)
  const all = [...first, ...counted]
  const closed = Promise.all(all.map((one) => once(one, 'close')))
  for (const one of all) one.terminate()
  await closed
  // The server hears of it a moment later.
  await pause(500)
  return (after - before) / count
}
