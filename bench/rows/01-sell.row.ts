import { cpuSeconds, residentMb } from '../machine.ts'
import type { Row } from '../row.ts'
import { CONNECTIONS, echoing, selling } from '../sale.ts'
import { runLoad, startEcho, startGalop, startServer, untilStored } from '../servers.ts'
import { figure, middle } from '../table.ts'

// Selling over HTTP against a bare JSON echo on the same server package.

const work = `sell over HTTP: signed in, validated, on disk before the reply, ${CONNECTIONS} connections, two bets`

export const row: Row = {
  number: 1,
  work,
  seconds: 90,
  run: async ({ isShort, say }) => {
    const turns = isShort ? 1 : 7
    const times = { durationMs: isShort ? 500 : 4_000, warmUpMs: isShort ? 200 : 1_000 }
    const ours: number[] = []
    const theirs: number[] = []
    const p50: number[] = []
    const p99: number[] = []
    const cpu: number[] = []
    const cheap = await startServer('cheap.server.ts')
    const echo = await startEcho()
    const galop = await startGalop()
    try {
      const memoryBefore = residentMb(galop.pid)
      const common = { connections: CONNECTIONS, ...times }
      const ceiling = await runLoad({ ...common, ...echoing(cheap) })
      for (let turn = 1; turn <= turns; turn++) {
        await untilStored(galop.port)
        const bare = await runLoad({ ...common, ...echoing(echo) })
        const cpuBefore = cpuSeconds(galop.pid)
        const sold = await runLoad({ ...common, ...selling(galop) })
        cpu.push(((cpuSeconds(galop.pid) - cpuBefore) / sold.allAnswers) * 1e6)
        ours.push(sold.perSecond)
        theirs.push(bare.perSecond)
        p50.push(sold.p50Ms)
        p99.push(sold.p99Ms)
        say(
          `turn ${turn} of ${turns}: echo ${figure(bare.perSecond)}/s, sell ${figure(sold.perSecond)}/s ` +
            `(p50 ${figure(sold.p50Ms)} ms, p99 ${figure(sold.p99Ms)} ms), ratio ${figure(sold.perSecond / bare.perSecond)}`,
        )
      }
      const memory = `memory ${memoryBefore.toFixed(0)} MB empty, ${residentMb(galop.pid).toFixed(0)} MB at the end`
      return [
        {
          against: 'bare Hono JSON echo on the same server package',
          unit: '/s',
          ours,
          theirs,
          reach: { atLeast: 0.65 },
          notes: [
            `p50 ${figure(middle(p50))} ms, p99 ${figure(middle(p99))} ms`,
            `${figure(middle(cpu))} µs of the server's CPU a sale`,
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
