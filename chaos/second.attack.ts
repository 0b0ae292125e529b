// Servers started by mistake on a data directory that is in use, one after another and all at once.
import { join } from 'node:path'
import { startBreakablePostgres } from '../tests/support/breakable-postgres.ts'
import { eventually, Program, runToItsEnd, startServer } from '../tests/support/server.ts'
import { type Attack, faultUnless } from './attack.ts'
import { reckon } from './reckoning.ts'
import { BUILD, Shop } from './shop.ts'

const AT_ONCE = 4
/** It is refused within a second; the machine may be busy. */
const SECOND_ENDS_MS = 20_000
const REFUSAL = /another server \(process (\d+|unknown)\) uses the data directory/

export const second: Attack = {
  name: 'second',
  what: 'a second server on the same data directory',
  run: async ({ times, isShort, build = BUILD, say }) => {
    const turns = times ?? (isShort ? 2 : 20)
    const faults = await besideOneThatSells(build, turns, say)
    const races = await allAtOnce(build, turns, say)
    return {
      trials: turns * 2,
      figures: { 'beside one that sells': turns, [`${AT_ONCE} at once`]: turns },
      faults: [...faults, ...races],
    }
  },
}

const besideOneThatSells = async (
  build: string,
  turns: number,
  say: (line: string) => void,
): Promise<string[]> => {
  const shop = await Shop.open({ build })
  const { server, postgresCable } = shop.parts
  const faults: string[] = []
  try {
    shop.gather()
    for (let turn = 1; turn <= turns; turn++) {
      await shop.soldMore(20)
      const other = await runToItsEnd(
        { DATA_DIR: server.dataDirectory, DATABASE_URL: postgresCable.url },
        SECOND_ENDS_MS,
        join(build, 'main.js'),
      )
      faults.push(
        ...faultUnless(other.code === 1, `the second server ended with ${other.code ?? other.signal}`),
        ...faultUnless(REFUSAL.test(other.stderr), `the second server said ${other.stderr.trim()}`),
        ...faultUnless(!server.program.hasEnded, 'the first server has ended'),
      )
    }
    say(`${turns} were refused beside one that sells`)
    return [...faults, ...(await reckon(shop)).faults]
  } finally {
    await shop.close()
  }
}

/** Several start at the same moment, where the server before them was killed: one opens, the others are refused. */
const allAtOnce = async (build: string, turns: number, say: (line: string) => void): Promise<string[]> => {
  const postgres = await startBreakablePostgres()
  const faults: string[] = []
  try {
    const server = await startServer({ env: { DATABASE_URL: postgres.url } })
    try {
      for (let turn = 1; turn <= turns; turn++) {
        await server.kill('SIGKILL')
        const env = {
          DATA_DIR: server.dataDirectory,
          DATABASE_URL: postgres.url,
          HOST: '127.0.0.1',
          PORT: '0',
          LOG_LEVEL: 'warn',
        }
        const all = Array.from(
          { length: AT_ONCE },
          () => new Program([process.execPath, join(build, 'main.js')], env),
        )
        await eventually(
          'all but one have ended',
          () =>
            all.filter((one) => one.hasEnded).length >= AT_ONCE - 1 &&
            all.some((one) => one.hasEnded || /open at/.test(one.stdout)),
        ).catch((error: Error) => faults.push(`turn ${turn}: ${error.message}`))
        const left = all.filter((one) => !one.hasEnded)
        const refused = all.filter((one) => one.hasEnded && REFUSAL.test(one.stderr))
        faults.push(
          ...faultUnless(
            left.length === 1 && refused.length === AT_ONCE - 1,
            `turn ${turn}: ${left.length} of ${AT_ONCE} run, ${refused.length} were refused`,
          ),
        )
        for (const one of left)
          await eventually('it is open', () => /open at/.test(one.stdout) || one.hasEnded)
        for (const one of all) one.signal('SIGKILL')
        await Promise.all(all.map((one) => one.ended))
      }
      say(`${turns} times one of ${AT_ONCE} opened`)
      return faults
    } finally {
      await server.stop()
    }
  } finally {
    await postgres.end()
  }
}
