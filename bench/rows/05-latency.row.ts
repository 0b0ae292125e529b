import { fdatasyncMs } from '../disk.ts'
import type { Bench, Comparison, Row } from '../row.ts'
import { CONNECTIONS, selling } from '../sale.ts'
import { runLoad, runOpenLoad, startGalop, untilStored } from '../servers.ts'
import { settlement } from '../settlement.ts'
import { figure, middle } from '../table.ts'

// How long a customer waits while the shop sells half of what it could, and the longest wait of all while a large round
// is settled, stored and handed over on another track of the same process.

const BASE_MS = 3
const SYNCS = 10

export const row: Row = {
  number: 5,
  work: 'sell p99 at half of the highest rate',
  seconds: 230,
  run: async (bench) => {
    const { comparison, highest } = await latency(bench)
    return [comparison, await settlement(bench, highest)]
  },
}

const latency = async ({ isShort, say }: Bench): Promise<{ comparison: Comparison; highest: number }> => {
  const turns = isShort ? 1 : 5
  const warmUpMs = isShort ? 200 : 1_000
  const galop = await startGalop()
  try {
    const highest = await runLoad({
      ...selling(galop),
      connections: CONNECTIONS,
      warmUpMs,
      durationMs: isShort ? 500 : 4_000,
    })
    const perSecond = Math.max(1, Math.floor(highest.perSecond / 2))
    const ours: number[] = []
    const theirs: number[] = []
    const p50: number[] = []
    const own: number[] = []
    const syncs: number[] = []
    for (let turn = 1; turn <= turns; turn++) {
      await untilStored(galop.port)
      const sync = fdatasyncMs(galop.directory, isShort ? 20 : 200)
      const sold = await runOpenLoad({
        ...selling(galop),
        perSecond,
        warmUpMs,
        durationMs: isShort ? 500 : 5_000,
      })
      ours.push(sold.p99Ms)
      theirs.push(BASE_MS + SYNCS * sync)
      syncs.push(sync)
      p50.push(sold.p50Ms)
      own.push(sold.ownMaxMs)
      say(
        `turn ${turn} of ${turns}: at ${perSecond}/s p99 ${figure(sold.p99Ms)} ms, max ${figure(sold.maxMs)} ms; ` +
          `one fdatasync ${figure(sync)} ms`,
      )
    }
    const comparison = {
      what: `sell p99 at half of the highest rate (${figure(perSecond)}/s of ${figure(highest.perSecond)}/s), counted from when it was due`,
      against: `${BASE_MS} ms + ${SYNCS} × one fdatasync of the same disk (${figure(middle(syncs))} ms)`,
      unit: 'ms',
      ours,
      theirs,
      reach: { atMost: 1 },
      notes: [
        `p50 ${figure(middle(p50))} ms`,
        `the generator itself was late by ${figure(Math.max(...own))} ms at most`,
      ],
    }
    return { comparison, highest: highest.perSecond }
  } finally {
    await galop.stop()
  }
}
