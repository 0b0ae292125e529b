import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Archive } from '../../../src/actors/racing/archive.port.ts'
import type { Sql } from '../../../src/db/postgres.ts'
import { receiptsArchive } from '../../../src/db/racing/receipts.archive.ts'
import { discrepancies } from '../../../src/db/racing/reconciliation.queries.ts'
import { retiredRound } from '../../../src/db/racing/rounds.queries.ts'
import { isRefusal } from '../../../src/domain/racing/refusals.ts'
import {
  ADMIN,
  CASHIER,
  countedTotals,
  expectedReceipts,
  keptTotals,
  openRacingDatabase,
  project,
  type RacingDatabase,
  rowsOf,
  wipe,
  withoutGuard,
} from './racing.database.ts'
import { type History, historyOf, type Move, receiptId, SEED } from './round.history.ts'

const ROUND = 42
const NOW = 2_000_000
const [OPEN, CANCELLED, REFUNDED] = [1, 2, 3].map((place) => receiptId(ROUND, place)) as [
  number,
  number,
  number,
]
const sale: Move = { do: 'sell', by: 7, bets: [{ number: 1, stake: 5_000 }] }

let database: RacingDatabase
let sql: Sql
let archive: Archive
let history: History

beforeAll(async () => {
  database = await openRacingDatabase()
  sql = database.sql
  archive = receiptsArchive(sql)
})
afterAll(() => database.close())

beforeEach(async () => {
  await wipe(sql)
  history = historyOf(
    {
      whileOpen: [sale, sale, { do: 'cancel', by: 1, which: 1 }, sale],
      afterwards: [{ do: 'pay', by: 7, which: 2 }],
    },
    { roundId: ROUND, until: 'voided' },
  )
  await project(sql, history)
  expect(await archive.takeOver({ id: ROUND, factCount: history.facts.length, winner: null })).toBe('taken')
})

const pay = (id: number, by = CASHIER) => archive.ask({ type: 'PayReceipt', id, by }, NOW, undefined)

const everythingAgrees = async (): Promise<void> => {
  expect(await keptTotals(sql)).toEqual(await countedTotals(sql))
  expect(await discrepancies(sql, ROUND)).toEqual([])
}

describe('a voided round in the archive', () => {
  it('has receipts that are worth their stake, one that has it already, and one that was cancelled', async () => {
    const { receipts } = await rowsOf(sql, ROUND)
    expect(receipts).toMatchObject(expectedReceipts(history.round))
    expect(receipts.map(({ status }) => status)).toEqual(['refundable', 'cancelled', 'refunded'])
    await everythingAgrees()
  })

  it('says who voided it and why, shows its seed, and has no result', async () => {
    expect(await retiredRound(sql, ROUND)).toMatchObject({
      seed: SEED,
      order: null,
      voided: { by: 1, reason: 'the screen is dark' },
      receiptCount: 2,
      stakes: 10_000,
      prizes: 0,
    })
  })

  it('gives a stake back exactly once when ten ask at the same time', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => pay(OPEN, i % 2 === 0 ? CASHIER : ADMIN)),
    )
    const given = answers.filter((answer) => !isRefusal(answer))
    expect(given).toMatchObject([{ id: OPEN, status: 'refunded', prize: 0, total: 5_000 }])
    expect(answers.filter(isRefusal).map(({ refused }) => refused)).toEqual(
      Array(9).fill('RECEIPT_ALREADY_REFUNDED'),
    )
    expect(
      await sql`select type, body ->> 'id' as id from facts where number > ${history.facts.length}`,
    ).toEqual([{ type: 'ReceiptRefunded', id: String(OPEN) }])
    await everythingAgrees()
  })

  it('gives nothing for what was cancelled, or has its stake', async () => {
    expect(await pay(CANCELLED)).toMatchObject({ refused: 'RECEIPT_CANCELLED' })
    expect(await pay(REFUNDED)).toMatchObject({ refused: 'RECEIPT_ALREADY_REFUNDED' })
  })

  it.each([
    [
      'a stake that nobody gave back',
      `update receipts set status = 'refunded', closed_by = 1, closed_at = now() where receipt_id = ${OPEN}`,
    ],
    ['a receipt that lost instead', `update receipts set status = 'lost' where receipt_id = ${OPEN}`],
    ['a prize', `update receipts set prize = 5 where receipt_id = ${OPEN}`],
  ])('is found to differ where its rows tell of %s', async (_, damage) => {
    const undo = new Error('undo')
    let found: string[] = []
    await expect(
      withoutGuard(sql, async (tx) => {
        await tx.unsafe(damage)
        found = await discrepancies(tx, ROUND)
        throw undo
      }),
    ).rejects.toBe(undo)
    expect(found).not.toEqual([])
  })
})
