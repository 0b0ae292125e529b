// One sequence of cases, asked of the simulated Postgres and of a real one: what a run of the simulation relies on is what
// the product's statements do.
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { PostgresTables } from '../../sim/postgres.tables.ts'
import { twinStore } from '../../sim/postgres.twin.ts'
import { type RacingStore, racingStore } from '../../src/db/racing/racing.store.ts'
import type { ReceiptFilter } from '../../src/db/racing/receipts.queries.ts'
import type { Person, ReceiptCommand } from '../../src/domain/racing/decide.ts'
import {
  ADMIN,
  allNumbers,
  batchOf,
  CASHIER,
  OTHER_CASHIER,
  openRacingDatabase,
  type RacingDatabase,
  wipe,
} from '../db/racing/racing.database.ts'
import { attempts, type History, historyOf, receiptId } from '../db/racing/round.history.ts'

let database: RacingDatabase
beforeAll(async () => {
  database = await openRacingDatabase()
})
afterAll(() => database.close())

const PEOPLE: readonly Person[] = [ADMIN, CASHIER, OTHER_CASHIER]
const FILTERS: readonly ReceiptFilter[] = [
  {},
  { userId: 7 },
  { status: 'won' },
  { status: 'cancelled' },
  { userId: 8, status: 'paid' },
  { from: 1_000_010, to: 1_000_040 },
]

/** Something to ask, and who answers. What is thrown is an answer, too. */
type Question = { readonly what: string; readonly ask: (store: RacingStore) => Promise<unknown> }

const answerOf = async (store: RacingStore, { ask }: Question): Promise<unknown> => {
  try {
    return plain(await ask(store))
  } catch (error) {
    return `threw ${(error as Error).message}`
  }
}

/** Maps as lists in order, and members that are not there left out. */
const plain = (answer: unknown): unknown =>
  answer instanceof Map
    ? [...answer].map(([key, numbers]) => [key, [...(numbers as number[])].sort((a, b) => a - b)]).sort()
    : answer === undefined
      ? 'nothing'
      : JSON.parse(JSON.stringify(answer))

const command = (type: ReceiptCommand['type'], id: number, by: Person): ReceiptCommand => ({ type, id, by })
const ask = (asked: ReceiptCommand, now: number, key?: string): Question => ({
  what: `${asked.type} ${asked.id} by ${asked.by.id} under ${key}`,
  ask: ({ archive }) => archive.ask(asked, now, key),
})
const project = (history: History, numbers: readonly number[]): Question => ({
  what: `project ${history.roundId}: ${numbers}`,
  ask: ({ project }) => project(batchOf(history, numbers)),
})
const takeOver = ({ roundId, facts, round }: History, factCount = facts.length): Question => ({
  what: `take over ${roundId} with ${factCount} facts`,
  ask: ({ archive }) => archive.takeOver({ id: roundId, factCount, winner: round.settled?.order[0] ?? null }),
})

/** All that can be read. */
const readings = (histories: readonly History[]): Question[] => {
  const ids = histories.map(({ roundId }) => roundId)
  const receipts = histories.flatMap(({ round }) => [...round.receipts.keys()])
  return [
    ...FILTERS.flatMap((filter): Question[] => [
      { what: `list ${JSON.stringify(filter)}`, ask: ({ lists }) => lists.receipts(filter, 0, 100) },
      { what: `page ${JSON.stringify(filter)}`, ask: ({ lists }) => lists.receipts(filter, 2, 3) },
      { what: `totals ${JSON.stringify(filter)}`, ask: ({ lists }) => lists.totals(filter).then(counted) },
      { what: `since ${JSON.stringify(filter)}`, ask: ({ lists }) => lists.since(filter, 1_000_012) },
    ]),
    {
      what: 'owned',
      ask: ({ archive }) => archive.owned(ids).then((owned) => [...owned].sort((a, b) => a - b)),
    },
    { what: 'stored', ask: ({ storedFacts }) => storedFacts(ids) },
    { what: 'unreconciled', ask: ({ unreconciled }) => unreconciled() },
    { what: 'with discrepancy', ask: ({ withDiscrepancy }) => withDiscrepancy() },
    ...receipts.map((id): Question => ({ what: `find ${id}`, ask: ({ archive }) => archive.find(id) })),
    ...ids.map((id): Question => ({ what: `compare ${id}`, ask: ({ reconcile }) => reconcile(id) })),
  ]
}

/** Sums of nothing are left out: one of the two keeps a row for them. */
const counted = (totals: Awaited<ReturnType<RacingStore['lists']['totals']>>) =>
  Object.entries(totals)
    .filter(([, { receipts }]) => receipts > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))

/** Asks both, one question after another. */
const compare = async (questions: readonly Question[]): Promise<unknown[]> => {
  const real = racingStore(database.sql)
  const twin = twinStore(new PostgresTables(() => Date.now()), async (_what, transaction) => transaction())
  const answers: unknown[] = []
  for (const question of questions) {
    const expected = await answerOf(real, question)
    expect(await answerOf(twin, question), question.what).toEqual(expected)
    answers.push(expected)
  }
  return answers
}

