import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Archive } from '../../../src/actors/racing/archive.port.ts'
import { receiptsArchive } from '../../../src/db/racing/receipts.archive.ts'
import { projectFacts } from '../../../src/db/racing/rounds.projection.ts'
import { retiredRound } from '../../../src/db/racing/rounds.queries.ts'
import {
  allNumbers,
  batchOf,
  countedTotals,
  expectedReceipts,
  keptTotals,
  openRacingDatabase,
  project,
  type RacingDatabase,
  rowsOf,
  wipe,
} from './racing.database.ts'
import { attempts, type History, historyOf, receiptId } from './round.history.ts'

const ROUND = 42
let database: RacingDatabase
let archive: Archive

beforeAll(async () => {
  database = await openRacingDatabase()
  archive = receiptsArchive(database.sql)
})
beforeEach(() => wipe(database.sql))
afterAll(() => database.close())

const takeOver = ({ roundId, facts, round }: History) =>
  archive.takeOver({ id: roundId, factCount: facts.length, winner: round.settled?.order[0] ?? null })

/** Any cut of a history into batches, in any order, some of them twice. Within a batch facts keep their order. */
const deliveries = (length: number): fc.Arbitrary<number[][]> =>
  fc
    .array(fc.nat(4), { minLength: length, maxLength: length })
    .map((places) => [0, 1, 2, 3, 4].map((batch) => places.flatMap((at, i) => (at === batch ? [i + 1] : []))))
    .map((batches) => batches.filter((batch) => batch.length > 0))
    .chain((batches) =>
      fc.shuffledSubarray(batches, { minLength: 0 }).chain((again) =>
        fc
          .shuffledSubarray(
            [...batches, ...again].map((_, i) => i),
            {
              minLength: batches.length + again.length,
            },
          )
          .map((order) => order.map((i) => [...batches, ...again][i]!)),
      ),
    )

const stages = fc.constantFrom('locked' as const, 'running' as const, 'settled' as const, 'voided' as const)

describe('the projection', () => {
  it('P1 P2: makes the same rows of any batches, in any order, however often they come', async () => {
    const cases = fc
      .record({ tried: attempts(), until: stages })
      .map(({ tried, until }) => historyOf(tried, { roundId: ROUND, until }))
      .chain((history) => fc.tuple(fc.constant(history), deliveries(history.facts.length)))
    await fc.assert(
      fc.asyncProperty(cases, async ([history, batches]) => {
        await wipe(database.sql)
        await project(database.sql, history)
        const inOrder = await rowsOf(database.sql, ROUND)
        await wipe(database.sql)
        for (const numbers of batches) await projectFacts(database.sql, batchOf(history, numbers))
        expect(await rowsOf(database.sql, ROUND)).toEqual(inOrder)
      }),
      { numRuns: 60 },
    )
  })

  it('P1: makes the same rows of batches that are written at the same time', async () => {
    const cases = attempts().map((tried) => historyOf(tried, { roundId: ROUND }))
    await fc.assert(
      fc.asyncProperty(cases, async (history) => {
        await wipe(database.sql)
        await project(database.sql, history)
        const inOrder = await rowsOf(database.sql, ROUND)
        await wipe(database.sql)
        const numbers = allNumbers(history)
        const thirds = [0, 1, 2].map((third) => numbers.filter((number) => number % 3 === third))
        await Promise.all(
          thirds
            .filter((third) => third.length > 0)
            .map((third) => projectFacts(database.sql, batchOf(history, third))),
        )
        expect(await rowsOf(database.sql, ROUND)).toEqual(inOrder)
      }),
      { numRuns: 25 },
    )
  })

  it('P3: writes a batch whole or not at all', async () => {
    const history = historyOf(
      {
        whileOpen: [
          { do: 'sell', by: 7, bets: [{ number: 1, stake: 1_000 }] },
          // Nobody knows this user, so its receipt breaks a foreign key.
          { do: 'sell', by: 999, bets: [{ number: 2, stake: 1_000 }] },
        ],
      },
      { roundId: ROUND },
    )
    await expect(project(database.sql, history)).rejects.toMatchObject({ code: '23503' })
    const rows = await rowsOf(database.sql, ROUND)
    expect(Object.values(rows).flat()).toEqual([])
  })

  it('refuses a receipt whose number another round has already', async () => {
    const bets = [{ number: 1, stake: 1_000 }]
    const first = historyOf({ whileOpen: [{ do: 'sell', by: 7, bets }] }, { roundId: ROUND })
    await project(database.sql, first)
    const second = historyOf({ whileOpen: [{ do: 'sell', by: 7, bets }] }, { roundId: ROUND + 1 })
    const taken = { ...second.facts[1]!, id: receiptId(ROUND, 1) } as (typeof second.facts)[number]
    const clash = { ...second, facts: second.facts.with(1, taken) }
    await expect(project(database.sql, clash)).rejects.toThrow(/4200001/)
    expect((await rowsOf(database.sql, ROUND + 1)).facts).toEqual([])
  })
})

