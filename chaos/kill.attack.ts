// `kill -9` of the server at random moments, its start included, while everybody sells, cancels, pays and listens.
import { setTimeout as delay } from 'node:timers/promises'
import { type Attack, between } from './attack.ts'
import { reckon } from './reckoning.ts'
import { Shop } from './shop.ts'

export const kill: Attack = {
  name: 'kill',
  what: 'kill -9 of the server at random moments',
  run: async ({ times, isShort, build, say }) => {
    const count = times ?? (isShort ? 5 : 200)
    const shop = await Shop.open({ build })
    const { server, sockets } = shop.parts
    const met: Record<string, number> = {}
    let slowestMs = 0
    try {
      shop.gather()
      await shop.soldMore(50)
      for (let i = 1; i <= count; i++) {
        // One in four is killed again before or just after it is open.
        const isEarly = i % 4 === 0
        if (isEarly) await delay(between(0, 700))
        else await delay(between(50, 1_800))
        const phase = isEarly ? 'starting' : sockets.phase
        met[phase] = (met[phase] ?? 0) + 1
        await server.kill('SIGKILL')
        if ((i + 1) % 4 === 0 && i < count) {
          server.launch()
          continue
        }
        const begun = performance.now()
        await shop.back()
        slowestMs = Math.max(slowestMs, performance.now() - begun)
        if (i % 10 === 0) say(`${i} of ${count} kills, ${shop.acknowledged} sold`)
      }
      await shop.soldMore(50)
      const { faults, figures } = await reckon(shop)
      const phases = Object.entries(met).map(([phase, number]) => `${number} ${phase}`)
      return {
        trials: count,
        figures: { ...figures, met: phases.join(', '), 'slowest start ms': Math.round(slowestMs) },
        faults,
      }
    } finally {
      await shop.close()
    }
  },
}
