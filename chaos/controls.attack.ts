// Negative controls: servers with a fault that was put in on purpose. Each attack must find the one that is its own.
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { bundleServer } from '../scripts/bundle.mjs'
import { ROOT } from '../tests/support/server.ts'
import type { Attack } from './attack.ts'
import { clients } from './clients.attack.ts'
import { journal } from './journal.attack.ts'
import { kill } from './kill.attack.ts'
import { second } from './second.attack.ts'
import { BUILD } from './shop.ts'
import { stop } from './stop.attack.ts'

type Control = {
  readonly fault: string
  readonly file: string
  /** What is in a file of src, and what stands in its place. */
  readonly from: string
  readonly to: string
  readonly attack: Attack
  readonly times: number
}

const CONTROLS: readonly Control[] = [
  {
    fault: 'it answers before the commit',
    file: 'db/journal.ts',
    from: 'else enqueue({ entry, done })',
    to: 'else { done(); setTimeout(() => enqueue({ entry, done: () => {} }), 40) }',
    attack: kill,
    times: 6,
  },
  {
    fault: 'it forgets idempotency keys',
    file: 'actors/racing/once.ts',
    from: 'const before = earlier(once, now)\n',
    to: 'const before = undefined as ReturnType<typeof earlier>\n',
    attack: kill,
    times: 6,
  },
  {
    fault: 'it pays whoever asks',
    file: 'domain/racing/decide.ts',
    from: "return refuse('RECEIPT_ALREADY_PAID', { id, ...closed! })",
    to: 'return undefined',
    attack: kill,
    times: 2,
  },
  {
    fault: 'it leaves out a message for whoever comes back',
    file: 'http/live-stream.ts',
    from: 'const missed = this.#offset - offset\n',
    to: 'if (offset < this.#offset) offset++; const missed = this.#offset - offset\n',
    attack: clients,
    times: 1,
  },
  {
    fault: 'it ends at once on SIGTERM',
    file: 'main.ts',
    from: 'stop().then(',
    to: 'process.exit(0); stop().then(',
    attack: stop,
    times: 6,
  },
  {
    fault: 'it opens a journal without looking at it',
    file: 'db/journal.check.ts',
    from: 'if (faults.length === 0)',
    to: 'if (faults.length >= 0)',
    attack: journal,
    times: 2,
  },
  {
    fault: 'it asks nobody whether the data directory is in use',
    file: 'db/data-directory.ts',
    from: 'if (last.holder !== undefined)',
    to: 'if (Number.isNaN(last.holder))',
    attack: second,
    times: 1,
  },
]

export const controls: Attack = {
  name: 'controls',
  what: 'servers with a fault put in on purpose: each must be found',
  run: async ({ times: only, say }) => {
    const missed: string[] = []
    // With `--times N` the first N of them.
    for (const { fault, file, from, to, attack, times } of CONTROLS.slice(0, only)) {
      const home = mkdtempSync(join(ROOT, '.dist-control-'))
      try {
        cpSync(BUILD, join(home, 'dist'), { recursive: true })
        symlinkSync(join(ROOT, 'package.json'), join(home, 'package.json'))
        let changes = 0
        await bundleServer(join(home, 'dist'), (path, text) => {
          if (path !== join(ROOT, 'src', file)) return text
          changes = text.split(from).length - 1
          return text.replace(from, to)
        })
        if (changes !== 1) throw new Error(`${file} does not say once: ${from}`)
        const found = await attack
          .run({ times, isShort: true, build: join(home, 'dist'), say: () => {} })
          .then(({ faults }) => faults)
          .catch((error: Error) => [`it broke off: ${error.message.split('\n')[0]}`])
        if (found.length === 0) missed.push(`${attack.name} did not find that ${fault}`)
        say(
          `${fault}: ${attack.name} ${found.length > 0 ? `says ${found[0]!.slice(0, 160)}` : 'found nothing'}`,
        )
      } finally {
        rmSync(home, { recursive: true, force: true })
      }
    }
    return { trials: Math.min(CONTROLS.length, only ?? CONTROLS.length), figures: {}, faults: missed }
  },
}
