// SIGTERM under load: what was taken is answered, nothing new is taken, and the server ends with 0 within a bound.
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type Attack, between, faultUnless } from './attack.ts'
import { reckon } from './reckoning.ts'
import { Shop } from './shop.ts'

/** Requests under way take milliseconds; the stores get time to take what they were given. */
const BOUND_MS = 10_000
const LEAST_ANSWERED = 0.9

export const stop: Attack = {
  name: 'stop',
  what: 'SIGTERM under load',
  run: async ({ times, isShort, build, say }) => {
    const turns = times ?? (isShort ? 2 : 20)
    // Clients that do not ask again: what was not answered must not have happened.
    const shop = await Shop.open({ build, crowd: { insists: false, restMs: 1, payEvery: 0 } })
    const { server } = shop.parts
    const faults: string[] = []
    let slowestMs = 0
    let unanswered = 0
    let underWayInAll = 0
    let answeredInAll = 0
    try {
      for (let turn = 1; turn <= turns; turn++) {
        const crowd = shop.gather()
        await shop.soldMore(100)
        await delay(between(0, 1_500))
        const underWay = crowd.sales.filter(({ outcome }) => outcome === 'unknown')
        const begun = performance.now()
        server.program.signal('SIGTERM')
        const refusing = untilRefused(server.url, () => server.program.hasEnded)
        const { code, signal } = await server.program.end()
        const tookMs = performance.now() - begun
        slowestMs = Math.max(slowestMs, tookMs)
        await crowd.stop()
        const { isRefused, afterMs } = await refusing
        const answered = underWay.filter(({ outcome }) => outcome !== 'unknown').length
        underWayInAll += underWay.length
        answeredInAll += answered
        faults.push(
          ...faultUnless(code === 0, `turn ${turn}: it ended with ${code ?? signal}`),
          ...faultUnless(tookMs < BOUND_MS, `turn ${turn}: it took ${Math.round(tookMs)} ms to end`),
          ...faultUnless(isRefused, `turn ${turn}: it took connections until it ended`),
        )
        say(
          `turn ${turn}: ended with ${code} after ${Math.round(tookMs)} ms, refused connections after ${afterMs} ms`,
        )
        // These never happened, or they would be rows that nobody was told of: the reckoning looks.
        for (const sale of crowd.with('unknown')) sale.outcome = 'refused'
        unanswered += crowd.sales.filter(({ outcome, code }) => outcome === 'refused' && !code).length
        for (const { cancel } of crowd.sales) if (cancel?.outcome === 'unknown') cancel.outcome = 'refused'
        await shop.back()
      }
      // Some were sent and not yet read: nobody took those. But most had been.
      faults.push(
        ...faultUnless(
          answeredInAll > underWayInAll * LEAST_ANSWERED,
          `of ${underWayInAll} requests under way at the signal only ${answeredInAll} were answered`,
        ),
      )
      const { faults: found, figures } = await reckon(shop)
      return {
        trials: turns,
        figures: {
          ...figures,
          'under way at the signal': underWayInAll,
          'of them answered': answeredInAll,
          'not taken': unanswered,
          'slowest end ms': Math.round(slowestMs),
        },
        faults: [...faults, ...found],
      }
    } finally {
      await shop.close()
    }
  },
}

/** Knocks until nobody opens, while the server is still there. */
const untilRefused = async (url: string, isOver: () => boolean) => {
  const { port } = new URL(url)
  const begun = performance.now()
  for (;;) {
    const opens = await new Promise<boolean>((resolve) => {
      const socket = connect({ port: Number(port), host: '127.0.0.1' })
      socket.on('connect', () => resolve(true))
      socket.on('error', () => resolve(false))
      socket.on('connect', () => socket.destroy())
    })
    const afterMs = Math.round(performance.now() - begun)
    if (!opens) return { isRefused: true, afterMs }
    if (isOver()) return { isRefused: false, afterMs }
    await delay(5)
  }
}
