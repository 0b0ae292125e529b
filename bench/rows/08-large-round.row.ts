import { fillHistory } from '../history.ts'
import type { LoadOptions } from '../load.ts'
import { untilFigure } from '../observe.ts'
import { startBenchPostgres } from '../postgres.bench.ts'
import type { Bench, Comparison, Row } from '../row.ts'
import { CONNECTIONS, selling } from '../sale.ts'
import { type Galop, runLoad, startGalop, untilStored } from '../servers.ts'

// The same questions to a server with a thousand receipts and to one with a million, in turn: sales and lists of a live
// round that was sold for real, and lists of history that was put into Postgres as the archive keeps it.

export const row: Row = {
  number: 8,
  work: 'with 1,000,000 receipts in the round, or in history',
  run: async (bench) => [...(await inOneRound(bench)), ...(await inHistory(bench))],
}

/** A cashier's answers are kept for a while, until fifty others were asked: of sixty different ones hardly any is. */
const DIFFERENT = 60
const STORED_WITHIN_MS = 1_200_000

type Pair = { readonly small: Galop; readonly large: Galop }

const inOneRound = async (bench: Bench): Promise<Comparison[]> => {
  const [few, many] = bench.isShort ? [50, 400] : [1_000, 1_000_000]
  const small = await startGalop()
  const large = await startGalop()
  try {
    for (const [galop, receipts] of [
      [small, few],
      [large, many],
    ] as const) {
      const all = { connections: CONNECTIONS, warmUpMs: 0, durationMs: 3_000_000, mostAnswers: receipts }
      await runLoad({ ...selling(galop), ...all })
      await untilFigure(galop.port, 'galop_receipts_not_stored', (left) => left === 0, STORED_WITHIN_MS)
      bench.say(`row 8: ${receipts} receipts in one round`)
    }
    const lists = { connections: 8, mustHold: '"ticketsTotal"' }
    return [
      await compare(bench, 'selling with 1,000 in the round', { small, large }, (galop) => ({
        ...selling(galop),
        connections: CONNECTIONS,
      })),
      await compare(bench, '`init/dashboard` with 1,000 in the round', { small, large }, (galop) => ({
        ...asking(galop, ['/api/v1/init/dashboard']),
        ...lists,
      })),
    ]
  } finally {
    await Promise.all([small.stop(), large.stop()])
  }
}

const inHistory = async (bench: Bench): Promise<Comparison[]> => {
  const [few, many] = bench.isShort ? [1_000, 3_000] : [1_000, 1_000_000]
  const database = await startBenchPostgres()
  const urls = { small: await database.beside('small'), large: await database.beside('large') }
  const small = await startGalop({ DATABASE_URL: urls.small })
  const large = await startGalop({ DATABASE_URL: urls.large })
  try {
    await fillHistory(urls.small, 'caisse', few)
    await fillHistory(urls.large, 'caisse', many)
    bench.say(`row 8: ${many} receipts of history`)
    const lists = { connections: DIFFERENT, mustHold: '"history":"complete"' }
    const pages = (query: (nth: number) => string) =>
      Array.from({ length: DIFFERENT }, (_, nth) => `/api/v1/my-bets/?${query(nth)}`)
    return [
      await compare(bench, '`my-bets`, first page, with 1,000 of history', { small, large }, (galop) => ({
        ...asking(
          galop,
          pages((nth) => `page=1&limit=${10 + nth}`),
        ),
        ...lists,
      })),
      await compare(
        bench,
        '`my-bets`, pages 41 to 100, with 1,000 of history',
        { small, large },
        (galop) => ({
          ...asking(
            galop,
            pages((nth) => `page=${41 + nth}&limit=10`),
          ),
          ...lists,
        }),
      ),
    ]
  } finally {
    await Promise.all([small.stop(), large.stop()])
    await database.stop()
  }
}

const asking = ({ port, token }: Galop, paths: readonly string[]) => ({
  port,
  method: 'GET' as const,
  path: paths[0]!,
  paths,
  headers: { Authorization: `Bearer ${token}` },
  body: '',
})

const compare = async (
  { isShort, say }: Bench,
  against: string,
  { small, large }: Pair,
  load: (galop: Galop) => Omit<LoadOptions, 'durationMs' | 'warmUpMs'>,
): Promise<Comparison> => {
  const times = isShort ? { durationMs: 300, warmUpMs: 100 } : { durationMs: 4_000, warmUpMs: 1_000 }
  const ours: number[] = []
  const theirs: number[] = []
  const turns = isShort ? 1 : 5
  const ask = async (galop: Galop): Promise<number> => {
    // What one server still writes costs the other one time.
    for (const { port } of [small, large]) await untilStored(port)
    return (await runLoad({ ...load(galop), ...times })).perSecond
  }
  for (let turn = 1; turn <= turns; turn++) {
    const few = await ask(small)
    const many = await ask(large)
    theirs.push(few)
    ours.push(many)
    say(
      `row 8, ${against}, turn ${turn}/${turns}: ${many.toFixed(0)}/s, with few ${few.toFixed(0)}/s, ` +
        `ratio ${(many / few).toFixed(3)}`,
    )
  }
  return { against, unit: '/s', ours, theirs, reach: { atLeast: 0.9 }, notes: [] }
}
