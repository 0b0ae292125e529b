// The shop at a moderate rate for half an hour and more: does it need more memory the longer it runs?
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../tests/support/server.ts'
import { type Attack, faultUnless } from './attack.ts'
import { reckon } from './reckoning.ts'
import { Shop } from './shop.ts'

const SAMPLE_MS = 5_000
/** Of the time, until everything has the size that it keeps. */
const WARM_UP = 1 / 6
/** What one may see of a leak; the heap of a server at rest swings by some megabytes. */
const MOST_MB_PER_HOUR = { 'heap used': 40, 'memory of its own': 80 }

type Sample = { readonly atMs: number; readonly [name: string]: number }

export const soak: Attack = {
  name: 'soak',
  what: 'memory of half an hour and more (--minutes N), 64 clients at some 200 receipts a second, 200 sockets',
  run: async ({ minutes, isShort, say }) => {
    const lastsMs = (minutes ?? (isShort ? 0.2 : 30)) * 60_000
    const shop = await Shop.open({
      env: { ROUND_WAIT_DURATION_MS: '5000', RACE_DURATION_MS: '1500', RESULTS_DURATION_MS: '1000' },
      crowd: { restMs: 230 },
    })
    try {
      shop.gather()
      await shop.soldMore(50)
      const samples: Sample[] = []
      const begun = performance.now()
      let told = 0
      while (performance.now() - begun < lastsMs) {
        await delay(SAMPLE_MS)
        samples.push({ atMs: performance.now() - begun, ...(await memoryOf(shop)) })
        if (samples.length % 24 === 0) {
          const rate = Math.round((shop.acknowledged - told) / (24 * (SAMPLE_MS / 1_000)))
          told = shop.acknowledged
          say(
            `${Math.round((performance.now() - begun) / 60_000)} min, ${rate} sold a second, ${Object.entries(
              samples.at(-1)!,
            )
              .filter(([name]) => name !== 'atMs')
              .map(([name, mb]) => `${name} ${Math.round(mb)} MB`)
              .join(', ')}`,
          )
        }
      }
      const counted = samples.filter(({ atMs }) => atMs >= lastsMs * WARM_UP)
      const names = Object.keys(counted[0] ?? {}).filter((name) => name !== 'atMs')
      const slopes = Object.fromEntries(names.map((name) => [name, slopeOf(counted, name)]))
      const isLong = lastsMs >= 20 * 60_000
      const faults = Object.entries(MOST_MB_PER_HOUR).flatMap(([name, most]) =>
        faultUnless(
          !isLong || slopes[name]! <= most,
          `${name} grows by ${slopes[name]!.toFixed(1)} MB an hour`,
        ),
      )
      const figures: Record<string, string> = {}
      for (const name of names) {
        const all = counted.map((sample) => sample[name]!)
        figures[name] =
          `${Math.min(...all).toFixed(1)} to ${Math.max(...all).toFixed(1)} MB, ` +
          `last ${all.at(-1)!.toFixed(1)}, slope ${slopes[name]!.toFixed(1)} MB/h`
      }
      const reckoned = await reckon(shop)
      return {
        trials: 1,
        figures: {
          minutes: Math.round(lastsMs / 6_000) / 10,
          samples: counted.length,
          ...figures,
          ...reckoned.figures,
        },
        faults: [...faults, ...reckoned.faults],
      }
    } finally {
      await shop.close()
    }
  },
}

/** In megabytes. A file that is mapped, as the journal is, counts apart: that memory is given back when others need it. */
const memoryOf = async (shop: Shop): Promise<Record<string, number>> => {
  const { server } = shop.parts
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8')
  const of = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024
  // A connection that is kept alive may be closed at the very moment in which it is used again: then ask once more.
  const text = await eventually('the figures come', async () => {
    if (server.program.hasEnded) throw new Error(`the server has ended\n${server.output}`)
    return (await fetch(`${server.url}/metrics`)).text()
  })
  const heap = Number(/^nodejs_heap_size_used_bytes (\S+)$/m.exec(text)?.[1]) / 2 ** 20
  return {
    'heap used': heap,
    'memory of its own': of('RssAnon'),
    'mapped files': of('RssFile'),
    'all resident': of('VmRSS'),
  }
}

/** By least squares, in megabytes an hour. */
const slopeOf = (samples: readonly Sample[], name: string): number => {
  const mean = (of: (sample: Sample) => number): number =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length
  const meanAt = mean(({ atMs }) => atMs)
  const meanMb = mean((sample) => sample[name]!)
  const over = mean((sample) => (sample.atMs - meanAt) * (sample[name]! - meanMb))
  const under = mean(({ atMs }) => (atMs - meanAt) ** 2)
  return (over / under) * 3_600_000
}
