// The journal's file damaged: at its end, in its middle, anywhere. The server refuses to start and says what to do, or
// everything that it acknowledged is there; `verify` says the same, and neither changes a byte.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DAMAGES } from '../tests/support/damage.ts'
import { eventually, Program, temporaryDirectory } from '../tests/support/server.ts'
import { type Sale, Station } from '../tests/support/station.ts'
import { type Attack, faultUnless } from './attack.ts'
import { BUILD, Shop } from './shop.ts'

const REFUSAL = /^galop: the journal in .* is damaged \(.+\)\. .*npm run verify.*docs\/operations\.md.*\n$/
/** Nobody listens there: a later start needs no Postgres. */
const NO_POSTGRES = 'postgres://galop:galop@127.0.0.1:1/galop'

export const journal: Attack = {
  name: 'journal',
  what: "the journal's file damaged at its end, in its middle, anywhere",
  run: async ({ times, isShort, build = BUILD, say }) => {
    const kinds = Object.entries(DAMAGES)
    const each = times ?? (isShort ? 1 : 10)
    // A round that stays open: what is on disk is what was acknowledged. No payments, which would need its end.
    const shop = await Shop.open({
      build,
      env: { ROUND_WAIT_DURATION_MS: '3600000' },
      crowd: { restMs: 20, payEvery: 0 },
    })
    const home = await temporaryDirectory()
    const faults: string[] = []
    const counts = { refused: 0, 'whole all the same': 0 }
    try {
      shop.gather()
      await shop.soldMore(isShort ? 500 : 2_000)
      await shop.parts.server.kill('SIGKILL')
      const books = shop.crowds.flatMap(({ sales }) => sales)
      for (const crowd of shop.crowds) void crowd.stop()
      for (const [kind, damage] of kinds) {
        for (let trial = 0; trial < each; trial++) {
          const data = join(home, 'data')
          rmSync(data, { recursive: true, force: true })
          cpSync(shop.parts.server.dataDirectory, data, { recursive: true })
          const file = join(data, 'journal', 'data.mdb')
          const bytes = damage(readFileSync(file), (below) => Math.floor(Math.random() * below))
          writeFileSync(file, bytes)
          const verified = verify(build, data)
          const found = await startOn(build, data, shop.parts.cashier, books)
          counts[found.isRefused ? 'refused' : 'whole all the same']++
          const wrong = [
            ...found.faults,
            ...faultUnless(
              verified.code === (found.isRefused ? 1 : 0),
              `verify ended with ${verified.code} where the server was ${found.isRefused ? '' : 'not '}refused: ${verified.text}`,
            ),
            ...faultUnless(
              !found.isRefused || readFileSync(file).equals(bytes),
              'a refused journal was changed',
            ),
          ]
          faults.push(...wrong.map((fault) => `${kind}: ${fault}`))
          if (wrong.length > 0) {
            const kept = mkdtempSync(join(tmpdir(), 'galop-damaged-'))
            writeFileSync(join(kept, 'data.mdb'), bytes)
            say(`the damaged file is kept in ${kept}`)
          }
        }
        say(`${each} × ${kind}`)
      }
      return { trials: kinds.length * each, figures: counts, faults }
    } finally {
      await shop.close()
      rmSync(home, { recursive: true, force: true })
    }
  },
}

const verify = (build: string, data: string): { code: number | null; text: string } => {
  const run = spawnSync(process.execPath, [join(build, 'verify.js'), data], { encoding: 'utf8' })
  return { code: run.status, text: run.stdout + run.stderr }
}

const startOn = async (build: string, data: string, cashier: Station, books: readonly Sale[]) => {
  const program = new Program([process.execPath, join(build, 'main.js')], {
    DATA_DIR: data,
    DATABASE_URL: NO_POSTGRES,
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'fatal',
    RATE_LIMIT_PER_MINUTE: '0',
  })
  try {
    const url = await eventually(
      'it opens or ends',
      () => (program.hasEnded ? 'ended' : /open at (http:\/\/\S+)/.exec(program.stdout)?.[1]),
      20_000,
    )
    if (url !== 'ended')
      return {
        isRefused: false,
        faults: await compare(new Station({ url }, cashier.token, cashier.user), books),
      }
    const { code, signal } = await program.end()
    return {
      isRefused: true,
      faults: [
        ...faultUnless(code === 1, `it ended with ${code ?? signal}`),
        ...faultUnless(REFUSAL.test(program.stderr), `it said ${program.stderr.slice(0, 500)}`),
      ],
    }
  } finally {
    program.signal('SIGKILL')
    await program.ended
  }
}

/** Everything that was acknowledged is there, and at most what was on its way besides. */
const compare = async (cashier: Station, books: readonly Sale[]): Promise<string[]> => {
  const there = new Map<number, string>()
  for (let page = 1; ; page++) {
    const { data } = await cashier.myBets(`?limit=200&page=${page}`)
    for (const { id, status } of data.tickets) there.set(id, status)
    if (page >= data.pagination.totalPages) break
  }
  const valid = books.filter(({ outcome, cancel }) => outcome === 'acknowledged' && cancel === undefined)
  const unsure = books.filter(({ outcome, cancel }) => outcome === 'unknown' || cancel?.outcome === 'unknown')
  const lost = valid.filter(({ id }) => there.get(id!) !== 'pending')
  return [
    ...faultUnless(lost.length === 0, `${lost.length} acknowledged receipts are lost: ${lost[0]?.id}`),
    ...faultUnless(
      there.size <= valid.length + unsure.length,
      `${there.size} receipts are there, ${valid.length} are known`,
    ),
  ]
}