describe('handing a round over', () => {
  it('A3: is incomplete until every fact is there, and then says what the fold says', async () => {
    const cases = attempts()
      .map((tried) => historyOf(tried, { roundId: ROUND }))
      .chain((history) =>
        fc.tuple(
          fc.constant(history),
          fc.shuffledSubarray(allNumbers(history), { minLength: history.facts.length }),
        ),
      )
    await fc.assert(
      fc.asyncProperty(cases, async ([history, order]) => {
        await wipe(database.sql)
        const [last, ...others] = order
        expect(await takeOver(history)).toBe('incomplete')
        for (const third of [0, 1, 2]) {
          const numbers = others.filter((number) => number % 3 === third).sort((a, b) => a - b)
          if (numbers.length > 0) await projectFacts(database.sql, batchOf(history, numbers))
          expect(await takeOver(history)).toBe('incomplete')
        }
        expect(await archive.owned([ROUND])).toEqual([])
        await projectFacts(database.sql, batchOf(history, [last!]))

        expect(await takeOver(history)).toBe('taken')
        expect(await archive.owned([ROUND])).toEqual([ROUND])
        const { round } = history
        const rows = await rowsOf(database.sql, ROUND)
        expect(rows.receipts.map(({ fact_number, retired, ...row }) => row)).toEqual(expectedReceipts(round))
        expect(rows.receipts.every((row) => row.retired)).toBe(true)
        expect(await retiredRound(database.sql, ROUND)).toMatchObject({
          receiptCount: round.receiptCount,
          stakes: round.stakesIn - round.refunded,
          prizes: round.totalPrize,
          order: round.settled!.order,
          seed: round.settled!.seed,
        })
        expect(await keptTotals(database.sql)).toEqual(await countedTotals(database.sql))

        expect(await takeOver(history)).toBe('taken')
        for (const again of [order.filter((number) => number % 2 === 0), allNumbers(history)])
          if (again.length > 0)
            await projectFacts(
              database.sql,
              batchOf(
                history,
                again.sort((a, b) => a - b),
              ),
            )
        expect(await rowsOf(database.sql, ROUND)).toEqual(rows)
        expect(await keptTotals(database.sql)).toEqual(await countedTotals(database.sql))
      }),
      { numRuns: 40 },
    )
  })

  it('takes a round once when two servers hand it over at the same time', async () => {
    const bets = [{ number: 1, stake: 1_000 }]
    const history = historyOf({ whileOpen: [{ do: 'sell', by: 7, bets }] }, { roundId: ROUND })
    await project(database.sql, history)
    expect(await Promise.all([takeOver(history), takeOver(history), takeOver(history)])).toEqual([
      'taken',
      'taken',
      'taken',
    ])
    expect(await keptTotals(database.sql)).toEqual(await countedTotals(database.sql))
  })

  it('does not take a round that is not settled', async () => {
    const history = historyOf({}, { roundId: ROUND, until: 'running' })
    await project(database.sql, history)
    expect(await takeOver(history)).toBe('incomplete')
  })
})