describe('the simulated Postgres answers as the real one', () => {
  beforeEach(() => wipe(database.sql))

  it('whatever comes in whatever order, twice, and from two rounds at once', async () => {
    const steps = fc.array(
      fc.record({
        do: fc.constantFrom('project' as const, 'take over' as const, 'ask' as const),
        which: fc.nat(1),
        from: fc.nat(30),
        count: fc.integer({ min: 1, max: 12 }),
        type: fc.constantFrom('PayReceipt' as const, 'PayReceipt' as const, 'PrintReceipt' as const),
        person: fc.nat(2),
        key: fc.constantFrom(undefined, '7/a', '1/b'),
      }),
      { minLength: 8, maxLength: 20 },
    )
    const endings = fc.constantFrom('settled' as const, 'voided' as const)
    await fc.assert(
      fc.asyncProperty(attempts(14), attempts(14), endings, steps, async (one, other, until, todo) => {
        await wipe(database.sql)
        const histories = [
          historyOf(one, { roundId: 41 }),
          historyOf(other, { roundId: 42, openedAt: 1_000_020, until }),
        ]
        const questions = todo.flatMap((step, at): Question[] => {
          const history = histories[step.which]!
          const receipts = [...history.round.receipts.keys()]
          const id = receipts[step.from % Math.max(1, receipts.length)] ?? 999
          if (step.do === 'ask')
            return [ask(command(step.type, id, PEOPLE[step.person]!), 2_000_000 + at, step.key)]
          if (step.do === 'project') {
            const numbers = allNumbers(history)
            const first = step.from % numbers.length
            return [project(history, numbers.slice(first, first + step.count))]
          }
          return [takeOver(history, step.person === 0 ? history.facts.length + 1 : undefined)]
        })
        // In the end all is there, so that paying and listing have something to be about.
        for (const history of histories)
          questions.push(project(history, allNumbers(history)), takeOver(history))
        for (const id of histories.flatMap(({ round }) => [...round.receipts.keys()].slice(0, 6)))
          questions.push(ask(command('PayReceipt', id, ADMIN), 3_000_000, '1/late'))
        await compare([...questions, ...readings(histories)])
      }),
      { numRuns: 40 },
    )
  })

  it('when a receipt’s number comes from another round, and changes nothing then', async () => {
    const sale = { do: 'sell' as const, by: 7, bets: [{ number: 1, stake: 1_000 }] }
    const first = historyOf({ whileOpen: [sale] }, { roundId: 41 })
    const thief = historyOf({ whileOpen: [sale, sale] }, { roundId: 42 })
    const facts = thief.facts.map((fact) =>
      'sale' in fact && fact.id === receiptId(42, 1) ? { ...fact, id: receiptId(41, 1) } : fact,
    )
    const stolen = { ...thief, facts }
    const answers = await compare([
      project(first, allNumbers(first)),
      project(stolen, allNumbers(stolen)),
      ...readings([first]),
      { what: 'stored of the thief', ask: ({ storedFacts }) => storedFacts([42]) },
    ])
    expect(answers[1]).toMatch(/^threw receipt \d+ of round 42 has the number of one of round 41/)
    expect(answers.at(-1)).toEqual([])
  })

  it('takes a round over only when it is settled and whole, once, and keeps what it owns as it is', async () => {
    const sale = {
      do: 'sell' as const,
      by: 7,
      bets: [1, 2, 3, 4, 5, 6].map((number) => ({ number, stake: 1_000 })),
    }
    const history = historyOf({ whileOpen: [sale, sale] }, { roundId: 41 })
    const numbers = allNumbers(history)
    const id = receiptId(41, 1)
    const answers = await compare([
      takeOver(history),
      project(history, numbers.slice(0, -1)),
      takeOver(history),
      project(history, numbers),
      takeOver(history, numbers.length - 1),
      takeOver(history),
      takeOver(history),
      ask(command('PayReceipt', id, OTHER_CASHIER), 2_000_000),
      ask(command('PayReceipt', id, CASHIER), 2_000_001, '7/a'),
      ask(command('PayReceipt', id, CASHIER), 2_000_002, '7/a'),
      ask(command('PayReceipt', id, ADMIN), 2_000_003, '1/a'),
      ask(command('PrintReceipt', id, CASHIER), 2_000_004),
      ask(command('CancelReceipt', id, CASHIER), 2_000_005),
      project(history, numbers),
      ...readings([history]),
    ])
    expect(answers.slice(0, 7)).toEqual([
      'incomplete',
      'nothing',
      'incomplete',
      'nothing',
      'incomplete',
      'taken',
      'taken',
    ])
    expect(answers[7]).toMatchObject({ refused: 'RECEIPT_FOREIGN' })
    expect(answers[8]).toMatchObject({ status: 'paid' })
    expect(answers[9]).toEqual(answers[8])
    expect(answers[10]).toMatchObject({ refused: 'RECEIPT_ALREADY_PAID' })
  })
})
