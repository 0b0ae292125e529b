// The disk under the journal is full: selling stops with 503, nothing acknowledged is lost, and it goes on by itself.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../tests/support/server.ts'
import { type Attack, faultUnless } from './attack.ts'
import { reckon } from './reckoning.ts'
import { Shop } from './shop.ts'

const DISK_MB = 24
const FULL_MS = 3_000
/** A probe looks twice a second whether there is room. */
const BACK_MS = 5_000

/** Room for a journal that can be used up and given back. */
type Room = {
  readonly how: string
  readonly dataDirectory: string
  fill(pid: number): void
  free(pid: number): void
  end(): void
}

/** A small disk of its own in memory, where mounting is allowed. */
const smallDisk = (): Room => {
  const home = mkdtempSync(join(tmpdir(), 'galop-disk-'))
  chmodSync(home, 0o755)
  const dataDirectory = join(home, 'data')
  const journal = join(dataDirectory, 'journal')
  const ballast = join(journal, 'ballast')
  mkdirSync(journal, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m,mode=700`, 'galop-chaos', journal], {
    stdio: 'pipe',
  })
  return {
    how: `a disk of ${DISK_MB} MB (tmpfs)`,
    dataDirectory,
    fill: () => {
      for (let part = 0; ; part++) {
        const { bavail, bsize } = statfsSync(journal)
        if (bavail === 0) return
        try {
          writeFileSync(`${ballast}-${part}`, Buffer.alloc(bavail * bsize))
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        }
      }
    },
    free: () => execFileSync('sh', ['-c', `rm -f '${ballast}'-*`]),
    end: () => {
      execFileSync('umount', ['-l', journal], { stdio: 'pipe' })
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** Where mounting is not allowed: files of the server's process may not grow any more. */
const smallFiles = (): Room => {
  const home = mkdtempSync(join(tmpdir(), 'galop-disk-'))
  chmodSync(home, 0o755)
  const limit = (pid: number, to: string): void => {
    execFileSync('prlimit', [`--pid=${pid}`, `--fsize=${to}:`], { stdio: 'pipe' })
  }
  return {
    how: 'a limit on the size of files (prlimit): mounting is not allowed here',
    dataDirectory: join(home, 'data'),
    fill: (pid) => limit(pid, '4096'),
    free: (pid) => limit(pid, 'unlimited'),
    end: () => rmSync(home, { recursive: true, force: true }),
  }
}

const makeRoom = (): Room => {
  try {
    return smallDisk()
  } catch {
    return smallFiles()
  }
}

export const disk: Attack = {
  name: 'disk',
  what: 'the disk full under the journal',
  run: async ({ times, isShort, say }) => {
    const turns = times ?? (isShort ? 2 : 10)
    const room = makeRoom()
    say(room.how)
    try {
      const shop = await Shop.open({
        dataDirectory: room.dataDirectory,
        // LMDB uses the pages again that a retired round gave back: without retirement it has to grow.
        crowd: { restMs: 40 },
      })
      try {
        return await fillAndFree(shop, room, turns, say)
      } finally {
        await shop.close()
      }
    } finally {
      room.end()
    }
  },
}

const fillAndFree = async (shop: Shop, room: Room, turns: number, say: (line: string) => void) => {
  const { server, admin } = shop.parts
  const faults: string[] = []
  let slowestMs = 0
  let refused = 0
  const crowd = shop.gather()
  const health = async (): Promise<number> => (await fetch(`${server.url}/health`)).status
  await shop.soldMore(100)
  for (let turn = 1; turn <= turns; turn++) {
    room.fill(server.pid)
    await eventually('the journal cannot write', async () => (await health()) === 503, 60_000)
    // LMDB may find a page for a small write now and then: then it writes for a moment.
    const isAlarmed = await eventually(
      'an alarm',
      async () => {
        const { data } = await admin.persistence()
        return data.alarms.some(({ code }: { code: string }) => code === 'JOURNAL')
      },
      FULL_MS,
    ).catch(() => false)
    const refusedBefore = crowd.sales.filter(({ code }) => code === 'JOURNAL_UNAVAILABLE').length
    const soldBefore = shop.acknowledged
    await delay(FULL_MS)
    const refusedNow = crowd.sales.filter(({ code }) => code === 'JOURNAL_UNAVAILABLE').length - refusedBefore
    const soldNow = shop.acknowledged - soldBefore
    refused += refusedNow
    faults.push(
      ...faultUnless(isAlarmed, 'a full disk raised no alarm JOURNAL'),
      ...faultUnless(refusedNow > 0, 'nobody was refused with 503 while the disk was full'),
    )
    // Killed in the middle of it now and then: what was acknowledged before must be there all the same.
    if (turn % 3 === 0) await server.kill('SIGKILL')
    room.free(server.pid)
    if (server.program.hasEnded) await shop.back()
    const begun = performance.now()
    await eventually('it sells again by itself', async () => (await health()) === 200, 30_000)
    await shop.soldMore(20)
    const tookMs = performance.now() - begun
    slowestMs = Math.max(slowestMs, tookMs)
    say(
      `turn ${turn}: ${refusedNow} refused and ${soldNow} sold meanwhile, selling again after ${Math.round(tookMs)} ms`,
    )
  }
  faults.push(...faultUnless(slowestMs < BACK_MS * 2, `it took ${Math.round(slowestMs)} ms to sell again`))
  const { faults: found, figures } = await reckon(shop)
  return {
    trials: turns,
    figures: {
      ...figures,
      how: room.how,
      'refused with 503': refused,
      'slowest return ms': Math.round(slowestMs),
    },
    faults: [...faults, ...found],
  }
}
