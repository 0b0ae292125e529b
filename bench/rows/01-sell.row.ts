import { cpuSeconds, residentMb } from '../machine.ts'
import type { Row } from '../row.ts'
import { CONNECTIONS, echoing, selling } from '../sale.ts'
import { runLoad, startEcho, startGalop, startServer } from '../servers.ts'
import { figure, middle } from '../table.ts'
import { alternate } from '../turns.ts'

// Selling over HTTP against a bare JSON echo on the same server package.

const work = `sell over HTTP: signed in, validated, on disk before the reply, ${CONNECTIONS} connections, two bets`

export const row: Row = {
  number: 1,
  work,
  seconds: 90,
  run: async ({ isShort, say }) => {
    const turns = isShort ? 1 : 7
    const times = { durationMs: isShort ? 500 : 4_000, warmUpMs: isShort ? 200 : 1_000 }
    const cheap = await startServer('cheap.server.ts')
    const echo = await startEcho()
    const galop = await startGalop()
    try {
      const memoryBefore = residentMb(galop.pid)
      const common = { connections: CONNECTIONS, ...times }
      const ceiling = await runLoad({ ...common, ...echoing(cheap) })
      const { ours, theirs } = await alternate({
        say,
        turns,
        port: galop.port,
        theirs: () => runLoad({ ...common, ...echoing(echo) }),
        ours: async () => {
          const cpuBefore = cpuSeconds(galop.pid)
          const sold = await runLoad({ ...common, ...selling(galop) })
          return { ...sold, cpuMicros: ((cpuSeconds(galop.pid) - cpuBefore) / sold.allAnswers) * 1e6 }
        },
        told: (sold, bare) =>
          `echo ${figure(bare.perSecond)}/s, sell ${figure(sold.perSecond)}/s ` +
          `(p50 ${figure(sold.p50Ms)} ms, p99 ${figure(sold.p99Ms)} ms), ratio ${figure(sold.perSecond / bare.perSecond)}`,
      })
      const median = (pick: (turn: (typeof ours)[number]) => number): string => figure(middle(ours.map(pick)))
      const memory = `memory ${memoryBefore.toFixed(0)} MB empty, ${residentMb(galop.pid).toFixed(0)} MB at the end`
      return [
        {
          against: 'bare Hono JSON echo on the same server package',
          unit: '/s',
          ours: ours.map(({ perSecond }) => perSecond),
          theirs: theirs.map(({ perSecond }) => perSecond),
          reach: { atLeast: 0.65 },
          notes: [
            `p50 ${median(({ p50Ms }) => p50Ms)} ms, p99 ${median(({ p99Ms }) => p99Ms)} ms`,
            `${median(({ cpuMicros }) => cpuMicros)} µs of the server's CPU a sale`,
            memory,
            `ceiling of the generator ${figure(ceiling.perSecond)}/s`,
          ],
        },
      ]
    } finally {
      await Promise.all([cheap.stop(), echo.stop(), galop.stop()])
    }
  },
}
