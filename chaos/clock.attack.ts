// The server's clock is set forward and back while everybody sells. Not the machine's: a module that is loaded before
// the program shifts what `Date` says in that one process.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { eventually, ROOT } from '../tests/support/server.ts'
import type { Attack } from './attack.ts'
import { reckon } from './reckoning.ts'
import { Shop } from './shop.ts'

const MINUTE_MS = 60_000
/** Tokens last for twelve hours: no further than that in all turns. */
const JUMPS_MS = [1_000, -1_000, 5_000, -5_000, 3 * MINUTE_MS, 60 * MINUTE_MS, -200, 20 * MINUTE_MS]
/** A clock that was set is noticed within a second; what follows takes a round. */
const NOTICED_MS = 15_000

export const clock: Attack = {
  name: 'clock',
  what: "the server's clock set forward and back",
  run: async ({ times, isShort, say }) => {
    const turns = times ?? (isShort ? 1 : 4)
    const jumpsMs = isShort ? JUMPS_MS.slice(3, 6) : JUMPS_MS
    const home = mkdtempSync(join(tmpdir(), 'galop-clock-'))
    const file = join(home, 'shift')
    let shiftMs = 0
    writeFileSync(file, '0')
    const preload = pathToFileURL(join(ROOT, 'chaos', 'shifted-clock.mjs')).href
    const shop = await Shop.open({
      env: { NODE_OPTIONS: `--import ${preload}`, CHAOS_CLOCK: file },
    })
    const { server, admin } = shop.parts
    const faults: string[] = []
    let trials = 0
    const setClock = (to: number): void => {
      shiftMs = to
      writeFileSync(file, String(to))
      server.program.signal('SIGUSR2')
    }
    /** Another round than this one sells. */
    const nextRound = async (than: number, what: string): Promise<void> => {
      await eventually(
        what,
        async () => {
          const { data } = await admin.ask('/api/v1/rounds/current')
          return data.id > than && data.status === 'waiting'
        },
        NOTICED_MS,
      ).catch((error: Error) => faults.push(error.message))
    }
    try {
      shop.gather()
      await shop.soldMore(50)
      for (let turn = 1; turn <= turns; turn++) {
        const begun = shiftMs
        for (const jumpMs of jumpsMs) {
          const { data: before } = await admin.ask('/api/v1/rounds/current')
          setClock(shiftMs + jumpMs)
          await nextRound(before.id, `a round opens after the clock was set by ${jumpMs} ms`)
          await shop.soldMore(20)
          trials++
        }
        say(`turn ${turn}: set ${jumpsMs.length} times, ${shop.acknowledged} sold`)
        // All the way back: a round that is open stays so for as long as its deadline is away. Back, and forward again.
        setClock(begun)
        await delay(2_000)
        await shop.soldMore(10)
        setClock(begun + jumpsMs.reduce((sum, jump) => sum + jump, 0))
        await server.kill('SIGKILL')
        await shop.back()
        // A start between two times of day: everything is folded as it was written.
        await shop.soldMore(10)
        setClock(begun)
        const { data: open } = await admin.ask('/api/v1/rounds/current')
        const wait = Math.max(0, open.locksAt - (Date.now() + shiftMs))
        setClock(begun + wait)
        await nextRound(open.id, 'a round opens after the clock came back')
        trials += 2
      }
      const { faults: found, figures } = await reckon(shop)
      return { trials, figures, faults: [...faults, ...found] }
    } finally {
      await shop.close()
      rmSync(home, { recursive: true, force: true })
    }
  },
}
